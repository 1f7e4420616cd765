/**
 * Requests to the coordinators that ask for what cannot be, and the errors that Apache Kafka 4.2
 * answers them with: `hostile-groups.test.ts` holds Samsa, or with `--target kafka` Kafka itself, to
 * them.
 */
import { errorName } from '../../../src/common/errors.ts'
import { AddOffsetsToTxn } from '../../../src/protocol/messages/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../../../src/protocol/messages/add-partitions-to-txn.ts'
import { ConsumerGroupDescribe } from '../../../src/protocol/messages/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { DeleteGroups } from '../../../src/protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../../../src/protocol/messages/describe-groups.ts'
import { DescribeProducers } from '../../../src/protocol/messages/describe-producers.ts'
import { DescribeTransactions } from '../../../src/protocol/messages/describe-transactions.ts'
import { EndTxn } from '../../../src/protocol/messages/end-txn.ts'
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts'
import { Heartbeat } from '../../../src/protocol/messages/heartbeat.ts'
import { InitProducerId } from '../../../src/protocol/messages/init-producer-id.ts'
import { JoinGroup } from '../../../src/protocol/messages/join-group.ts'
import { LeaveGroup } from '../../../src/protocol/messages/leave-group.ts'
import { ListGroups } from '../../../src/protocol/messages/list-groups.ts'
import { OffsetCommit } from '../../../src/protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../../../src/protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../../../src/protocol/messages/offset-fetch.ts'
import { ShareAcknowledge } from '../../../src/protocol/messages/share-acknowledge.ts'
import { ShareFetch } from '../../../src/protocol/messages/share-fetch.ts'
import { ShareGroupDescribe } from '../../../src/protocol/messages/share-group-describe.ts'
import { ShareGroupHeartbeat } from '../../../src/protocol/messages/share-group-heartbeat.ts'
import { SyncGroup } from '../../../src/protocol/messages/sync-group.ts'
import { TxnOffsetCommit } from '../../../src/protocol/messages/txn-offset-commit.ts'
import {
  type Api,
  type Fields,
  includesVersion,
  type RequestInput,
} from '../../../src/protocol/schema.ts'

/** What the cases find on the broker. */
export interface Scene {
  /** A topic with two partitions, and its id. */
  readonly topic: string
  readonly topicId: string
  /** A classic group with one member, in its first generation, that reads the topic. */
  readonly live: {
    readonly groupId: string
    readonly memberId: string
    readonly generationId: number
  }
  /** A consumer group with one member. */
  readonly modern: { readonly groupId: string; readonly memberId: string; readonly epoch: number }
  /** A transactional producer. */
  readonly producer: {
    readonly transactionalId: string
    readonly producerId: number
    readonly producerEpoch: number
  }
}

export interface GroupCase {
  readonly name: string
  readonly api: Api
  readonly version: number
  readonly request: (scene: Scene) => unknown
  /** The names of all error codes in the response, in any order. */
  readonly expected: readonly string[]
}

function ask<A extends Api>(
  name: string,
  api: A,
  version: number,
  request: (scene: Scene) => RequestInput<A>,
  ...expected: string[]
): GroupCase {
  return { name: `${api.name} ${version}: ${name}`, api, version, request, expected }
}

/** Every error code that a response has in its version, by name. */
export function errorsIn(api: Api, version: number, response: unknown): string[] {
  return errorsOf(api.response.fields, version, response)
}

function errorsOf(fields: Fields, version: number, value: unknown): string[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    const member = (value as Record<string, unknown>)[key]
    if (!includesVersion(field.versions, version) || member === null) return []
    if (/errorCode$/i.test(key)) return [errorName(member as number)]
    if (field.fields !== undefined) return errorsOf(field.fields, version, member)
    const ofElements = field.element?.fields
    if (ofElements === undefined) return []
    return (member as unknown[]).flatMap((element) => errorsOf(ofElements, version, element))
  })
}

const metadata = Buffer.from('00000000000100066f7264657273ffffffff', 'hex')
const noId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const range = [{ name: 'range', metadata }]
const joining = {
  groupId: 'new',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: range,
}
const syncing = { protocolType: 'consumer', protocolName: 'range', assignments: [] }
const offset = { committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }
const modernJoin = {
  groupId: 'fresh',
  memberId: 'mIPzQ5rVT0mM3QfGg2QjcA',
  memberEpoch: 0,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames: ['orders'],
  topicPartitions: [],
}
const nobody = { transactionalId: 'nobody', producerId: 4711, producerEpoch: 0 }

