/**
 * DescribeProducers lists the producers that partitions' leaders know, so that transactions left
 * open can be found (KIP-664).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string } from '../schema.ts'

export const DescribeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: '0',
  flexible: '0+',
  request: {
    topics: array({ name: string(), partitionIndexes: array(int32()) }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          /** -1: none. */
          lastSequence: int32({ default: -1 }),
          /** In milliseconds since the epoch; -1: unknown. */
          lastTimestamp: int64({ default: -1 }),
          coordinatorEpoch: int32(),
          /** -1: no transaction is open. */
          currentTxnStartOffset: int64({ default: -1 }),
        }),
      }),
    }),
  },
})

export interface DescribeProducersRequest extends RequestOf<typeof DescribeProducers> {}
export interface DescribeProducersResponse extends ResponseOf<typeof DescribeProducers> {}
