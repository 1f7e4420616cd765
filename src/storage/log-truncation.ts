/**
 * Cuts a log: what a follower does whose leader's log differs from its own.
 *
 * A cut takes several steps, some of them asynchronous. Meanwhile nothing is appended, and the log
 * cleaner changes nothing: `LogCore.isTruncating`. A cleaning that began before the cut is given
 * up.
 */
import { LAST_OFFSET_DELTA_AT, readInt32, readInt64 } from '../protocol/records/record-batch.ts'
import type { LogAppender } from './log-appender.ts'
import type { LogCore } from './log-core.ts'
import type { LogReader } from './log-reader.ts'
import type { LogSegment } from './log-segment.ts'
import { loadProducerState, removeSnapshotsAbove } from './producer-state-loader.ts'
import { scanBatches } from './segment-reader.ts'

export class LogTruncation {
  readonly #core: LogCore
  readonly #appender: LogAppender
  readonly #reader: LogReader
  readonly #writeCheckpoints: (() => Promise<void>) | undefined

  constructor(
    core: LogCore,
    appender: LogAppender,
    reader: LogReader,
    writeCheckpoints: (() => Promise<void>) | undefined,
  ) {
    this.#core = core
    this.#appender = appender
    this.#reader = reader
    this.#writeCheckpoints = writeCheckpoints
  }

  /** See PartitionLog.truncateTo. */
  async truncateTo(offset: number): Promise<void> {
    this.#core.checkOnline()
    this.#appender.writeStaged()
    if (offset >= this.#core.logEndOffset) {
      this.#core.epochs.truncateFromEnd(this.#core.logEndOffset)
      return
    }
    if (offset < this.#core.segments.first.baseOffset) return this.truncateFullyAndStartAt(offset)
    await this.#truncating(async () => {
      const segment = this.#core.segments.floor(offset)!
      const position = await this.#positionOf(segment, offset)
      const later = this.#core.segments.all.filter((other) => other.baseOffset > segment.baseOffset)
      this.#core.flusher.forget(later)
      this.#core.segments.remove(later, this.#core.config.fileDeleteDelayMs)
      segment.truncate(position, offset)
      this.#setEnd(offset)
      this.#core.logStartOffset = Math.min(this.#core.logStartOffset, offset)
      this.#core.epochs.truncateFromEnd(offset)
      removeSnapshotsAbove(this.#core.context, this.#core.directory, offset)
      await segment.sync()
      await this.#reloadProducers(offset)
    })
  }

  /** See PartitionLog.truncateFullyAndStartAt. */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    this.#core.checkOnline()
    this.#appender.writeStaged()
    await this.#truncating(async () => {
      const old = this.#core.segments.all
      this.#core.flusher.forget(old)
      this.#core.segments.remove(old, this.#core.config.fileDeleteDelayMs)
      this.#appender.createSegment(offset)
      this.#setEnd(offset)
      this.#core.logStartOffset = offset
      this.#core.epochs.clear()
      removeSnapshotsAbove(this.#core.context, this.#core.directory, -1)
      this.#core.producers.reset(offset)
    })
  }

  async #truncating(steps: () => Promise<void>): Promise<void> {
    this.#core.isTruncating = true
    try {
      await steps()
      await this.#core.context.disk.syncDirectory(this.#core.directory)
      await this.#writeCheckpoints?.()
    } catch (error) {
      throw this.#core.fail(error)
    } finally {
      this.#core.isTruncating = false
    }
  }

  #setEnd(offset: number): void {
    this.#core.generation += 1
    this.#core.tail.clear()
    this.#reader.reset()
    this.#core.logEndOffset = offset
    this.#appender.discardStaged()
    this.#core.highWatermark = Math.min(this.#core.highWatermark, offset)
    this.#core.flusher.lower(offset)
    const { cleanerOffset } = this.#core
    if (cleanerOffset !== undefined) this.#core.cleanerOffset = Math.min(cleanerOffset, offset)
  }

  /** Where in a segment the first batch begins that reaches `offset`. */
  #positionOf(segment: LogSegment, offset: number): Promise<number> {
    const range = { from: segment.offsetIndex.lookup(offset), to: segment.sizeInBytes }
    return scanBatches(segment, range, this.#core.context.slabs, (bytes, at) => {
      return readInt64(bytes, at) + readInt32(bytes, at + LAST_OFFSET_DELTA_AT) < offset
    })
  }

  #reloadProducers(endOffset: number): Promise<void> {
    const { context, directory, segments, logStartOffset, producers } = this.#core
    const log = { directory, segments: segments.all, logStartOffset }
    return loadProducerState(context, log, producers, endOffset)
  }
}
