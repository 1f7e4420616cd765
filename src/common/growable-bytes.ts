/**
 * The contents of a file that lies in memory. Room is doubled when it runs out, so that a file
 * which is only ever appended to is copied but a few times. What lies between an old end and what
 * is written beyond it reads as zeros.
 */

const FIRST_BYTES = 512

export class GrowableBytes {
  /** Holds zeros from `#size` on. */
  #bytes = Buffer.alloc(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Fills `target` from `position` on, as far as there is something. Returns how far. */
  read(target: Uint8Array, position: number): number {
    const end = Math.min(position + target.length, this.#size)
    if (end <= position) return 0
    target.set(this.#bytes.subarray(position, end))
    return end - position
  }

  /** Writes all of `buffers`, one after the other, at `position`. */
  write(buffers: readonly Uint8Array[], position: number): void {
    let length = 0
    for (const buffer of buffers) length += buffer.length
    if (length === 0) return
    this.#reserve(position + length)
    let at = position
    for (const buffer of buffers) {
      this.#bytes.set(buffer, at)
      at += buffer.length
    }
    this.#size = Math.max(this.#size, at)
  }

  /** A copy of what lies from `start` to `end`, as far as there is something. */
  copy(start: number, end: number): Buffer {
    return Buffer.from(this.#bytes.subarray(start, Math.max(start, Math.min(end, this.#size))))
  }

  /** Cuts the contents, or extends them with zeros, to `size` bytes. */
  resize(size: number): void {
    this.#reserve(size)
    if (size < this.#size) this.#bytes.fill(0, size, this.#size)
    this.#size = size
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.max(size, 2 * this.#bytes.length, FIRST_BYTES))
    this.#bytes.copy(larger, 0, 0, this.#size)
    this.#bytes = larger
  }
}
