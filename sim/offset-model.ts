/**
 * What a group's committed offset may be, as the client knows it that commits ever larger ones: the
 * last that was acknowledged, or one whose request has had no answer; never one from before that.
 */
import { Violation } from './partition-model.ts'

/** What the broker says where nothing is committed. */
export const NONE_COMMITTED = -1

export class OffsetModel {
  readonly name: string
  /** The broker must have this one, or one of those in doubt. */
  #committed = NONE_COMMITTED
  /** Requests without an answer: carried out, or not, or yet to be carried out. */
  #inDoubt = new Set<number>()
  /** What a power cut may bring back: all since something was certainly durable. */
  #history = new Set([NONE_COMMITTED])
  #next = 0

  constructor(name: string) {
    this.name = name
  }

  /** An offset to commit, of which nobody knows yet whether it will be. */
  next(): number {
    this.#inDoubt.add(this.#next)
    this.#history.add(this.#next)
    return this.#next++
  }

  acknowledge(offset: number): void {
    this.#committed = offset
    this.#inDoubt.delete(offset)
  }

  found(offset: number): void {
    if (offset !== this.#committed && !this.#inDoubt.has(offset)) {
      throw new Violation(`${this.name} is ${offset}, not ${this.#committed}`)
    }
    this.#committed = offset
  }

  /** As `found`, when no request can be under way any more. */
  foundAfterStart(offset: number): void {
    this.found(offset)
    this.#inDoubt.clear()
  }

  /** The broker was stopped in order: all that it knows is durable. */
  stopped(): void {
    this.#history = new Set([this.#committed, ...this.#inDoubt])
  }

  /** The broker may have lost what it has acknowledged. */
  lose(): void {
    for (const offset of this.#history) this.#inDoubt.add(offset)
  }
}
