/**
 * A log as the log cleaner sees it: how much of it could be cleaned, and the one change that
 * cleaning makes to it.
 *
 * ```
 *          clean                  dirty                   not to be cleaned yet
 * |------------------------|------------------|------------------------------------|
 * first segment      firstDirtyOffset   firstUncleanableOffset              logEndOffset
 * ```
 * The clean part has no two records of a key. `firstUncleanableOffset` is the beginning of the
 * segment that holds the first offset which must stay as it is: because it is not settled (last
 * stable offset), still written to (active segment), younger than `min.compaction.lag.ms`, or not
 * yet durable. The last is not Kafka's rule. It spares a power cut the choice between an old
 * segment that was never synced and a new one that has taken its place.
 */
import type { LogCore } from './log-core.ts'
import { countBelowStart } from './log-retention.ts'
import type { LogSegment } from './log-segment.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** What of a log could be cleaned now. */
export interface LogToClean {
  readonly firstDirtyOffset: number
  readonly firstUncleanableOffset: number
  /** Of the dirty part. */
  readonly cleanableBytes: number
  /** The dirty part's share in what would be gone through. */
  readonly cleanableRatio: number
  /** It has waited for `max.compaction.lag.ms`, and is to be cleaned whatever the ratio. */
  readonly isOverdue: boolean
}

/** The log has changed under a cleaning, or is no more: what was made is worthless. */
export class CleaningAborted extends Error {
  constructor(name: string) {
    super(`The cleaning of ${name} was given up`)
    this.name = 'CleaningAborted'
  }
}

export interface CleanableLogOptions {
  readonly lastStableOffset: () => number
  readonly abortedTransactions: (from: number, upTo: number) => AbortedTransaction[]
  readonly writeCheckpoints: () => Promise<void>
}

export class CleanableLog {
  readonly core: LogCore
  readonly #options: CleanableLogOptions

  constructor(core: LogCore, options: CleanableLogOptions) {
    this.core = core
    this.#options = options
  }

  /** For the checkpoint; undefined for a log that was never cleaned. */
  get cleanerOffset(): number | undefined {
    return this.core.cleanerOffset
  }

  /** What could be cleaned; undefined where that is nothing. */
  assess(nowMs: number): LogToClean | undefined {
    const { core } = this
    const firstDirtyOffset = this.#firstDirtyOffset()
    const firstUncleanableOffset = this.#firstUncleanableOffset(firstDirtyOffset, nowMs)
    if (firstUncleanableOffset <= firstDirtyOffset) return undefined
    const segments = this.segmentsBelow(firstUncleanableOffset)
    let totalBytes = 0
    let cleanableBytes = 0
    let firstTimestamp = Number.POSITIVE_INFINITY
    for (const [index, segment] of segments.entries()) {
      const end = segments[index + 1]?.baseOffset ?? firstUncleanableOffset
      totalBytes += segment.sizeInBytes
      if (end <= firstDirtyOffset) continue
      cleanableBytes += segment.sizeInBytes
      if (core.config.maxCompactionLagMs === Number.POSITIVE_INFINITY) continue
      const timestamp = segment.firstTimestamp()
      if (timestamp > 0) firstTimestamp = Math.min(firstTimestamp, timestamp)
    }
    if (cleanableBytes === 0) return undefined
    return {
      firstDirtyOffset,
      firstUncleanableOffset,
      cleanableBytes,
      cleanableRatio: cleanableBytes / totalBytes,
      isOverdue: firstTimestamp < nowMs - core.config.maxCompactionLagMs,
    }
  }

  #firstDirtyOffset(): number {
    const { cleanerOffset = 0, logStartOffset, logEndOffset } = this.core
    // A checkpoint beyond the end is that of a log which has lost its end since, and may have got
    // another.
    return cleanerOffset > logEndOffset ? logStartOffset : Math.max(cleanerOffset, logStartOffset)
  }

  #firstUncleanableOffset(firstDirtyOffset: number, nowMs: number): number {
    const { segments, flusher, config } = this.core
    const stableOffset = this.#options.lastStableOffset()
    let offset = Math.min(stableOffset, segments.active.baseOffset, flusher.checkpointPoint)
    const { minCompactionLagMs } = config
    if (minCompactionLagMs > 0) {
      const recent = segments.all.find(
        (segment, index) =>
          (segments.all[index + 1]?.baseOffset ?? 0) > firstDirtyOffset &&
          segment.largestTimestamp() > nowMs - minCompactionLagMs,
      )
      if (recent !== undefined) offset = Math.min(offset, recent.baseOffset)
    }
    return segments.floor(offset)?.baseOffset ?? 0
  }

  /** The segments that begin below `offset`, without those that are to be removed anyway. */
  segmentsBelow(offset: number): LogSegment[] {
    const { all } = this.core.segments
    const first = countBelowStart(all, this.core.logStartOffset)
    return all.slice(first).filter((segment) => segment.baseOffset < offset)
  }

  abortedTransactions(from: number, upTo: number): AbortedTransaction[] {
    return this.#options.abortedTransactions(from, upTo)
  }

  /** Notes that the log is clean up to `offset`. */
  async checkpoint(offset: number): Promise<void> {
    this.core.cleanerOffset = offset
    await this.#options.writeCheckpoints()
  }
}
