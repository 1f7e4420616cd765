/**
 * A partition as one share group consumes it (KIP-932), on the partition's leader: which records
 * are with which member, since when, and how often they have been.
 *
 * ```
 * SharePartition.load ─► state from the share coordinator
 *   nextFetchOffset ─► (the log is read) ─► acquire ─► records go to one member, under a lock
 *                                             │
 *        acknowledge, release, lock expired ◄─┘ ─► written to the share coordinator ─► takes effect
 * ```
 * What it promises:
 *  - a record is with one member at a time, until that gives it back or its lock expires;
 *  - what was acknowledged is never delivered again, once `acknowledge` has resolved;
 *  - what was neither accepted nor rejected is delivered again, up to the limit of deliveries.
 *
 * A change by a member is first written, and meanwhile the records stay with the member; an expired
 * lock counts at once, since nobody waits for an answer. Acquiring is not written: after a change
 * of leader the records are available again, and those deliveries have not been counted.
 */
import type { Clock, Timer } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import {
  appendStateBatch,
  isFinalState,
  RecordState,
  type RecordStateCode,
  type StateBatch,
} from '../../coordinator/share/record-state.ts'
import type { AcknowledgementBatch } from './acknowledgement.ts'
import { checkAcknowledgement, stateAfter } from './acknowledgement.ts'
import { type AcquiredRecords, type AcquireRequest, acquireRanges } from './acquisition.ts'
import { type InFlightRange, InFlightRanges } from './in-flight-ranges.ts'
import {
  nameOfSharePartition,
  type PersistedShareState,
  type SharePartitionKey,
  type ShareStatePersister,
} from './share-state-persister.ts'

export interface SharePartitionOptions {
  readonly key: SharePartitionKey
  readonly leaderEpoch: number
  readonly clock: Clock
  readonly log: Logger
  readonly persister: ShareStatePersister
  /** `group.share.partition.max.record.locks`: how many records may be in flight. */
  readonly maxInFlightRecords: number
  /** `group.share.delivery.count.limit` */
  readonly deliveryCountLimit: number
  /** `share.record.lock.duration.ms` of the group, as of now. */
  readonly lockDurationMs: () => number
  /** Records have become available, or room for more. */
  readonly onAvailable: () => void
  /** This leader has been deposed, or the group's state is gone: nothing here is good any more. */
  readonly onFenced: (error: KafkaError) => void
}

export class SharePartition {
  readonly #options: SharePartitionOptions
  readonly #stateEpoch: number
  readonly #ranges: InFlightRanges
  #logStartOffset = Number.NEGATIVE_INFINITY
  #lockTimer: { readonly atMs: number; readonly timer: Timer } | undefined
  #isClosed = false
  /** Whether somebody is reading the log for it: one at a time, or two would acquire the same. */
  isBeingFetched = false

  private constructor(options: SharePartitionOptions, state: PersistedShareState) {
    this.#options = options
    this.#stateEpoch = state.stateEpoch
    this.#ranges = rangesOf(state)
    this.#ranges.settle()
  }

  /**
   * Takes over from the last leader. `initialOffset` says where a group begins that never has.
   * Rejects with the share coordinator's KafkaError.
   */
  static async load(
    options: SharePartitionOptions,
    initialOffset: () => number | Promise<number>,
  ): Promise<SharePartition> {
    const state = await options.persister.read(options.key, options.leaderEpoch)
    const startOffset = state.startOffset === -1 ? await initialOffset() : state.startOffset
    return new SharePartition(options, { ...state, startOffset })
  }

  get key(): SharePartitionKey {
    return this.#options.key
  }

  get leaderEpoch(): number {
    return this.#options.leaderEpoch
  }

  /** All records below it are done with. */
  get startOffset(): number {
    return this.#ranges.startOffset
  }

  /** How many offsets are between the start and the last one fetched. */
  get inFlightCount(): number {
    return this.#ranges.offsetCount
  }

  /** The first offset that could be delivered. */
  get nextFetchOffset(): number {
    for (const range of this.#ranges) {
      if (range.state === RecordState.AVAILABLE) return range.firstOffset
    }
    return this.#ranges.nextOffset
  }

