/**
 * What an assignor is (KIP-429): how a group that decides for itself who reads what decides it. The
 * members agree on one by name; the member that leads the group has it assign, for all of them.
 */
import type { ConsumerGroup } from '../../producer/transactions.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** A topic that at least one member subscribes to, and that exists. */
export interface AssignableTopic {
  readonly name: string
  readonly partitionCount: number
  /** By partition: the racks of its replicas. Empty where they are not known. */
  readonly racks: readonly (readonly string[])[]
}

/** What a member told when it joined. */
export interface SubscribedMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly topics: readonly string[]
  /** What it has at present. Eager members have given everything back before they join. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which it came to have that; -1 where it did not tell. */
  readonly generationId: number
  /** What its assignor had to say. */
  readonly userData: Buffer | null
}

/** What a member is given. */
export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  /** For the assignor of that member. */
  readonly userData?: Buffer | null
}

export interface Assignor {
  /** As it is called in the group; members that have none in common cannot be in one group. */
  readonly name: string

  /**
   * `eager`: members give everything back before each rebalance. `cooperative`: they keep what they
   * have until told otherwise, and a partition may only be given to a member when no other has it;
   * such an assignor also serves where all others in use are eager.
   */
  readonly protocol: 'eager' | 'cooperative'

  /** What the leader's assignor should know of this member. */
  subscriptionUserData?(topics: readonly string[]): Buffer | null

  /** Says what each member is to have. A member that is left out gets nothing. */
  assign(
    topics: ReadonlyMap<string, AssignableTopic>,
    members: ReadonlyMap<string, SubscribedMember>,
  ): ReadonlyMap<string, MemberAssignment>

  /** This member is given something. */
  onAssignment?(assignment: MemberAssignment, group: ConsumerGroup): void
}
