/**
 * What all kinds of groups have in common: classic groups (the members' leader assigns), consumer
 * groups (KIP-848: the broker assigns) and share groups (KIP-932: members share partitions). A
 * group id names one group, of one kind at a time.
 */
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts'

export type GroupType = 'classic' | 'consumer' | 'share'

/** Who asks to commit offsets, and in what capacity. */
export interface OffsetCommitter {
  /** Empty for one from outside the group, such as an administrator. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** The generation of a classic group, the member epoch of a consumer group; -1 from outside. */
  readonly generationIdOrMemberEpoch: number
  /** Within a transaction. */
  readonly isTransactional: boolean
  /** Of OffsetCommit or TxnOffsetCommit. */
  readonly apiVersion: number
}

export interface Group {
  readonly groupId: string
  readonly type: GroupType
  /** What ListGroups says: `consumer`, `share`, or what a classic group's members say. */
  readonly protocolType: string
  /** As tools show it: `Stable`, `Empty`, `PreparingRebalance`, `Assigning`, … */
  readonly stateName: string
  /** Without members. */
  readonly isEmpty: boolean

  /** Throws KafkaError (UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, STALE_MEMBER_EPOCH, …). */
  validateOffsetCommit(committer: OffsetCommitter): void

  /** Throws KafkaError; a member that does not say who it is (null, -1) may always fetch. */
  validateOffsetFetch(memberId: string | null, memberEpoch: number): void

  /** Throws KafkaError NON_EMPTY_GROUP where DeleteGroups may not delete it. */
  validateDelete(): void

  /** Throws KafkaError where OffsetDelete may not touch the group's offsets at all. */
  validateOffsetDelete(): void

  /** Whether a member may read the topic, so that its offsets must not go. */
  isSubscribedTo(topic: string): boolean

  /** The tombstones of everything recorded of the group itself (not of its offsets). */
  tombstones(): CoordinatorRecord[]

  /**
   * When a committed offset begins to age (`offsets.retention.minutes`), in milliseconds since the
   * epoch; undefined while the group is in use. `commitTimestamp` is that of the offset.
   */
  offsetExpirationBase(commitTimestamp: number): number | undefined
}

/** The groups of one partition, by id. */
export class GroupTable {
  readonly #groups = new Map<string, Group>()

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  /** Adds a group, or puts one of another kind in its place. */
  set(group: Group): void {
    this.#groups.set(group.groupId, group)
  }

  delete(groupId: string): void {
    this.#groups.delete(groupId)
  }

  values(): IterableIterator<Group> {
    return this.#groups.values()
  }

  get size(): number {
    return this.#groups.size
  }
}
