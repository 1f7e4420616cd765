/**
 * `max.poll.interval.ms`: a consumer that does not poll for that long is taken for hung, however
 * well its heartbeats go, and gives way to others (KIP-62).
 */
import type { Clock, Timer } from '../../../common/clock.ts'

export class PollTimer {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #onExpired: () => void
  #lastPollAtMs = 0
  #timer: Timer | undefined

  constructor(clock: Clock, intervalMs: number, onExpired: () => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#onExpired = onExpired
  }

  /** The application polls. Cheap: the timer looks at the time when it goes off. */
  touch(): void {
    this.#lastPollAtMs = this.#clock.monotonic()
    this.#timer ??= this.#arm(this.#intervalMs)
  }

  /** Half of the interval: whoever waits inside `poll` should come back by then. */
  get touchWithinMs(): number {
    return this.#intervalMs / 2
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(delayMs: number): Timer {
    return this.#clock.schedule(delayMs, () => {
      const leftMs = this.#lastPollAtMs + this.#intervalMs - this.#clock.monotonic()
      this.#timer = leftMs > 0 ? this.#arm(leftMs) : undefined
      if (leftMs <= 0) this.#onExpired()
    })
  }
}
