/**
 * DescribeTopicPartitions describes topics in pages: a client with thousands of partitions asks
 * again from the cursor that the last answer ended with (KIP-966).
 *
 * An empty list of topics means all of them.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, string, struct, uuid } from '../schema.ts'

export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexible: '0+',
  request: {
    topics: array({ name: string() }),
    responsePartitionLimit: int32({ default: 2000 }),
    /** Where to start: the first topic and partition to be described. */
    cursor: struct(
      { topicName: string(), partitionIndex: int32() },
      { nullable: '0+', default: null },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: '0+' }),
      topicId: uuid(),
      isInternal: bool({ default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: array(int32(), { nullable: '0+', default: null }),
        lastKnownElr: array(int32(), { nullable: '0+', default: null }),
        offlineReplicas: array(int32()),
      }),
      topicAuthorizedOperations: int32({ default: -2147483648 }),
    }),
    nextCursor: struct(
      { topicName: string(), partitionIndex: int32() },
      { nullable: '0+', default: null },
    ),
  },
})

export interface DescribeTopicPartitionsRequest extends RequestOf<typeof DescribeTopicPartitions> {}
export interface DescribeTopicPartitionsResponse
  extends ResponseOf<typeof DescribeTopicPartitions> {}
