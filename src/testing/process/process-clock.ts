/**
 * A clock as one process sees it: when the process is dead, none of its calls is made any more;
 * while it is frozen, those that become due wait until it goes on.
 */
import type { Clock, Timer } from '../../common/clock.ts'

interface ScheduledCall {
  readonly callback: () => void
  timer: Timer
}

export class ProcessClock implements Clock {
  readonly #clock: Clock
  readonly #calls = new Set<ScheduledCall>()
  /** What became due while the process was frozen, in that order; undefined while it is not. */
  #held: ScheduledCall[] | undefined
  #isDead = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  schedule(delayMs: number, callback: () => void): Timer {
    if (this.#isDead) return { cancel() {} }
    const call = { callback } as ScheduledCall
    call.timer = this.#clock.schedule(delayMs, () => {
      if (this.#held === undefined) this.#run(call)
      else this.#held.push(call)
    })
    this.#calls.add(call)
    return {
      cancel: () => {
        if (this.#calls.delete(call)) call.timer.cancel()
      },
    }
  }

  freeze(): void {
    this.#held ??= []
  }

  thaw(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const call of held) this.#run(call)
  }

  kill(): void {
    this.#isDead = true
    for (const { timer } of this.#calls) timer.cancel()
    this.#calls.clear()
  }

  #run(call: ScheduledCall): void {
    if (this.#calls.delete(call)) call.callback()
  }
}
