/**
 * ShareGroupHeartbeat is the whole membership protocol of share groups (KIP-932): joining (member
 * epoch 0), staying, leaving (-1), with the assignment in the answers.
 *
 * Null means "as before", in both directions. Members choose their ids. Version 0 was of the early
 * access in Kafka 4.0 and is no more.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts'

export const ShareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: '1',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: string({ nullable: '0+', default: null }),
    subscribedTopicNames: array(string(), { nullable: '0+', default: null }),
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

export interface ShareGroupHeartbeatRequest extends RequestOf<typeof ShareGroupHeartbeat> {}
export interface ShareGroupHeartbeatResponse extends ResponseOf<typeof ShareGroupHeartbeat> {}
