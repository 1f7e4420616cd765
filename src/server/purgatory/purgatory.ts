/**
 * Where requests wait for something to happen: a fetch for enough bytes, a produce for the high
 * watermark. (The name is Kafka's.) An operation is filed under the keys whose events could
 * complete it, tried again at each such event, and forced at its deadline.
 */
import type { Clock, Timer } from '../../common/clock.ts'

export interface DelayedOperation {
  /** Completes the operation if it can be, and says whether it is complete. */
  tryComplete(): boolean

  /** Completes it with whatever there is: its time is up. */
  expire(): void
}

interface Waiting<K extends object> {
  readonly operation: DelayedOperation
  readonly keys: readonly K[]
  timer: Timer
}

export class Purgatory<K extends object> {
  readonly #clock: Clock
  readonly #waiting = new Map<K, Set<Waiting<K>>>()
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many operations wait. */
  get size(): number {
    return this.#count
  }

  /**
   * Tries `operation`, and where it is not complete lets it wait under `keys` until its deadline.
   */
  tryOrWait(operation: DelayedOperation, keys: readonly K[], timeoutMs: number): void {
    if (operation.tryComplete()) return
    const waiting: Waiting<K> = {
      operation,
      keys,
      timer: this.#clock.schedule(timeoutMs, () => {
        this.#remove(waiting)
        operation.expire()
      }),
    }
    for (const key of keys) {
      const set = this.#waiting.get(key)
      if (set === undefined) this.#waiting.set(key, new Set([waiting]))
      else set.add(waiting)
    }
    this.#count += 1
  }

  /** Tries again what waits for `key`. */
  check(key: K): void {
    const set = this.#waiting.get(key)
    if (set === undefined) return
    for (const waiting of set) {
      if (waiting.operation.tryComplete()) this.#remove(waiting)
    }
  }

  /** Forces everything, as at shutdown. */
  expireAll(): void {
    const all = new Set([...this.#waiting.values()].flatMap((set) => [...set]))
    for (const waiting of all) {
      this.#remove(waiting)
      waiting.operation.expire()
    }
  }

  #remove(waiting: Waiting<K>): void {
    waiting.timer.cancel()
    this.#count -= 1
    for (const key of waiting.keys) {
      const set = this.#waiting.get(key)
      set?.delete(waiting)
      if (set?.size === 0) this.#waiting.delete(key)
    }
  }
}
