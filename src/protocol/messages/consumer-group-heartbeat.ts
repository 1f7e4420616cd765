/**
 * ConsumerGroupHeartbeat is the whole membership protocol of the groups of KIP-848: joining (member
 * epoch 0), staying, leaving (-1; -2 for a static member that will be back), with the assignment in
 * the answers.
 *
 * Null means "as before", in both directions. 1 lets members subscribe by a regular expression that
 * the broker resolves, and has them choose their ids.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts'

export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: '0+', default: null }),
    rackId: string({ nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: '0+', default: null }),
    subscribedTopicRegex: string({ versions: '1+', nullable: '1+', default: null }),
    serverAssignor: string({ nullable: '0+', default: null }),
    /** What the member owns. */
    topicPartitions: array(
      { topicId: uuid(), partitions: array(int32()) },
      { nullable: '0+', default: null },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', default: null }),
    memberId: string({ nullable: '0+', default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct(
      { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
      { nullable: '0+', default: null },
    ),
  },
})

export interface ConsumerGroupHeartbeatRequest extends RequestOf<typeof ConsumerGroupHeartbeat> {}
export interface ConsumerGroupHeartbeatResponse extends ResponseOf<typeof ConsumerGroupHeartbeat> {}
