/**
 * The writing half of a log: checks batches, gives them their offsets, keeps them staged, and
 * writes all that is staged with one write. Begins new segments when it is time to.
 */
import { KafkaError } from '../common/errors.ts'
import { garbageCollected, type Lease } from '../common/slab.ts'
import {
  PARTITION_LEADER_EPOCH_AT,
  type RecordBatchHeader,
  writeInt32,
  writeInt64,
} from '../protocol/records/record-batch.ts'
import { PRODUCER_SNAPSHOT_SUFFIX, segmentFile } from './file-names.ts'
import { newSegment } from './log-context.ts'
import type { LogCore } from './log-core.ts'
import type { StagedBatch } from './log-segment.ts'
import { type AppendOrigin, LogValidator, splitBatches } from './log-validator.ts'
import { writeProducerSnapshot } from './producer-snapshot.ts'
import type { DuplicateBatch } from './producer-state.ts'
import { largestTimestampOf, NO_TIMESTAMP } from './time-index.ts'
import { type EndTransactionMarker, readMarker } from './transaction-marker.ts'

export interface AppendOptions {
  /** Of the leader that appends; ignored for replication, where the batches carry theirs. */
  readonly leaderEpoch: number
  readonly origin: AppendOrigin
  /** Keeps the records' memory; the log retains it as long as it wants more than this call. */
  readonly lease: Lease
}

export interface LogAppendInfo {
  readonly firstOffset: number
  readonly lastOffset: number
  /** -1 where timestamps are the producer's. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly maxTimestamp: number
  readonly sizeInBytes: number
  /** Nothing was appended: the batch is in the log already, at these offsets. */
  readonly isDuplicate: boolean
}

export class LogAppender {
  readonly #core: LogCore
  readonly #validator = new LogValidator()
  #staged: StagedBatch[] = []
  #stagedBytes = 0
  #stagedEndOffset: number

  constructor(core: LogCore) {
    this.#core = core
    this.#stagedEndOffset = core.logEndOffset
  }

  /** The offset that the next batch gets. */
  get stagedEndOffset(): number {
    return this.#stagedEndOffset
  }

  /** See PartitionLog.append. */
  append(records: Buffer, options: AppendOptions): LogAppendInfo {
    if (options.origin === 'replication') return this.#appendAsFollower(records, options)
    return this.#appendAsLeader(records, options, options.origin)
  }

  /** Forgets what is staged: the log ends at its end, wherever that is now. */
  discardStaged(): void {
    this.#staged = []
    this.#stagedBytes = 0
    this.#stagedEndOffset = this.#core.logEndOffset
  }

