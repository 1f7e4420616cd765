/**
 * AddPartitionsToTxn makes partitions part of a producer's transaction before it writes to them
 * (KIP-98).
 *
 * To 3 it comes from clients, for one transaction; 4 and 5 go between brokers, for several, and may
 * just ask whether a partition is in a transaction (KIP-890).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

const topicResult = {
  name: string(),
  resultsByPartition: array({ partitionIndex: int32(), partitionErrorCode: int16() }),
}

export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactions: array(
      {
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool({ default: false }),
        topics: array({ name: string(), partitions: array(int32()) }),
      },
      { versions: '4+' },
    ),
    v3AndBelowTransactionalId: string({ versions: '0-3' }),
    v3AndBelowProducerId: int64({ versions: '0-3' }),
    v3AndBelowProducerEpoch: int16({ versions: '0-3' }),
    v3AndBelowTopics: array({ name: string(), partitions: array(int32()) }, { versions: '0-3' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '4+', ignorable: true }),
    resultsByTransaction: array(
      { transactionalId: string(), topicResults: array(topicResult) },
      { versions: '4+' },
    ),
    resultsByTopicV3AndBelow: array(topicResult, { versions: '0-3' }),
  },
})

export interface AddPartitionsToTxnRequest extends RequestOf<typeof AddPartitionsToTxn> {}
export interface AddPartitionsToTxnResponse extends ResponseOf<typeof AddPartitionsToTxn> {}
