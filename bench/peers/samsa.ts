/**
 * Samsa as it is published: the bundled build, started by its start script on default settings.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, freePort, type Server, startServer } from './server.ts'

const root = join(import.meta.dirname, '../..')

/**
 * What starts a broker with its data in `folder`, which must exist. `overrides` are further lines
 * for server.properties.
 */
export function samsaCommand(folder: string, port: number, overrides: string[] = []): Command {
  if (!existsSync(join(root, 'dist/samsa.js'))) {
    throw new Error('dist/samsa.js is missing: run `npm run build` first.')
  }
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const properties = join(folder, 'server.properties')
  writeFileSync(
    properties,
    [
      'node.id=0',
      `listeners=PLAINTEXT://127.0.0.1:${port}`,
      `log.dirs=${data}`,
      // The one setting that is not the default: deleted topics free their disk space soon.
      'log.segment.delete.delay.ms=1000',
      ...overrides,
      '',
    ].join('\n'),
  )
  const file = join(root, 'bin/kafka-server-start.sh')
  return { name: 'Samsa', file, args: [properties], folder }
}

export async function startSamsa(folder: string, cpus?: string): Promise<Server> {
  const port = await freePort()
  return startServer({ ...samsaCommand(folder, port), cpus }, port)
}
