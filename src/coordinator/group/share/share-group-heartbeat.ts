/** What a heartbeat of a member of a share group changes: members, epochs, who has what. */
import { KafkaError } from '../../../common/errors.ts'
import type { ShareGroupHeartbeatRequest } from '../../../protocol/share-group-messages.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import {
  type Assignment,
  EMPTY_ASSIGNMENT,
  fromAssignment,
  isSameAssignment,
} from '../consumer/assignment.ts'
import {
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
  ShareGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'
import { metadataHash } from '../metadata-hash.ts'
import type { TopicImage } from '../topic-image.ts'
import type { ShareGroup, ShareGroupMember } from './share-group.ts'
import { assignSimply } from './simple-assignor.ts'

export interface HeartbeatDecision {
  readonly records: readonly CoordinatorRecord[]
  /** As it is once the records are replayed. */
  readonly member: ShareGroupMember
  readonly groupEpoch: number
  /** The topics of all members. */
  readonly topicNames: ReadonlySet<string>
  readonly isAssignmentNew: boolean
}

type Heartbeat = ShareGroupHeartbeatRequest & {
  readonly clientId: string
  readonly clientHost: string
}

/** A member's state in the records: it has what it is to have. */
const STABLE = 0

/** Throws FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID. */
export function decideHeartbeat(
  group: ShareGroup,
  heartbeat: Heartbeat,
  topics: TopicImage,
): HeartbeatDecision {
  const { groupId } = group
  const { memberId, memberEpoch } = heartbeat
  const known = memberEpoch === 0 ? group.memberOrNew(memberId) : group.member(memberId)
  checkEpoch(known, memberEpoch)
  let member = withSubscription(known, heartbeat)
  const records: CoordinatorRecord[] = []
  const isSubscriptionNew = !isSameList(known.subscribedTopicNames, member.subscribedTopicNames)
  if (!group.members.has(memberId) || isMetadataNew(known, member))
    records.push(metadataOf(group, member))

  const topicNames = group.subscribedTopicNames(member)
  let { groupEpoch, metadataHash: hash } = group
  let isChanged = isSubscriptionNew || hasUnassignedState(group)
  if (isChanged || group.mustRefreshMetadata) {
    hash = metadataHash(topicNames, topics)
    isChanged ||= hash !== group.metadataHash
    group.mustRefreshMetadata = false
  }
  if (isChanged) {
    groupEpoch += 1
    const value = { epoch: groupEpoch, metadataHash: hash }
    records.push(ShareGroupMetadataRecord.of({ groupId }, value))
  }
  let target = group.targetAssignment.get(memberId) ?? EMPTY_ASSIGNMENT
  if (groupEpoch > group.assignmentEpoch) {
    target = assignAnew(group, member, groupEpoch, topics, records)
  }
  const targetEpoch = Math.max(groupEpoch, group.assignmentEpoch)
  if (member.memberEpoch !== targetEpoch || isChanged) {
    const assignment = withinSubscription(target, member, topics)
    const previousMemberEpoch =
      member.memberEpoch === targetEpoch ? member.previousMemberEpoch : member.memberEpoch
    member = { ...member, memberEpoch: targetEpoch, previousMemberEpoch, assignment }
    records.push(currentAssignmentOf(group, member))
  }
  const isAssignmentNew = !isSameAssignment(known.assignment, member.assignment)
  return { records, member, groupEpoch, topicNames, isAssignmentNew }
}

function checkEpoch(member: ShareGroupMember, claimed: number): void {
  const { memberEpoch: known, previousMemberEpoch } = member
  if (claimed === 0 || claimed === known || claimed === previousMemberEpoch) return
  const compared = claimed > known ? 'greater' : 'smaller'
  const past =
    claimed > known
      ? ''
      : `, and it does not match the previous member epoch (${previousMemberEpoch})`
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `The share group member has a ${compared} member epoch (${claimed}) than the one known by ` +
      `the group coordinator (${known})${past}. ` +
      'The member must abandon all its partitions and rejoin.',
  )
}

