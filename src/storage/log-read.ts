/**
 * What reading a log gives: views of memory that stays as it is until `release` is called.
 */
import type { Lease } from '../common/slab.ts'

export interface LogRead {
  /** Whole batches, in order. */
  readonly chunks: readonly Buffer[]
  readonly sizeInBytes: number
  /** Base offset of the first batch; the offset asked for where there is none. */
  readonly firstOffset: number
  /** The offset after the last batch; the offset asked for where there is none. */
  readonly nextOffset: number
  readonly source: 'memory' | 'disk'
  /** Gives the memory back. To be called once, when the bytes have been sent. */
  release(): void
}

export interface ReadOptions {
  /**
   * Batches that begin at or above this offset are not read: high watermark or last stable offset.
   */
  readonly maxOffset: number
  /** Return the first batch though it exceeds `maxBytes`, so that a consumer can get past it. */
  readonly minOneBatch: boolean
}

/** A read that found nothing. */
export function emptyRead(offset: number): LogRead {
  return {
    chunks: [],
    sizeInBytes: 0,
    firstOffset: offset,
    nextOffset: offset,
    source: 'memory',
    release() {},
  }
}

/** A read whose chunks lie in the memory of `leases`, one of which it owns of each. */
export class LeasedRead implements LogRead {
  readonly chunks: readonly Buffer[]
  readonly sizeInBytes: number
  readonly firstOffset: number
  readonly nextOffset: number
  readonly source: 'memory' | 'disk'
  readonly #leases: readonly Lease[]
  #released = false

  constructor(
    chunks: readonly Buffer[],
    leases: readonly Lease[],
    range: { sizeInBytes: number; firstOffset: number; nextOffset: number },
    source: 'memory' | 'disk',
  ) {
    this.chunks = chunks
    this.sizeInBytes = range.sizeInBytes
    this.firstOffset = range.firstOffset
    this.nextOffset = range.nextOffset
    this.source = source
    this.#leases = leases
  }

  release(): void {
    if (this.#released) throw new Error('a read was released twice')
    this.#released = true
    for (const lease of this.#leases) lease.release()
  }
}
