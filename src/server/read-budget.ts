/**
 * Keeps the memory for reads from disk within bounds. What is read stays in memory until the client
 * has taken it; a client that asks for much at once and reads slowly could otherwise have gigabytes
 * waiting for it. When the budget is used up, fetches are not refused or held back: they get less,
 * which the protocol allows at any time, but still at least one batch.
 */

/** What is read for a fetch while the budget is used up. */
const BYTES_WHEN_SHORT = 64 * 1024

export class ReadBudget {
  readonly #budgetBytes: number
  #usedBytes = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  /** Bytes read from disk and not sent yet. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How much of `maxBytes` a fetch may read. */
  limit(maxBytes: number): number {
    return this.#usedBytes < this.#budgetBytes ? maxBytes : Math.min(maxBytes, BYTES_WHEN_SHORT)
  }

  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes
  }
}
