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
import type { DiskError } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import { CleanableLog } from './cleanable-log.ts'
import {
  PRODUCER_SNAPSHOT_SUFFIX,
  partitionDirectoryName,
  segmentFile,
  specialDirectoryName,
} from './file-names.ts'
import { type AppendOptions, LogAppender, type LogAppendInfo } from './log-appender.ts'
import type { LogConfig } from './log-config.ts'
import type { LogContext } from './log-context.ts'
import { LogCore } from './log-core.ts'
import type { LogRead, ReadOptions } from './log-read.ts'
import { LogReader } from './log-reader.ts'
import { type LoadedLog, loadLog } from './log-recovery.ts'
import { countBelowStart, countExpired } from './log-retention.ts'
import { LogTruncation } from './log-truncation.ts'
import { readPartitionMetadata, writePartitionMetadata } from './partition-metadata.ts'
import { writeProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerEntry } from './producer-state.ts'
import type { OffsetAtTimestamp } from './timestamp-search.ts'
import type { AbortedTransaction } from './transaction-index.ts'

export type {
  AbortedTransaction,
  AppendOptions,
  LogAppendInfo,
  LogRead,
  OffsetAtTimestamp,
  ReadOptions,
}

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
  /** The name of its folder, where that is not the log's own. */
  readonly folder?: string
  readonly cleanerOffset?: number | undefined
  /** Writes the checkpoints with this log's offsets. Awaited when a truncation has lowered them. */
  readonly writeCheckpoints?: () => Promise<void>
  /** The disk has failed under this log, which is offline now. Called once. */
  readonly onStorageError?: (log: PartitionLog, error: DiskError) => void
}

