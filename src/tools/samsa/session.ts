/**
 * What every command of `samsa` works with: where the cluster is, how to print, and the clients,
 * which are made when a command first needs them and closed when it ends.
 */
import { readFileSync } from 'node:fs'
import { Admin } from '../../clients/index.ts'
import { parseProperties } from '../../common/config/properties.ts'
import type { ToolIo } from '../support/tool.ts'
import { type Paint, paintFor } from './output.ts'
import { UsageError } from './usage-error.ts'

/** Options that stand before or after any command. */
export interface GlobalOptions {
  readonly brokers?: string
  readonly config?: string
  readonly X?: readonly string[]
  readonly json?: boolean
  readonly color?: boolean
}

const DEFAULT_BROKERS = 'localhost:9092'

export class Session {
  readonly io: ToolIo
  readonly json: boolean
  readonly paint: Paint
  readonly #options: GlobalOptions
  /** Something was asked for that could not be done: the exit code is 1. */
  failed = false
  #admin: Admin | undefined

  constructor(io: ToolIo, options: GlobalOptions) {
    this.io = io
    this.json = options.json ?? false
    this.paint = paintFor(io.stdout, options.color)
    this.#options = options
  }

  /** Settings for a client, by Kafka's names: the file's, then those of `-X`, then `--brokers`. */
  clientConfig(): Record<string, string> {
    const { config, X, brokers } = this.#options
    const settings: Record<string, string> = { 'client.id': 'samsa-cli' }
    if (config !== undefined) Object.assign(settings, Object.fromEntries(readSettings(config)))
    for (const pair of X ?? []) {
      const at = pair.indexOf('=')
      if (at <= 0) throw new UsageError(`-X takes key=value, not '${pair}'`)
      settings[pair.slice(0, at)] = pair.slice(at + 1)
    }
    const { SAMSA_BROKERS } = process.env
    const fallback = settings['bootstrap.servers'] ?? SAMSA_BROKERS ?? DEFAULT_BROKERS
    return { ...settings, 'bootstrap.servers': brokers ?? fallback }
  }

  get admin(): Admin {
    this.#admin ??= new Admin(this.clientConfig())
    return this.#admin
  }

  close(): void {
    this.#admin?.close()
  }
}

function readSettings(path: string): Map<string, string> {
  try {
    return parseProperties(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`The file ${path} cannot be read: ${(error as Error).message}`)
  }
}