const finding = [
  ask(
    'a key type that there is not',
    FindCoordinator,
    4,
    () => ({ keyType: 9, coordinatorKeys: ['a'] }),
    'INVALID_REQUEST',
  ),
  ask(
    'a share partition named wrongly',
    FindCoordinator,
    6,
    () => ({ keyType: 2, coordinatorKeys: ['a'] }),
    'INVALID_REQUEST',
  ),
]

const classic = [
  ask('no group id', JoinGroup, 9, () => ({ ...joining, groupId: '' }), 'INVALID_GROUP_ID'),
  ask(
    'a session too short',
    JoinGroup,
    9,
    () => ({ ...joining, sessionTimeoutMs: 1 }),
    'INVALID_SESSION_TIMEOUT',
  ),
  ask(
    'a session too long',
    JoinGroup,
    9,
    () => ({ ...joining, sessionTimeoutMs: 2 ** 31 - 1 }),
    'INVALID_SESSION_TIMEOUT',
  ),
  ask(
    'a member that nobody knows',
    JoinGroup,
    9,
    () => ({ ...joining, memberId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'no protocols',
    JoinGroup,
    9,
    () => ({ ...joining, protocols: [] }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'no protocol type',
    JoinGroup,
    9,
    () => ({ ...joining, protocolType: '' }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'another protocol than the others',
    JoinGroup,
    9,
    ({ live }) => ({ ...joining, groupId: live.groupId, protocols: [{ name: 'other', metadata }] }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'another protocol type',
    JoinGroup,
    5,
    ({ live }) => ({ ...joining, groupId: live.groupId, protocolType: 'connect' }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'no group id',
    SyncGroup,
    5,
    () => ({ groupId: '', generationId: 1, memberId: 'x', ...syncing }),
    'INVALID_GROUP_ID',
  ),
  ask(
    'a group that there is not',
    SyncGroup,
    5,
    () => ({ groupId: 'none', generationId: 1, memberId: 'x', ...syncing }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a member that nobody knows',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, memberId: 'x', ...syncing }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a generation to come',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, generationId: 99, ...syncing }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'without the protocol',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, assignments: [] }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'another protocol',
    SyncGroup,
    5,
    ({ live }) => ({ ...live, ...syncing, protocolName: 'other' }),
    'INCONSISTENT_GROUP_PROTOCOL',
  ),
  ask(
    'no group id',
    Heartbeat,
    4,
    () => ({ groupId: '', generationId: 1, memberId: 'x' }),
    'INVALID_GROUP_ID',
  ),
  ask(
    'a group that there is not',
    Heartbeat,
    4,
    () => ({ groupId: 'none', generationId: 1, memberId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'an old generation',
    Heartbeat,
    4,
    ({ live }) => ({ ...live, generationId: 0 }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'an instance that nobody knows',
    Heartbeat,
    4,
    ({ live }) => ({ ...live, groupInstanceId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a group that there is not',
    LeaveGroup,
    5,
    () => ({ groupId: 'none', members: [{ memberId: 'x' }] }),
    'NONE',
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a member that nobody knows',
    LeaveGroup,
    1,
    ({ live }) => ({ groupId: live.groupId, memberId: 'x' }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'members that nobody knows',
    LeaveGroup,
    5,
    ({ live }) => ({
      groupId: live.groupId,
      members: [{ memberId: 'x' }, { memberId: '', groupInstanceId: 'y' }],
    }),
    'NONE',
    'UNKNOWN_MEMBER_ID',
    'UNKNOWN_MEMBER_ID',
  ),
]

const offsets = [
  ask(
    'a topic that there is not',
    OffsetCommit,
    8,
    () => ({
      groupId: 'simple',
      memberId: '',
      topics: [{ name: 'none', partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
  ask(
    'a partition that there is not',
    OffsetCommit,
    8,
    ({ topic }) => ({
      groupId: 'simple',
      memberId: '',
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 2, ...offset },
            { partitionIndex: -1, ...offset },
          ],
        },
      ],
    }),
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
  ask(
    'a topic id that there is not',
    OffsetCommit,
    10,
    () => ({
      groupId: 'simple',
      memberId: '',
      topics: [{ topicId: noId, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'UNKNOWN_TOPIC_ID',
  ),
  ask(
    'far too much metadata',
    OffsetCommit,
    8,
    ({ topic }) => ({
      groupId: 'simple',
      memberId: '',
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 0, ...offset, committedMetadata: 'x'.repeat(4097) },
            { partitionIndex: 1, ...offset, committedMetadata: 'x'.repeat(4096) },
          ],
        },
      ],
    }),
    'OFFSET_METADATA_TOO_LARGE',
    'NONE',
  ),
  ask(
    'a generation of no group',
    OffsetCommit,
    8,
    ({ topic }) => ({
      groupId: 'none',
      memberId: 'x',
      generationIdOrMemberEpoch: 3,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'a generation of no group',
    OffsetCommit,
    9,
    ({ topic }) => ({
      groupId: 'none',
      memberId: 'x',
      generationIdOrMemberEpoch: 3,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'an old generation',
    OffsetCommit,
    8,
    ({ topic, live }) => ({
      groupId: live.groupId,
      memberId: live.memberId,
      generationIdOrMemberEpoch: 0,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'ILLEGAL_GENERATION',
  ),
  ask(
    'from outside into a group at work',
    OffsetCommit,
    8,
    ({ topic, live }) => ({
      groupId: live.groupId,
      memberId: '',
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'an old member epoch',
    OffsetCommit,
    9,
    ({ topic, modern }) => ({
      groupId: modern.groupId,
      memberId: modern.memberId,
      generationIdOrMemberEpoch: modern.epoch - 1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'STALE_MEMBER_EPOCH',
  ),
  ask(
    'a member epoch to come',
    OffsetCommit,
    9,
    ({ topic, modern }) => ({
      groupId: modern.groupId,
      memberId: modern.memberId,
      generationIdOrMemberEpoch: 99,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'STALE_MEMBER_EPOCH',
  ),
  ask(
    'a consumer group, by a version from before',
    OffsetCommit,
    8,
    ({ topic, modern }) => ({
      groupId: modern.groupId,
      memberId: modern.memberId,
      generationIdOrMemberEpoch: modern.epoch,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'UNSUPPORTED_VERSION',
  ),
  ask(
    'a group that there is not',
    OffsetFetch,
    8,
    ({ topic }) => ({
      groups: [{ groupId: 'none', topics: [{ name: topic, partitionIndexes: [0, 7] }] }],
    }),
    'NONE',
    'NONE',
    'NONE',
  ),
  ask('no topics', OffsetFetch, 8, () => ({ groups: [{ groupId: 'none', topics: [] }] }), 'NONE'),
  ask(
    'a topic id that there is not',
    OffsetFetch,
    10,
    ({ live }) => ({
      groups: [{ groupId: live.groupId, topics: [{ topicId: noId, partitionIndexes: [0] }] }],
    }),
    'NONE',
    'UNKNOWN_TOPIC_ID',
  ),
  ask(
    'an old member epoch',
    OffsetFetch,
    9,
    ({ topic, modern }) => ({
      groups: [
        {
          groupId: modern.groupId,
          memberId: modern.memberId,
          memberEpoch: 99,
          topics: [{ name: topic, partitionIndexes: [0] }],
        },
      ],
    }),
    'STALE_MEMBER_EPOCH',
  ),
  ask(
    'a member that nobody knows',
    OffsetFetch,
    9,
    ({ topic, modern }) => ({
      groups: [
        {
          groupId: modern.groupId,
          memberId: 'x',
          memberEpoch: 1,
          topics: [{ name: topic, partitionIndexes: [0] }],
        },
      ],
    }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a group that there is not',
    OffsetDelete,
    0,
    ({ topic }) => ({
      groupId: 'none',
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
    }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a topic that members read',
    OffsetDelete,
    0,
    ({ topic, live }) => ({
      groupId: live.groupId,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
    }),
    'NONE',
    'GROUP_SUBSCRIBED_TO_TOPIC',
  ),
  ask('no group id', OffsetDelete, 0, () => ({ groupId: '', topics: [] }), 'INVALID_GROUP_ID'),
]

const administration = [
  ask('a group that there is not', DescribeGroups, 5, () => ({ groups: ['none'] }), 'NONE'),
  ask(
    'a group that there is not',
    DescribeGroups,
    6,
    () => ({ groups: ['none'] }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a group of another kind',
    DescribeGroups,
    6,
    ({ modern }) => ({ groups: [modern.groupId] }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask('no group id', DescribeGroups, 6, () => ({ groups: [''] }), 'GROUP_ID_NOT_FOUND'),
  ask(
    'states and types that there are not',
    ListGroups,
    5,
    () => ({ statesFilter: ['Nowhere'], typesFilter: ['none'] }),
    'NONE',
  ),
  ask(
    'groups at work, unknown, without a name',
    DeleteGroups,
    2,
    ({ live, modern }) => ({ groupsNames: [live.groupId, modern.groupId, 'none', ''] }),
    'NON_EMPTY_GROUP',
    'NON_EMPTY_GROUP',
    'GROUP_ID_NOT_FOUND',
    'GROUP_ID_NOT_FOUND',
  ),
]

const modern = [
  ask(
    'no group id',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, groupId: '' }),
    'INVALID_REQUEST',
  ),
  ask(
    'no member id',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, memberId: '' }),
    'INVALID_REQUEST',
  ),
  ask(
    'joining with nothing to read',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, subscribedTopicNames: null }),
    'INVALID_REQUEST',
  ),
  ask(
    'joining without a rebalance timeout',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, rebalanceTimeoutMs: -1 }),
    'INVALID_REQUEST',
  ),
  ask(
    'joining with partitions',
    ConsumerGroupHeartbeat,
    1,
    ({ topicId }) => ({ ...modernJoin, topicPartitions: [{ topicId, partitions: [0] }] }),
    'INVALID_REQUEST',
  ),
  ask(
    'an epoch that cannot be',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, memberEpoch: -3 }),
    'INVALID_REQUEST',
  ),
  ask(
    'a static leave without an instance',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, memberEpoch: -2 }),
    'INVALID_REQUEST',
  ),
  ask(
    'an assignor that there is not',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, serverAssignor: 'x' }),
    'UNSUPPORTED_ASSIGNOR',
  ),
  ask(
    'a regular expression that is none',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, subscribedTopicNames: null, subscribedTopicRegex: '(' }),
    'INVALID_REGULAR_EXPRESSION',
  ),
  ask(
    'a group that there is not',
    ConsumerGroupHeartbeat,
    1,
    () => ({ ...modernJoin, groupId: 'none', memberEpoch: 5 }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a member that nobody knows',
    ConsumerGroupHeartbeat,
    1,
    ({ modern: { groupId } }) => ({ ...modernJoin, groupId, memberEpoch: 1 }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'an epoch to come',
    ConsumerGroupHeartbeat,
    1,
    ({ modern: { groupId, memberId, epoch } }) => ({ groupId, memberId, memberEpoch: epoch + 7 }),
    'FENCED_MEMBER_EPOCH',
  ),
  ask(
    'an instance that nobody knows',
    ConsumerGroupHeartbeat,
    1,
    ({ modern: { groupId, epoch } }) => ({
      groupId,
      memberId: 'x',
      instanceId: 'y',
      memberEpoch: epoch,
    }),
    'UNKNOWN_MEMBER_ID',
  ),
  ask(
    'a classic group at work',
    ConsumerGroupHeartbeat,
    1,
    ({ live: { groupId } }) => ({ groupId, memberId: 'x', memberEpoch: 3 }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'groups that there are not',
    ConsumerGroupDescribe,
    1,
    ({ live }) => ({ groupIds: ['none', live.groupId, ''], includeAuthorizedOperations: false }),
    'GROUP_ID_NOT_FOUND',
    'GROUP_ID_NOT_FOUND',
    'INVALID_GROUP_ID',
  ),
]

const transactions = [
  ask(
    'an empty transactional id',
    InitProducerId,
    5,
    () => ({ transactionalId: '', transactionTimeoutMs: 1000 }),
    'INVALID_REQUEST',
  ),
  ask(
    'a timeout too long',
    InitProducerId,
    5,
    () => ({ transactionalId: 'x', transactionTimeoutMs: 2 ** 31 - 1 }),
    'INVALID_TRANSACTION_TIMEOUT',
  ),
  ask(
    'no timeout',
    InitProducerId,
    5,
    () => ({ transactionalId: 'x', transactionTimeoutMs: 0 }),
    'INVALID_TRANSACTION_TIMEOUT',
  ),
  ask(
    'an id without its epoch',
    InitProducerId,
    5,
    () => ({ transactionalId: 'x', transactionTimeoutMs: 1000, producerId: 5 }),
    'INVALID_REQUEST',
  ),
  ask(
    'another epoch',
    InitProducerId,
    5,
    ({ producer }) => ({ ...producer, transactionTimeoutMs: 1000, producerEpoch: 77 }),
    'PRODUCER_FENCED',
  ),
  ask(
    'another epoch',
    InitProducerId,
    3,
    ({ producer }) => ({ ...producer, transactionTimeoutMs: 1000, producerEpoch: 77 }),
    'INVALID_PRODUCER_EPOCH',
  ),
  ask(
    'an id that there is not',
    AddPartitionsToTxn,
    3,
    ({ topic }) => ({
      v3AndBelowTransactionalId: 'nobody',
      v3AndBelowProducerId: 4711,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
    }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'a partition that there is not',
    AddPartitionsToTxn,
    3,
    ({ topic, producer }) => ({
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [0, 7] }],
    }),
    'OPERATION_NOT_ATTEMPTED',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
  ask(
    'another epoch',
    AddPartitionsToTxn,
    3,
    ({ topic, producer }) => ({
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: 77,
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
    }),
    'PRODUCER_FENCED',
  ),
  ask(
    'an id that there is not',
    AddOffsetsToTxn,
    3,
    () => ({ ...nobody, groupId: 'g' }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'another producer id',
    AddOffsetsToTxn,
    3,
    ({ producer }) => ({ ...producer, producerId: 4711, groupId: 'g' }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'an id that there is not',
    EndTxn,
    3,
    () => ({ ...nobody, committed: true }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'nothing to end',
    EndTxn,
    3,
    ({ producer }) => ({ ...producer, committed: true }),
    'INVALID_TXN_STATE',
  ),
  ask(
    'another epoch',
    EndTxn,
    3,
    ({ producer }) => ({ ...producer, producerEpoch: 77, committed: true }),
    'PRODUCER_FENCED',
  ),
  ask(
    'another epoch',
    EndTxn,
    1,
    ({ producer }) => ({ ...producer, producerEpoch: 77, committed: true }),
    'INVALID_PRODUCER_EPOCH',
  ),
  ask(
    'without a transaction',
    TxnOffsetCommit,
    3,
    ({ topic, producer }) => ({
      ...producer,
      groupId: 'none',
      generationId: 3,
      memberId: 'x',
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, ...offset }] }],
    }),
    'INVALID_TXN_STATE',
  ),
  ask(
    'ids that there are not',
    DescribeTransactions,
    0,
    () => ({ transactionalIds: ['nobody'] }),
    'TRANSACTIONAL_ID_NOT_FOUND',
  ),
  ask(
    'a partition that there is not',
    DescribeProducers,
    0,
    ({ topic }) => ({ topics: [{ name: topic, partitionIndexes: [0, 7] }] }),
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
]

const share = [
  ask(
    'no group id',
    ShareGroupHeartbeat,
    1,
    () => ({
      groupId: '',
      memberId: modernJoin.memberId,
      memberEpoch: 0,
      subscribedTopicNames: ['orders'],
    }),
    'INVALID_REQUEST',
  ),
  ask(
    'no member id',
    ShareGroupHeartbeat,
    1,
    () => ({ groupId: 'queue', memberId: '', memberEpoch: 0, subscribedTopicNames: ['orders'] }),
    'INVALID_REQUEST',
  ),
  ask(
    'joining with nothing to read',
    ShareGroupHeartbeat,
    1,
    () => ({
      groupId: 'queue',
      memberId: modernJoin.memberId,
      memberEpoch: 0,
      subscribedTopicNames: null,
    }),
    'INVALID_REQUEST',
  ),
  ask(
    'an epoch that cannot be',
    ShareGroupHeartbeat,
    1,
    () => ({
      groupId: 'queue',
      memberId: modernJoin.memberId,
      memberEpoch: -2,
      subscribedTopicNames: ['orders'],
    }),
    'INVALID_REQUEST',
  ),
  ask(
    'a group that there is not',
    ShareGroupHeartbeat,
    1,
    () => ({ groupId: 'none', memberId: modernJoin.memberId, memberEpoch: 4 }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a group of another kind',
    ShareGroupHeartbeat,
    1,
    ({ live }) => ({
      groupId: live.groupId,
      memberId: modernJoin.memberId,
      memberEpoch: 0,
      subscribedTopicNames: ['orders'],
    }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'groups that there are not',
    ShareGroupDescribe,
    1,
    ({ live }) => ({ groupIds: ['none', live.groupId], includeAuthorizedOperations: false }),
    'GROUP_ID_NOT_FOUND',
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a session that there is not',
    ShareFetch,
    2,
    ({ topicId }) => ({
      groupId: 'queue',
      memberId: modernJoin.memberId,
      shareSessionEpoch: 5,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1000,
      maxRecords: 10,
      batchSize: 10,
      topics: [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
      forgottenTopicsData: [],
    }),
    'SHARE_SESSION_NOT_FOUND',
  ),
  ask(
    'a session that there is not',
    ShareAcknowledge,
    2,
    ({ topicId }) => ({
      groupId: 'queue',
      memberId: modernJoin.memberId,
      shareSessionEpoch: 5,
      topics: [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
    }),
    'SHARE_SESSION_NOT_FOUND',
  ),
]

export const groupCases: readonly GroupCase[] = [
  ...finding,
  ...classic,
  ...offsets,
  ...administration,
  ...modern,
  ...transactions,
  ...share,
]
