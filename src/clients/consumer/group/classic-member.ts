/**
 * A consumer's place in a classic group, as it sees it itself.
 *
 * ```
 * unjoined ─► joining ─► syncing ─► stable
 *    ▲           └──────────┴─────────┤
 *    └── out of the group, or in an ──┘
 *        older generation than it is
 * ```
 * `stable` says only that it has been told its assignment in this generation; that another
 * rebalance has begun is `needsRejoin`.
 */
import type { ConsumerGroup } from '../../producer/transactions.ts'
import type { Committer } from './group-offsets.ts'

export class ClassicMember {
  readonly groupId: string
  readonly groupInstanceId: string | null
  state: 'unjoined' | 'joining' | 'syncing' | 'stable' = 'unjoined'
  /** -1 outside of any. */
  generationId = -1
  /** Empty where none has been given. */
  memberId = ''
  /** The assignor that the group has agreed on. */
  protocolName: string | null = null
  needsRejoin = true
  /** Whether the application has to be asked (to give back what it has) before the next join. */
  needsPrepare = true
  rejoinReason = ''

  constructor(groupId: string, groupInstanceId: string | null) {
    this.groupId = groupId
    this.groupInstanceId = groupInstanceId
  }

  get isRebalancing(): boolean {
    return this.state === 'joining' || this.state === 'syncing'
  }

  /** Whether what it was assigned is somebody else's by now. */
  get hasLostItsPlace(): boolean {
    return this.generationId < 0 || this.memberId === ''
  }

  get committer(): Committer {
    const { generationId, memberId, groupInstanceId } = this
    return { generationId, memberId, groupInstanceId }
  }

  get metadata(): ConsumerGroup {
    const { groupId, generationId, memberId, groupInstanceId } = this
    return { groupId, generationId, memberId, groupInstanceId }
  }

  /** Whether it is still what it was when `then` was taken. */
  isStill(then: Committer): boolean {
    return this.generationId === then.generationId && this.memberId === then.memberId
  }

  /** Has it join again; the reason is told to the coordinator (KIP-800). */
  requestRejoin(reason: string): void {
    this.rejoinReason = reason
    this.needsRejoin = true
  }

  /** Out of the group, or of its generation where the member id still holds. Joins again. */
  reset(reason: string, keepsMemberId: boolean): void {
    this.state = 'unjoined'
    this.generationId = -1
    this.protocolName = null
    if (!keepsMemberId) this.memberId = ''
    this.rejoinReason = reason
    this.needsRejoin = true
    this.needsPrepare = true
  }
}
