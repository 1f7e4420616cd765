/**
 * `kafka-server-start.sh [-daemon] server.properties [--override key=value]…`: what Kafka's script
 * of this name does. With `-daemon` the broker goes on in the background and writes its log to
 * `logs/kafkaServer.out` (in `LOG_DIR`, if that is set).
 */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { runBroker } from './run-broker.ts'
import { parseServerArguments } from './server-arguments.ts'

const USAGE =
  'USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*'

export async function kafkaServerStart(args: readonly string[]): Promise<void> {
  const parsed = parseServerArguments(args)
  if (parsed?.propertiesFile === undefined) {
    console.error(USAGE)
    process.exitCode = 1
    return
  }
  if (parsed.daemon) {
    startInBackground(args.filter((arg) => !/^--?daemon$/.test(arg)))
    return
  }
  const { propertiesFile, overrides } = parsed
  await runBroker({ propertiesFile, defaults: new Map(), overrides, started: () => {} })
}

function startInBackground(args: readonly string[]): void {
  const folder = process.env.LOG_DIR ?? 'logs'
  mkdirSync(folder, { recursive: true })
  const output = openSync(join(folder, 'kafkaServer.out'), 'a')
  const program = [process.argv[1]!, 'kafka-server-start', ...args]
  spawn(process.execPath, program, {
    detached: true,
    stdio: ['ignore', output, output],
  }).unref()
}
