/**
 * Holds a sender back to so many records a second on average: it sleeps a little now and then,
 * when enough has come together to be worth it.
 */
import { setTimeout as sleep } from 'node:timers/promises'

const LEAST_SLEEP_MS = 2

export class ThroughputThrottler {
  readonly #perSecond: number
  readonly #startMs: number
  readonly #signal: AbortSignal | undefined
  #owedMs = 0

  /** A negative `perSecond` sets no limit; with 0 nothing follows the first record. */
  constructor(perSecond: number, startMs: number, signal?: AbortSignal) {
    this.#perSecond = perSecond
    this.#startMs = startMs
    this.#signal = signal
  }

  /** Whether `count` records until `nowMs` are too many. */
  shouldThrottle(count: number, nowMs: number): boolean {
    if (this.#perSecond < 0) return false
    const elapsedSeconds = (nowMs - this.#startMs) / 1000
    return elapsedSeconds > 0 && count / elapsedSeconds > this.#perSecond
  }

  /** Sleeps for the time of one record, or saves it up. */
  async throttle(): Promise<void> {
    if (this.#perSecond === 0) return this.#sleep(Number.POSITIVE_INFINITY)
    this.#owedMs += 1000 / this.#perSecond
    if (this.#owedMs < LEAST_SLEEP_MS) return
    const beganMs = performance.now()
    await this.#sleep(this.#owedMs)
    // Timers are late by a millisecond or so, which is time slept, too.
    this.#owedMs -= performance.now() - beganMs
  }

  /** Ends early when the tool is told to stop. */
  async #sleep(forMs: number): Promise<void> {
    const signal = this.#signal
    if (forMs === Number.POSITIVE_INFINITY) {
      const ticks = setInterval(() => {}, 1 << 30)
      await new Promise<void>((resolve) => {
        if (signal?.aborted) resolve()
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
      clearInterval(ticks)
      return
    }
    await sleep(forMs, undefined, signal === undefined ? {} : { signal }).catch(() => {})
  }
}
