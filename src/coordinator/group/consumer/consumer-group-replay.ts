/** What the records of a consumer group change in it. */
import type {
  AnyCoordinatorRecordDefinition,
  CoordinatorRecord,
} from '../../runtime/coordinator-record.ts'
import {
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupRegularExpressionRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'
import { toAssignment } from './assignment.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { newMember, withCurrentAssignment, withMetadata } from './consumer-group-member.ts'

const DEFINITIONS: ReadonlySet<AnyCoordinatorRecordDefinition> = new Set([
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupRegularExpressionRecord,
])

export function isConsumerGroupRecord({ definition }: CoordinatorRecord): boolean {
  return DEFINITIONS.has(definition)
}

/** The assignment epoch of a group without a target assignment. */
const NO_ASSIGNMENT = -1

/**
 * Makes the change that a record describes, be it the first that is heard of a member. A tombstone
 * of the whole group changes nothing: the group is to be forgotten.
 */
export function applyRecord(group: ConsumerGroup, record: CoordinatorRecord): void {
  if (ConsumerGroupMetadataRecord.is(record)) {
    const { value } = record
    if (value === null) return
    group.groupEpoch = value.epoch
    group.metadataHash = value.metadataHash
  } else if (ConsumerGroupPartitionMetadataRecord.is(record)) {
    group.hasPartitionMetadataRecord = record.value !== null
  } else if (ConsumerGroupTargetAssignmentMetadataRecord.is(record)) {
    group.assignmentEpoch = record.value?.assignmentEpoch ?? NO_ASSIGNMENT
  } else if (ConsumerGroupTargetAssignmentMemberRecord.is(record)) {
    const { key, value } = record
    const target = value === null ? undefined : toAssignment(value.topicPartitions)
    group.setTarget(key.memberId, target)
  } else if (ConsumerGroupRegularExpressionRecord.is(record)) {
    const { key, value } = record
    const { topics, timestamp } = value ?? {}
    const resolved = topics && { topics: new Set(topics), timestamp: timestamp ?? 0 }
    group.setRegularExpression(key.regularExpression, resolved)
  } else applyMemberRecord(group, record)
}

function applyMemberRecord(group: ConsumerGroup, record: CoordinatorRecord): void {
  if (ConsumerGroupMemberMetadataRecord.is(record)) {
    const { memberId } = record.key
    if (record.value === null) group.removeMember(memberId)
    else group.setMember(withMetadata(memberOf(group, memberId), record.value))
  } else if (ConsumerGroupCurrentMemberAssignmentRecord.is(record)) {
    const { memberId } = record.key
    if (record.value === null && !group.members.has(memberId)) return
    group.setMember(withCurrentAssignment(memberOf(group, memberId), record.value))
  }
}

function memberOf(group: ConsumerGroup, memberId: string) {
  return group.members.get(memberId) ?? newMember(memberId)
}
