/** Share groups (KIP-932). */
import { ShareAcknowledge } from '../../../src/protocol/messages/share-acknowledge.ts'
import { ShareFetch } from '../../../src/protocol/messages/share-fetch.ts'
import { ShareGroupDescribe } from '../../../src/protocol/messages/share-group-describe.ts'
import { ShareGroupHeartbeat } from '../../../src/protocol/messages/share-group-heartbeat.ts'
import { ask, strangerId } from './case.ts'

export const shareGroupCases = [
  ask(
    'no group id',
    ShareGroupHeartbeat,
    1,
    () => ({
      groupId: '',
      memberId: strangerId,
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
      memberId: strangerId,
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
      memberId: strangerId,
      memberEpoch: -2,
      subscribedTopicNames: ['orders'],
    }),
    'INVALID_REQUEST',
  ),
  ask(
    'a group that there is not',
    ShareGroupHeartbeat,
    1,
    () => ({ groupId: 'none', memberId: strangerId, memberEpoch: 4 }),
    'GROUP_ID_NOT_FOUND',
  ),
  ask(
    'a group of another kind',
    ShareGroupHeartbeat,
    1,
    ({ live }) => ({
      groupId: live.groupId,
      memberId: strangerId,
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
      memberId: strangerId,
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
      memberId: strangerId,
      shareSessionEpoch: 5,
      topics: [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
    }),
    'SHARE_SESSION_NOT_FOUND',
  ),
]
