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
  /** Of the next record that is handed out; meaningful while `hasPosition`. */
  offset = -1
  /** Of the leader that appended the record before `offset`; -1 where it is not known. */
  offsetEpoch = -1
  /** What the application is done with, as `offset` and `offsetEpoch`; commits are of this. */
  consumedOffset = -1
  consumedEpoch = -1
  /** The leader's epoch when the position was last known to be right. */
  leaderEpoch = -1
  /** While `resetting`: to where. */
  resetTo: OffsetReset | undefined
  /** Rises when the position jumps; what was fetched or handed on before counts no more. */
  jumps = 0
  /** By the application. */
  isPaused = false
  /** The partition is about to be given away: neither fetched nor handed out any more. */
  isPendingRevocation = false
  /** Assigned, but the listener has not been told yet: not fetched before. */
  isPendingAssignment = false
  /** As the last answer to a fetch said; -1 before the first. */
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  /** A replica to fetch from instead of the leader (KIP-392), and until when (monotonic). */
  preferredReplica = -1
  preferredReplicaUntilMs = 0
  /** No request about the position before (monotonic). */
  retryAtMs = 0
  failures = 0

  /** `version` is that of the assignment with which the partition came. */
  constructor({ topic, partition }: TopicPartition, version = 0) {
    this.topic = topic
    this.partition = partition
    this.version = version
    this.name = partitionName({ topic, partition })
  }

  get hasPosition(): boolean {
    return this.phase === 'validating' || this.phase === 'fetching'
  }

  /** Whether records may be fetched; a paused partition is not. */
  get isFetchable(): boolean {
    return this.phase === 'fetching' && !this.isPaused && !this.isWithheld
  }

  /** Whether a change of the assignment keeps records from being handed out. */
  get isWithheld(): boolean {
    return this.isPendingRevocation || this.isPendingAssignment || this.isDropped
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
    this.#retryAtOnce()
  }

  /** The position is right by what the leader of `leaderEpoch` has. */
  validated(leaderEpoch: number): void {
    if (this.phase === 'validating') this.phase = 'fetching'
    this.leaderEpoch = leaderEpoch
    this.#retryAtOnce()
  }

  /** Records before `offset` have been handed out. */
  advance(offset: number, epoch: number): void {
    this.offset = offset
    this.offsetEpoch = epoch
  }

  /** The application is done with the records before `offset`. */
  consumed(offset: number, epoch: number): void {
    this.consumedOffset = offset
    this.consumedEpoch = epoch
  }

  /** The partition is assigned no more. */
  drop(): void {
    this.isDropped = true
    this.jumps += 1
  }

  /** A request about the position failed. */
  failed(retryAtMs: number): void {
    this.failures += 1
    this.retryAtMs = retryAtMs
  }

  #jump(phase: PositionPhase): void {
    this.phase = phase
    this.jumps += 1
    this.preferredReplica = -1
    this.#retryAtOnce()
  }

  #retryAtOnce(): void {
    this.failures = 0
    this.retryAtMs = 0
  }
}
