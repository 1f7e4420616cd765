/**
 * The log of one partition: batches in the order of their offsets, in segment files that are
 * Kafka's own.
 *
 * Appending has two steps. `append` checks a batch, gives it its offsets and stages it; `commit`
 * writes everything staged with one write and makes it readable. The server appends all frames of
 * a socket's read event and then commits each log it touched, so that a busy partition costs one
 * system call per read event, not per request. Until `commit` has returned, nothing may be
 * acknowledged, and memory that was appended must not be given back.
 *
 * ```
 * logStartOffset ... recoveryPoint ... highWatermark ... logEndOffset ... stagedEndOffset
 *       |------ durable ------|                               |
 *       |------------------ on disk, readable ----------------|---- staged ----|
 * ```
 * Errors: what a client did wrong, or may try again, is thrown as a KafkaError. When the disk
 * fails, the log goes offline for good, `onStorageError` is called, and this and every later call
 * throws KAFKA_STORAGE_ERROR: after a failed write nobody knows what is in the file, which is for
 * recovery to find out at the next start.
 */
import { DiskError } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import { garbageCollected, type Lease } from '../common/slab.ts'
import {
  LAST_OFFSET_DELTA_AT,
  PARTITION_LEADER_EPOCH_AT,
  type RecordBatchHeader,
  readInt32,
  readInt64,
  writeInt32,
  writeInt64,
} from '../protocol/records/record-batch.ts'
import { ColdReader } from './cold-reader.ts'
import { deletedDirectoryName, PRODUCER_SNAPSHOT_SUFFIX, segmentFile } from './file-names.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import { type LogContext, newSegment } from './log-context.ts'
import { LogFlusher } from './log-flusher.ts'
import { emptyRead, type LogRead, type ReadOptions } from './log-read.ts'
import { type LoadedLog, loadLog } from './log-recovery.ts'
import { countBelowStart, countExpired } from './log-retention.ts'
import type { LogSegment, StagedBatch } from './log-segment.ts'
import { type AppendOrigin, LogValidator, splitBatches } from './log-validator.ts'
import { readPartitionMetadata, writePartitionMetadata } from './partition-metadata.ts'
import { writeProducerSnapshot } from './producer-snapshot.ts'
import type { DuplicateBatch, ProducerEntry, ProducerState } from './producer-state.ts'
import { loadProducerState, removeSnapshotsAbove } from './producer-state-loader.ts'
import { SegmentList } from './segment-list.ts'
import { scanBatches } from './segment-reader.ts'
import type { LogTail } from './tail-cache.ts'
import { NO_TIMESTAMP } from './time-index.ts'
import {
  findLargestTimestamp,
  findTimestamp,
  type OffsetAtTimestamp,
  SpecialTimestamp,
  specialOffset,
} from './timestamp-search.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import { type EndTransactionMarker, readMarker } from './transaction-marker.ts'

export type { AbortedTransaction, LogRead, OffsetAtTimestamp, ReadOptions }

export interface PartitionLogOptions {
  readonly topic: string
  readonly partition: number
  /** The log directory; the log's own folder in it is named after topic and partition. */
  readonly logDirectory: string
  readonly config: LogConfig
  /** Whether the broker that last had the folder closed it in good order. */
  readonly hadCleanShutdown: boolean
  /** From the checkpoints; 0 where they say nothing. */
  readonly recoveryPoint?: number
  readonly logStartOffset?: number
  readonly highWatermark?: number
  /** Writes the checkpoints with this log's offsets. Awaited when a truncation has lowered them. */
  readonly writeCheckpoints?: () => Promise<void>
  /** The disk has failed under this log, which is offline now. Called once. */
  readonly onStorageError?: (log: PartitionLog, error: DiskError) => void
}

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

type Status = 'online' | 'offline' | 'closed'

