/**
 * The records of a partition that a share group has fetched and is not done with: a row of ranges
 * that tiles the offsets from `startOffset` up to, and without, `nextOffset`.
 *
 * ```
 * startOffset                                          nextOffset
 *      ▼                                                   ▼
 *      │ 10-14 ACQUIRED by A │ 15 AVAILABLE │ 16-19 ARCHIVED │   not fetched yet …
 * ```
 * Ranges are cut wherever a change affects a part of one, and joined again when neighbours have
 * become alike; so a batch that is handled as a whole costs one entry, and one whose records meet
 * different fates costs as many as there are fates. An offset without a record (compacted away, a
 * transaction marker) is part of some range like any other.
 */
import {
  isFinalState,
  RecordState,
  type RecordStateCode,
} from '../../coordinator/share/record-state.ts'

/** A change that is being written down, and takes effect when it is. */
export interface PendingChange {
  readonly state: RecordStateCode
  /** What was written in one go has one token. */
  readonly write: object
}

export interface InFlightRange {
  firstOffset: number
  /** Inclusive. */
  lastOffset: number
  state: RecordStateCode
  deliveryCount: number
  /** Who has acquired it; empty where nobody has. */
  memberId: string
  /** Until when it is acquired, in milliseconds of the monotonic clock. */
  lockedUntilMs: number
  /** Only of acquired ranges: such a one counts as acquired until the change is safe. */
  pending: PendingChange | undefined
}

export class InFlightRanges {
  #ranges: InFlightRange[] = []
  #startOffset: number
  #nextOffset: number

  constructor(startOffset: number) {
    this.#startOffset = startOffset
    this.#nextOffset = startOffset
  }

  /** The first offset that the group is not done with. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** The first offset that has never been fetched. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** How many offsets are in flight. */
  get offsetCount(): number {
    return this.#nextOffset - this.#startOffset
  }

  [Symbol.iterator](): IterableIterator<InFlightRange> {
    return this.#ranges.values()
  }

  /** Adds the offsets from `nextOffset` to `lastOffset`. */
  append(lastOffset: number, rest: Omit<InFlightRange, 'firstOffset' | 'lastOffset'>): void {
    if (lastOffset < this.#nextOffset) return
    this.#ranges.push({ firstOffset: this.#nextOffset, lastOffset, ...rest })
    this.#nextOffset = lastOffset + 1
  }

  /** The ranges that have a part between two offsets, both inclusive. */
  overlapping(firstOffset: number, lastOffset: number): readonly InFlightRange[] {
    return this.#ranges.slice(this.#indexAt(firstOffset), this.#indexAt(lastOffset) + 1)
  }

  /** As `overlapping`, cut so that none reaches beyond the two offsets. */
  cutOut(firstOffset: number, lastOffset: number): readonly InFlightRange[] {
    const from = this.#cutAt(firstOffset)
    return this.#ranges.slice(from, this.#cutAt(lastOffset + 1))
  }

  /** Forgets everything below `offset`, which becomes the start. */
  moveStart(offset: number): void {
    if (offset <= this.#startOffset) return
    this.#ranges.splice(0, this.#cutAt(offset))
    this.#startOffset = offset
    this.#nextOffset = Math.max(this.#nextOffset, offset)
  }

  /** Moves the start past what is done with, and joins ranges that have become alike. */
  settle(): void {
    const open = this.#ranges.findIndex((range) => !isFinalState(range.state))
    this.moveStart(open === -1 ? this.#nextOffset : this.#ranges[open]!.firstOffset)
    const joined: InFlightRange[] = []
    for (const range of this.#ranges) {
      const last = joined.at(-1)
      if (last !== undefined && canJoin(last, range)) last.lastOffset = range.lastOffset
      else joined.push(range)
    }
    this.#ranges = joined
  }

  /** The index of the range that contains `offset`: of the first from there on, where none does. */
  #indexAt(offset: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ranges[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Sees to it that a range begins at `offset`, and returns its index. */
  #cutAt(offset: number): number {
    const index = this.#indexAt(offset)
    const range = this.#ranges[index]
    if (range === undefined || range.firstOffset >= offset) return index
    this.#ranges.splice(index, 0, { ...range, lastOffset: offset - 1 })
    range.firstOffset = offset
    return index + 1
  }
}

function canJoin(a: InFlightRange, b: InFlightRange): boolean {
  if (a.state !== b.state || a.state === RecordState.ACQUIRED) return false
  return isFinalState(a.state) || a.deliveryCount === b.deliveryCount
}