function withSubscription(member: ShareGroupMember, heartbeat: Heartbeat): ShareGroupMember {
  const { rackId, subscribedTopicNames, clientId, clientHost } = heartbeat
  const names =
    subscribedTopicNames === null ? undefined : [...new Set(subscribedTopicNames)].sort()
  return {
    ...member,
    ...{ clientId, clientHost },
    rackId: rackId ?? member.rackId,
    subscribedTopicNames: names ?? member.subscribedTopicNames,
  }
}

function isMetadataNew(known: ShareGroupMember, member: ShareGroupMember): boolean {
  return (
    known.rackId !== member.rackId ||
    known.clientId !== member.clientId ||
    known.clientHost !== member.clientHost ||
    !isSameList(known.subscribedTopicNames, member.subscribedTopicNames)
  )
}

/** Whether partitions have come to be assignable that nobody has been assigned. */
function hasUnassignedState(group: ShareGroup): boolean {
  if (group.isEmpty) return false
  const subscribed = group.subscribedTopicNames()
  for (const [topicId, { topicName, partitions }] of group.statePartitions.initialized) {
    if (!subscribed.has(topicName)) continue
    const assigned = new Set<number>()
    for (const assignment of group.targetAssignment.values()) {
      for (const partition of assignment.get(topicId) ?? []) assigned.add(partition)
    }
    if (assigned.symmetricDifference(partitions).size > 0) return true
  }
  return false
}

/** Computes the target assignment of all members, and returns that of `member`. */
function assignAnew(
  group: ShareGroup,
  member: ShareGroupMember,
  epoch: number,
  topics: TopicImage,
  records: CoordinatorRecord[],
): Assignment {
  const { groupId } = group
  const members = [...group.members.values()].filter(({ memberId }) => memberId !== member.memberId)
  const assignable = new Map<string, ReadonlySet<number>>()
  for (const [topicId, { topicName, partitions }] of group.statePartitions.initialized) {
    if (topics.topicId(topicName) === topicId) assignable.set(topicId, partitions)
  }
  const target = assignSimply(
    [...members, member]
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      .map(({ memberId, subscribedTopicNames }) => ({
        memberId,
        topicIds: idsOf(subscribedTopicNames, topics),
        assignment: group.targetAssignment.get(memberId) ?? EMPTY_ASSIGNMENT,
      })),
    assignable,
  )
  for (const [memberId, assignment] of target) {
    const known = group.targetAssignment.get(memberId)
    if (known !== undefined && isSameAssignment(known, assignment)) continue
    const topicPartitions = fromAssignment(assignment)
    records.push(
      ShareGroupTargetAssignmentMemberRecord.of({ groupId, memberId }, { topicPartitions }),
    )
  }
  records.push(ShareGroupTargetAssignmentMetadataRecord.of({ groupId }, { assignmentEpoch: epoch }))
  return target.get(member.memberId) ?? EMPTY_ASSIGNMENT
}

/** What a member is to have may be of topics that it no longer wants. */
function withinSubscription(
  target: Assignment,
  { subscribedTopicNames }: ShareGroupMember,
  topics: TopicImage,
): Assignment {
  const wanted = idsOf(subscribedTopicNames, topics)
  return new Map([...target].filter(([topicId]) => wanted.has(topicId)))
}

function idsOf(names: readonly string[], topics: TopicImage): Set<string> {
  return new Set(names.map((name) => topics.topicId(name)).filter((id) => id !== undefined))
}

function metadataOf({ groupId }: ShareGroup, member: ShareGroupMember): CoordinatorRecord {
  const { memberId, rackId, clientId, clientHost, subscribedTopicNames } = member
  return ShareGroupMemberMetadataRecord.of(
    { groupId, memberId },
    { rackId, clientId, clientHost, subscribedTopicNames },
  )
}

function currentAssignmentOf({ groupId }: ShareGroup, member: ShareGroupMember): CoordinatorRecord {
  const { memberId, memberEpoch, previousMemberEpoch } = member
  const assignedPartitions = fromAssignment(member.assignment)
  return ShareGroupCurrentMemberAssignmentRecord.of(
    { groupId, memberId },
    { memberEpoch, previousMemberEpoch, state: STABLE, assignedPartitions },
  )
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
