/**
 * What kafka-consumer-perf-test has read, and how long it took: the time until partitions were
 * assigned is told apart from the rest.
 */
import type { ConsumerRecord } from '../../clients/consumer/consumer-record.ts'
import { fixed } from '../support/java-numbers.ts'

const MEGABYTE = 1024 * 1024
const RATE_COLUMNS =
  'data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, ' +
  'rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec'

export const TOTAL_HEADER = `start.time, end.time, ${RATE_COLUMNS}`
export const INTERVAL_HEADER = `time, threadId, ${RATE_COLUMNS}`

export interface ConsumptionOptions {
  readonly now: () => number
  readonly formatTime: (epochMs: number) => string
  /** Gets a line for each interval; undefined if nobody wants them. */
  readonly print: ((line: string) => void) | undefined
  readonly reportingIntervalMs: number
}

export class Consumption {
  readonly #options: ConsumptionOptions
  readonly #startMs: number
  #joinStartMs: number
  #joinMs = 0
  /** What of it is for the first line; the others have none. */
  #joinMsOfInterval = 0
  #isFirstInterval = true
  #reportedMs: number
  #reportedCount = 0
  #reportedBytes = 0
  count = 0
  bytes = 0

  constructor(options: ConsumptionOptions) {
    this.#options = options
    this.#startMs = options.now()
    this.#joinStartMs = this.#startMs
    this.#reportedMs = this.#startMs
  }

  revoked(): void {
    this.#joinStartMs = this.#options.now()
  }

  assigned(): void {
    const elapsedMs = this.#options.now() - this.#joinStartMs
    this.#joinMs += elapsedMs
    if (this.#isFirstInterval) this.#joinMsOfInterval += elapsedMs
  }

  /** A record has been read at `nowMs`. */
  add(record: ConsumerRecord, nowMs: number): void {
    this.count += 1
    this.bytes += Math.max(0, record.serializedKeySize) + Math.max(0, record.serializedValueSize)
    if (nowMs - this.#reportedMs >= this.#options.reportingIntervalMs) this.#report(nowMs)
  }

  #report(nowMs: number): void {
    const { print, formatTime } = this.#options
    const elapsedMs = nowMs - this.#reportedMs
    const megabytes = (this.bytes - this.#reportedBytes) / MEGABYTE
    const count = this.count - this.#reportedCount
    const joinMs = this.#joinMsOfInterval
    const fetchMs = elapsedMs - joinMs
    const perFetchSecond = (amount: number) => (fetchMs <= 0 ? 0 : (1000 * amount) / fetchMs)
    print?.(
      [
        ...[formatTime(nowMs), 0],
        ...[fixed(this.bytes / MEGABYTE, 4), fixed((1000 * megabytes) / elapsedMs, 4)],
        ...[this.count, fixed((1000 * count) / elapsedMs, 4)],
        ...[joinMs, fetchMs],
        ...[fixed(perFetchSecond(megabytes), 4), fixed(perFetchSecond(count), 4)],
      ].join(', '),
    )
    this.#isFirstInterval = false
    this.#joinMsOfInterval = 0
    this.#reportedMs = nowMs
    this.#reportedCount = this.count
    this.#reportedBytes = this.bytes
  }

  /** The line for all that was read until `endMs`. */
  total(endMs: number): string {
    const { formatTime } = this.#options
    const seconds = (endMs - this.#startMs) / 1000
    const fetchMs = endMs - this.#startMs - this.#joinMs
    const megabytes = this.bytes / MEGABYTE
    return [
      ...[formatTime(this.#startMs), formatTime(endMs)],
      ...[fixed(megabytes, 4), fixed(megabytes / seconds, 4)],
      ...[this.count, fixed(this.count / seconds, 4)],
      ...[this.#joinMs, fetchMs],
      ...[fixed(megabytes / (fetchMs / 1000), 4), fixed(this.count / (fetchMs / 1000), 4)],
    ].join(', ')
  }
}
