/**
 * DescribeShareGroupOffsets tells from which offset on share groups have records to deliver
 * (KIP-932).
 *
 * 1 adds the lag (KIP-1226).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const DescribeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: '0-1',
  flexible: '0+',
  request: {
    groups: array({
      groupId: string(),
      /** Null: all that the group has. */
      topics: array({ topicName: string(), partitions: array(int32()) }, { nullable: '0+' }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    groups: array({
      groupId: string(),
      topics: array({
        topicName: string(),
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
          /** -1: the group has not begun with the partition. */
          startOffset: int64(),
          leaderEpoch: int32(),
          /** -1: unknown. */
          lag: int64({ versions: '1+', default: -1, ignorable: true }),
          errorCode: int16(),
          errorMessage: string({ nullable: '0+', default: null }),
        }),
      }),
      errorCode: int16(),
      errorMessage: string({ nullable: '0+', default: null }),
    }),
  },
})

export interface DescribeShareGroupOffsetsRequest
  extends RequestOf<typeof DescribeShareGroupOffsets> {}
export interface DescribeShareGroupOffsetsResponse
  extends ResponseOf<typeof DescribeShareGroupOffsets> {}