export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly logDirectory: string
  readonly #folder: string
  /** What the log cleaner sees of it. */
  readonly cleanable: CleanableLog
  readonly #core: LogCore
  readonly #appender: LogAppender
  readonly #reader: LogReader
  readonly #truncation: LogTruncation
  #topicId: string | undefined

  private constructor(context: LogContext, options: PartitionLogOptions, loaded: LoadedLog) {
    this.topic = options.topic
    this.partition = options.partition
    this.logDirectory = options.logDirectory
    this.#folder = folderOf(options)
    const { name, directory } = this
    const onStorageError = (error: DiskError) => options.onStorageError?.(this, error)
    const { config } = options
    this.#core = new LogCore({ context, name, directory, config, loaded, onStorageError })
    this.#appender = new LogAppender(this.#core)
    this.#reader = new LogReader(this.#core)
    const { writeCheckpoints } = options
    this.#truncation = new LogTruncation(this.#core, this.#appender, this.#reader, writeCheckpoints)
    this.cleanable = new CleanableLog(this.#core, {
      lastStableOffset: () => this.lastStableOffset,
      abortedTransactions: (from, upTo) => this.#reader.collectAbortedTransactions(from, upTo),
      writeCheckpoints: async () => writeCheckpoints?.(),
    })
    this.#core.cleanerOffset = options.cleanerOffset
    this.highWatermark = options.highWatermark ?? 0
    this.#topicId = readPartitionMetadata(context.disk, directory)
  }

  /** Opens a partition's log, or begins one. Throws DiskErrors as they come. */
  static async open(context: LogContext, options: PartitionLogOptions): Promise<PartitionLog> {
    const loaded = await loadLog(context, {
      directory: `${options.logDirectory}/${folderOf(options)}`,
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
    return `${this.logDirectory}/${this.#folder}`
  }

  get config(): LogConfig {
    return this.#core.config
  }

  /** A changed configuration takes effect with the next append, retention check, and so on. */
  set config(config: LogConfig) {
    this.#core.config = config
  }

  /** The id of the topic that the log is of, where it is known. */
  get topicId(): string | undefined {
    return this.#topicId
  }

  set topicId(topicId: string | undefined) {
    if (topicId === undefined || topicId === this.#topicId) return
    this.#core.guard(() => {
      this.#core.flusher.noteFile(
        writePartitionMetadata(this.#core.context.disk, this.directory, topicId),
      )
    })
    this.#topicId = topicId
  }

  get isOnline(): boolean {
    return this.#core.isOnline
  }

  /** The first offset that can be read. */
  get logStartOffset(): number {
    return this.#core.logStartOffset
  }

  /** The offset after the last batch that can be read. */
  get logEndOffset(): number {
    return this.#core.logEndOffset
  }

  /** The offset that the next batch gets. */
  get stagedEndOffset(): number {
    return this.#appender.stagedEndOffset
  }

  /** Everything below is durable. */
  get recoveryPoint(): number {
    return this.#core.flusher.recoveryPoint
  }

  /** What the recovery-point checkpoint may say: not above `recoveryPoint`. */
  get checkpointPoint(): number {
    return this.#core.status === 'closed'
      ? this.#core.logEndOffset
      : this.#core.flusher.checkpointPoint
  }

  /** Everything below is on all in-sync replicas. The partition's leader or follower sets it. */
  get highWatermark(): number {
    return this.#core.highWatermark
  }

  set highWatermark(offset: number) {
    const core = this.#core
    core.highWatermark = Math.max(core.logStartOffset, Math.min(offset, core.logEndOffset))
    core.producers.onHighWatermark(core.highWatermark)
  }

  /** The first offset that is not settled: of an open transaction, or one not yet replicated. */
  get firstUnstableOffset(): number | undefined {
    const offset = this.#core.producers.firstUnstableOffset()
    return offset === undefined ? undefined : Math.max(offset, this.#core.logStartOffset)
  }

  /** Everything below is settled: no open transaction, and below the high watermark. */
  get lastStableOffset(): number {
    return Math.min(this.highWatermark, this.firstUnstableOffset ?? this.highWatermark)
  }

  get sizeInBytes(): number {
    return this.#core.segments.sizeInBytes
  }

  get segmentCount(): number {
    return this.#core.segments.all.length
  }

  /** The producers that the log remembers, for DescribeProducers. */
  activeProducers(): IterableIterator<ProducerEntry> {
    return this.#core.producers.entries()
  }

  /** What the log remembers of one producer. */
  producer(producerId: number): ProducerEntry | undefined {
    return this.#core.producers.get(producerId)
  }

  removeExpiredProducers(): void {
    this.#core.producers.removeExpired(
      this.#core.context.clock.now(),
      this.#core.context.producerIdExpirationMs(),
    )
  }

  /**
   * Checks records and stages them: from a client or coordinator one batch, which gets the next
   * offsets; through replication any number of batches with the leader's offsets. Where they are
   * refused, nothing is staged. Refusals: those of LogValidator and ProducerState.
   */
  append(records: Buffer, options: AppendOptions): LogAppendInfo {
    this.#core.checkOnline()
    if (this.#core.isTruncating)
      throw new Error(`append to ${this.name} while it is being truncated`)
    return this.#appender.append(records, options)
  }

  /**
   * Writes what is staged and makes it readable. Where `flush.messages` asks for it, returns a
   * promise that resolves when it is durable, before which it must not be acknowledged either.
   */
  commit(): Promise<void> | undefined {
    this.#core.checkOnline()
    this.#appender.writeStaged()
    const { flushMessages, flushMs } = this.#core.config
    // Also where nothing was staged, for a batch sent again may still wait for its flush.
    const unflushed = this.#core.logEndOffset - this.#core.flusher.recoveryPoint
    if (unflushed >= flushMessages) return this.flush()
    if (flushMs !== Number.POSITIVE_INFINITY) this.#core.flusher.flushLater(flushMs)
    return undefined
  }

  /** Ends the active segment and begins one at the end of the log. */
  roll(): void {
    this.#core.checkOnline()
    this.#appender.writeStaged()
    if (this.#core.segments.active.sizeInBytes > 0) this.#appender.roll(this.#core.logEndOffset)
  }

  /**
   * Reads whole batches from the one that holds `startOffset` on: at once where they are in memory,
   * otherwise from disk. Gives less than `maxBytes` where a limit, a segment or the log ends.
   * Throws, or rejects with, OFFSET_OUT_OF_RANGE. What it returns must be released.
   */
  read(startOffset: number, maxBytes: number, options: ReadOptions): LogRead | Promise<LogRead> {
    this.#core.checkOnline()
    return this.#reader.read(startOffset, maxBytes, options)
  }

  /**
   * About how many bytes of batches lie between two offsets, at most `maxBytes`; exact as long as
   * they are in memory.
   */
  sizeBetween(from: number, to: number, maxBytes: number): number {
    return this.#reader.sizeBetween(from, to, maxBytes)
  }

  /** The aborted transactions that have records in the given range, for a read_committed fetch. */
  collectAbortedTransactions(fromOffset: number, upToOffset: number): AbortedTransaction[] {
    this.#core.checkOnline()
    return this.#reader.collectAbortedTransactions(fromOffset, upToOffset)
  }

  /**
   * For ListOffsets: the first record at or after a timestamp, or what one of the special
   * timestamps stands for; undefined where there is no such record. The latest offset is where the
   * log ends: how much of it a consumer may know of is the partition's to say.
   */
  async offsetForTimestamp(timestamp: number): Promise<OffsetAtTimestamp | undefined> {
    this.#core.checkOnline()
    return this.#reader.offsetForTimestamp(timestamp)
  }

  /** The leader epoch of the batch at `offset`, where it is known. */
  epochForOffset(offset: number): number | undefined {
    return this.#core.epochs.epochForOffset(offset)
  }

  /** For OffsetForLeaderEpoch: see LeaderEpochCache.endOffsetFor. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#core.epochs.endOffsetFor(epoch, this.#core.logEndOffset)
  }

  /** A new leader notes where its epoch begins before it appends anything. */
  beginEpoch(epoch: number): void {
    this.#core.epochs.assign(epoch, this.#appender.stagedEndOffset)
  }

  /** Resolves when what has been committed below `upTo` is durable. */
  flush(upTo = this.#core.logEndOffset): Promise<void> {
    this.#core.checkOnline()
    return this.#core.flusher.flush(upTo)
  }

  /**
   * Makes `offset` the log start offset, if it is beyond; returns the log start offset. Segments
   * wholly below are removed by `removeOldSegments`. Throws OFFSET_OUT_OF_RANGE above the log's
   * end; that nothing unreplicated goes is for the partition to see to.
   */
  deleteRecordsBefore(offset: number): number {
    this.#core.checkOnline()
    if (offset > this.#core.logEndOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Cannot increment the log start offset to ${offset} of partition ${this.name} since it ` +
          `is larger than the log end offset ${this.#core.logEndOffset}`,
      )
    }
    if (offset > this.#core.logStartOffset) {
      this.#core.logStartOffset = offset
      this.#core.epochs.truncateFromStart(offset)
      this.#core.flusher.raise(offset)
      this.highWatermark = Math.max(this.highWatermark, offset)
    }
    return this.#core.logStartOffset
  }

  /** Moves the log start offset past what retention lets go. Returns whether it has moved. */
  applyRetention(): boolean {
    this.#core.checkOnline()
    return this.#core.guard(() => {
      const { all } = this.#core.segments
      const limits = { highWatermark: this.highWatermark, logEndOffset: this.#core.logEndOffset }
      const count = countExpired(all, limits, this.#core.config, this.#core.context.clock.now())
      if (count === 0) return false
      if (count === all.length) this.roll()
      this.deleteRecordsBefore(this.#core.segments.all[count]!.baseOffset)
      return true
    })
  }

  /**
   * Removes the segments wholly below the log start offset. To be called when that is in its
   * checkpoint: otherwise a power cut could bring some of them back, and not others.
   */
  removeOldSegments(): number {
    this.#core.checkOnline()
    return this.#core.guard(() => {
      const { all } = this.#core.segments
      const old = all.slice(0, countBelowStart(all, this.#core.logStartOffset))
      if (old.length === 0) return 0
      this.#core.flusher.forget(old)
      this.#core.segments.remove(old, this.#core.config.fileDeleteDelayMs)
      return old.length
    })
  }

  /**
   * Cuts the log so that it ends at `offset`, for a follower whose leader's log differs from there
   * on. Resolves when the cut is durable, checkpoints included; until then nothing may be appended.
   */
  truncateTo(offset: number): Promise<void> {
    return this.#truncation.truncateTo(offset)
  }

  /** Empties the log, which then begins and ends at `offset`. As `truncateTo` otherwise. */
  truncateFullyAndStartAt(offset: number): Promise<void> {
    return this.#truncation.truncateFullyAndStartAt(offset)
  }

  /**
   * Closes the log in good order: everything is written, synced and described by a snapshot, so
   * that the next start need not look at it.
   */
  async close(): Promise<void> {
    if (this.#core.status !== 'online') return this.#release()
    try {
      this.#appender.writeStaged()
      const { active } = this.#core.segments
      await this.#core.flusher.flush(this.#core.logEndOffset)
      active.finish()
      const path = segmentFile(this.directory, this.#core.logEndOffset, PRODUCER_SNAPSHOT_SUFFIX)
      const snapshot = writeProducerSnapshot(this.#core.context.disk, path, this.#core.producers)
      await active.sync()
      await snapshot.sync()
      snapshot.close()
      await this.#core.epochs.persisted()
      await this.#core.context.disk.syncDirectory(this.directory)
    } catch (error) {
      throw this.#core.fail(error)
    }
    this.#core.status = 'closed'
    await this.#release()
  }

  /**
   * Renames the log's folder so that it is no log any more, and returns its new path; removing it,
   * or leaving a stray one alone, is the caller's. The log is of no use afterwards.
   */
  async delete(kind: 'delete' | 'stray' = 'delete'): Promise<string> {
    this.#core.checkOnline()
    this.#core.status = 'closed'
    await this.#release()
    const uniqueId = this.#core.context.random.bytes(16).toString('hex')
    const name = specialDirectoryName(this.topic, this.partition, uniqueId, kind)
    const path = `${this.logDirectory}/${name}`
    this.#core.context.disk.rename(this.directory, path)
    return path
  }

  /** Gives up all files and memory, without writing anything: the disk has failed. */
  async abandon(): Promise<void> {
    if (this.#core.status === 'online') this.#core.status = 'offline'
    await this.#release()
  }

  async #release(): Promise<void> {
    this.#core.tail.clear()
    this.#appender.discardStaged()
    await this.#core.flusher.stop()
    await this.#core.epochs.idle()
    this.#core.segments.close()
  }
}

function folderOf({ topic, partition, folder }: PartitionLogOptions): string {
  return folder ?? partitionDirectoryName(topic, partition)
}
