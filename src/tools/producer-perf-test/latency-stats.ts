/**
 * What a performance test has seen of its records: how many, how large, how long each took. Prints
 * a line for each interval and one for all, as kafka-producer-perf-test does.
 */
import { fixed } from '../support/java-numbers.ts'

/** So many latencies are kept for the percentiles; of more records only every n-th. */
const MOST_SAMPLES = 500_000
const MEGABYTE = 1024 * 1024

export interface StatsOptions {
  readonly records: number
  readonly reportingIntervalMs: number
  /** These are the records after those of the warm-up, and their lines say so. */
  readonly isSteadyState?: boolean
  readonly now: () => number
  readonly print: (line: string) => void
}

export class LatencyStats {
  readonly #options: StatsOptions
  readonly #startMs: number
  readonly #every: number
  readonly #latencies: Int32Array
  #samples = 0
  #isSilent = false
  #count = 0
  #bytes = 0
  #totalMs = 0
  #maxMs = 0
  #windowStartMs: number
  #windowCount = 0
  #windowBytes = 0
  #windowTotalMs = 0
  #windowMaxMs = 0

  constructor(options: StatsOptions) {
    this.#options = options
    this.#startMs = options.now()
    this.#windowStartMs = this.#startMs
    this.#every = Math.floor(options.records / Math.min(options.records, MOST_SAMPLES))
    this.#latencies = new Int32Array(Math.floor(options.records / this.#every) + 1)
  }

  /** From now on intervals are not printed. */
  silence(): void {
    this.#isSilent = true
  }

  /** A record has been acknowledged at `nowMs`. */
  record(latencyMs: number, bytes: number, nowMs: number): void {
    if (this.#count % this.#every === 0) this.#latencies[this.#samples++] = latencyMs
    this.#count += 1
    this.#bytes += bytes
    this.#totalMs += latencyMs
    this.#maxMs = Math.max(this.#maxMs, latencyMs)
    this.#windowCount += 1
    this.#windowBytes += bytes
    this.#windowTotalMs += latencyMs
    this.#windowMaxMs = Math.max(this.#windowMaxMs, latencyMs)
    if (nowMs - this.#windowStartMs < this.#options.reportingIntervalMs) return
    const isFirstWindow = this.#count === this.#windowCount
    if (this.#options.isSteadyState && isFirstWindow) this.#options.print('In steady state.')
    if (!this.#isSilent) this.#printWindow()
    this.#windowStartMs = this.#options.now()
    this.#windowCount = 0
    this.#windowBytes = 0
    this.#windowTotalMs = 0
    this.#windowMaxMs = 0
  }

  #printWindow(): void {
    const elapsedMs = this.#options.now() - this.#windowStartMs
    const count = this.#windowCount
    const { perSecond, megabytes } = rates(count, this.#windowBytes, elapsedMs)
    this.#options.print(
      `${count} records sent, ${fixed(perSecond, 1)} records/sec (${megabytes} MB/sec), ` +
        `${fixed(this.#windowTotalMs / count, 1)} ms avg latency, ` +
        `${fixed(this.#windowMaxMs, 1)} ms max latency.`,
    )
  }

  printTotal(): void {
    const elapsedMs = this.#options.now() - this.#startMs
    const { perSecond, megabytes } = rates(this.#count, this.#bytes, elapsedMs)
    const percentiles = this.#percentiles()
    this.#options.print(
      `${this.#count}${this.#options.isSteadyState ? ' steady state' : ''} records sent, ` +
        `${fixed(perSecond, 6)} records/sec (${megabytes} MB/sec), ` +
        `${fixed(this.#totalMs / this.#count, 2)} ms avg latency, ` +
        `${fixed(this.#maxMs, 2)} ms max latency, ` +
        `${percentiles.map(([name, value]) => `${value} ms ${name}`).join(', ')}.`,
    )
  }

  #percentiles(): [name: string, value: number][] {
    const sorted = this.#latencies.subarray(0, this.#samples).sort()
    const at = (part: number) => sorted[Math.floor(part * sorted.length)] ?? 0
    return [
      ['50th', at(0.5)],
      ['95th', at(0.95)],
      ['99th', at(0.99)],
      ['99.9th', at(0.999)],
    ]
  }
}

function rates(count: number, bytes: number, elapsedMs: number) {
  return {
    perSecond: (1000 * count) / elapsedMs,
    megabytes: fixed((1000 * bytes) / elapsedMs / MEGABYTE, 2),
  }
}
