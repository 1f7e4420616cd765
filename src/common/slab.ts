/**
 * Slabs: large pieces of memory into which sockets read, and whose bytes are then used where they
 * lie: checked, appended to a file, kept for tailing consumers, sent to them.
 *
 * First touch of fresh memory costs about as much as the rest of the receive path together, so
 * slabs are used again. That makes their lifetime explicit: whoever keeps a view of a slab's memory
 * beyond the current call holds a lease on it, and the memory goes back to the pool when the last
 * lease is released. A pool made with `poison` overwrites returned memory, so that in tests a view
 * used after its release is seen at once as garbage.
 */

/** A claim that keeps a piece of memory from being used again. */
export interface Lease {
  /** Identifies the memory: two leases with the same `memory` keep the same bytes alive. */
  readonly memory: { readonly byteLength: number }
  retain(): void
  release(): void
}

/** A lease on memory that is never used again, so that nothing needs to be counted. */
export function garbageCollected(memory: { readonly byteLength: number }): Lease {
  return { memory, retain() {}, release() {} }
}

export class Slab implements Lease {
  readonly memory: Buffer
  readonly #pool: SlabPool
  #leases = 1

  constructor(memory: Buffer, pool: SlabPool) {
    this.memory = memory
    this.#pool = pool
  }

  /** True while nobody but the one caller holds a lease, so that it may overwrite the memory. */
  get isSoleLease(): boolean {
    return this.#leases === 1
  }

  retain(): void {
    if (this.#leases === 0) throw new Error('a slab was retained after its last release')
    this.#leases += 1
  }

  release(): void {
    if (this.#leases === 0) throw new Error('a slab was released more often than retained')
    this.#leases -= 1
    if (this.#leases === 0) this.#pool.takeBack(this.memory)
  }
}

export interface SlabPoolOptions {
  /** Most bytes of unused memory to keep; what comes back above that is left to the collector. */
  maxIdleBytes?: number
  /** Overwrite memory that comes back. For tests. */
  poison?: boolean
}

/** The sizes that are pooled. A request above the largest gets memory of its own, used once. */
const SIZE_CLASSES = [
  8 * 1024,
  64 * 1024,
  256 * 1024,
  1024 * 1024,
  2 * 1024 * 1024,
  4 * 1024 * 1024,
]

export class SlabPool {
  readonly #idle = new Map<number, Buffer[]>(SIZE_CLASSES.map((size) => [size, []]))
  readonly #maxIdleBytes: number
  readonly #poison: boolean
  #idleBytes = 0

  constructor(options: SlabPoolOptions = {}) {
    this.#maxIdleBytes = options.maxIdleBytes ?? 32 * 1024 * 1024
    this.#poison = options.poison ?? false
  }

  /** Bytes of memory kept for use again. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A slab of at least `minBytes`, with one lease, the caller's. Its contents are arbitrary. */
  acquire(minBytes: number): Slab {
    const size = SIZE_CLASSES.find((candidate) => candidate >= minBytes) ?? minBytes
    const idle = this.#idle.get(size)?.pop()
    if (idle !== undefined) this.#idleBytes -= size
    return new Slab(idle ?? Buffer.allocUnsafeSlow(size), this)
  }

  /** Called by a slab whose last lease has ended. */
  takeBack(memory: Buffer): void {
    if (this.#poison) memory.fill(0xdd)
    const idle = this.#idle.get(memory.byteLength)
    if (idle === undefined || this.#idleBytes + memory.byteLength > this.#maxIdleBytes) return
    idle.push(memory)
    this.#idleBytes += memory.byteLength
  }
}
