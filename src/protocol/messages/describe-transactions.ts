/** DescribeTransactions describes the transactions of transactional ids (KIP-664). */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string } from '../schema.ts'

export const DescribeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: '0',
  flexible: '0+',
  request: {
    transactionalIds: array(string()),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      /** As in ListTransactions. */
      transactionState: string(),
      transactionTimeoutMs: int32(),
      /** In milliseconds since the epoch; -1: none is open. */
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      /** Where the transaction has records, and no marker yet. */
      topics: array({ topic: string(), partitions: array(int32()) }),
    }),
  },
})

export interface DescribeTransactionsRequest extends RequestOf<typeof DescribeTransactions> {}
export interface DescribeTransactionsResponse extends ResponseOf<typeof DescribeTransactions> {}
