/**
 * Time that moves only when it is told to: `step` takes the earliest scheduled call, moves time to
 * it and makes it. Calls due at the same time are made in the order in which they were scheduled,
 * so a run has exactly one course.
 */
import type { Clock, Timer } from '../src/common/clock.ts'

/** 2026-01-01T00:00:00Z: a date on which time stamps look like time stamps. */
const DEFAULT_EPOCH_MS = 1_767_225_600_000

interface ScheduledCall {
  readonly timeMs: number
  readonly order: number
  callback: (() => void) | undefined
}

export class SimulatedClock implements Clock {
  readonly #epochMs: number
  /** A binary heap, the earliest call on top. */
  readonly #calls: ScheduledCall[] = []
  #timeMs = 0
  #nextOrder = 0

  constructor(options: { epochMs?: number } = {}) {
    this.#epochMs = options.epochMs ?? DEFAULT_EPOCH_MS
  }

  now(): number {
    return Math.floor(this.#epochMs + this.#timeMs)
  }

  monotonic(): number {
    return this.#timeMs
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const call: ScheduledCall = {
      timeMs: this.#timeMs + Math.max(delayMs, 0),
      order: this.#nextOrder++,
      callback,
    }
    this.#push(call)
    return {
      cancel() {
        call.callback = undefined
      },
    }
  }

  /** When the earliest call is due, in `monotonic` time; undefined when none is scheduled. */
  get nextCallMs(): number | undefined {
    while (this.#calls.length > 0 && this.#calls[0]!.callback === undefined) this.#pop()
    return this.#calls[0]?.timeMs
  }

  /** Makes the earliest call. False when there is none. */
  step(): boolean {
    if (this.nextCallMs === undefined) return false
    const call = this.#pop()
    this.#timeMs = call.timeMs
    const { callback } = call
    call.callback = undefined
    callback!()
    return true
  }

  /**
   * A view of this clock for one simulated process. After `stop`, none of the calls scheduled
   * through it is made: the process is dead.
   */
  process(): ProcessClock {
    return new ProcessClock(this)
  }

  #push(call: ScheduledCall): void {
    const calls = this.#calls
    let at = calls.length
    calls.push(call)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(calls[parent]!, call)) break
      calls[at] = calls[parent]!
      at = parent
    }
    calls[at] = call
  }

  #pop(): ScheduledCall {
    const calls = this.#calls
    const top = calls[0]!
    const last = calls.pop()!
    if (calls.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= calls.length) break
      if (child + 1 < calls.length && isBefore(calls[child + 1]!, calls[child]!)) child += 1
      if (isBefore(last, calls[child]!)) break
      calls[at] = calls[child]!
      at = child
    }
    calls[at] = last
    return top
  }
}

function isBefore(a: ScheduledCall, b: ScheduledCall): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order)
}

export class ProcessClock implements Clock {
  readonly #clock: SimulatedClock
  #stopped = false

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  schedule(delayMs: number, callback: () => void): Timer {
    return this.#clock.schedule(delayMs, () => {
      if (!this.#stopped) callback()
    })
  }

  stop(): void {
    this.#stopped = true
  }
}
