/**
 * How much comes per second, measured over some windows of time as Kafka does it: the sum of all
 * windows, by the time they span. Until that many windows have passed they count as if they had, so
 * that a first burst is not taken for a rate.
 *
 * ```
 * windows of 1 s, 11 of them, 20 kB at once after a long silence:
 *   sum 20 kB, by 10 full windows = 2 kB/s
 * ```
 */
export class WindowedRate {
  readonly #windows: number
  readonly #windowMs: number
  /** Oldest first; empty windows in between are left out. */
  #samples: { readonly startMs: number; sum: number }[] = []

  /** `windows` of `windowMs` milliseconds each. */
  constructor(windows: number, windowMs: number) {
    this.#windows = windows
    this.#windowMs = windowMs
  }

  /** Adds `amount`, which may be negative to take something back. */
  record(amount: number, nowMs: number): void {
    this.#forget(nowMs)
    const last = this.#samples.at(-1)
    if (last === undefined || nowMs - last.startMs >= this.#windowMs) {
      this.#samples.push({ startMs: nowMs, sum: amount })
    } else {
      last.sum += amount
    }
  }

  /** The rate per second. */
  rate(nowMs: number): number {
    this.#forget(nowMs)
    const sum = this.#samples.reduce((total, sample) => total + sample.sum, 0)
    return sum / (this.spanMs(nowMs) / 1000)
  }

  /** The time that the rate is measured over. */
  spanMs(nowMs: number): number {
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs)
    const fullWindows = Math.floor(elapsedMs / this.#windowMs)
    const missing = Math.max(this.#windows - 1 - fullWindows, 0)
    return Math.max(elapsedMs + missing * this.#windowMs, this.#windowMs)
  }

  /** Whether everything recorded is too old to count. */
  isIdle(nowMs: number): boolean {
    this.#forget(nowMs)
    return this.#samples.length === 0
  }

  #forget(nowMs: number): void {
    const oldestMs = nowMs - this.#windows * this.#windowMs
    while (this.#samples.length > 0 && this.#samples[0]!.startMs <= oldestMs) this.#samples.shift()
  }
}
