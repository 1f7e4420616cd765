/**
 * The records of share groups, types 10 to 15 of `__consumer_offsets`, made into groups again. What
 * is compacted away must not be missed: each record says all there is to say of its key.
 */
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import { EMPTY_ASSIGNMENT, toAssignment } from '../consumer/assignment.ts'
import type { GroupTable } from '../group.ts'
import {
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupStatePartitionMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
  ShareGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'
import { ShareGroup } from './share-group.ts'
import { readStatePartitions } from './share-group-state.ts'

/**
 * Makes the change that a record of a share group describes; false for any other record. A
 * tombstone of what is not there changes nothing, and makes no group.
 */
export function replayShareGroup(groups: GroupTable, record: CoordinatorRecord): boolean {
  if (ShareGroupMetadataRecord.is(record)) {
    replayGroup(groups, record.key.groupId, record.value)
    return true
  }
  const change = changeOf(record)
  if (change === undefined) return false
  const group = groupOf(groups, change.groupId, record.value !== null)
  if (group !== undefined) change.apply(group)
  return true
}

function replayGroup(
  groups: GroupTable,
  groupId: string,
  value: { epoch: number; metadataHash: bigint } | null,
): void {
  const group = groupOf(groups, groupId, value !== null)
  if (group === undefined) return
  if (value === null) {
    groups.delete(groupId)
  } else {
    group.groupEpoch = value.epoch
    group.metadataHash = value.metadataHash
  }
}

function groupOf(groups: GroupTable, groupId: string, creates: boolean): ShareGroup | undefined {
  const known = groups.get(groupId)
  if (known instanceof ShareGroup) return known
  if (!creates) return undefined
  const group = new ShareGroup(groupId)
  groups.set(group)
  return group
}

function changeOf(
  record: CoordinatorRecord,
): { groupId: string; apply: (group: ShareGroup) => void } | undefined {
  if (ShareGroupMemberMetadataRecord.is(record)) {
    const { key, value } = record
    return { groupId: key.groupId, apply: (group) => setMember(group, key.memberId, value) }
  }
  if (ShareGroupCurrentMemberAssignmentRecord.is(record)) {
    const { key, value } = record
    return { groupId: key.groupId, apply: (group) => setAssignment(group, key.memberId, value) }
  }
  if (ShareGroupTargetAssignmentMemberRecord.is(record)) {
    const { key, value } = record
    return {
      groupId: key.groupId,
      apply: ({ targetAssignment }) => {
        if (value === null) targetAssignment.delete(key.memberId)
        else targetAssignment.set(key.memberId, toAssignment(value.topicPartitions))
      },
    }
  }
  if (ShareGroupTargetAssignmentMetadataRecord.is(record)) {
    const { key, value } = record
    return {
      groupId: key.groupId,
      apply: (group) => {
        group.assignmentEpoch = value?.assignmentEpoch ?? 0
      },
    }
  }
  if (ShareGroupStatePartitionMetadataRecord.is(record)) {
    const { key, value } = record
    return {
      groupId: key.groupId,
      apply: (group) => {
        group.statePartitions = readStatePartitions(value)
      },
    }
  }
  return undefined
}

function setMember(
  group: ShareGroup,
  memberId: string,
  value: {
    rackId: string | null
    clientId: string
    clientHost: string
    subscribedTopicNames: string[]
  } | null,
): void {
  if (value === null) {
    group.members.delete(memberId)
    return
  }
  const { rackId, clientId, clientHost } = value
  const subscribedTopicNames = [...value.subscribedTopicNames].sort()
  group.members.set(memberId, {
    ...group.memberOrNew(memberId),
    ...{ rackId, clientId, clientHost, subscribedTopicNames },
  })
}

function setAssignment(
  group: ShareGroup,
  memberId: string,
  value: {
    memberEpoch: number
    previousMemberEpoch: number
    assignedPartitions: { topicId: string; partitions: number[] }[]
  } | null,
): void {
  const known = group.members.get(memberId)
  if (value === null) {
    const nothing = { memberEpoch: -1, previousMemberEpoch: -1, assignment: EMPTY_ASSIGNMENT }
    if (known !== undefined) group.members.set(memberId, { ...known, ...nothing })
    return
  }
  const { memberEpoch, previousMemberEpoch } = value
  const assignment = toAssignment(value.assignedPartitions)
  group.members.set(memberId, {
    ...group.memberOrNew(memberId),
    ...{ memberEpoch, previousMemberEpoch, assignment },
  })
}
