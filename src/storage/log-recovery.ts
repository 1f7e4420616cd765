/**
 * Opens a log's folder: finds its segments, repairs what a crash has left, and brings the state of
 * producers and leader epochs up to the end of the log.
 *
 * After a clean shutdown the files are as they should be, and only the end of the last segment is
 * read. After any other stop, everything from the recovery point on may be damaged: a process that
 * is killed leaves a torn batch at most, but a power cut loses any part of what was not synced,
 * whole files and names included. Hence, from the segment that holds the recovery point on:
 *
 *  - every batch is read and its CRC compared;
 *  - at the first that is not sound the log is cut, and later segments are removed;
 *  - so they are where a segment does not begin where the one before ends, except that a compacted
 *    log may have such holes;
 *  - indexes are rebuilt, and producers' states and leader epochs are derived from the batches.
 *
 * Segments before the recovery point were synced together with their indexes. Their indexes are
 * only looked at for their shape, and rebuilt from the segment where that is wrong.
 */
import { crc32c } from '../common/crc32c.ts'
import { ATTRIBUTES_AT, MAGIC_V2, readRecordBatchHeader } from '../protocol/records/record-batch.ts'
import {
  LEADER_EPOCH_CHECKPOINT,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetInName,
  PRODUCER_SNAPSHOT_SUFFIX,
  SEGMENT_SUFFIXES,
  segmentFile,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts'
import { settleInterruptedCleaning } from './interrupted-cleaning.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { isCompacted, type LogConfig } from './log-config.ts'
import { type LogContext, newSegment } from './log-context.ts'
import type { LogSegment } from './log-segment.ts'
import { writeProducerSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import {
  loadProducerState,
  noteBatch,
  removeSnapshotsAbove,
  snapshotOffsets,
} from './producer-state-loader.ts'
import { scanBatches } from './segment-reader.ts'
import { largestTimestampOf } from './time-index.ts'

export interface LoadOptions {
  readonly directory: string
  readonly config: LogConfig
  readonly hadCleanShutdown: boolean
  /** From the checkpoints; 0 where they say nothing. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
}

/** A log's state as it was found, or repaired. */
export interface LoadedLog {
  /** Ascending, at least one; the last is writable. */
  readonly segments: LogSegment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  readonly producerState: ProducerState
  readonly epochs: LeaderEpochCache
}

/** Opens the log in `directory`, which is made if it is missing. Throws DiskErrors as they come. */
export function loadLog(context: LogContext, options: LoadOptions): Promise<LoadedLog> {
  return new Loader(context, options).load()
}

class Loader {
  readonly #context: LogContext
  readonly #options: LoadOptions
  readonly #directory: string
  readonly #state = new ProducerState()
  readonly #epochs: LeaderEpochCache
  #segments: LogSegment[] = []
  /**
   * Base offsets of segments of which an index must be rebuilt whatever the recovery point says.
   */
  readonly #damaged = new Set<number>()
  /** Files were removed, which must be certain before anything is written in their place. */
  #namesChanged = false

  constructor(context: LogContext, options: LoadOptions) {
    this.#context = context
    this.#options = options
    this.#directory = options.directory
    context.disk.makeDirectory(options.directory)
    this.#epochs = new LeaderEpochCache(
      context.disk,
      `${options.directory}/${LEADER_EPOCH_CHECKPOINT}`,
    )
  }

  async load(): Promise<LoadedLog> {
    const { hadCleanShutdown, logStartOffset } = this.#options
    settleInterruptedCleaning(this.#context, this.#directory)
    this.#findSegments()
    this.#dropDamagedBelowStart(logStartOffset)
    const recoveryPoint = Math.max(this.#options.recoveryPoint, logStartOffset)
    const firstUnflushed = hadCleanShutdown
      ? this.#segments.length
      : Math.max(
          0,
          this.#segments.findLastIndex((segment) => segment.baseOffset <= recoveryPoint),
        )
    await this.#rebuildIndexes(firstUnflushed)
    if (firstUnflushed < this.#segments.length) await this.#recover(firstUnflushed)
    let logEndOffset = await this.#reopenLast()
    if (this.#segments.length === 0 || logEndOffset < logStartOffset) {
      logEndOffset = this.#startEmptyAt(logStartOffset)
    }
    if (hadCleanShutdown) await this.#loadProducers(this.#state, logEndOffset)
    this.#removeStraySnapshots(logEndOffset)
    const start = Math.max(logStartOffset, this.#segments[0]!.baseOffset)
    this.#epochs.truncateFromEnd(logEndOffset)
    this.#epochs.truncateFromStart(start)
    if (!hadCleanShutdown || this.#namesChanged) await this.#settle()
    return {
      segments: this.#segments,
      logStartOffset: start,
      logEndOffset,
      // What recovery has read of rolled segments it has also synced.
      recoveryPoint: hadCleanShutdown ? logEndOffset : this.#segments.at(-1)!.baseOffset,
      producerState: this.#state,
      epochs: this.#epochs,
    }
  }

  /** Makes what was found or repaired durable, so that the next recovery need not begin here. */
  async #settle(): Promise<void> {
    await this.#context.disk.syncDirectory(this.#directory)
    const parent = this.#directory.slice(0, this.#directory.lastIndexOf('/'))
    await this.#context.disk.syncDirectory(parent)
    if (this.#epochs.isDirty) await this.#epochs.persisted()
  }

  #findSegments(): void {
    const { disk, logger } = this.#context
    const names = disk.list(this.#directory)
    const bases = new Set<number>()
    for (const name of names) {
      const base = offsetInName(name, LOG_SUFFIX)
      if (base !== undefined) bases.add(base)
    }
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX]) {
      for (const name of names) {
        const base = offsetInName(name, suffix)
        if (base === undefined || bases.has(base)) continue
        logger.warn(`Removing index ${this.#directory}/${name}, which belongs to no segment`)
        disk.remove(`${this.#directory}/${name}`)
      }
    }
    for (const base of [...bases].sort((a, b) => a - b)) {
      const segment = this.#newSegment(base)
      if (!segment.attach()) this.#damaged.add(base)
      this.#segments.push(segment)
    }
  }

  /** Nobody has synced what was to be removed, nor will anybody read it. */
  #dropDamagedBelowStart(logStartOffset: number): void {
    const isBelow = (index: number) =>
      (this.#segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY) <= logStartOffset
    const last = this.#segments.findLastIndex(
      (segment, index) => this.#damaged.has(segment.baseOffset) && isBelow(index),
    )
    this.#drop(this.#segments.splice(0, last + 1))
  }

  #newSegment(baseOffset: number): LogSegment {
    return newSegment(this.#context, this.#directory, baseOffset, this.#options.config)
  }

  /** Rebuilds missing or misshapen indexes of segments below the recovery point. */
  async #rebuildIndexes(firstUnflushed: number): Promise<void> {
    for (const segment of this.#segments.slice(0, firstUnflushed)) {
      if (!this.#damaged.has(segment.baseOffset)) continue
      this.#context.logger.warn(`Rebuilding the indexes of ${segment.path}`)
      const state = new ProducerState()
      await this.#loadProducers(state, segment.baseOffset)
      const { sizeInBytes } = segment
      const end = await this.#readThrough(segment, sizeInBytes, state)
      if (end < sizeInBytes) {
        this.#context.logger.error(
          `${segment.path} is damaged at byte ${end}, below the recovery point`,
        )
        await segment.truncateFile()
      }
      segment.finish()
      await segment.sync()
      segment.close()
    }
  }

  async #recover(firstUnflushed: number): Promise<void> {
    const { logger } = this.#context
    const unflushed = this.#segments.slice(firstUnflushed)
    let expected = unflushed[0]!.baseOffset
    removeSnapshotsAbove(this.#context, this.#directory, expected)
    await this.#loadProducers(this.#state, expected)
    for (const [index, segment] of unflushed.entries()) {
      const mayHaveHoles = isCompacted(this.#options.config)
      if (segment.baseOffset !== expected && !(mayHaveHoles && segment.baseOffset > expected)) {
        logger.warn(`${segment.path} does not continue the log, which ends at offset ${expected}`)
        this.#dropFrom(firstUnflushed + index)
        return
      }
      if (index > 0) this.#snapshot(segment.baseOffset)
      const { sizeInBytes } = segment
      const end = await this.#readThrough(segment, sizeInBytes, this.#state)
      expected = Math.max(this.#state.endOffset, segment.baseOffset)
      if (end < sizeInBytes) {
        logger.warn(
          `Found damage in ${segment.path} at byte ${end}; the log now ends at ${expected}`,
        )
        await segment.truncateFile()
        this.#dropFrom(firstUnflushed + index + 1)
        return
      }
      if (index < unflushed.length - 1) {
        segment.finish()
        await segment.sync()
        segment.close()
      }
    }
  }

  /** Removes all segments from the `index`-th on. */
  #dropFrom(index: number): void {
    this.#drop(this.#segments.splice(index))
  }

  #drop(segments: readonly LogSegment[]): void {
    for (const segment of segments) {
      this.#namesChanged = true
      segment.close()
      for (const suffix of [...SEGMENT_SUFFIXES, PRODUCER_SNAPSHOT_SUFFIX]) {
        this.#context.disk.remove(segmentFile(this.#directory, segment.baseOffset, suffix))
      }
    }
  }

  /**
   * Checks a segment's batches and rebuilds its indexes from them, and whatever else follows from
   * batches. Returns the position of the first one that is not sound.
   */
  async #readThrough(segment: LogSegment, size: number, state: ProducerState): Promise<number> {
    const { indexIntervalBytes } = this.#options.config
    segment.startRebuild()
    let nextOffset = segment.baseOffset
    return scanBatches(
      segment,
      { from: 0, to: size },
      this.#context.slabs,
      (bytes, at, length, position) => {
        const header = readRecordBatchHeader(bytes, at)
        if (header.magic !== MAGIC_V2) return refuseFormat(segment.path, position, header.magic)
        const lastOffset = header.baseOffset + header.lastOffsetDelta
        if (header.baseOffset < nextOffset || header.lastOffsetDelta < 0) return false
        if (lastOffset - segment.baseOffset > 0x7fff_ffff) return false
        if (crc32c(bytes, at + ATTRIBUTES_AT, at + length) !== header.crc) return false
        segment.index(lastOffset, largestTimestampOf(header), length, indexIntervalBytes)
        if (header.partitionLeaderEpoch > (this.#epochs.latestEpoch() ?? -1)) {
          this.#epochs.assign(header.partitionLeaderEpoch, header.baseOffset)
        }
        const aborted = noteBatch(state, header, bytes, at)
        if (aborted !== undefined) segment.transactionIndex.append(aborted)
        nextOffset = lastOffset + 1
        return true
      },
    )
  }

  /** Makes the last segment writable; returns the log's end offset. */
  async #reopenLast(): Promise<number> {
    const segment = this.#segments.at(-1)
    if (segment === undefined) return 0
    segment.activate()
    const from = segment.offsetIndex.last().position
    let nextOffset = segment.baseOffset
    const { sizeInBytes } = segment
    const slabs = this.#context.slabs
    const end = await scanBatches(segment, { from, to: sizeInBytes }, slabs, (bytes, at) => {
      const header = readRecordBatchHeader(bytes, at)
      const lastOffset = header.baseOffset + header.lastOffsetDelta
      if (header.magic !== MAGIC_V2 || header.baseOffset < nextOffset) return false
      segment.noteTimestamp(largestTimestampOf(header), lastOffset)
      nextOffset = lastOffset + 1
      return true
    })
    if (end < sizeInBytes) {
      this.#context.logger.error(`${segment.path} is damaged at byte ${end}; cutting it there`)
      segment.truncate(end, nextOffset)
      await segment.sync()
    }
    return nextOffset
  }

  /** Begins the log anew; segments that are there lie wholly below its start. */
  #startEmptyAt(offset: number): number {
    this.#dropFrom(0)
    this.#epochs.clear()
    this.#state.reset(offset)
    const segment = this.#newSegment(offset)
    segment.create(this.#options.config.preallocate ? this.#options.config.segmentBytes : 0)
    this.#segments.push(segment)
    return offset
  }

  #loadProducers(state: ProducerState, endOffset: number): Promise<void> {
    const { logStartOffset } = this.#options
    const log = { directory: this.#directory, segments: this.#segments, logStartOffset }
    return loadProducerState(this.#context, log, state, endOffset)
  }

  #snapshot(offset: number): void {
    const path = segmentFile(this.#directory, offset, PRODUCER_SNAPSHOT_SUFFIX)
    writeProducerSnapshot(this.#context.disk, path, this.#state).close()
  }

  /** Keeps only the snapshots that a later recovery can begin with. */
  #removeStraySnapshots(logEndOffset: number): void {
    const bases = new Set(this.#segments.map((segment) => segment.baseOffset))
    for (const offset of snapshotOffsets(this.#context, this.#directory)) {
      if (bases.has(offset) || offset === logEndOffset) continue
      const path = segmentFile(this.#directory, offset, PRODUCER_SNAPSHOT_SUFFIX)
      this.#context.disk.remove(path)
    }
  }
}

/**
 * Another magic is damage, except at the very beginning of a segment: then the folder is from long
 * ago, and to cut it there would be to destroy it.
 */
function refuseFormat(path: string, position: number, magic: number): false {
  if (position > 0 || magic > MAGIC_V2) return false
  throw new Error(`${path} is in message format v${magic}, which is not supported`)
}
