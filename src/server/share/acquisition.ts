/**
 * Choosing which of the records that were read a member of a share group gets.
 *
 * ```
 * in flight    │ 10-14 B's │ 15-19 AVAILABLE │ 20-29 ARCHIVED │ 30 nextOffset
 * read                     [15 ........... 24][25 ........... 39]    two batches of the log
 * acquired                  ███████████████                   ██████████
 * ```
 * Batches of the log stay whole where they can (KIP-932: that makes for few acknowledgements), so
 * the limit on records may be exceeded by a part of a batch; a member that sets a strict limit
 * (KIP-1206, record_limit) gets no more than that.
 */
import { RecordState } from '../../coordinator/share/record-state.ts'
import type { InFlightRange, InFlightRanges } from './in-flight-ranges.ts'

export interface OffsetRange {
  readonly firstOffset: number
  /** Inclusive. */
  readonly lastOffset: number
}

export interface AcquireRequest {
  readonly memberId: string
  /** Where reading began. */
  readonly fetchOffset: number
  /** The batches of the log that were read, in order; not empty. */
  readonly batches: readonly OffsetRange[]
  /** Batches, or parts, that have nothing for a reader: control records, aborted transactions. */
  readonly undeliverable: readonly OffsetRange[]
  readonly maxRecords: number
  /** About how many records the member wants to have described as one (not a limit). */
  readonly batchSize: number
  /** `maxRecords` is meant strictly. */
  readonly isRecordLimit: boolean
}

export interface AcquisitionLimits {
  readonly maxInFlightRecords: number
  readonly deliveryCountLimit: number
  /** Until when the member has the records. */
  readonly lockedUntilMs: number
}

/** Records that a member has been given, all for the same time. */
export interface AcquiredRecords extends OffsetRange {
  /** 1 the first time. */
  readonly deliveryCount: number
}

/** Acquires ranges for a member and says which. */
export function acquireRanges(
  ranges: InFlightRanges,
  request: AcquireRequest,
  limits: AcquisitionLimits,
): AcquiredRecords[] {
  return new Acquisition(ranges, request, limits).run()
}

class Acquisition {
  readonly #ranges: InFlightRanges
  readonly #request: AcquireRequest
  readonly #limits: AcquisitionLimits
  readonly #acquired: AcquiredRecords[] = []
  #left: number

  constructor(ranges: InFlightRanges, request: AcquireRequest, limits: AcquisitionLimits) {
    this.#ranges = ranges
    this.#request = request
    this.#limits = limits
    const room = limits.maxInFlightRecords - ranges.offsetCount
    // Without room for new records, those in flight can still be delivered again.
    this.#left = room > 0 ? Math.min(request.maxRecords, room) : request.maxRecords
  }

