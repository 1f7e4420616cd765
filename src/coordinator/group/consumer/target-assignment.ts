/** Lets an assignor decide what each member of a consumer group is to have, and records it. */
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import {
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'
import type { TopicImage } from '../topic-image.ts'
import {
  type Assignment,
  EMPTY_ASSIGNMENT,
  fromAssignment,
  isSameAssignment,
} from './assignment.ts'
import type { MemberSpec, PartitionAssignor } from './assignors/partition-assignor.ts'
import {
  type ConsumerGroup,
  type ResolvedRegularExpression,
  subscribedTopics,
} from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

export interface TargetOptions {
  readonly group: ConsumerGroup
  /** The members that the group will have, which may differ from those it has now. */
  readonly members: ReadonlyMap<string, ConsumerGroupMember>
  /** Likewise. */
  readonly regularExpressions: ReadonlyMap<string, ResolvedRegularExpression>
  /** What a member that replaces another takes over: targets by the new member's id. */
  readonly inherited?: ReadonlyMap<string, Assignment>
  readonly topics: TopicImage
  readonly assignor: PartitionAssignor
  /** The group epoch that the target is for. */
  readonly epoch: number
}

export interface Target {
  /** What changes, and the epoch. */
  readonly records: CoordinatorRecord[]
  readonly assignments: ReadonlyMap<string, Assignment>
}

/** Computes the target assignment of a group epoch. */
export function computeTarget(options: TargetOptions): Target {
  const { group, members, inherited, topics, assignor, epoch } = options
  const { groupId } = group
  const counts = new Map<string, number>()
  const specs = new Map<string, MemberSpec>()
  for (const [memberId, member] of members) {
    const topicIds = subscribedTopicIds(member, options.regularExpressions, topics, counts)
    const assignment = inherited?.get(memberId) ?? group.target(memberId)
    specs.set(memberId, { ...member, topicIds, assignment })
  }
  const partitionCount = (topicId: string) => counts.get(topicId) ?? 0
  const assignments = assignor.assign({ members: specs, partitionCount })
  const records: CoordinatorRecord[] = []
  for (const memberId of specs.keys()) {
    const before = inherited?.get(memberId) ?? group.targets.get(memberId)
    const after = assignments.get(memberId) ?? EMPTY_ASSIGNMENT
    if (before !== undefined && isSameAssignment(before, after)) continue
    records.push(targetRecord(groupId, memberId, after))
  }
  records.push(
    ConsumerGroupTargetAssignmentMetadataRecord.of({ groupId }, { assignmentEpoch: epoch }),
  )
  return { records, assignments }
}

/** What is to be recorded of what a member is to have. */
export function targetRecord(
  groupId: string,
  memberId: string,
  target: Assignment,
): CoordinatorRecord {
  const value = { topicPartitions: fromAssignment(target) }
  return ConsumerGroupTargetAssignmentMemberRecord.of({ groupId, memberId }, value)
}

/**
 * The ids of the topics that the member subscribes to and that exist. Their numbers of partitions
 * are added to `counts`.
 */
export function subscribedTopicIds(
  member: ConsumerGroupMember,
  regularExpressions: ReadonlyMap<string, ResolvedRegularExpression>,
  topics: TopicImage,
  counts?: Map<string, number>,
): Set<string> {
  const topicIds = new Set<string>()
  for (const name of subscribedTopics([member], regularExpressions)) {
    const topicId = topics.topicId(name)
    if (topicId === undefined) continue
    topicIds.add(topicId)
    counts?.set(topicId, topics.partitionCount(name) ?? 0)
  }
  return topicIds
}
