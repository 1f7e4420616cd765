/** Looks again when the first of several things becomes due: one timer, whatever their number. */
import type { Clock, Timer } from '../../common/clock.ts'

export class DueTimer {
  readonly #clock: Clock
  readonly #onDue: () => void
  #timer: { readonly timer: Timer; readonly atMs: number } | undefined

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** Whether the time, on the monotonic clock, has come; if not, `onDue` is called when it has. */
  isDue(atMs: number, nowMs: number): boolean {
    if (atMs <= nowMs) return true
    if (this.#timer !== undefined) {
      if (this.#timer.atMs <= atMs) return false
      this.#timer.timer.cancel()
    }
    const timer = this.#clock.schedule(atMs - nowMs, () => {
      this.#timer = undefined
      this.#onDue()
    })
    this.#timer = { timer, atMs }
    return false
  }

  cancel(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
  }
}
