/** The libraries that are compared: installed into a folder of the benchmark's own. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../.cache/clients')

const versions = {
  kafkajs: '2.2.4',
  '@platformatic/kafka': '2.12.1',
  '@confluentinc/kafka-javascript': '1.10.1',
} as const

export type PeerName = keyof typeof versions

/** The version that is installed. */
export function versionOf(name: string): string | undefined {
  return versions[name as PeerName]
}

/** A library, as its package exports it. */
export function requirePeer(name: PeerName): unknown {
  return createRequire(join(folder, 'package.json'))(name)
}

function npm(args: string[], environment: Record<string, string> = {}): void {
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/**
 * Installs what is not there. Confluent's library is prebuilt for released versions of Node, if
 * its host can be reached; where not, it is compiled, with the headers of the Node that runs this
 * (they come with the npm package of that Node) against the system's zlib and OpenSSL.
 */
export function installPeers(): void {
  if (existsSync(join(folder, 'complete'))) return
  mkdirSync(folder, { recursive: true })
  const node = `node-${process.platform}-${process.arch}`
  const dependencies = { ...versions, [node]: process.versions.node }
  const manifest = { name: 'samsa-bench-clients', private: true, dependencies }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  console.log('installing the other clients; compiling one may take a few minutes')
  npm(['install', '--ignore-scripts'])
  npm(['rebuild', '@confluentinc/kafka-javascript'], {
    npm_config_nodedir: join(folder, 'node_modules', node),
    CKJS_LINKING: 'dynamic',
    PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
  })
  writeFileSync(join(folder, 'complete'), '')
}
