/**
 * Runs a broker in this process until it is told to stop: reads its configuration, starts it on the
 * real machine, and stops it in order on SIGTERM or SIGINT. A second signal ends it at once.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { SystemClock } from '../common/clock.ts'
import { createBrokerConfig } from '../common/config/broker-config.ts'
import { ConfigError } from '../common/config/config-value.ts'
import { environmentConfig } from '../common/config/environment.ts'
import { parseProperties } from '../common/config/properties.ts'
import { LineLogger, type LogLevel } from '../common/logger.ts'
import { SystemRandom } from '../common/random.ts'
import { SystemDisk } from '../common/system-disk.ts'
import { SystemNetwork } from '../common/system-network.ts'
import { Broker } from '../server/broker.ts'
import { explainStartupError } from './startup-errors.ts'

export interface RunBrokerOptions {
  readonly propertiesFile: string | undefined
  /** Settings of the lowest rank. */
  readonly defaults: ReadonlyMap<string, string>
  /** Settings of the highest rank. */
  readonly overrides: ReadonlyMap<string, string>
  /** Called when the broker serves. */
  readonly started: (broker: { addresses: string[]; folders: string[] }) => void
}

/** Resolves when the broker serves, or with the exit code set when it could not start. */
export async function runBroker(options: RunBrokerOptions): Promise<void> {
  let broker: Broker
  try {
    broker = await startBroker(options)
  } catch (error) {
    const line = explainStartupError(error)
    if (line === undefined) throw error
    console.error(`samsa: ${line}`)
    process.exitCode = 1
    return
  }
  stopOnSignal(broker)
  options.started({ addresses: broker.addresses, folders: [...broker.logDirs] })
}

async function startBroker(options: RunBrokerOptions): Promise<Broker> {
  const clock = new SystemClock()
  const log = new LineLogger({
    clock,
    level: (process.env.SAMSA_LOG_LEVEL as LogLevel | undefined) ?? 'info',
    sink: (line) => console.log(line),
  })
  const config = createBrokerConfig(readEntries(options))
  const broker = new Broker({
    config,
    clock,
    log,
    disk: new SystemDisk(),
    network: new SystemNetwork(),
    random: new SystemRandom(),
    hostName: hostname(),
    onFatal: (error) => {
      log.error('the broker cannot go on', error)
      process.exit(1)
    },
  })
  await broker.start()
  return broker
}

/** All settings, with the folders as absolute paths. */
function readEntries(options: RunBrokerOptions): Map<string, string> {
  const { propertiesFile, defaults, overrides } = options
  const file = propertiesFile === undefined ? new Map<string, string>() : readFile(propertiesFile)
  const entries = new Map([...defaults, ...file, ...environmentConfig(process.env), ...overrides])
  for (const key of ['log.dir', 'log.dirs']) {
    const folders = entries.get(key)
    if (folders === undefined) continue
    const absolute = folders.split(',').map((folder) => resolve(folder.trim()))
    entries.set(key, absolute.join(','))
  }
  return entries
}

function readFile(path: string): Map<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw new ConfigError(`Cannot read the configuration file ${path}: ${why}.`)
  }
  return parseProperties(text)
}

function stopOnSignal(broker: Broker): void {
  let stopping = false
  const stop = () => {
    if (stopping) process.exit(1)
    stopping = true
    broker.stop().then(
      () => process.exit(0),
      (error) => {
        console.error('samsa: the broker did not stop in order:', error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
