/** Consumer groups (KIP-848). */
import { ConsumerGroupDescribe } from '../../../src/protocol/messages/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { ask, strangerId } from './case.ts'

const modernJoin = {
  groupId: 'fresh',
  memberId: strangerId,
  memberEpoch: 0,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames: ['orders'],
  topicPartitions: [],
}

export const consumerGroupCases = [
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
