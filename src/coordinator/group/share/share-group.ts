/**
 * A share group (KIP-932): members among whom the records of partitions are spread, several members
 * to a partition if there are more of them. Its records of types 10 to 15 rebuild it.
 *
 * Three epochs count its changes: the group's, raised with every change of members or topics; the
 * target assignment's, the group epoch it was made for; and each member's, the assignment it has.
 * Since partitions are shared, nobody has to give anything back before another gets it: a member
 * has its new assignment with its next heartbeat.
 */
import { KafkaError } from '../../../common/errors.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import { type Assignment, EMPTY_ASSIGNMENT } from '../consumer/assignment.ts'
import type { Group } from '../group.ts'
import {
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupStatePartitionMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
  ShareGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'

export interface ShareGroupMember {
  readonly memberId: string
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** In the order of their names. */
  readonly subscribedTopicNames: readonly string[]
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly assignment: Assignment
}

/** Partitions of a topic that have state with the share coordinator. */
export interface TopicState {
  readonly topicName: string
  readonly partitions: ReadonlySet<number>
}

/** For which partitions there is state, by topic id. */
export interface StatePartitions {
  /** The share coordinator has been asked to set up their state. */
  readonly initializing: ReadonlyMap<string, TopicState>
  readonly initialized: ReadonlyMap<string, TopicState>
  /** The names of topics whose state is being deleted. */
  readonly deleting: ReadonlyMap<string, string>
}

export const NO_STATE_PARTITIONS: StatePartitions = {
  initializing: new Map(),
  initialized: new Map(),
  deleting: new Map(),
}

export class ShareGroup implements Group {
  readonly groupId: string
  readonly type = 'share'
  readonly protocolType = 'share'
  readonly members = new Map<string, ShareGroupMember>()
  readonly targetAssignment = new Map<string, Assignment>()
  groupEpoch = 0
  metadataHash = 0n
  assignmentEpoch = 0
  statePartitions: StatePartitions = NO_STATE_PARTITIONS
  /** When initialising was last asked for, by topic id; not in any record. */
  readonly initializingSinceMs = new Map<string, number>()
  /** A subscribed topic has changed, or might have while nobody looked. Not in any record. */
  mustRefreshMetadata = true

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get stateName(): string {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** The topics of all members, as if `changed` were already one of them. */
  subscribedTopicNames(changed?: ShareGroupMember): Set<string> {
    const names = new Set(changed?.subscribedTopicNames)
    for (const member of this.members.values()) {
      if (member.memberId === changed?.memberId) continue
      for (const name of member.subscribedTopicNames) names.add(name)
    }
    return names
  }

  /** Throws UNKNOWN_MEMBER_ID. */
  member(memberId: string): ShareGroupMember {
    const member = this.members.get(memberId)
    if (member !== undefined) return member
    const what = `Member ${memberId} is not a member of group ${this.groupId}.`
    throw new KafkaError('UNKNOWN_MEMBER_ID', what)
  }

  /** As `member`; one that joins begins as nothing. */
  memberOrNew(memberId: string): ShareGroupMember {
    return this.members.get(memberId) ?? newMember(memberId)
  }

  validateOffsetCommit(): void {
    throw this.#isNoConsumerGroup()
  }

  validateOffsetFetch(): void {
    throw this.#isNoConsumerGroup()
  }

  validateOffsetDelete(): void {
    throw this.#isNoConsumerGroup()
  }

  validateDelete(): void {
    if (!this.isEmpty) throw new KafkaError('NON_EMPTY_GROUP')
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopicNames().has(topic)
  }

  tombstones(): CoordinatorRecord[] {
    const { groupId } = this
    const members = [...this.members.keys()].map((memberId) => ({ groupId, memberId }))
    return [
      ...members.map((key) => ShareGroupCurrentMemberAssignmentRecord.of(key, null)),
      ...members.map((key) => ShareGroupTargetAssignmentMemberRecord.of(key, null)),
      ShareGroupTargetAssignmentMetadataRecord.of({ groupId }, null),
      ...members.map((key) => ShareGroupMemberMetadataRecord.of(key, null)),
      ShareGroupStatePartitionMetadataRecord.of({ groupId }, null),
      ShareGroupMetadataRecord.of({ groupId }, null),
    ]
  }

  /** A share group has no committed offsets, and stays when its members are gone. */
  offsetExpirationBase(): undefined {}

  #isNoConsumerGroup(): KafkaError {
    return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${this.groupId} is not a consumer group.`)
  }
}

export function newMember(memberId: string): ShareGroupMember {
  return {
    memberId,
    rackId: null,
    ...{ clientId: '', clientHost: '', subscribedTopicNames: [] },
    ...{ memberEpoch: 0, previousMemberEpoch: -1, assignment: EMPTY_ASSIGNMENT },
  }
}