  #appendAsLeader(
    records: Buffer,
    options: AppendOptions,
    origin: 'client' | 'coordinator',
  ): LogAppendInfo {
    const nowMs = this.#core.context.clock.now()
    const valid = this.#validator.validate(records, this.#core.config, origin, nowMs)
    const { bytes, header } = valid
    let marker: EndTransactionMarker | undefined
    if (header.producerId >= 0) {
      const duplicate = origin === 'client' ? this.#core.producers.findDuplicate(header) : undefined
      if (duplicate !== undefined) return this.#duplicateInfo(duplicate)
      marker = readMarker(bytes, 0, header)
      this.#core.producers.check(header, marker, origin)
    }
    const firstOffset = this.#stagedEndOffset
    const lastOffset = firstOffset + header.lastOffsetDelta
    this.#rollIfDue(firstOffset, lastOffset, bytes.length, header.maxTimestamp, nowMs)
    writeInt64(bytes, 0, firstOffset)
    writeInt32(bytes, PARTITION_LEADER_EPOCH_AT, options.leaderEpoch)
    this.#core.epochs.assign(options.leaderEpoch, firstOffset)
    const lease = bytes === records ? options.lease : garbageCollected(bytes)
    this.#stage(bytes, lease, header, firstOffset, marker)
    return {
      firstOffset,
      lastOffset,
      logAppendTimeMs: valid.logAppendTimeMs,
      logStartOffset: this.#core.logStartOffset,
      maxTimestamp: header.maxTimestamp,
      sizeInBytes: bytes.length,
      isDuplicate: false,
    }
  }

  #duplicateInfo(duplicate: DuplicateBatch): LogAppendInfo {
    return {
      firstOffset: duplicate.firstOffset,
      lastOffset: duplicate.lastOffset,
      logAppendTimeMs:
        this.#core.config.timestampType === 'LogAppendTime' ? duplicate.timestamp : NO_TIMESTAMP,
      logStartOffset: this.#core.logStartOffset,
      maxTimestamp: duplicate.timestamp,
      sizeInBytes: 0,
      isDuplicate: true,
    }
  }

  #appendAsFollower(records: Buffer, options: AppendOptions): LogAppendInfo {
    const batches = splitBatches(records)
    const firstOffset = batches[0]?.header.baseOffset ?? this.#stagedEndOffset
    if (firstOffset < this.#stagedEndOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Unexpected offset in append to ${this.#core.name}: ${firstOffset} is less than the next ` +
          `offset ${this.#stagedEndOffset}`,
      )
    }
    let maxTimestamp = NO_TIMESTAMP
    let sizeInBytes = 0
    const nowMs = this.#core.context.clock.now()
    for (const { bytes, header } of batches) {
      const lastOffset = header.baseOffset + header.lastOffsetDelta
      this.#rollIfDue(header.baseOffset, lastOffset, bytes.length, header.maxTimestamp, nowMs)
      if (header.partitionLeaderEpoch >= 0) {
        this.#core.epochs.assign(header.partitionLeaderEpoch, header.baseOffset)
      }
      const marker = readMarker(bytes, 0, header)
      this.#stage(bytes, options.lease, header, header.baseOffset, marker)
      maxTimestamp = Math.max(maxTimestamp, header.maxTimestamp)
      sizeInBytes += bytes.length
    }
    return {
      firstOffset,
      lastOffset: this.#stagedEndOffset - 1,
      logAppendTimeMs: NO_TIMESTAMP,
      logStartOffset: this.#core.logStartOffset,
      maxTimestamp,
      sizeInBytes,
      isDuplicate: false,
    }
  }

  #stage(
    bytes: Buffer,
    lease: Lease,
    header: RecordBatchHeader,
    baseOffset: number,
    marker: EndTransactionMarker | undefined,
  ): void {
    const lastOffset = baseOffset + header.lastOffsetDelta
    const completed = this.#core.producers.update(header, baseOffset, marker)
    const maxTimestamp = largestTimestampOf(header)
    this.#staged.push({ bytes, lease, baseOffset, lastOffset, maxTimestamp, completed })
    this.#stagedBytes += bytes.length
    this.#stagedEndOffset = lastOffset + 1
  }

  /** Writes what is staged, and makes it readable. */
  writeStaged(): void {
    const batches = this.#staged
    if (batches.length === 0) return
    this.#staged = []
    this.#stagedBytes = 0
    this.#core.guard(() => {
      this.#core.segments.active.append(batches, this.#core.config.indexIntervalBytes)
      for (const { completed } of batches) {
        if (completed === undefined) continue
        const lastStableOffset = this.#core.producers.completeTransaction(completed)
        if (!completed.isAborted) continue
        const { producerId, firstOffset, lastOffset } = completed
        const aborted = { producerId, firstOffset, lastOffset, lastStableOffset }
        this.#core.segments.active.transactionIndex.append(aborted)
      }
    })
    this.#core.logEndOffset = this.#stagedEndOffset
    for (const { bytes, lease, baseOffset, lastOffset } of batches) {
      this.#core.tail.add(bytes, lease, baseOffset, lastOffset)
    }
  }

  #rollIfDue(
    baseOffset: number,
    lastOffset: number,
    sizeInBytes: number,
    maxTimestamp: number,
    nowMs: number,
  ): void {
    const batch = { sizeInBytes, lastOffset, maxTimestamp }
    const { active } = this.#core.segments
    if (!active.shouldRoll(batch, this.#staged, this.#stagedBytes, this.#core.config, nowMs)) return
    this.writeStaged()
    this.roll(baseOffset)
  }

  /** Ends the active segment and begins one at `baseOffset`. */
  roll(baseOffset: number): void {
    this.#core.guard(() => {
      const { active } = this.#core.segments
      active.finish()
      this.createSegment(baseOffset)
      this.#core.flusher.noteRolled(active)
      const path = segmentFile(this.#core.directory, baseOffset, PRODUCER_SNAPSHOT_SUFFIX)
      this.#core.flusher.noteFile(
        writeProducerSnapshot(this.#core.context.disk, path, this.#core.producers),
      )
    })
    this.#core.flusher.flushInBackground(baseOffset)
  }

  /** Begins a segment, in which the next batch will be written. */
  createSegment(baseOffset: number): void {
    const segment = newSegment(
      this.#core.context,
      this.#core.directory,
      baseOffset,
      this.#core.config,
    )
    segment.create(this.#core.config.preallocate ? this.#core.config.segmentBytes : 0)
    this.#core.segments.add(segment)
  }
}
