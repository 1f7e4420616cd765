/**
 * What a component has to say to the operator. One line an event, in the form of Kafka's own broker
 * log, because tools that wait for a broker to start search it for lines like
 * `[KafkaServer id=1] started`.
 */
import type { Clock } from './clock.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  /** What is said at least. Can be changed at any time; absent where it cannot. */
  level?: LogLevel
  debug(message: string): void
  info(message: string): void
  /** `cause` is appended as its message; its stack only where it is not an operating error. */
  warn(message: string, cause?: unknown): void
  error(message: string, cause?: unknown): void
}

const SEVERITY: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Writes `[2026-11-23 12:18:13,123] INFO message` lines of at least `level` to `sink`. */
export class LineLogger implements Logger {
  level: LogLevel
  readonly #clock: Clock
  readonly #sink: (line: string) => void

  constructor(options: { clock: Clock; level?: LogLevel; sink: (line: string) => void }) {
    this.#clock = options.clock
    this.level = options.level ?? 'info'
    this.#sink = options.sink
  }

  debug(message: string): void {
    this.#write('debug', message)
  }

  info(message: string): void {
    this.#write('info', message)
  }

  warn(message: string, cause?: unknown): void {
    this.#write('warn', message, cause)
  }

  error(message: string, cause?: unknown): void {
    this.#write('error', message, cause)
  }

  #write(level: LogLevel, message: string, cause?: unknown): void {
    if (SEVERITY[level] < SEVERITY[this.level]) return
    const suffix = cause === undefined ? '' : `: ${describeCause(cause)}`
    this.#sink(`[${timestamp(this.#clock.now())}] ${level.toUpperCase()} ${message}${suffix}`)
  }
}

/** Says nothing. For tests and embedded use. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // Errors with a code are the environment's or the protocol's; the others are ours, and want a
  // stack.
  return 'code' in cause ? cause.message : (cause.stack ?? cause.message)
}

/** `yyyy-MM-dd HH:mm:ss,SSS` in local time, as log4j prints it. */
function timestamp(epochMs: number): string {
  const local = new Date(epochMs - new Date(epochMs).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 23).replace('T', ' ').replace('.', ',')
}
