/**
 * Time that can be moved on: the machine's own, plus what it has been advanced by. For tests of
 * what takes hours: retention, timeouts of sessions and transactions.
 *
 * Time passes by itself as well. When it is advanced, it is as on a machine that was suspended and
 * wakes up: what has become due meanwhile runs at once, in the order in which it was due, each call
 * once; what it schedules counts from now on.
 */
import { type Clock, SystemClock, type Timer } from './clock.ts'

interface ScheduledCall {
  /** On this clock's monotonic time. */
  readonly dueMs: number
  readonly callback: () => void
  timer: Timer
}

export class AdvancingClock implements Clock {
  readonly #base: Clock
  /** In the order in which they were scheduled. */
  readonly #calls = new Set<ScheduledCall>()
  #advancedMs = 0

  constructor(base: Clock = new SystemClock()) {
    this.#base = base
  }

  now(): number {
    return this.#base.now() + this.#advancedMs
  }

  monotonic(): number {
    return this.#base.monotonic() + this.#advancedMs
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const call = { dueMs: this.monotonic() + delayMs, callback } as ScheduledCall
    call.timer = this.#base.schedule(delayMs, () => this.#run(call))
    this.#calls.add(call)
    return {
      cancel: () => {
        if (this.#calls.delete(call)) call.timer.cancel()
      },
    }
  }

  /**
   * Moves time on by `byMs` whole milliseconds and makes the calls that are due then. Throws
   * RangeError for what would move it back, and what a call throws, when all have been made.
   */
  advance(byMs: number): void {
    if (!Number.isSafeInteger(byMs) || byMs < 0) {
      throw new RangeError(`Time can only be advanced by whole milliseconds, not by ${byMs}`)
    }
    this.#advancedMs += byMs
    const nowMs = this.monotonic()
    const due: ScheduledCall[] = []
    for (const call of this.#calls) {
      call.timer.cancel()
      if (call.dueMs <= nowMs) due.push(call)
      else call.timer = this.#base.schedule(call.dueMs - nowMs, () => this.#run(call))
    }
    due.sort((a, b) => a.dueMs - b.dueMs)
    const errors: unknown[] = []
    for (const call of due) {
      try {
        this.#run(call)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  /** Makes a call, unless one that was made before it has cancelled it. */
  #run(call: ScheduledCall): void {
    if (this.#calls.delete(call)) call.callback()
  }
}
