/** Lets calls wait until there is news, without a promise for those that need not wait. */
import type { Clock } from '../../common/clock.ts'

export class WakeLatch {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #rings = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How often there has been news, for `wait`. */
  get rings(): number {
    return this.#rings
  }

  /** There is news: all who wait go on. */
  ring(): void {
    this.#rings += 1
    for (const resume of [...this.#waiting]) resume()
  }

  /**
   * Resolves when there is news, at once if there has been since `rings` was `seen`, or after
   * `timeoutMs` (Infinity: never). Rejects with the reason of the signal when that is aborted.
   */
  wait(seen: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (seen !== this.#rings && signal?.aborted !== true) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        timer?.cancel()
        signal?.removeEventListener('abort', abort)
        this.#waiting.delete(resume)
        settle()
      }
      const resume = () => end(resolve)
      const abort = () => end(() => reject(signal!.reason))
      const isLimited = timeoutMs < Number.POSITIVE_INFINITY
      const timer = isLimited ? this.#clock.schedule(Math.max(timeoutMs, 0), resume) : undefined
      this.#waiting.add(resume)
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort)
    })
  }
}
