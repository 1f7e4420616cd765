/**
 * A consumer's place in a group of the new protocol (KIP-848), as it sees it itself.
 *
 * ```
 * out ─► joining ─► joined ─► out
 *           ▲          │
 *           └─ fenced ◄┘   what it had is lost: the application is told, then it joins again
 * ```
 * What it is to have (`target`) the coordinator says, in ids of topics. What it has (`current`) it
 * tells the coordinator, after each change; only then do partitions that it gave back go to others.
 */
import type { ConsumerGroup } from '../../producer/transactions.ts'
import type { Committer } from './group-offsets.ts'

/** Numbers of partitions by the id of their topic. */
export type IdAssignment = ReadonlyMap<string, readonly number[]>

export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** Of a static member that will be back (KIP-345). */
export const STATIC_LEAVE_EPOCH = -2

export class ConsumerMember {
  readonly groupId: string
  readonly groupInstanceId: string | null
  state: 'out' | 'joining' | 'joined' | 'fenced' = 'out'
  /** Of the member's own making; kept for its life. */
  memberId: string
  /** 0 until it has joined. */
  epoch = JOIN_EPOCH
  target: IdAssignment = new Map()
  current: IdAssignment = new Map()

  constructor(groupId: string, groupInstanceId: string | null, memberId: string) {
    this.groupId = groupId
    this.groupInstanceId = groupInstanceId
    this.memberId = memberId
  }

  get isReconciled(): boolean {
    return this.target === this.current
  }

  get leaveEpoch(): number {
    return this.groupInstanceId === null ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH
  }

  get committer(): Committer {
    const { epoch, memberId, groupInstanceId } = this
    return { generationId: epoch, memberId, groupInstanceId }
  }

  get metadata(): ConsumerGroup {
    const { groupId, groupInstanceId } = this
    const place =
      this.state === 'joined' ? { generationId: this.epoch, memberId: this.memberId } : {}
    return { ...{ groupId, groupInstanceId, generationId: -1, memberId: '' }, ...place }
  }

  join(): void {
    this.#reset('joining')
  }

  /** Somebody else has what it had. */
  fence(): void {
    this.#reset('fenced')
  }

  leave(): void {
    this.#reset('out')
  }

  #reset(state: 'out' | 'joining' | 'fenced'): void {
    this.state = state
    this.epoch = JOIN_EPOCH
    this.target = new Map()
    this.current = this.target
  }
}
