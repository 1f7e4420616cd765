/**
 * The segments of a log, in the order of their offsets. There is always at least one; the last is
 * the active one, the only one that is written to.
 */
import type { Timer } from '../common/clock.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  SEGMENT_SUFFIXES,
  SWAP_SUFFIX,
  segmentFile,
} from './file-names.ts'
import type { LogContext } from './log-context.ts'
import type { LogSegment } from './log-segment.ts'

export class SegmentList {
  readonly #context: LogContext
  readonly #directory: string
  #segments: LogSegment[]
  readonly #removals = new Set<Timer>()
  #version = 0

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

  /** Counts removals and replacements: a search through the segments that one overtook is void. */
  get version(): number {
    return this.#version
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
    this.#version += 1
    this.#segments = this.#segments.filter((segment) => !gone.has(segment))
    const paths = removed.flatMap((segment) => [
      ...this.#setAside(segment, SEGMENT_SUFFIXES),
      ...this.#setAside(segment, [PRODUCER_SNAPSHOT_SUFFIX]),
    ])
    this.#removeLater(paths, delayMs)
  }

  /**
   * Puts the segment whose `.cleaned` files begin at the first of `replaced`, which follow each
   * other, in their place. `open` takes over its files under their final names. The files of the
   * old ones go as in `remove`.
   *
   * The changes of names, in this order, can be cut short anywhere: before the last `.cleaned` has
   * become `.swap`, the next start undoes them; from then on, it completes them (see
   * interrupted-cleaning.ts). What the new files hold must be durable before.
   */
  replace(
    replaced: readonly LogSegment[],
    open: (baseOffset: number) => LogSegment,
    delayMs: number,
  ): void {
    const { baseOffset } = replaced[0]!
    const at = this.#segments.indexOf(replaced[0]!)
    if (at < 0 || replaced.some((segment, index) => this.#segments[at + index] !== segment)) {
      throw new Error(`segments to be replaced are not in the log of ${this.#directory}`)
    }
    this.#version += 1
    this.#rename(baseOffset, CLEANED_SUFFIX, SWAP_SUFFIX)
    const paths: string[] = []
    for (const segment of replaced) {
      paths.push(...this.#setAside(segment, SEGMENT_SUFFIXES))
      // The snapshot at the new segment's beginning is still of use.
      if (segment.baseOffset === baseOffset) continue
      paths.push(...this.#setAside(segment, [PRODUCER_SNAPSHOT_SUFFIX]))
    }
    this.#rename(baseOffset, SWAP_SUFFIX, '')
    const segments = [...this.#segments]
    segments.splice(at, replaced.length, open(baseOffset))
    this.#segments = segments
    this.#removeLater(paths, delayMs)
  }

  #rename(baseOffset: number, from: string, to: string): void {
    for (const suffix of SEGMENT_SUFFIXES) {
      const path = segmentFile(this.#directory, baseOffset, suffix)
      if (this.#context.disk.stat(path + from) === undefined) continue
      this.#context.disk.rename(path + from, path + to)
    }
  }

  /** Gives a segment's files the names of what is to be removed; returns these. */
  #setAside(segment: LogSegment, suffixes: readonly string[]): string[] {
    segment.remove()
    const paths: string[] = []
    for (const suffix of suffixes) {
      const path = segmentFile(this.#directory, segment.baseOffset, suffix)
      if (this.#context.disk.stat(path) === undefined) continue
      this.#context.disk.rename(path, path + DELETED_SUFFIX)
      paths.push(path + DELETED_SUFFIX)
    }
    return paths
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