  run(): AcquiredRecords[] {
    const { batches, fetchOffset, undeliverable } = this.#request
    const firstRead = Math.max(batches[0]!.firstOffset, this.#ranges.startOffset)
    const lastRead = batches.at(-1)!.lastOffset
    if (lastRead < this.#ranges.startOffset || this.#left <= 0) return []
    const hasRoom = this.#ranges.offsetCount < this.#limits.maxInFlightRecords
    // Reading from fetchOffset on, the log had nothing below its first batch.
    this.#archive(fetchOffset, firstRead - 1)
    for (const { firstOffset, lastOffset } of undeliverable) this.#archive(firstOffset, lastOffset)
    if (this.#redeliver(firstRead, lastRead) && hasRoom) this.#deliverNew(lastRead)
    return this.#acquired
  }

  /** What was available turns out to be nothing that a member could be given. */
  #archive(firstOffset: number, lastOffset: number): void {
    if (firstOffset > lastOffset) return
    for (const range of this.#ranges.cutOut(firstOffset, lastOffset)) {
      if (range.state === RecordState.AVAILABLE) range.state = RecordState.ARCHIVED
    }
  }

  /** Acquires what is available. Returns false if nothing else should go along with it. */
  #redeliver(firstOffset: number, lastOffset: number): boolean {
    for (const range of this.#ranges.cutOut(firstOffset, lastOffset)) {
      if (this.#left <= 0) return false
      if (range.state !== RecordState.AVAILABLE) continue
      const share = this.#shareOf(range)
      if (share === undefined) {
        this.#acquire(
          range.firstOffset,
          Math.min(range.lastOffset, this.#limitFrom(range.firstOffset)),
        )
        continue
      }
      if (this.#acquired.length > 0) return false
      const size = Math.min(share, this.#left)
      this.#acquire(range.firstOffset, range.firstOffset + size - 1)
      return false
    }
    return true
  }

  /**
   * How many records of a range to deliver at once, where one among them seems to make members
   * fail: ever fewer, and by themselves the last time, lest one bad record take the others with it.
   */
  #shareOf({ firstOffset, lastOffset, deliveryCount }: InFlightRange): number | undefined {
    const limit = this.#limits.deliveryCountLimit
    const throttleFrom = Math.max(2, Math.ceil(limit / 2))
    if (deliveryCount < throttleFrom) return undefined
    if (deliveryCount >= limit - 1) return 1
    const size = lastOffset - firstOffset + 1
    return Math.max(1, size >> (deliveryCount - throttleFrom + 1))
  }

  /** Acquires what has never been in flight, up to `lastRead`. */
  #deliverNew(lastRead: number): void {
    const { batches, undeliverable } = this.#request
    // Where a batch is missing between fetches, there is no record either.
    this.#skipTo(batches.find((batch) => batch.lastOffset >= this.#ranges.nextOffset)?.firstOffset)
    while (this.#left > 0 && this.#ranges.nextOffset <= lastRead) {
      const first = this.#ranges.nextOffset
      const obstacle = undeliverable.find((range) => range.lastOffset >= first)
      if (obstacle !== undefined && obstacle.firstOffset <= first) {
        this.#skipTo(obstacle.lastOffset + 1)
        continue
      }
      const end = Math.min(obstacle?.firstOffset ?? Number.POSITIVE_INFINITY, lastRead + 1)
      const last = Math.min(this.#limitFrom(first), end - 1)
      this.#ranges.append(last, { ...UNTOUCHED, state: RecordState.AVAILABLE })
      this.#acquire(first, last)
    }
  }

  #skipTo(offset: number | undefined): void {
    if (offset === undefined) return
    this.#ranges.append(offset - 1, { ...UNTOUCHED, state: RecordState.ARCHIVED })
  }

  /** The last offset that may be acquired along with `firstOffset`. */
  #limitFrom(firstOffset: number): number {
    const limit = firstOffset + this.#left - 1
    if (this.#request.isRecordLimit) return limit
    const batch = this.#request.batches.find((candidate) => candidate.lastOffset >= limit)
    return batch === undefined || batch.firstOffset > limit ? limit : batch.lastOffset
  }

  #acquire(firstOffset: number, lastOffset: number): void {
    const { memberId } = this.#request
    const { lockedUntilMs } = this.#limits
    for (const range of this.#ranges.cutOut(firstOffset, lastOffset)) {
      range.state = RecordState.ACQUIRED
      range.deliveryCount += 1
      range.memberId = memberId
      range.lockedUntilMs = lockedUntilMs
      this.#describe(range)
    }
    this.#left -= lastOffset - firstOffset + 1
  }

  /** Tells the member of a range, as a whole or in pieces of whole batches. */
  #describe({ firstOffset, lastOffset, deliveryCount }: InFlightRange): void {
    const { batchSize, batches, isRecordLimit } = this.#request
    let from = firstOffset
    if (!isRecordLimit && lastOffset - firstOffset + 1 > batchSize) {
      for (const { firstOffset: boundary } of batches) {
        if (boundary > lastOffset) break
        if (boundary - from < batchSize) continue
        this.#acquired.push({ firstOffset: from, lastOffset: boundary - 1, deliveryCount })
        from = boundary
      }
    }
    this.#acquired.push({ firstOffset: from, lastOffset, deliveryCount })
  }
}

const UNTOUCHED = { deliveryCount: 0, memberId: '', lockedUntilMs: 0, pending: undefined }
