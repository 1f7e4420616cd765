/**
 * Time, as everything above `src/common` sees it.
 *
 * Nothing outside this folder calls `Date.now` or `setTimeout`: a component is given a Clock. In
 * production that is the SystemClock; in the simulator it is one whose time only moves when the
 * simulator says so, which is what lets a whole broker run from one seed.
 */

/** A scheduled call that has not run yet. */
export interface Timer {
  /** Prevents the call. Does nothing if it has already run or was cancelled. */
  cancel(): void
}

export interface Clock {
  /** Wall-clock time, in whole milliseconds since the Unix epoch. May jump. */
  now(): number

  /** Milliseconds, with a fraction, since some fixed point. Never goes back. */
  monotonic(): number

  /**
   * Calls `callback` once, `delayMs` milliseconds from now, never within this call. A pending timer
   * does not keep the process alive, unless the clock says otherwise; sockets do that.
   */
  schedule(delayMs: number, callback: () => void): Timer
}

/** Resolves after `delayMs` milliseconds of the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(delayMs, resolve))
}

/** Calls `callback` every `periodMs` milliseconds, the first time after one period. */
export function scheduleEvery(clock: Clock, periodMs: number, callback: () => void): Timer {
  let cancelled = false
  let timer: Timer
  const arm = () => {
    timer = clock.schedule(periodMs, () => {
      callback()
      if (!cancelled) arm()
    })
  }
  arm()
  return {
    cancel() {
      cancelled = true
      timer.cancel()
    },
  }
}

/** The machine's own clock. */
export class SystemClock implements Clock {
  readonly #keepsAlive: boolean

  /** With `keepsAlive` the process does not end while a call is still to be made. */
  constructor(options: { keepsAlive?: boolean } = {}) {
    this.#keepsAlive = options.keepsAlive ?? false
  }

  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  schedule(delayMs: number, callback: () => void): Timer {
    // setTimeout treats anything over 2^31-1 as 1 ms; such a delay (24.8 days) is "never" here.
    const handle = setTimeout(callback, Math.min(delayMs, 0x7fff_ffff))
    if (!this.#keepsAlive) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }
}