export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly logDirectory: string
  readonly epochs: LeaderEpochCache
  readonly #context: LogContext
  readonly #options: PartitionLogOptions
  readonly #validator = new LogValidator()
  readonly #segments: SegmentList
  readonly #flusher: LogFlusher
  readonly #producers: ProducerState
  readonly #tail: LogTail
  readonly #cold: ColdReader
  #config: LogConfig
  #topicId: string | undefined
  #status: Status = 'online'
  #staged: StagedBatch[] = []
  #stagedBytes = 0
  #stagedEndOffset: number
  #logStartOffset: number
  #logEndOffset: number
  #highWatermark: number
  /** Counts truncations: a cold read that one has overtaken begins again. */
  #generation = 0
  /** A truncation is under way; it takes several steps, and nothing may be appended in between. */
  #isTruncating = false

  private constructor(context: LogContext, options: PartitionLogOptions, loaded: LoadedLog) {
    this.topic = options.topic
    this.partition = options.partition
    this.logDirectory = options.logDirectory
    this.#context = context
    this.#config = options.config
    this.#options = options
    this.#segments = new SegmentList(context, this.directory, loaded.segments)
    this.#producers = loaded.producerState
    this.epochs = loaded.epochs
    this.#tail = context.tailCache.createTail()
    this.#cold = new ColdReader(this.#segments, context.slabs)
    this.#logStartOffset = loaded.logStartOffset
    this.#logEndOffset = loaded.logEndOffset
    this.#stagedEndOffset = loaded.logEndOffset
    const highWatermark = options.highWatermark ?? 0
    this.#highWatermark = Math.max(
      loaded.logStartOffset,
      Math.min(highWatermark, loaded.logEndOffset),
    )
    this.#topicId = readPartitionMetadata(context.disk, this.directory)
    this.#flusher = new LogFlusher({
      context,
      directory: this.directory,
      segments: this.#segments,
      epochs: this.epochs,
      recoveryPoint: loaded.recoveryPoint,
      logEndOffset: () => this.#logEndOffset,
      onError: (error) => this.#fail(error),
    })
  }

  /** Opens a partition's log, or begins one. Throws DiskErrors as they come. */
  static async open(context: LogContext, options: PartitionLogOptions): Promise<PartitionLog> {
    const loaded = await loadLog(context, {
      directory: `${options.logDirectory}/${options.topic}-${options.partition}`,
      config: options.config,
      hadCleanShutdown: options.hadCleanShutdown,
      recoveryPoint: options.recoveryPoint ?? 0,
      logStartOffset: options.logStartOffset ?? 0,
    })
    return new PartitionLog(context, options, loaded)
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  get directory(): string {
    return `${this.logDirectory}/${this.name}`
  }

  get config(): LogConfig {
    return this.#config
  }

  /** A changed configuration takes effect with the next append, retention check, and so on. */
  set config(config: LogConfig) {
    this.#config = config
  }

  /** The id of the topic that the log is of, where it is known. */
  get topicId(): string | undefined {
    return this.#topicId
  }

  set topicId(topicId: string | undefined) {
    if (topicId === undefined || topicId === this.#topicId) return
    this.#guard(() => {
      this.#flusher.noteFile(writePartitionMetadata(this.#context.disk, this.directory, topicId))
    })
    this.#topicId = topicId
  }

  get isOnline(): boolean {
    return this.#status === 'online'
  }

  /** The first offset that can be read. */
  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** The offset after the last batch that can be read. */
  get logEndOffset(): number {
    return this.#logEndOffset
  }

  /** The offset that the next batch gets. */
  get stagedEndOffset(): number {
    return this.#stagedEndOffset
  }

  /** Everything below is durable. */
  get recoveryPoint(): number {
    return this.#flusher.recoveryPoint
  }

  /** What the recovery-point checkpoint may say: not above `recoveryPoint`. */
  get checkpointPoint(): number {
    return this.#status === 'closed' ? this.#logEndOffset : this.#flusher.checkpointPoint
  }

  /** Everything below is on all in-sync replicas. The partition's leader or follower sets it. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  set highWatermark(offset: number) {
    this.#highWatermark = Math.max(this.#logStartOffset, Math.min(offset, this.#logEndOffset))
    this.#producers.onHighWatermark(this.#highWatermark)
  }

  /** The first offset that is not settled: of an open transaction, or one not yet replicated. */
  get firstUnstableOffset(): number | undefined {
    const offset = this.#producers.firstUnstableOffset()
    return offset === undefined ? undefined : Math.max(offset, this.#logStartOffset)
  }

  /** Everything below is settled: no open transaction, and below the high watermark. */
  get lastStableOffset(): number {
    return Math.min(this.#highWatermark, this.firstUnstableOffset ?? this.#highWatermark)
  }

  get sizeInBytes(): number {
    return this.#segments.sizeInBytes
  }

  get segmentCount(): number {
    return this.#segments.all.length
  }

  /** The producers that the log remembers, for DescribeProducers. */
  activeProducers(): IterableIterator<ProducerEntry> {
    return this.#producers.entries()
  }

  hasOngoingTransaction(producerId: number): boolean {
    return this.#producers.hasOngoingTransaction(producerId)
  }

  removeExpiredProducers(): void {
    this.#producers.removeExpired(this.#context.clock.now(), this.#context.producerIdExpirationMs)
  }

  /**
   * Checks records and stages them: from a client or coordinator one batch, which gets the next
   * offsets; through replication any number of batches with the leader's offsets. Where they are
   * refused, nothing is staged. Refusals: those of LogValidator and ProducerState.
   */
  append(records: Buffer, options: AppendOptions): LogAppendInfo {
    this.#checkOnline()
    if (this.#isTruncating) throw new Error(`append to ${this.name} while it is being truncated`)
    if (options.origin === 'replication') return this.#appendAsFollower(records, options)
    return this.#appendAsLeader(records, options, options.origin)
  }

  #appendAsLeader(
    records: Buffer,
    options: AppendOptions,
    origin: 'client' | 'coordinator',
  ): LogAppendInfo {
    const valid = this.#validator.validate(records, this.#config, origin, this.#context.clock.now())
    const { bytes, header } = valid
    let marker: EndTransactionMarker | undefined
    if (header.producerId >= 0) {
      const duplicate = origin === 'client' ? this.#producers.findDuplicate(header) : undefined
      if (duplicate !== undefined) return this.#duplicateInfo(duplicate)
      marker = readMarker(bytes, 0, header)
      this.#producers.check(header, marker, origin)
    }
    const firstOffset = this.#stagedEndOffset
    const lastOffset = firstOffset + header.lastOffsetDelta
    this.#rollIfDue(firstOffset, lastOffset, bytes.length, header.maxTimestamp)
    writeInt64(bytes, 0, firstOffset)
    writeInt32(bytes, PARTITION_LEADER_EPOCH_AT, options.leaderEpoch)
    this.epochs.assign(options.leaderEpoch, firstOffset)
    const lease = bytes === records ? options.lease : garbageCollected(bytes)
    this.#stage(bytes, lease, header, firstOffset, marker)
    return {
      firstOffset,
      lastOffset,
      logAppendTimeMs: valid.logAppendTimeMs,
      logStartOffset: this.#logStartOffset,
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
        this.#config.timestampType === 'LogAppendTime' ? duplicate.timestamp : NO_TIMESTAMP,
      logStartOffset: this.#logStartOffset,
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
        `Unexpected offset in append to ${this.name}: ${firstOffset} is less than the next offset ` +
          `${this.#stagedEndOffset}`,
      )
    }
    let maxTimestamp = NO_TIMESTAMP
    let sizeInBytes = 0
    for (const { bytes, header } of batches) {
      const lastOffset = header.baseOffset + header.lastOffsetDelta
      this.#rollIfDue(header.baseOffset, lastOffset, bytes.length, header.maxTimestamp)
      if (header.partitionLeaderEpoch >= 0) {
        this.epochs.assign(header.partitionLeaderEpoch, header.baseOffset)
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
      logStartOffset: this.#logStartOffset,
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
    const completed = this.#producers.update(header, baseOffset, marker)
    const { maxTimestamp } = header
    this.#staged.push({ bytes, lease, baseOffset, lastOffset, maxTimestamp, completed })
    this.#stagedBytes += bytes.length
    this.#stagedEndOffset = lastOffset + 1
  }

  /**
   * Writes what is staged and makes it readable. Where `flush.messages` asks for it, returns a
   * promise that resolves when it is durable, before which it must not be acknowledged either.
   */
  commit(): Promise<void> | undefined {
    this.#checkOnline()
    if (this.#staged.length === 0) return undefined
    this.#writeStaged()
    const { flushMessages, flushMs } = this.#config
    if (this.#logEndOffset - this.#flusher.recoveryPoint >= flushMessages) return this.flush()
    if (flushMs !== Number.POSITIVE_INFINITY) this.#flusher.flushLater(flushMs)
    return undefined
  }

  #writeStaged(): void {
    const batches = this.#staged
    if (batches.length === 0) return
    this.#staged = []
    this.#stagedBytes = 0
    this.#guard(() => {
      this.#segments.active.append(batches, this.#config.indexIntervalBytes)
      for (const { completed } of batches) {
        if (completed === undefined) continue
        const lastStableOffset = this.#producers.completeTransaction(completed)
        if (!completed.isAborted) continue
        const { producerId, firstOffset, lastOffset } = completed
        const aborted = { producerId, firstOffset, lastOffset, lastStableOffset }
        this.#segments.active.transactionIndex.append(aborted)
      }
    })
    this.#logEndOffset = this.#stagedEndOffset
    for (const { bytes, lease, baseOffset, lastOffset } of batches) {
      this.#tail.add(bytes, lease, baseOffset, lastOffset)
    }
  }

  #rollIfDue(baseOffset: number, lastOffset: number, sizeInBytes: number, maxTimestamp: number) {
    const batch = { sizeInBytes, lastOffset, maxTimestamp }
    const { active } = this.#segments
    const nowMs = this.#context.clock.now()
    if (!active.shouldRoll(batch, this.#staged, this.#stagedBytes, this.#config, nowMs)) return
    this.#writeStaged()
    this.#roll(baseOffset)
  }

  /** Ends the active segment and begins one at the end of the log. */
  roll(): void {
    this.#checkOnline()
    this.#writeStaged()
    if (this.#segments.active.sizeInBytes > 0) this.#roll(this.#logEndOffset)
  }

  #roll(baseOffset: number): void {
    this.#guard(() => {
      const { active } = this.#segments
      active.finish()
      this.#createSegment(baseOffset)
      this.#flusher.noteRolled(active)
      const path = segmentFile(this.directory, baseOffset, PRODUCER_SNAPSHOT_SUFFIX)
      this.#flusher.noteFile(writeProducerSnapshot(this.#context.disk, path, this.#producers))
    })
    this.#flusher.flushInBackground(baseOffset)
  }

  #createSegment(baseOffset: number): LogSegment {
    const segment = newSegment(this.#context, this.directory, baseOffset, this.#config)
    segment.create(this.#config.preallocate ? this.#config.segmentBytes : 0)
    this.#segments.add(segment)
    return segment
  }

  /**
   * Reads whole batches from the one that holds `startOffset` on: at once where they are in memory,
   * otherwise from disk. Gives less than `maxBytes` where a limit, a segment or the log ends.
   * Throws, or rejects with, OFFSET_OUT_OF_RANGE. What it returns must be released.
   */
  read(startOffset: number, maxBytes: number, options: ReadOptions): LogRead | Promise<LogRead> {
    this.#checkOnline()
    this.#checkRange(startOffset)
    if (startOffset >= Math.min(options.maxOffset, this.#logEndOffset))
      return emptyRead(startOffset)
    if (maxBytes <= 0 && !options.minOneBatch) return emptyRead(startOffset)
    return (
      this.#tail.read(startOffset, maxBytes, options) ??
      this.#readFromDisk(startOffset, maxBytes, options)
    )
  }

  async #readFromDisk(offset: number, maxBytes: number, options: ReadOptions): Promise<LogRead> {
    for (;;) {
      const generation = this.#generation
      try {
        const read = await this.#cold.read(offset, maxBytes, options)
        if (generation === this.#generation) return read
        read.release()
      } catch (error) {
        if (generation === this.#generation) throw this.#fail(error)
      }
      this.#checkOnline()
      this.#checkRange(offset)
      if (offset >= this.#logEndOffset) return emptyRead(offset)
    }
  }

  /**
   * About how many bytes of batches lie between two offsets, at most `maxBytes`; exact as long as
   * they are in memory.
   */
  sizeBetween(from: number, to: number, maxBytes: number): number {
    const end = Math.min(to, this.#logEndOffset)
    if (from >= end || !this.isOnline) return 0
    const cached = this.#tail.sizeBetween(from, end)
    if (cached !== undefined) return Math.min(cached, maxBytes)
    const { active } = this.#segments
    if (from < active.baseOffset) return maxBytes
    const until = end < this.#logEndOffset ? active.offsetIndex.lookup(end) : active.sizeInBytes
    return Math.min(Math.max(until - active.offsetIndex.lookup(from), 1), maxBytes)
  }

  #checkRange(offset: number): void {
    if (offset >= this.#logStartOffset && offset <= this.#logEndOffset) return
    throw new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `Received request for offset ${offset} for partition ${this.name}, but we only have log ` +
        `segments in the range ${this.#logStartOffset} to ${this.#logEndOffset}.`,
    )
  }

  /** The aborted transactions that have records in the given range, for a read_committed fetch. */
  collectAbortedTransactions(fromOffset: number, upToOffset: number): AbortedTransaction[] {
    this.#checkOnline()
    return this.#guard(() => {
      const found: AbortedTransaction[] = []
      let segment = this.#segments.floor(fromOffset)
      while (segment !== undefined) {
        for (const transaction of segment.transactionIndex.read()) {
          const { firstOffset, lastOffset, lastStableOffset } = transaction
          if (lastOffset >= fromOffset && firstOffset < upToOffset) found.push(transaction)
          if (lastStableOffset >= upToOffset) return found
        }
        segment = this.#segments.after(segment.baseOffset)
      }
      return found
    })
  }

  /**
   * For ListOffsets: the first record at or after a timestamp, or what one of the special
   * timestamps stands for; undefined where there is no such record. The latest offset is where the
   * log ends: how much of it a consumer may know of is the partition's to say.
   */
  async offsetForTimestamp(timestamp: number): Promise<OffsetAtTimestamp | undefined> {
    this.#checkOnline()
    const start = this.#logStartOffset
    const { all } = this.#segments
    const { slabs } = this.#context
    switch (timestamp) {
      case SpecialTimestamp.EARLIEST:
      case SpecialTimestamp.EARLIEST_LOCAL:
        return specialOffset(start, this.epochs.epochForOffset(start))
      case SpecialTimestamp.LATEST:
        return specialOffset(this.#logEndOffset, this.epochs.latestEpoch())
      case SpecialTimestamp.LATEST_TIERED:
        return specialOffset(-1, undefined)
      case SpecialTimestamp.MAX_TIMESTAMP:
        return this.#searching(findLargestTimestamp(all, slabs))
      default:
        return this.#searching(findTimestamp(all, timestamp, start, slabs))
    }
  }

  async #searching<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** The leader epoch of the batch at `offset`, where it is known. */
  epochForOffset(offset: number): number | undefined {
    return this.epochs.epochForOffset(offset)
  }

  /** For OffsetForLeaderEpoch: see LeaderEpochCache.endOffsetFor. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  /** A new leader notes where its epoch begins before it appends anything. */
  beginEpoch(epoch: number): void {
    this.epochs.assign(epoch, this.#stagedEndOffset)
  }

  /** Resolves when what has been committed below `upTo` is durable. */
  flush(upTo = this.#logEndOffset): Promise<void> {
    this.#checkOnline()
    return this.#flusher.flush(upTo)
  }

  /**
   * Makes `offset` the log start offset, if it is beyond; returns the log start offset. Segments
   * wholly below are removed by `removeOldSegments`. Throws OFFSET_OUT_OF_RANGE above the log's end;
   * that nothing unreplicated goes is for the partition to see to.
   */
  deleteRecordsBefore(offset: number): number {
    this.#checkOnline()
    if (offset > this.#logEndOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Cannot increment the log start offset to ${offset} of partition ${this.name} since it is ` +
          `larger than the log end offset ${this.#logEndOffset}`,
      )
    }
    if (offset > this.#logStartOffset) {
      this.#logStartOffset = offset
      this.epochs.truncateFromStart(offset)
      this.#flusher.raise(offset)
    }
    return this.#logStartOffset
  }

  /** Moves the log start offset past what retention lets go. Returns whether it has moved. */
  applyRetention(): boolean {
    this.#checkOnline()
    return this.#guard(() => {
      const { all } = this.#segments
      const limits = { highWatermark: this.#highWatermark, logEndOffset: this.#logEndOffset }
      const count = countExpired(all, limits, this.#config, this.#context.clock.now())
      if (count === 0) return false
      if (count === all.length) this.roll()
      this.deleteRecordsBefore(this.#segments.all[count]!.baseOffset)
      return true
    })
  }

  /**
   * Removes the segments wholly below the log start offset. To be called when that is in its
   * checkpoint: otherwise a power cut could bring some of them back, and not others.
   */
  removeOldSegments(): number {
    this.#checkOnline()
    return this.#guard(() => {
      const old = this.#segments.all.slice(
        0,
        countBelowStart(this.#segments.all, this.#logStartOffset),
      )
      if (old.length === 0) return 0
      this.#flusher.forget(old)
      this.#segments.remove(old, this.#config.fileDeleteDelayMs)
      return old.length
    })
  }

  /**
   * Cuts the log so that it ends at `offset`, for a follower whose leader's log differs from there
   * on. Resolves when the cut is durable, checkpoints included; until then nothing may be appended.
   */
  async truncateTo(offset: number): Promise<void> {
    this.#checkOnline()
    this.#writeStaged()
    if (offset >= this.#logEndOffset) {
      this.epochs.truncateFromEnd(this.#logEndOffset)
      return
    }
    if (offset < this.#segments.first.baseOffset) return this.truncateFullyAndStartAt(offset)
    await this.#truncating(async () => {
      const segment = this.#segments.floor(offset)!
      const position = await this.#positionOf(segment, offset)
      const later = this.#segments.all.filter((other) => other.baseOffset > segment.baseOffset)
      this.#flusher.forget(later)
      this.#segments.remove(later, this.#config.fileDeleteDelayMs)
      segment.truncate(position, offset)
      this.#setEnd(offset)
      this.#logStartOffset = Math.min(this.#logStartOffset, offset)
      this.epochs.truncateFromEnd(offset)
      removeSnapshotsAbove(this.#context, this.directory, offset)
      await segment.sync()
      await this.#reloadProducers(offset)
    })
  }

  /** Empties the log, which then begins and ends at `offset`. As `truncateTo` otherwise. */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    this.#checkOnline()
    this.#writeStaged()
    await this.#truncating(async () => {
      const old = this.#segments.all
      this.#flusher.forget(old)
      this.#segments.remove(old, this.#config.fileDeleteDelayMs)
      this.#createSegment(offset)
      this.#setEnd(offset)
      this.#logStartOffset = offset
      this.epochs.clear()
      removeSnapshotsAbove(this.#context, this.directory, -1)
      this.#producers.reset(offset)
    })
  }

  async #truncating(steps: () => Promise<void>): Promise<void> {
    this.#isTruncating = true
    try {
      await steps()
      await this.#context.disk.syncDirectory(this.directory)
      await this.#options.writeCheckpoints?.()
    } catch (error) {
      throw this.#fail(error)
    } finally {
      this.#isTruncating = false
    }
  }

  #setEnd(offset: number): void {
    this.#generation += 1
    this.#tail.clear()
    this.#cold.reset()
    this.#logEndOffset = offset
    this.#stagedEndOffset = offset
    this.#highWatermark = Math.min(this.#highWatermark, offset)
    this.#flusher.lower(offset)
  }

  /** Where in a segment the first batch begins that reaches `offset`. */
  #positionOf(segment: LogSegment, offset: number): Promise<number> {
    const range = { from: segment.offsetIndex.lookup(offset), to: segment.sizeInBytes }
    return scanBatches(segment, range, this.#context.slabs, (bytes, at) => {
      return readInt64(bytes, at) + readInt32(bytes, at + LAST_OFFSET_DELTA_AT) < offset
    })
  }

  #reloadProducers(endOffset: number): Promise<void> {
    const log = {
      directory: this.directory,
      segments: this.#segments.all,
      logStartOffset: this.#logStartOffset,
    }
    return loadProducerState(this.#context, log, this.#producers, endOffset)
  }

  /**
   * Closes the log in good order: everything is written, synced and described by a snapshot, so
   * that the next start need not look at it.
   */
  async close(): Promise<void> {
    if (this.#status !== 'online') return this.#release()
    try {
      this.#writeStaged()
      const { active } = this.#segments
      await this.#flusher.flush(this.#logEndOffset)
      active.finish()
      const path = segmentFile(this.directory, this.#logEndOffset, PRODUCER_SNAPSHOT_SUFFIX)
      const snapshot = writeProducerSnapshot(this.#context.disk, path, this.#producers)
      await active.sync()
      await snapshot.sync()
      snapshot.close()
      await this.epochs.persisted()
      await this.#context.disk.syncDirectory(this.directory)
    } catch (error) {
      throw this.#fail(error)
    }
    this.#status = 'closed'
    await this.#release()
  }

  /**
   * Renames the log's folder so that it is no log any more, and returns its new path; removing it is
   * the caller's. The log is of no use afterwards.
   */
  async delete(): Promise<string> {
    this.#checkOnline()
    this.#status = 'closed'
    await this.#release()
    const uniqueId = this.#context.random.bytes(16).toString('hex')
    const path = `${this.logDirectory}/${deletedDirectoryName(this.topic, this.partition, uniqueId)}`
    this.#context.disk.rename(this.directory, path)
    return path
  }

  /** Gives up all files and memory, without writing anything: the disk has failed. */
  async abandon(): Promise<void> {
    if (this.#status === 'online') this.#status = 'offline'
    await this.#release()
  }

  async #release(): Promise<void> {
    this.#tail.clear()
    this.#staged = []
    await this.#flusher.stop()
    await this.epochs.idle()
    this.#segments.close()
  }

  #checkOnline(): void {
    if (this.#status === 'online') return
    throw new KafkaError('KAFKA_STORAGE_ERROR', `The log of ${this.name} is ${this.#status}`)
  }

  #guard<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** What to throw in place of `error`. If the disk has failed, the log is offline from now on. */
  #fail(error: unknown): unknown {
    if (!(error instanceof DiskError)) return error
    if (this.#status === 'online') {
      this.#status = 'offline'
      this.#tail.clear()
      this.#context.logger.error(`Storage error in the log of ${this.name}`, error)
      this.#options.onStorageError?.(this, error)
    }
    return new KafkaError('KAFKA_STORAGE_ERROR', `Storage error in the log of ${this.name}`, {
      cause: error,
    })
  }
}
