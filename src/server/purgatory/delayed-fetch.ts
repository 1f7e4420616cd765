/**
 * A fetch that found fewer than `minBytes` and waits for more to arrive, for an error to report, or
 * for its time to be up.
 */
import type { DelayedOperation } from './purgatory.ts'

export class DelayedFetch implements DelayedOperation {
  readonly #isSatisfied: () => boolean
  readonly #read: () => void

  /**
   * `isSatisfied` says whether reading now would give enough (or an error worth reporting); `read`
   * does it and answers the request.
   */
  constructor(isSatisfied: () => boolean, read: () => void) {
    this.#isSatisfied = isSatisfied
    this.#read = read
  }

  tryComplete(): boolean {
    if (!this.#isSatisfied()) return false
    this.#read()
    return true
  }

  expire(): void {
    this.#read()
  }
}
