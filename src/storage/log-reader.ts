/**
 * The reading half of a log: from memory where the tail is cached, otherwise from disk.
 */
import { KafkaError } from '../common/errors.ts'
import { ColdReader } from './cold-reader.ts'
import type { LogCore } from './log-core.ts'
import { emptyRead, type LogRead, type ReadOptions } from './log-read.ts'
import type { LogSegment } from './log-segment.ts'
import {
  findLargestTimestamp,
  findTimestamp,
  type OffsetAtTimestamp,
  SpecialTimestamp,
  specialOffset,
} from './timestamp-search.ts'
import type { AbortedTransaction } from './transaction-index.ts'

export class LogReader {
  readonly #core: LogCore
  readonly #cold: ColdReader

  constructor(core: LogCore) {
    this.#core = core
    this.#cold = new ColdReader(core.segments, core.context.slabs)
  }

  /** Forgets where in the files offsets were: the log was cut. */
  reset(): void {
    this.#cold.reset()
  }

  /** See PartitionLog.read. */
  read(startOffset: number, maxBytes: number, options: ReadOptions): LogRead | Promise<LogRead> {
    this.#core.checkOnline()
    this.#checkRange(startOffset)
    if (startOffset >= Math.min(options.maxOffset, this.#core.logEndOffset))
      return emptyRead(startOffset)
    if (maxBytes <= 0 && !options.minOneBatch) return emptyRead(startOffset)
    return (
      this.#core.tail.read(startOffset, maxBytes, options) ??
      this.#readFromDisk(startOffset, maxBytes, options)
    )
  }

  async #readFromDisk(offset: number, maxBytes: number, options: ReadOptions): Promise<LogRead> {
    for (;;) {
      const generation = this.#core.generation
      try {
        const read = await this.#cold.read(offset, maxBytes, options)
        if (generation === this.#core.generation) return read
        read.release()
      } catch (error) {
        if (generation === this.#core.generation) throw this.#core.fail(error)
      }
      this.#core.checkOnline()
      this.#checkRange(offset)
      if (offset >= this.#core.logEndOffset) return emptyRead(offset)
    }
  }

  /** See PartitionLog.sizeBetween. */
  sizeBetween(from: number, to: number, maxBytes: number): number {
    const end = Math.min(to, this.#core.logEndOffset)
    if (from >= end || !this.#core.isOnline) return 0
    const cached = this.#core.tail.sizeBetween(from, end)
    if (cached !== undefined) return Math.min(cached, maxBytes)
    const { active } = this.#core.segments
    if (from < active.baseOffset) return maxBytes
    const until =
      end < this.#core.logEndOffset ? active.offsetIndex.lookup(end) : active.sizeInBytes
    return Math.min(Math.max(until - active.offsetIndex.lookup(from), 1), maxBytes)
  }

  #checkRange(offset: number): void {
    if (offset >= this.#core.logStartOffset && offset <= this.#core.logEndOffset) return
    throw new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `Received request for offset ${offset} for partition ${this.#core.name}, but we only have ` +
        `log segments in the range ${this.#core.logStartOffset} to ${this.#core.logEndOffset}.`,
    )
  }

  /** See PartitionLog.collectAbortedTransactions. */
  collectAbortedTransactions(fromOffset: number, upToOffset: number): AbortedTransaction[] {
    this.#core.checkOnline()
    return this.#core.guard(() => {
      const found: AbortedTransaction[] = []
      let segment = this.#core.segments.floor(fromOffset)
      while (segment !== undefined) {
        for (const transaction of segment.transactionIndex.read()) {
          const { firstOffset, lastOffset, lastStableOffset } = transaction
          if (lastOffset >= fromOffset && firstOffset < upToOffset) found.push(transaction)
          if (lastStableOffset >= upToOffset) return found
        }
        segment = this.#core.segments.after(segment.baseOffset)
      }
      return found
    })
  }

  /** See PartitionLog.offsetForTimestamp. */
  async offsetForTimestamp(timestamp: number): Promise<OffsetAtTimestamp | undefined> {
    this.#core.checkOnline()
    const start = this.#core.logStartOffset
    const { slabs } = this.#core.context
    switch (timestamp) {
      case SpecialTimestamp.EARLIEST:
      case SpecialTimestamp.EARLIEST_LOCAL:
        return specialOffset(start, this.#core.epochs.epochForOffset(start))
      case SpecialTimestamp.LATEST:
        return specialOffset(this.#core.logEndOffset, this.#core.epochs.latestEpoch())
      case SpecialTimestamp.LATEST_TIERED:
        return specialOffset(-1, undefined)
      case SpecialTimestamp.MAX_TIMESTAMP:
        return this.#searching((segments) => findLargestTimestamp(segments, slabs))
      default:
        return this.#searching((all) => findTimestamp(all, timestamp, start, slabs))
    }
  }

  /** Searches again where segments have been removed or replaced while it was under way. */
  async #searching<T>(search: (segments: readonly LogSegment[]) => Promise<T>): Promise<T> {
    for (;;) {
      const { segments } = this.#core
      const { version } = segments
      try {
        const result = await search(segments.all)
        if (version === segments.version) return result
      } catch (error) {
        if (version === segments.version) throw this.#core.fail(error)
      }
      this.#core.checkOnline()
    }
  }
}
