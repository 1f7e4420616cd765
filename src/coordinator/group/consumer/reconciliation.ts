/**
 * How a member comes from what it has to what it is to have, one heartbeat at a time.
 *
 * ```
 *           ┌── must give partitions back ──► UNREVOKED_PARTITIONS ── has given them back ──┐
 * STABLE ───┤                                                                               │
 *           └── all that is to come is free ◄──────────────┬────────────────────────────────┘
 *               (STABLE)                                   └── waits for others ──► UNRELEASED_…
 * ```
 * A partition goes to a member only when nobody has it any more, and a member comes to the next
 * epoch only after it has given back what it no longer is to have.
 */
import { KafkaError } from '../../../common/errors.ts'
import {
  type Assignment,
  type AssignmentBuilder,
  addPartition,
  hasPartition,
  isOverlapping,
  isSameAssignment,
} from './assignment.ts'
import { type ConsumerGroupMember, isReconciledTo, MemberState } from './consumer-group-member.ts'

export interface ReconciliationOptions {
  readonly member: ConsumerGroupMember
  readonly targetEpoch: number
  readonly target: Assignment
  /** What the member says it has, or undefined if it says nothing. */
  readonly owned: Assignment | undefined
  /** The ids of the topics that it subscribes to. */
  readonly subscribedTopicIds: ReadonlySet<string>
  /** Which member has the partition, or still has to give it back. */
  ownerOf(topicId: string, partition: number): string | undefined
}

/**
 * The next state of the member, or the same object if there is none. Throws FENCED_MEMBER_EPOCH for
 * a member in a state that is not known, unless it comes without partitions.
 */
export function reconcile(options: ReconciliationOptions): ConsumerGroupMember {
  const { member, targetEpoch, owned } = options
  const { state, partitionsPendingRevocation } = member
  if (state === MemberState.STABLE) {
    if (isReconciledTo(member, targetEpoch) && isSubscribedToAll(options)) return member
  } else if (state === MemberState.UNREVOKED_PARTITIONS) {
    const stillOwns = owned === undefined || isOverlapping(owned, partitionsPendingRevocation)
    if (stillOwns) return revokeUnsubscribed(options)
  } else if (state !== MemberState.UNRELEASED_PARTITIONS && owned?.size !== 0) {
    throw new KafkaError(
      'FENCED_MEMBER_EPOCH',
      'The consumer group member is in a unknown state. ' +
        'The member must abandon all its partitions and rejoin.',
    )
  }
  return unlessSame(member, nextAssignment(options))
}

interface Difference {
  /** What the member has and is to keep. */
  readonly kept: AssignmentBuilder
  /** What it has and is not to have. */
  readonly excess: Assignment
  /** What it is to have and nobody else has. */
  readonly free: Assignment
  /** Whether it is to have partitions that others have. */
  readonly mustWait: boolean
}

function nextAssignment(options: ReconciliationOptions): ConsumerGroupMember {
  const { member, targetEpoch, owned } = options
  const { kept, excess, free, mustWait } = difference(options)
  if (excess.size > 0 && (owned === undefined || isOverlapping(owned, excess))) {
    return {
      ...member,
      state: MemberState.UNREVOKED_PARTITIONS,
      previousMemberEpoch: member.memberEpoch,
      assignedPartitions: kept,
      partitionsPendingRevocation: excess,
    }
  }
  for (const [topicId, partitions] of free) {
    for (const partition of partitions) addPartition(kept, topicId, partition)
  }
  return {
    ...member,
    state: mustWait ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    memberEpoch: targetEpoch,
    previousMemberEpoch: member.memberEpoch,
    assignedPartitions: kept,
    partitionsPendingRevocation: new Map(),
  }
}

function difference(options: ReconciliationOptions): Difference {
  const { member, target, subscribedTopicIds, ownerOf } = options
  const kept: AssignmentBuilder = new Map()
  const excess: AssignmentBuilder = new Map()
  const free: AssignmentBuilder = new Map()
  let mustWait = false
  for (const [topicId, partitions] of member.assignedPartitions) {
    const isSubscribed = subscribedTopicIds.has(topicId)
    for (const partition of partitions) {
      const keeps = isSubscribed && hasPartition(target, topicId, partition)
      addPartition(keeps ? kept : excess, topicId, partition)
    }
  }
  for (const [topicId, partitions] of target) {
    if (!subscribedTopicIds.has(topicId)) continue
    for (const partition of partitions) {
      if (hasPartition(kept, topicId, partition)) continue
      const owner = ownerOf(topicId, partition)
      // What it is about to give back itself, it may as well get again.
      if (owner === undefined || owner === member.memberId) addPartition(free, topicId, partition)
      else mustWait = true
    }
  }
  return { kept, excess, free, mustWait }
}

function isSubscribedToAll({ member, subscribedTopicIds }: ReconciliationOptions): boolean {
  return member.assignedPartitions.keys().every((topicId) => subscribedTopicIds.has(topicId))
}

/**
 * While a member is still giving partitions back, a change of its subscription adds to these: what
 * it is no longer subscribed to it must not be given again.
 */
function revokeUnsubscribed(options: ReconciliationOptions): ConsumerGroupMember {
  const { member, subscribedTopicIds } = options
  if (isSubscribedToAll(options)) return member
  const kept = new Map()
  const excess: AssignmentBuilder = new Map()
  for (const [topicId, partitions] of member.partitionsPendingRevocation) {
    excess.set(topicId, new Set(partitions))
  }
  for (const [topicId, partitions] of member.assignedPartitions) {
    if (subscribedTopicIds.has(topicId)) kept.set(topicId, partitions)
    else for (const partition of partitions) addPartition(excess, topicId, partition)
  }
  return { ...member, assignedPartitions: kept, partitionsPendingRevocation: excess }
}

function unlessSame(before: ConsumerGroupMember, after: ConsumerGroupMember): ConsumerGroupMember {
  const isSame =
    before.state === after.state &&
    before.memberEpoch === after.memberEpoch &&
    isSameAssignment(before.assignedPartitions, after.assignedPartitions) &&
    isSameAssignment(before.partitionsPendingRevocation, after.partitionsPendingRevocation)
  return isSame ? before : after
}
