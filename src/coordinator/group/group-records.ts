/**
 * The records of `__consumer_offsets`, by which a group coordinator remembers everything it must
 * not forget: committed offsets, classic groups, consumer groups (KIP-848) and share groups
 * (KIP-932).
 *
 * Names, types and versions are those of Apache Kafka 4.2; each is in Kafka's own format, so that a
 * log moves between Samsa and Kafka either way. A group of KIP-848 is several records: one for its
 * epoch, one for each member's subscription, for the target assignment as a whole and for each
 * member, and for what each member has at present. A null value removes what the key names.
 *
 * Not here are the types of streams groups (17 and up): records of types that are not in the table
 * are passed over.
 */
import {
  array,
  bigint64,
  bytes,
  int8,
  int32,
  int64,
  string,
  struct,
  uuid,
} from '../../protocol/schema.ts'
import {
  type AnyCoordinatorRecordDefinition,
  CoordinatorRecordCodec,
  coordinatorRecord,
} from '../runtime/coordinator-record.ts'

const partitionsOfTopic = { topicId: uuid(), partitions: array(int32()) }
const groupKey = { groupId: string() }
const memberKey = { groupId: string(), memberId: string() }
const offsetKey = { group: string(), topic: string(), partition: int32() }
const onlyVersion = { versions: '0', flexible: '0+' }

/** A committed offset as the oldest Kafkas wrote it: read, never written. */
export const LegacyOffsetCommitRecord = coordinatorRecord({
  type: 0,
  name: 'LegacyOffsetCommit',
  key: offsetKey,
  value: {
    versions: '0',
    flexible: 'none',
    fields: { offset: int64(), metadata: string(), commitTimestamp: int64() },
  },
})

/**
 * A committed offset.
 *
 * 1 says when it expires, for commits that ask for a retention time of their own (OffsetCommit 2 to
 * 4), and is still written for those; 3 adds the leader epoch (KIP-320), 4 the topic's id
 * (KIP-516), as a tagged field.
 */
export const OffsetCommitRecord = coordinatorRecord({
  type: 1,
  name: 'OffsetCommit',
  key: offsetKey,
  value: {
    versions: '0-4',
    flexible: '4+',
    fields: {
      offset: int64(),
      leaderEpoch: int32({ versions: '3+', default: -1, ignorable: true }),
      metadata: string(),
      commitTimestamp: int64(),
      /** -1: `offsets.retention.minutes` decides. */
      expireTimestamp: int64({ versions: '1', default: -1, ignorable: true, saturate: true }),
      topicId: uuid({ versions: '4+', ignorable: true, tag: 0 }),
    },
  },
  // As Kafka 4.2: only 1 has a time to expire at.
  writeVersion: ({ expireTimestamp }) => ((expireTimestamp ?? -1) === -1 ? 4 : 1),
})

/**
 * A classic group as of its last completed rebalance.
 *
 * 1 adds members' rebalance timeouts, 2 the time of the last change of state, 3 static members. 4
 * is flexible (KIP-915), but Kafka 4.2 writes 3.
 */
