/**
 * The segments of a log, in the order of their offsets. There is always at least one; the last is
 * the active one, the only one that is written to.
 */
import type { Timer } from '../common/clock.ts'
import {
  DELETED_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  SEGMENT_SUFFIXES,
  segmentFile,
} from './file-names.ts'
import type { LogContext } from './log-context.ts'
import type { LogSegment } from './log-segment.ts'

export class SegmentList {
  readonly #context: LogContext
  readonly #directory: string
  #segments: LogSegment[]
  readonly #removals = new Set<Timer>()

  constructor(context: LogContext, directory: string, segments: LogSegment[]) {
    if (segments.length === 0) throw new Error(`${directory} has no segment`)
    this.#context = context
    this.#directory = directory
    this.#segments = segments
  }

  get all(): readonly LogSegment[] {
    return this.#segments
  }

  get first(): LogSegment {
    return this.#segments[0]!
  }

  get active(): LogSegment {
    return this.#segments[this.#segments.length - 1]!
  }

  /** Bytes of all segments' batches. */
  get sizeInBytes(): number {
    let size = 0
    for (const segment of this.#segments) size += segment.sizeInBytes
    return size
  }

  add(segment: LogSegment): void {
    this.#segments.push(segment)
  }

  /** The last segment that begins at or before `offset`. */
  floor(offset: number): LogSegment | undefined {
    const index = this.#indexAfter(offset) - 1
    return this.#segments[index]
  }

  /** The segment after the one that begins at `baseOffset`. */
  after(baseOffset: number): LogSegment | undefined {
    return this.#segments[this.#indexAfter(baseOffset)]
  }

  /** How many segments begin at or before `offset`. */
  #indexAfter(offset: number): number {
    let low = 0
    let high = this.#segments.length
    if (high > 0 && this.#segments[high - 1]!.baseOffset <= offset) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#segments[middle]!.baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /**
   * Takes segments out, and renames their files and the producer snapshots that go with them so
   * that no restart takes them up again. The files are removed `delayMs` later: reads that are
   * under way have them open.
   */
  remove(removed: readonly LogSegment[], delayMs: number): void {
    const gone = new Set(removed)
    this.#segments = this.#segments.filter((segment) => !gone.has(segment))
    const paths: string[] = []
    for (const segment of removed) {
      segment.remove()
      for (const suffix of [...SEGMENT_SUFFIXES, PRODUCER_SNAPSHOT_SUFFIX]) {
        const path = segmentFile(this.#directory, segment.baseOffset, suffix)
        if (this.#context.disk.stat(path) === undefined) continue
        this.#context.disk.rename(path, path + DELETED_SUFFIX)
        paths.push(path + DELETED_SUFFIX)
      }
    }
    this.#removeLater(paths, delayMs)
  }

  #removeLater(paths: readonly string[], delayMs: number): void {
    const { clock, disk, logger } = this.#context
    const timer = clock.schedule(delayMs, () => {
      this.#removals.delete(timer)
      try {
        for (const path of paths) disk.remove(path)
      } catch (error) {
        logger.warn(`Could not remove files of deleted segments in ${this.#directory}`, error)
      }
    })
    this.#removals.add(timer)
  }

  /** Closes all files. What is still to be removed is left for the next start. */
  close(): void {
    for (const timer of this.#removals) timer.cancel()
    this.#removals.clear()
    for (const segment of this.#segments) segment.close()
  }
}