  /** Whether there is something to redeliver, or room for more records in flight. */
  get canAcquire(): boolean {
    if (this.#isClosed) return false
    const hasAvailable = this.nextFetchOffset < this.#ranges.nextOffset
    return hasAvailable || this.#ranges.offsetCount < this.#options.maxInFlightRecords
  }

  /**
   * Hands records that have been read to a member, until it acknowledges them or its lock expires.
   */
  acquire(request: AcquireRequest): AcquiredRecords[] {
    if (this.#isClosed) return []
    const { maxInFlightRecords, deliveryCountLimit, lockDurationMs, clock } = this.#options
    const lockedUntilMs = clock.monotonic() + lockDurationMs()
    const limits = { maxInFlightRecords, deliveryCountLimit, lockedUntilMs }
    const acquired = acquireRanges(this.#ranges, request, limits)
    this.#ranges.settle()
    if (acquired.length > 0) this.#watchLocks(lockedUntilMs)
    return acquired
  }

  /**
   * Carries out what a member says of records that it has acquired: all of it or nothing. Resolves
   * when that is safe. Rejects with KafkaError: INVALID_RECORD_STATE, INVALID_REQUEST, or what kept
   * it from being written.
   */
  async acknowledge(memberId: string, batches: readonly AcknowledgementBatch[]): Promise<void> {
    for (const batch of batches) {
      checkAcknowledgement(this.#ranges, memberId, batch, this.#logStartOffset)
    }
    const write = {}
    for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
      if (acknowledgeTypes.length <= 1) {
        this.#prepare(firstOffset, lastOffset, acknowledgeTypes[0]!, write)
        continue
      }
      for (const [i, type] of acknowledgeTypes.entries()) {
        this.#prepare(firstOffset + i, firstOffset + i, type, write)
      }
    }
    await this.#writePrepared(write)
  }

  /** Makes everything that a member has acquired available: it has left, or closed its session. */
  async release(memberId: string): Promise<void> {
    const write = {}
    for (const range of this.#ranges) {
      if (range.memberId !== memberId || range.pending !== undefined) continue
      range.pending = { state: this.#releasedState(range), write }
    }
    await this.#writePrepared(write)
  }

  /** The log has been shortened from its beginning. */
  onLogStart(logStartOffset: number): void {
    if (logStartOffset <= this.#logStartOffset) return
    this.#logStartOffset = logStartOffset
    this.#ranges.moveStart(logStartOffset)
    this.#ranges.settle()
  }

  /** Ends the locks. What is still being written takes no effect here any more. */
  close(): void {
    this.#isClosed = true
    this.#lockTimer?.timer.cancel()
    this.#lockTimer = undefined
  }

  /** Marks what an acknowledgement will change, once it is written; renewals need no writing. */
  #prepare(firstOffset: number, lastOffset: number, type: number, write: object): void {
    for (const range of this.#ranges.cutOut(firstOffset, lastOffset)) {
      const state = stateAfter(type)
      if (state === RecordState.ACQUIRED) {
        range.lockedUntilMs = this.#options.clock.monotonic() + this.#options.lockDurationMs()
        this.#watchLocks(range.lockedUntilMs)
      } else {
        const released = state === RecordState.AVAILABLE
        range.pending = { state: released ? this.#releasedState(range) : state, write }
      }
    }
  }

  /** What has been delivered as often as it may be is given up. */
  #releasedState(range: InFlightRange): RecordStateCode {
    const isLast = range.deliveryCount >= this.#options.deliveryCountLimit
    return isLast ? RecordState.ARCHIVED : RecordState.AVAILABLE
  }

  async #writePrepared(write: object): Promise<void> {
    const batches: StateBatch[] = []
    for (const range of this.#ranges) {
      if (range.pending?.write === write) appendStateBatch(batches, batchOf(range))
    }
    if (batches.length === 0) return
    let failure: unknown
    try {
      await this.#write(batches)
    } catch (error) {
      failure = error
    }
    if (!this.#isClosed) this.#finish(write, failure === undefined)
    if (failure === undefined) return
    this.#fenceIfDeposed(failure)
    throw failure
  }

  /** Lets a written change take effect, or drops one that could not be written. */
  #finish(write: object, isWritten: boolean): void {
    for (const range of this.#ranges) {
      if (range.pending?.write !== write) continue
      if (isWritten) enter(range, range.pending.state)
      else range.pending = undefined
    }
    if (isWritten) this.#ranges.settle()
    else this.#expireLocks()
    this.#options.onAvailable()
  }

  /** Sees to it that somebody looks when the first lock expires. */
  #watchLocks(untilMs: number): void {
    if (this.#isClosed || (this.#lockTimer !== undefined && this.#lockTimer.atMs <= untilMs)) return
    this.#lockTimer?.timer.cancel()
    const delayMs = Math.max(0, untilMs - this.#options.clock.monotonic())
    const timer = this.#options.clock.schedule(delayMs, () => this.#expireLocks())
    this.#lockTimer = { atMs: untilMs, timer }
  }

  #expireLocks(): void {
    this.#lockTimer?.timer.cancel()
    this.#lockTimer = undefined
    const now = this.#options.clock.monotonic()
    const batches: StateBatch[] = []
    let nextMs = Number.POSITIVE_INFINITY
    for (const range of this.#ranges) {
      if (range.state !== RecordState.ACQUIRED || range.pending !== undefined) continue
      if (range.lockedUntilMs > now) {
        nextMs = Math.min(nextMs, range.lockedUntilMs)
      } else {
        enter(range, this.#releasedState(range))
        appendStateBatch(batches, batchOf(range))
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#watchLocks(nextMs)
    if (batches.length === 0) return
    this.#write(batches).catch((error: unknown) => {
      const name = nameOfSharePartition(this.key)
      this.#options.log.warn(`could not write that locks of ${name} have expired`, error)
      this.#fenceIfDeposed(error)
    })
    this.#ranges.settle()
    this.#options.onAvailable()
  }

  async #write(stateBatches: readonly StateBatch[]): Promise<void> {
    const { key, leaderEpoch, persister } = this.#options
    let deliveryCompleteCount = 0
    for (const range of this.#ranges) {
      if (isFinalState(range.pending?.state ?? range.state)) deliveryCompleteCount += sizeOf(range)
    }
    const { startOffset } = this.#ranges
    const stateEpoch = this.#stateEpoch
    const change = { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount, stateBatches }
    try {
      await persister.write(key, change)
    } catch (error) {
      throw asLeaderError(error)
    }
  }

  #fenceIfDeposed(error: unknown): void {
    if (this.#isClosed || !(error instanceof KafkaError)) return
    const { errorName } = error
    if (
      errorName === 'NOT_LEADER_OR_FOLLOWER' ||
      errorName === 'GROUP_ID_NOT_FOUND' ||
      errorName === 'UNKNOWN_TOPIC_OR_PARTITION'
    ) {
      this.#options.onFenced(error)
    }
  }
}

/** What a member is told of an error of the share coordinator. */
export function asLeaderError(error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error
  switch (error.errorName) {
    case 'NOT_COORDINATOR':
    case 'COORDINATOR_LOAD_IN_PROGRESS':
      return new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message)
    case 'FENCED_LEADER_EPOCH':
    case 'FENCED_STATE_EPOCH':
      return new KafkaError('NOT_LEADER_OR_FOLLOWER', error.message)
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'GROUP_ID_NOT_FOUND':
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return error
    default:
      return new KafkaError('UNKNOWN_SERVER_ERROR', error.message)
  }
}

/** What was written down, with what lies in between: nobody has dealt with that. */
function rangesOf({ startOffset, stateBatches }: PersistedShareState): InFlightRanges {
  const ranges = new InFlightRanges(startOffset)
  const untouched = { memberId: '', lockedUntilMs: 0, pending: undefined }
  for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of stateBatches) {
    ranges.append(firstOffset - 1, { state: RecordState.AVAILABLE, deliveryCount: 0, ...untouched })
    const isFinal = isFinalState(deliveryState)
    const state = isFinal ? (deliveryState as RecordStateCode) : RecordState.AVAILABLE
    ranges.append(lastOffset, { state, deliveryCount, ...untouched })
  }
  return ranges
}

function enter(range: InFlightRange, state: RecordStateCode): void {
  range.state = state
  range.memberId = ''
  range.lockedUntilMs = 0
  range.pending = undefined
}

function batchOf({ firstOffset, lastOffset, ...range }: InFlightRange): StateBatch {
  const deliveryState = range.pending?.state ?? range.state
  return { firstOffset, lastOffset, deliveryState, deliveryCount: range.deliveryCount }
}

function sizeOf(range: InFlightRange): number {
  return range.lastOffset - range.firstOffset + 1
}
