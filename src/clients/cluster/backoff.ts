/** Exponential back-off with jitter, as KIP-580 describes it. */
import type { Random } from '../../common/random.ts'

const JITTER = 0.2

export class Backoff {
  readonly #initialMs: number
  readonly #maxMs: number
  readonly #random: Random

  constructor(options: { initialMs: number; maxMs: number; random: Random }) {
    this.#initialMs = options.initialMs
    this.#maxMs = options.maxMs
    this.#random = options.random
  }

  /**
   * Milliseconds to wait after `failures` failures in a row (0 for the first): twice as long each
   * time up to the maximum, a fifth less or more so that clients do not come back all at once.
   */
  delayMs(failures: number): number {
    const plain = Math.min(this.#initialMs * 2 ** failures, Math.max(this.#maxMs, this.#initialMs))
    const jitter = 1 - JITTER + (2 * JITTER * this.#random.int(1001)) / 1000
    return Math.min(plain * jitter, Math.max(this.#maxMs, this.#initialMs))
  }
}
