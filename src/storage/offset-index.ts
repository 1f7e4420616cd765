/**
 * The sparse index from offsets to positions in a segment file: about one entry for each
 * `index.interval.bytes` of log.
 *
 * ```
 * at  field           bytes
 *  0  relativeOffset  4      last offset of a batch, less the segment's base offset
 *  4  position        4      where that batch begins in the segment file
 * ```
 * Worked example, base offset 100, batches of ten records:
 * ```
 * batch    100-109   110-119   120-129   130-139
 * position       0      3000      6000      9000
 * entries: (19, 3000) (39, 9000)
 * ```
 * `lookup(125)` gives position 3000: the last entry at or below 125 is that of offset 119. Reading
 * on from there meets the batch that holds 125.
 */
import type { Disk } from '../common/disk.ts'
import { readInt32, writeInt32 } from '../protocol/records/record-batch.ts'
import { OFFSET_INDEX_SUFFIX, segmentFile } from './file-names.ts'
import { IndexFile } from './index-file.ts'

const ENTRY_SIZE = 8

export class OffsetIndex {
  readonly file: IndexFile
  readonly #baseOffset: number

  constructor(disk: Disk, directory: string, baseOffset: number, suffix = '') {
    this.#baseOffset = baseOffset
    const path = segmentFile(directory, baseOffset, OFFSET_INDEX_SUFFIX + suffix)
    this.file = new IndexFile(disk, path, ENTRY_SIZE)
  }

  isFull(maxSizeBytes: number): boolean {
    return this.file.count >= Math.floor(maxSizeBytes / ENTRY_SIZE)
  }

  /** Adds the batch whose last offset is `offset` and which begins at `position`. */
  append(offset: number, position: number): void {
    const { bytes, at } = this.file.append()
    writeInt32(bytes, at, offset - this.#baseOffset)
    writeInt32(bytes, at + 4, position)
  }

  /** The position at which to start reading for `offset`: that of a batch at or before it. */
  lookup(offset: number): number {
    const relative = offset - this.#baseOffset
    const found = this.file.floor((bytes, at) => readInt32(bytes, at) - relative)
    return found === undefined ? 0 : readInt32(found.bytes, found.at + 4)
  }

  /** The beginning of a batch at or before `position`. */
  lookupPosition(position: number): number {
    const found = this.file.floor((bytes, at) => readInt32(bytes, at + 4) - position)
    return found === undefined ? 0 : readInt32(found.bytes, found.at + 4)
  }

  /** The last entry's offset and position; the segment's start where there is none. */
  last(): { offset: number; position: number } {
    if (this.file.count === 0) return { offset: this.#baseOffset, position: 0 }
    const { bytes, at } = this.file.entry(this.file.count - 1)
    return { offset: this.#baseOffset + readInt32(bytes, at), position: readInt32(bytes, at + 4) }
  }

  /** Drops the entries of all batches that begin at or after `position`. */
  truncateTo(position: number): void {
    const { file } = this
    while (file.count > 0 && this.last().position >= position) file.truncate(file.count - 1)
  }

  /**
   * Whether a file found on disk can be this index, by its length and its first and last entries. A
   * preallocated file that was never trimmed ends in zeros and is refused by that.
   */
  attach(segmentSizeInBytes: number): boolean {
    if (!this.file.attach()) return false
    if (this.file.count === 0) return true
    const first = this.file.entry(0)
    const firstOffset = this.#baseOffset + readInt32(first.bytes, first.at)
    const firstPosition = readInt32(first.bytes, first.at + 4)
    const last = this.last()
    const several = this.file.count > 1
    return (
      firstOffset >= this.#baseOffset &&
      firstPosition >= 0 &&
      (several ? last.offset > firstOffset && last.position > firstPosition : true) &&
      (last.position > 0 || last.offset > this.#baseOffset) &&
      last.position < segmentSizeInBytes
    )
  }
}
