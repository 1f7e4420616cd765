/**
 * A piece of a log: a `.log` file of batches, named by the offset it begins at, and its indexes.
 *
 * Only a log's last segment is written to; it keeps its file open and its indexes in memory. When
 * it is rolled, its indexes are written out and it keeps nothing but a few numbers: a later read
 * opens its files and closes them again, so that a log may have thousands of old segments.
 *
 * All methods throw DiskErrors as they come.
 */
import type { Disk, DiskFile } from '../common/disk.ts'
import type { Lease } from '../common/slab.ts'
import {
  MAX_TIMESTAMP_AT,
  RECORD_BATCH_HEADER_SIZE,
  readInt64,
} from '../protocol/records/record-batch.ts'
import { LOG_SUFFIX, segmentFile } from './file-names.ts'
import { type LogConfig, maxSegmentMs } from './log-config.ts'
import { OffsetIndex } from './offset-index.ts'
import type { CompletedTransaction } from './producer-state.ts'
import { NO_TIMESTAMP, TimeIndex, type TimestampOffset } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

/** Largest difference between an offset and its segment's base offset that an index can hold. */
const MAX_RELATIVE_OFFSET = 0x7fff_ffff

/** A batch to be written at the end of a segment. */
export interface NewBatch {
  readonly bytes: Buffer
  readonly lastOffset: number
  readonly maxTimestamp: number
}

/** A batch that is accepted and has its offsets, but is not written yet. */
export interface StagedBatch extends NewBatch {
  readonly lease: Lease
  readonly baseOffset: number
  /** The transaction that this batch ends. */
  readonly completed: CompletedTransaction | undefined
}

/** A file used by several: it is closed when the last of them is done with it. */
class SharedFile {
  readonly file: DiskFile
  #users = 1

  constructor(file: DiskFile) {
    this.file = file
  }

  retain(): void {
    this.#users += 1
  }

  release(): void {
    this.#users -= 1
    if (this.#users === 0) this.file.close()
  }
}

export class LogSegment {
  readonly baseOffset: number
  readonly path: string
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly transactionIndex: TransactionIndex
  /** When it was created or opened; counts for `segment.ms` while it is empty. */
  readonly createdMs: number
  /** Subtracted from `segment.ms`. */
  readonly rollJitterMs: number

  readonly #disk: Disk
  #sizeInBytes = 0
  /** Open as long as the segment may be written to or must still be synced. */
  #file: SharedFile | undefined
  #largest: TimestampOffset | undefined
  /** Largest timestamp of the first batch, from which `segment.ms` counts. */
  #firstTimestamp = NO_TIMESTAMP
  #bytesSinceIndexEntry = 0
  /** Index files that have been written, but not synced. */
  #unsyncedIndexes: DiskFile[] = []
  #isRemoved = false

  constructor(
    disk: Disk,
    directory: string,
    baseOffset: number,
    options: { createdMs: number; rollJitterMs: number; suffix?: string },
  ) {
    const suffix = options.suffix ?? ''
    this.#disk = disk
    this.baseOffset = baseOffset
    this.path = segmentFile(directory, baseOffset, LOG_SUFFIX + suffix)
    this.offsetIndex = new OffsetIndex(disk, directory, baseOffset, suffix)
    this.timeIndex = new TimeIndex(disk, directory, baseOffset, suffix)
    this.transactionIndex = new TransactionIndex(disk, directory, baseOffset, suffix)
    this.createdMs = options.createdMs
    this.rollJitterMs = options.rollJitterMs
  }

  get sizeInBytes(): number {
    return this.#sizeInBytes
  }

  /** It is no part of the log any more: its files have other names, and are going to be removed. */
  get isRemoved(): boolean {
    return this.#isRemoved
  }

