/** Keeps work that reads and writes much within a rate, by waiting in between. */
import { type Clock, sleep } from '../common/clock.ts'

/** Waits shorter than this are saved up. */
const MIN_WAIT_MS = 10

export class IoThrottle {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number
  /** When all that was done so far would have been done at the permitted rate. */
  #paidUntilMs = 0

  /** `bytesPerSecond` is asked each time; Infinity for no limit. */
  constructor(clock: Clock, bytesPerSecond: () => number) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
  }

  /** To be awaited after `sizeInBytes` were read or written. */
  async spend(sizeInBytes: number): Promise<void> {
    const nowMs = this.#clock.monotonic()
    const costMs = (sizeInBytes * 1000) / this.#bytesPerSecond()
    this.#paidUntilMs = Math.max(this.#paidUntilMs, nowMs) + costMs
    const waitMs = this.#paidUntilMs - nowMs
    if (waitMs >= MIN_WAIT_MS) await sleep(this.#clock, waitMs)
  }
}
