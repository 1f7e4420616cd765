/** What a consumer knows of one partition that it is assigned. */
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import type { OffsetReset } from './offset-reset.ts'

/**
 * - `initializing`: no position; the committed offset is asked for, if there is a group;
 * - `resetting`: no position; the offset that `resetTo` means is asked for;
 * - `validating`: a position that a new leader may not have; its log is compared (KIP-320);
 * - `fetching`: a position from which records are fetched.
 */
export type PositionPhase = 'initializing' | 'resetting' | 'validating' | 'fetching'

/** A place in a partition, and the epoch of the record before it (-1 where it is not known). */
export interface Position {
  readonly offset: number
  readonly leaderEpoch: number
}

/** An offset to be committed. */
export interface OffsetToCommit extends TopicPartition {
  /** Of the next record to be read. */
  readonly offset: number
  /** Of the last record that was read; -1 or undefined where it is not known. */
  readonly leaderEpoch?: number | undefined
  /** Any text that is kept with the offset. */
  readonly metadata?: string | undefined
}

export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly name: string
  /** Of the assignment with which the partition came. */
  readonly version: number
  /** Whether the partition is assigned no more; whoever still holds this may forget it. */
  isDropped = false
  phase: PositionPhase = 'initializing'
  /** Of the next record that is taken from what is buffered; meaningful while `hasPosition`. */
  offset = -1
  /** Of the leader that appended the record before `offset`; -1 where it is not known. */
  offsetEpoch = -1
  /** Of the next record that the application gets, which is what it sees as its position. */
  deliveredOffset = -1
  deliveredEpoch = -1
  /** Of the first record that the application is not done with: what is committed by itself. */
  consumedOffset = -1
  consumedEpoch = -1
  /** The leader's epoch when the position was last known to be right. */
  leaderEpoch = -1
  /** While `resetting`: to where. */
  resetTo: OffsetReset | undefined
  /** Rises when the position jumps; what was fetched or handed on before counts no more. */
  jumps = 0
  /** By the application. */
  #isPaused = false
  /** The partition is about to be given away: neither fetched nor handed out any more. */
  #isPendingRevocation = false
  /** Assigned, but the listener has not been told yet: not fetched before. */
  #isPendingAssignment = false
  readonly #onChange: () => void
  /** As the last answer to a fetch said; -1 before the first. */
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  /** A replica to fetch from instead of the leader (KIP-392), and until when (monotonic). */
  preferredReplica = -1
  preferredReplicaUntilMs = 0
  /** Records are being worked on, and those after them have to wait. */
  isBusy = false
  /** What the next fetch asks for: `offset`, or the end of what is buffered. */
  fetchOffset = -1
  /** Bytes fetched and not yet handed out. */
  bufferedBytes = 0
  /** `jumps` when a request about the position went out; -1 while none is under way. */
  askedAtJump = -1
  /** No request about the position, and no fetch, before (monotonic). */
  retryAtMs = 0
  failures = 0

  /**
   * `version` is that of the assignment with which the partition came; `onChange` is called when
   * there may be something else to ask brokers than before.
   */
  constructor({ topic, partition }: TopicPartition, version = 0, onChange = () => {}) {
    this.topic = topic
    this.partition = partition
    this.version = version
    this.#onChange = onChange
    this.name = partitionName({ topic, partition })
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused
    this.#onChange()
  }

  get isPendingRevocation(): boolean {
    return this.#isPendingRevocation
  }

  set isPendingRevocation(isPending: boolean) {
    this.#isPendingRevocation = isPending
    this.#onChange()
  }

  get isPendingAssignment(): boolean {
    return this.#isPendingAssignment
  }

  set isPendingAssignment(isPending: boolean) {
    this.#isPendingAssignment = isPending
    this.#onChange()
  }

  get hasPosition(): boolean {
    return this.phase === 'validating' || this.phase === 'fetching'
  }

  /** Whether records may be fetched; a paused partition is not. */
  get isFetchable(): boolean {
    return this.phase === 'fetching' && !this.#isPaused && !this.isWithheld
  }

  /** Whether what is buffered may be handed out. */
  get mayHandOut(): boolean {
    return this.isFetchable && !this.isBusy
  }

  /** Whether a change of the assignment keeps records from being handed out. */
  get isWithheld(): boolean {
    return this.#isPendingRevocation || this.#isPendingAssignment || this.isDropped
  }

  /** How much is there that has not been handed out; undefined before the first answer. */
  lag(isReadCommitted: boolean): number | undefined {
    const end = isReadCommitted ? this.lastStableOffset : this.highWatermark
    return end < 0 || !this.hasPosition ? undefined : Math.max(0, end - this.offset)
  }

  /** Jumps to a position. Where its epoch is known, it is `validating` until compared. */
  seek({ offset, leaderEpoch }: Position): void {
    this.#jump(leaderEpoch >= 0 ? 'validating' : 'fetching')
    this.advance(offset, leaderEpoch)
    this.consumed(offset, leaderEpoch)
    this.fetchOffset = offset
    this.leaderEpoch = -1
    this.resetTo = undefined
  }

  /** Gives the position up for one that is asked for. */
  reset(to: OffsetReset): void {
    this.#jump('resetting')
    this.resetTo = to
  }

  /** A new leader may not have what was read. */
  validate(): void {
    if (this.phase !== 'fetching') return
    this.phase = 'validating'
    this.succeeded()
    this.#onChange()
  }

  /** The position is right by what the leader of `leaderEpoch` has. */
  validated(leaderEpoch: number): void {
    if (this.phase === 'validating') this.phase = 'fetching'
    this.leaderEpoch = leaderEpoch
    this.succeeded()
    this.#onChange()
  }

  /** Forgets what was fetched ahead: it is asked for again. */
  refetch(): void {
    this.fetchOffset = this.offset
    this.#onChange()
  }

  /** Records before `offset` have been taken from what is buffered. */
  advance(offset: number, epoch: number): void {
    this.offset = offset
    this.offsetEpoch = epoch
  }

  /** The application has got the records before `offset`. */
  delivered(offset: number, epoch: number): void {
    this.deliveredOffset = offset
    this.deliveredEpoch = epoch
  }

  /** The application is done with the records before `offset`. */
  consumed(offset: number, epoch: number): void {
    this.delivered(offset, epoch)
    this.consumedOffset = offset
    this.consumedEpoch = epoch
  }

  /** The application is done with all that it has got. */
  settle(): void {
    this.consumed(this.deliveredOffset, this.deliveredEpoch)
  }

  /** What was taken from the buffer and not delivered is to be delivered again. */
  rewind(): void {
    if (!this.hasPosition || this.deliveredOffset === this.offset) return
    this.#jump(this.phase)
    this.advance(this.deliveredOffset, this.deliveredEpoch)
    this.fetchOffset = this.offset
  }

  /** The partition is assigned no more. */
  drop(): void {
    this.isDropped = true
    this.jumps += 1
    this.#onChange()
  }

  /** A request failed, and may be made again at a time (monotonic). */
  failed(retryAtMs: number): void {
    this.failures += 1
    this.retryAtMs = retryAtMs
  }

  /** A request has succeeded. */
  succeeded(): void {
    this.failures = 0
    this.retryAtMs = 0
  }

  #jump(phase: PositionPhase): void {
    this.phase = phase
    this.jumps += 1
    this.preferredReplica = -1
    this.bufferedBytes = 0
    this.succeeded()
    this.#onChange()
  }
}
