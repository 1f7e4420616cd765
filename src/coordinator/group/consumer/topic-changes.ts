/**
 * Which topics have changed since when, so that a group need not look at all topics for each of
 * them. Versions count changes; a group remembers the version at which it last looked.
 */

/** Who has missed more has to look at everything. */
const MAX_REMEMBERED = 1000

export class TopicChanges {
  /** The newest at the end. */
  #names: string[] = []
  #version = 0

  get version(): number {
    return this.#version
  }

  /** Topics of these names were created, deleted, or have got more partitions. */
  add(names: Iterable<string>): void {
    for (const name of names) {
      this.#names.push(name)
      this.#version++
    }
    if (this.#names.length > 2 * MAX_REMEMBERED) this.#names = this.#names.slice(-MAX_REMEMBERED)
  }

  /** The names that have changed since `version`, or undefined: it may be any. */
  since(version: number): ReadonlySet<string> | undefined {
    const count = this.#version - version
    if (version < 0 || count > this.#names.length) return undefined
    return new Set(this.#names.slice(this.#names.length - count))
  }
}
