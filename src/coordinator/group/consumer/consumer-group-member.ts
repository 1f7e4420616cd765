/**
 * A member of a consumer group, as one value that is replaced, never changed: what its records say
 * of it. The member record holds who it is and what it subscribes to, the current assignment record
 * its epoch, state and partitions.
 */
import type { Decoded } from '../../../protocol/schema.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import {
  ConsumerGroupCurrentMemberAssignmentRecord,
  ConsumerGroupMemberMetadataRecord,
} from '../group-records.ts'
import { type Assignment, EMPTY_ASSIGNMENT, fromAssignment, toAssignment } from './assignment.ts'

/** Member epochs with a meaning of their own. */
export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** A static member leaves but will be back: its partitions are kept for it. */
export const STATIC_LEAVE_EPOCH = -2

/** Where a member stands between what it has and what it is to have; numbers as in its record. */
export const MemberState = {
  /** It has all it is to have, as far as it has been told. */
  STABLE: 0,
  /** It has been told to give partitions back and has not done so yet. */
  UNREVOKED_PARTITIONS: 1,
  /** It is to have partitions that others have not given back yet. */
  UNRELEASED_PARTITIONS: 2,
} as const

/** What a member that speaks the classic protocol has told in JoinGroup. */
export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

export interface ConsumerGroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: readonly string[]
  /** Null or empty: none. */
  readonly subscribedTopicRegex: string | null
  /** The assignor that it votes for, or null. */
  readonly serverAssignor: string | null
  /** Null unless the member speaks the classic protocol. */
  readonly classicMetadata: ClassicMemberMetadata | null

  readonly memberEpoch: number
  /** A heartbeat with this epoch may come from a member that has missed the last answer. */
  readonly previousMemberEpoch: number
  /** One of MemberState; another number was written by a newer coordinator. */
  readonly state: number
  readonly assignedPartitions: Assignment
  readonly partitionsPendingRevocation: Assignment
}

/** A member of which nothing is known yet. */
export function newMember(memberId: string): ConsumerGroupMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: [],
    subscribedTopicRegex: null,
    serverAssignor: null,
    classicMetadata: null,
    memberEpoch: JOIN_EPOCH,
    previousMemberEpoch: LEAVE_EPOCH,
    state: MemberState.STABLE,
    assignedPartitions: EMPTY_ASSIGNMENT,
    partitionsPendingRevocation: EMPTY_ASSIGNMENT,
  }
}

export function usesClassicProtocol(member: ConsumerGroupMember): boolean {
  return member.classicMetadata !== null
}

/** Whether the member has, and knows that it has, what the target of that epoch gives it. */
export function isReconciledTo(member: ConsumerGroupMember, assignmentEpoch: number): boolean {
  return member.state === MemberState.STABLE && member.memberEpoch === assignmentEpoch
}

/** Whether both subscribe to the same topics and pattern. */
export function isSameSubscription(a: ConsumerGroupMember, b: ConsumerGroupMember): boolean {
  return (
    (a.subscribedTopicRegex ?? '') === (b.subscribedTopicRegex ?? '') &&
    isSameSet(a.subscribedTopicNames, b.subscribedTopicNames)
  )
}

/** Whether both would make the same member record. */
export function isSameMetadata(a: ConsumerGroupMember, b: ConsumerGroupMember): boolean {
  return (
    a.memberId === b.memberId &&
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.serverAssignor === b.serverAssignor &&
    isSameSet(a.subscribedTopicNames, b.subscribedTopicNames) &&
    isSameClassicMetadata(a.classicMetadata, b.classicMetadata)
  )
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true
  const set = new Set(a)
  return set.size === new Set(b).size && b.every((name) => set.has(name))
}

function isSameClassicMetadata(
  a: ClassicMemberMetadata | null,
  b: ClassicMemberMetadata | null,
): boolean {
  if (a === null || b === null) return a === b
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs) return false
  if (a.supportedProtocols.length !== b.supportedProtocols.length) return false
  return a.supportedProtocols.every(({ name, metadata }, index) => {
    const other = b.supportedProtocols[index]!
    return name === other.name && metadata.equals(other.metadata)
  })
}

type MemberMetadataValue = Decoded<typeof ConsumerGroupMemberMetadataRecord.value.fields>
type CurrentAssignmentValue = Decoded<
  typeof ConsumerGroupCurrentMemberAssignmentRecord.value.fields
>

/** What is to be recorded of who the member is. */
export function memberMetadataRecord(
  groupId: string,
  member: ConsumerGroupMember,
): CoordinatorRecord {
  return ConsumerGroupMemberMetadataRecord.of(
    { groupId, memberId: member.memberId },
    {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.subscribedTopicNames,
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: member.classicMetadata,
    },
  )
}

/** What is to be recorded of where the member stands. */
export function currentAssignmentRecord(
  groupId: string,
  member: ConsumerGroupMember,
): CoordinatorRecord {
  return ConsumerGroupCurrentMemberAssignmentRecord.of(
    { groupId, memberId: member.memberId },
    {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: member.state,
      assignedPartitions: fromAssignment(member.assignedPartitions),
      partitionsPendingRevocation: fromAssignment(member.partitionsPendingRevocation),
    },
  )
}

/**
 * The member after its member record. Buffers are copied: a record is a view of something larger.
 */
export function withMetadata(
  member: ConsumerGroupMember,
  value: MemberMetadataValue,
): ConsumerGroupMember {
  const classic = value.classicMemberMetadata
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    subscribedTopicNames: value.subscribedTopicNames,
    subscribedTopicRegex: value.subscribedTopicRegex,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    serverAssignor: value.serverAssignor,
    classicMetadata:
      classic === null
        ? null
        : {
            sessionTimeoutMs: classic.sessionTimeoutMs,
            supportedProtocols: classic.supportedProtocols.map(({ name, metadata }) => ({
              name,
              metadata: Buffer.from(metadata),
            })),
          },
  }
}

/** The member after its current assignment record; null is its tombstone. */
export function withCurrentAssignment(
  member: ConsumerGroupMember,
  value: CurrentAssignmentValue | null,
): ConsumerGroupMember {
  if (value === null) {
    return {
      ...member,
      memberEpoch: LEAVE_EPOCH,
      previousMemberEpoch: LEAVE_EPOCH,
      assignedPartitions: EMPTY_ASSIGNMENT,
      partitionsPendingRevocation: EMPTY_ASSIGNMENT,
    }
  }
  return {
    ...member,
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: value.state,
    assignedPartitions: toAssignment(value.assignedPartitions),
    partitionsPendingRevocation: toAssignment(value.partitionsPendingRevocation),
  }
}
