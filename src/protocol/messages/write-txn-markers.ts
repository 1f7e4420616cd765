/**
 * WriteTxnMarkers goes from a transaction's coordinator to the leaders of its partitions, which
 * append the control batch that commits or aborts it there (KIP-98).
 *
 * 2 adds the transaction version (KIP-1228).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, int64, string } from '../schema.ts'

export const WriteTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '1-2',
  flexible: '1+',
  request: {
    markers: array({
      producerId: int64(),
      producerEpoch: int16(),
      /** True: commit. */
      transactionResult: bool(),
      topics: array({ name: string(), partitionIndexes: array(int32()) }),
      coordinatorEpoch: int32(),
      transactionVersion: int8({ versions: '2+', default: 0, ignorable: true }),
    }),
  },
  response: {
    markers: array({
      producerId: int64(),
      topics: array({
        name: string(),
        partitions: array({ partitionIndex: int32(), errorCode: int16() }),
      }),
    }),
  },
})

export interface WriteTxnMarkersRequest extends RequestOf<typeof WriteTxnMarkers> {}
export interface WriteTxnMarkersResponse extends ResponseOf<typeof WriteTxnMarkers> {}
