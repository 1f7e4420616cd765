/**
 * Reads of a log that are not answered from memory.
 *
 * A consumer that reads through a log asks for the offset at which its last read ended. Where that
 * is in the file is remembered, for a few readers, so that only the first of their reads goes
 * through the index and over batches that are not wanted.
 */
import type { SlabPool } from '../common/slab.ts'
import { emptyRead, type LogRead, type ReadOptions } from './log-read.ts'
import type { LogSegment } from './log-segment.ts'
import type { SegmentList } from './segment-list.ts'
import { readBatches } from './segment-reader.ts'

/** How many readers' places are remembered. */
const MAX_PLACES = 32

export class ColdReader {
  readonly #segments: SegmentList
  readonly #slabs: SlabPool
  /** By offset: where in its segment the batch that begins there begins. Oldest first. */
  readonly #places = new Map<number, { segment: LogSegment; position: number }>()

  constructor(segments: SegmentList, slabs: SlabPool) {
    this.#segments = segments
    this.#slabs = slabs
  }

  /** Forgets all places: the log was cut. */
  reset(): void {
    this.#places.clear()
  }

  async read(startOffset: number, maxBytes: number, options: ReadOptions): Promise<LogRead> {
    let segment = this.#segments.floor(startOffset) ?? this.#segments.first
    for (;;) {
      const range = { from: this.#startIn(segment, startOffset), to: segment.sizeInBytes }
      const { read, endPosition } = await readBatches(
        segment,
        range,
        startOffset,
        maxBytes,
        options,
        this.#slabs,
      )
      if (endPosition !== undefined) {
        if (read.sizeInBytes > 0) this.#remember(read.nextOffset, segment, endPosition)
        return read
      }
      const next = this.#segments.after(segment.baseOffset)
      if (next === undefined) return emptyRead(startOffset)
      segment = next
    }
  }

  #startIn(segment: LogSegment, offset: number): number {
    const place = this.#places.get(offset)
    return place?.segment === segment ? place.position : segment.offsetIndex.lookup(offset)
  }

  #remember(offset: number, segment: LogSegment, position: number): void {
    this.#places.delete(offset)
    this.#places.set(offset, { segment, position })
    if (this.#places.size > MAX_PLACES) {
      for (const oldest of this.#places.keys()) {
        this.#places.delete(oldest)
        break
      }
    }
  }
}
