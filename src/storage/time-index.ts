/**
 * The sparse index from timestamps to offsets of a segment.
 *
 * ```
 * at  field           bytes
 *  0  timestamp       8      the largest of all batches so far
 *  8  relativeOffset  4      last offset of the first batch that has it, less the base offset
 * ```
 * An entry (t, o) says: no record before offset o's batch is later than t. Entries are made
 * together with those of the offset index, but only where the largest timestamp has grown since the
 * last, so that both columns ascend however out of order the records' timestamps are. When a
 * segment is rolled or closed a last entry says what the largest timestamp in it is.
 */
import type { Disk } from '../common/disk.ts'
import { readInt32, readInt64, writeInt32, writeInt64 } from '../protocol/records/record-batch.ts'
import { segmentFile, TIME_INDEX_SUFFIX } from './file-names.ts'
import { IndexFile } from './index-file.ts'

const ENTRY_SIZE = 12

/** Kafka's "no timestamp". */
export const NO_TIMESTAMP = -1

/**
 * The largest timestamp of a batch's records. A batch that the log cleaner has emptied has none:
 * what its header says is for the state of its producer only.
 */
export function largestTimestampOf(header: { recordCount: number; maxTimestamp: number }): number {
  return header.recordCount > 0 ? header.maxTimestamp : NO_TIMESTAMP
}

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

export class TimeIndex {
  readonly file: IndexFile
  readonly #baseOffset: number

  constructor(disk: Disk, directory: string, baseOffset: number, suffix = '') {
    this.#baseOffset = baseOffset
    const path = segmentFile(directory, baseOffset, TIME_INDEX_SUFFIX + suffix)
    this.file = new IndexFile(disk, path, ENTRY_SIZE)
  }

  /** One entry is kept free for the roll. */
  isFull(maxSizeBytes: number): boolean {
    return this.file.count >= Math.floor(maxSizeBytes / ENTRY_SIZE) - 1
  }

  /** Adds an entry if `timestamp` is above the last entry's. */
  maybeAppend(timestamp: number, offset: number): void {
    if (timestamp <= this.last().timestamp) return
    const { bytes, at } = this.file.append()
    writeInt64(bytes, at, timestamp)
    writeInt32(bytes, at + 8, offset - this.#baseOffset)
  }

  /** The last entry at or before `timestamp`; (-1, base offset) where there is none. */
  lookup(timestamp: number): TimestampOffset {
    const found = this.file.floor((bytes, at) => readInt64(bytes, at) - timestamp)
    return found === undefined ? this.#none() : this.#decode(found.bytes, found.at)
  }

  last(): TimestampOffset {
    if (this.file.count === 0) return this.#none()
    const { bytes, at } = this.file.entry(this.file.count - 1)
    return this.#decode(bytes, at)
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    const { file } = this
    while (file.count > 0 && this.last().offset >= offset) file.truncate(file.count - 1)
  }

  /**
   * Whether a file found on disk can be this index, by its length and its first and last entries.
   */
  attach(): boolean {
    if (!this.file.attach()) return false
    if (this.file.count === 0) return true
    const head = this.file.entry(0)
    const first = this.#decode(head.bytes, head.at)
    const last = this.last()
    const several = this.file.count > 1
    return (
      first.offset >= this.#baseOffset &&
      first.timestamp >= 0 &&
      (several ? last.timestamp > first.timestamp && last.offset > first.offset : true)
    )
  }

  #none(): TimestampOffset {
    return { timestamp: NO_TIMESTAMP, offset: this.#baseOffset }
  }

  #decode(bytes: Buffer, at: number): TimestampOffset {
    return { timestamp: readInt64(bytes, at), offset: this.#baseOffset + readInt32(bytes, at + 8) }
  }
}
