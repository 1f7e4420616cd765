/**
 * A value that will be known later, handed over synchronously.
 *
 * On the produce path a promise per request would cost more than the rest of the bookkeeping, and
 * its callbacks run at a moment of the engine's choosing. A Completion has one listener, called
 * within `complete`.
 */
export class Completion<T> {
  #listener: ((value: T) => void) | undefined
  #value: { value: T } | undefined

  get isComplete(): boolean {
    return this.#value !== undefined
  }

  /** Hands `value` to the listener. Only the first call counts; returns whether this was it. */
  complete(value: T): boolean {
    if (this.#value !== undefined) return false
    this.#value = { value }
    this.#listener?.(value)
    return true
  }

  /** Sets the listener; calls it at once if the value is known already. */
  onComplete(listener: (value: T) => void): void {
    if (this.#listener !== undefined) throw new Error('a Completion has one listener')
    this.#listener = listener
    if (this.#value !== undefined) listener(this.#value.value)
  }
}