  /** Makes the files of a new, empty segment. */
  create(preallocateBytes: number): void {
    const file = this.#disk.open(this.path, { create: true })
    if (file.size() > 0) file.truncate(0)
    if (preallocateBytes > 0) file.truncate(preallocateBytes)
    this.#file = new SharedFile(file)
    this.offsetIndex.file.startEmpty()
    this.timeIndex.file.startEmpty()
    // An index file of the right length, though empty, is what tells Kafka that nothing is missing.
    this.offsetIndex.file.save()?.close()
    this.timeIndex.file.save()?.close()
    this.transactionIndex.reset()
  }

  /** Takes over the files of an existing segment. Returns false if an index must be rebuilt. */
  attach(): boolean {
    this.#sizeInBytes = this.#disk.stat(this.path)?.size ?? 0
    return (
      this.offsetIndex.attach(this.#sizeInBytes) &&
      this.timeIndex.attach() &&
      this.transactionIndex.isPlausible()
    )
  }

  /** Makes an existing segment writable again. */
  activate(): void {
    this.#file ??= new SharedFile(this.#disk.open(this.path))
    this.offsetIndex.file.load()
    this.timeIndex.file.load()
    this.firstTimestamp()
  }

  /** The largest timestamp of the first batch; -1 where there is none. */
  firstTimestamp(): number {
    if (this.#firstTimestamp < 0 && this.#sizeInBytes > 0) {
      const header = Buffer.alloc(RECORD_BATCH_HEADER_SIZE)
      const { file, done } = this.openForReading()
      try {
        const length = file.readSync(header, 0)
        if (length === header.length) this.#firstTimestamp = readInt64(header, MAX_TIMESTAMP_AT)
      } finally {
        done()
      }
    }
    return this.#firstTimestamp
  }

  /** Empties the indexes, which the caller then rebuilds through `index`. */
  startRebuild(): void {
    this.#file ??= new SharedFile(this.#disk.open(this.path))
    this.offsetIndex.file.startEmpty()
    this.timeIndex.file.startEmpty()
    this.transactionIndex.reset()
    this.#sizeInBytes = 0
    this.#largest = { timestamp: NO_TIMESTAMP, offset: this.baseOffset }
    this.#firstTimestamp = NO_TIMESTAMP
    this.#bytesSinceIndexEntry = 0
  }

  /** Writes batches at the end, in one operation, and indexes them. */
  append(batches: readonly NewBatch[], indexIntervalBytes: number): void {
    const buffers = batches.map((batch) => batch.bytes)
    this.#file!.file.writeSync(buffers, this.#sizeInBytes)
    for (const batch of batches) {
      this.index(batch.lastOffset, batch.maxTimestamp, batch.bytes.length, indexIntervalBytes)
    }
  }

  /** Counts a batch in that stands at the end of the segment, and indexes it if it is time to. */
  index(
    lastOffset: number,
    maxTimestamp: number,
    sizeInBytes: number,
    indexIntervalBytes: number,
  ): void {
    if (this.#sizeInBytes === 0) this.#firstTimestamp = maxTimestamp
    const largest = this.largestTimestampOffset()
    if (maxTimestamp > largest.timestamp) {
      this.#largest = { timestamp: maxTimestamp, offset: lastOffset }
    }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, this.#sizeInBytes)
      this.timeIndex.maybeAppend(this.#largest!.timestamp, this.#largest!.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += sizeInBytes
    this.#sizeInBytes += sizeInBytes
  }

  /** Whether a batch must go to a new segment, `staged` being about to be written to this one. */
  shouldRoll(
    batch: { sizeInBytes: number; lastOffset: number; maxTimestamp: number },
    staged: readonly StagedBatch[],
    stagedBytes: number,
    config: LogConfig,
    nowMs: number,
  ): boolean {
    const size = this.#sizeInBytes + stagedBytes
    if (size === 0) return false
    const maxIndexEntries = config.maxIndexSizeBytes - 12 * staged.length
    return (
      size > config.segmentBytes - batch.sizeInBytes ||
      this.#waitedMs(batch.maxTimestamp, staged, nowMs) >
        maxSegmentMs(config) - this.rollJitterMs ||
      this.offsetIndex.isFull(maxIndexEntries) ||
      this.timeIndex.isFull(maxIndexEntries) ||
      batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET
    )
  }

  /** How old the segment is, by its records' timestamps where they have any. */
  #waitedMs(timestamp: number, staged: readonly StagedBatch[], nowMs: number): number {
    const first = this.#sizeInBytes > 0 ? this.#firstTimestamp : staged[0]!.maxTimestamp
    return first >= 0 ? timestamp - first : nowMs - this.createdMs
  }

  /** The largest timestamp and the last offset of the first batch that has it. */
  largestTimestampOffset(): TimestampOffset {
    this.#largest ??= this.timeIndex.last()
    return this.#largest
  }

  /** For retention: the largest timestamp, or the file's age where the records have none. */
  largestTimestamp(): number {
    const { timestamp } = this.largestTimestampOffset()
    return timestamp >= 0 ? timestamp : (this.#disk.stat(this.path)?.modifiedMs ?? 0)
  }

  /** Ends writing: what Kafka writes on a roll is then in the files, though not synced. */
  finish(): void {
    this.#appendLastTimestamp()
    const file = this.#file?.file
    if (file !== undefined && file.size() !== this.#sizeInBytes) file.truncate(this.#sizeInBytes)
    this.#unsyncedIndexes = [this.offsetIndex.file.save(), this.timeIndex.file.save()].filter(
      (file) => file !== undefined,
    )
    this.offsetIndex.file.unload()
    this.timeIndex.file.unload()
  }

  #appendLastTimestamp(): void {
    const { timestamp, offset } = this.largestTimestampOffset()
    if (timestamp >= 0 && this.timeIndex.file.isInMemory) {
      this.timeIndex.maybeAppend(timestamp, offset)
    }
  }

  /** Makes durable what has been written. A segment that is removed meanwhile needs it no more. */
  async sync(): Promise<void> {
    await this.#file?.file.sync()
    for (const file of this.#unsyncedIndexes) {
      if (!this.#isRemoved) await file.sync()
    }
    if (!this.#isRemoved) await this.transactionIndex.sync()
  }

  /** Closes all files, which are about to be renamed. */
  remove(): void {
    this.#isRemoved = true
    this.close()
  }

  /** Closes all files. A finished segment can still be read. */
  close(): void {
    this.#file?.release()
    this.#file = undefined
    for (const file of this.#unsyncedIndexes) file.close()
    this.#unsyncedIndexes = []
  }

  /**
   * Cuts the segment to its first `sizeInBytes` bytes, a batch boundary; `offset` is its new end.
   */
  truncate(sizeInBytes: number, offset: number): void {
    this.activate()
    this.offsetIndex.truncateTo(sizeInBytes)
    this.timeIndex.truncateTo(offset)
    this.transactionIndex.truncateTo(offset)
    this.#file!.file.truncate(sizeInBytes)
    this.#sizeInBytes = sizeInBytes
    this.#bytesSinceIndexEntry = 0
    if (sizeInBytes === 0) this.#firstTimestamp = NO_TIMESTAMP
    this.#largest = this.timeIndex.last()
  }

  /** Counts in a timestamp found after the last entry of the time index, when reopening. */
  noteTimestamp(timestamp: number, offset: number): void {
    if (timestamp > this.largestTimestampOffset().timestamp) this.#largest = { timestamp, offset }
  }

  /**
   * Cuts off what was not counted in since `startRebuild`. Durably: sound batches beyond the cut
   * must not come back behind what is appended in place of the damaged one.
   */
  async truncateFile(): Promise<void> {
    this.#file!.file.truncate(this.#sizeInBytes)
    await this.#file!.file.sync()
  }

  /**
   * A file to read from until `done` is called, whatever becomes of the segment meanwhile. To be
   * called together with looking the segment up: a segment that is removed has no files any more.
   */
  openForReading(): { file: DiskFile; done: () => void } {
    const shared = this.#file
    if (shared !== undefined) {
      shared.retain()
      return { file: shared.file, done: () => shared.release() }
    }
    const file = this.#disk.open(this.path, { readOnly: true })
    return { file, done: () => file.close() }
  }
}