export const GroupMetadataRecord = coordinatorRecord({
  type: 2,
  name: 'GroupMetadata',
  key: { group: string() },
  value: {
    versions: '0-4',
    flexible: '4+',
    fields: {
      protocolType: string(),
      generation: int32(),
      protocol: string({ nullable: '0+' }),
      leader: string({ nullable: '0+' }),
      currentStateTimestamp: int64({ versions: '2+', default: -1, ignorable: true }),
      members: array({
        memberId: string(),
        groupInstanceId: string({ versions: '3+', nullable: '3+', default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        /** In milliseconds, as is the next. */
        rebalanceTimeout: int32({ versions: '1+', default: -1, ignorable: true }),
        sessionTimeout: int32(),
        subscription: bytes(),
        assignment: bytes(),
      }),
    },
  },
  writeVersion: 3,
})

/** A consumer group and its epoch. */
export const ConsumerGroupMetadataRecord = coordinatorRecord({
  type: 3,
  name: 'ConsumerGroupMetadata',
  key: groupKey,
  value: {
    ...onlyVersion,
    fields: {
      epoch: int32(),
      /** Of all subscribed topics: a change of it means a new epoch (KIP-1101). */
      metadataHash: bigint64({ default: 0n, tag: 0 }),
    },
  },
})

/**
 * The topics of a consumer group. The hash in ConsumerGroupMetadata has replaced it (KIP-1101): it
 * is read, and removed by a tombstone, but no longer written.
 */
export const ConsumerGroupPartitionMetadataRecord = coordinatorRecord({
  type: 4,
  name: 'ConsumerGroupPartitionMetadata',
  key: groupKey,
  value: {
    ...onlyVersion,
    fields: {
      topics: array({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array({ partition: int32(), racks: array(string()) }),
      }),
    },
  },
})

/** A member of a consumer group: who it is and what it has subscribed to. */
export const ConsumerGroupMemberMetadataRecord = coordinatorRecord({
  type: 5,
  name: 'ConsumerGroupMemberMetadata',
  key: memberKey,
  value: {
    ...onlyVersion,
    fields: {
      instanceId: string({ nullable: '0+' }),
      rackId: string({ nullable: '0+' }),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array(string()),
      subscribedTopicRegex: string({ nullable: '0+' }),
      rebalanceTimeoutMs: int32({ default: -1 }),
      serverAssignor: string({ nullable: '0+' }),
      /**
       * Null unless the member speaks the classic protocol in a consumer group. It must be given:
       * as in Kafka it is a struct of defaults, not null, where it is left out.
       */
      classicMemberMetadata: struct(
        {
          sessionTimeoutMs: int32(),
          supportedProtocols: array({ name: string(), metadata: bytes() }),
        },
        { nullable: '0+', tag: 0 },
      ),
    },
  },
})

/** For which epoch of a consumer group the target assignment was made. */
export const ConsumerGroupTargetAssignmentMetadataRecord = coordinatorRecord({
  type: 6,
  name: 'ConsumerGroupTargetAssignmentMetadata',
  key: groupKey,
  value: { ...onlyVersion, fields: { assignmentEpoch: int32() } },
})

/** What a member of a consumer group is to have. */
export const ConsumerGroupTargetAssignmentMemberRecord = coordinatorRecord({
  type: 7,
  name: 'ConsumerGroupTargetAssignmentMember',
  key: memberKey,
  value: { ...onlyVersion, fields: { topicPartitions: array(partitionsOfTopic) } },
})

/** What a member of a consumer group has, and what it still has to give back. */
export const ConsumerGroupCurrentMemberAssignmentRecord = coordinatorRecord({
  type: 8,
  name: 'ConsumerGroupCurrentMemberAssignment',
  key: memberKey,
  value: {
    ...onlyVersion,
    fields: {
      memberEpoch: int32(),
      /** A heartbeat with it is accepted too: the answer that raised the epoch may be lost. */
      previousMemberEpoch: int32(),
      /** 0: stable; 1: has partitions to give back; 2: waits for some; 127: unknown. */
      state: int8(),
      assignedPartitions: array(partitionsOfTopic),
      partitionsPendingRevocation: array(partitionsOfTopic),
    },
  },
})

/** A member of a share group: who it is and what it has subscribed to. */
export const ShareGroupMemberMetadataRecord = coordinatorRecord({
  type: 10,
  name: 'ShareGroupMemberMetadata',
  key: memberKey,
  value: {
    ...onlyVersion,
    fields: {
      rackId: string({ nullable: '0+' }),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array(string()),
    },
  },
})

/** A share group and its epoch. */
export const ShareGroupMetadataRecord = coordinatorRecord({
  type: 11,
  name: 'ShareGroupMetadata',
  key: groupKey,
  value: {
    ...onlyVersion,
    fields: {
      epoch: int32(),
      /** Of all subscribed topics: a change of it means a new epoch (KIP-1101). */
      metadataHash: bigint64(),
    },
  },
})

/** For which epoch of a share group the target assignment was made. */
export const ShareGroupTargetAssignmentMetadataRecord = coordinatorRecord({
  type: 12,
  name: 'ShareGroupTargetAssignmentMetadata',
  key: groupKey,
  value: { ...onlyVersion, fields: { assignmentEpoch: int32() } },
})

/** What a member of a share group is to have. */
export const ShareGroupTargetAssignmentMemberRecord = coordinatorRecord({
  type: 13,
  name: 'ShareGroupTargetAssignmentMember',
  key: memberKey,
  value: { ...onlyVersion, fields: { topicPartitions: array(partitionsOfTopic) } },
})

/** What a member of a share group has. */
export const ShareGroupCurrentMemberAssignmentRecord = coordinatorRecord({
  type: 14,
  name: 'ShareGroupCurrentMemberAssignment',
  key: memberKey,
  value: {
    ...onlyVersion,
    fields: {
      memberEpoch: int32(),
      previousMemberEpoch: int32(),
      /** As in ConsumerGroupCurrentMemberAssignment; members of share groups are always stable. */
      state: int8(),
      assignedPartitions: array(partitionsOfTopic),
    },
  },
})

/** For which partitions a share group has state with the share coordinator, or soon will. */
export const ShareGroupStatePartitionMetadataRecord = coordinatorRecord({
  type: 15,
  name: 'ShareGroupStatePartitionMetadata',
  key: groupKey,
  value: {
    ...onlyVersion,
    fields: {
      initializingTopics: array({
        topicId: uuid(),
        topicName: string(),
        partitions: array(int32()),
      }),
      initializedTopics: array({
        topicId: uuid(),
        topicName: string(),
        partitions: array(int32()),
      }),
      deletingTopics: array({ topicId: uuid(), topicName: string() }),
    },
  },
})

/** The topics that a regular expression of a consumer group has been resolved to. */
export const ConsumerGroupRegularExpressionRecord = coordinatorRecord({
  type: 16,
  name: 'ConsumerGroupRegularExpression',
  key: { groupId: string(), regularExpression: string() },
  value: {
    ...onlyVersion,
    fields: {
      topics: array(string()),
      /** Of the cluster's metadata from which the topics were taken. */
      version: int64(),
      /** When they were, in milliseconds since the epoch. */
      timestamp: int64(),
    },
  },
})

/** Every type of record in `__consumer_offsets`. */
export const GROUP_RECORDS: readonly AnyCoordinatorRecordDefinition[] = [
  LegacyOffsetCommitRecord,
  OffsetCommitRecord,
  GroupMetadataRecord,
  ConsumerGroupMetadataRecord,
  ConsumerGroupPartitionMetadataRecord,
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
  ConsumerGroupTargetAssignmentMemberRecord,
  ConsumerGroupCurrentMemberAssignmentRecord,
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupTargetAssignmentMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupStatePartitionMetadataRecord,
  ConsumerGroupRegularExpressionRecord,
]

/** Reads and writes `__consumer_offsets`. */
export const groupRecordCodec = new CoordinatorRecordCodec(GROUP_RECORDS)
