/** Transactions. */
import { AddOffsetsToTxn } from '../../../src/protocol/messages/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../../../src/protocol/messages/add-partitions-to-txn.ts'
import { DescribeProducers } from '../../../src/protocol/messages/describe-producers.ts'
import { DescribeTransactions } from '../../../src/protocol/messages/describe-transactions.ts'
import { EndTxn } from '../../../src/protocol/messages/end-txn.ts'
import { InitProducerId } from '../../../src/protocol/messages/init-producer-id.ts'
import { TxnOffsetCommit } from '../../../src/protocol/messages/txn-offset-commit.ts'
import { ask, offsetIn } from './case.ts'

const nobody = { transactionalId: 'nobody', producerId: 4711, producerEpoch: 0 }

export const transactionCases = [
  ask(
    'an empty transactional id',
    InitProducerId,
    5,
    () => ({ transactionalId: '', transactionTimeoutMs: 1000 }),
    'INVALID_REQUEST',
  ),
  ask(
    'a timeout too long',
    InitProducerId,
    5,
    () => ({ transactionalId: 'x', transactionTimeoutMs: 2 ** 31 - 1 }),
    'INVALID_TRANSACTION_TIMEOUT',
  ),
  ask(
    'no timeout',
    InitProducerId,
    5,
    () => ({ transactionalId: 'x', transactionTimeoutMs: 0 }),
    'INVALID_TRANSACTION_TIMEOUT',
  ),
  ask(
    'an id without its epoch',
    InitProducerId,
    5,
    () => ({ transactionalId: 'x', transactionTimeoutMs: 1000, producerId: 5 }),
    'INVALID_REQUEST',
  ),
  ask(
    'another epoch',
    InitProducerId,
    5,
    ({ producer }) => ({ ...producer, transactionTimeoutMs: 1000, producerEpoch: 77 }),
    'PRODUCER_FENCED',
  ),
  ask(
    'another epoch',
    InitProducerId,
    3,
    ({ producer }) => ({ ...producer, transactionTimeoutMs: 1000, producerEpoch: 77 }),
    'INVALID_PRODUCER_EPOCH',
  ),
  ask(
    'an id that there is not',
    AddPartitionsToTxn,
    3,
    ({ topic }) => ({
      v3AndBelowTransactionalId: 'nobody',
      v3AndBelowProducerId: 4711,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
    }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'a partition that there is not',
    AddPartitionsToTxn,
    3,
    ({ topic, producer }) => ({
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [0, 7] }],
    }),
    'OPERATION_NOT_ATTEMPTED',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
  ask(
    'another epoch',
    AddPartitionsToTxn,
    3,
    ({ topic, producer }) => ({
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: 77,
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
    }),
    'PRODUCER_FENCED',
  ),
  ask(
    'an id that there is not',
    AddOffsetsToTxn,
    3,
    () => ({ ...nobody, groupId: 'g' }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'another producer id',
    AddOffsetsToTxn,
    3,
    ({ producer }) => ({ ...producer, producerId: 4711, groupId: 'g' }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'an id that there is not',
    EndTxn,
    3,
    () => ({ ...nobody, committed: true }),
    'INVALID_PRODUCER_ID_MAPPING',
  ),
  ask(
    'nothing to end',
    EndTxn,
    3,
    ({ producer }) => ({ ...producer, committed: true }),
    'INVALID_TXN_STATE',
  ),
  ask(
    'another epoch',
    EndTxn,
    3,
    ({ producer }) => ({ ...producer, producerEpoch: 77, committed: true }),
    'PRODUCER_FENCED',
  ),
  ask(
    'another epoch',
    EndTxn,
    1,
    ({ producer }) => ({ ...producer, producerEpoch: 77, committed: true }),
    'INVALID_PRODUCER_EPOCH',
  ),
  ask(
    'without a transaction',
    TxnOffsetCommit,
    3,
    ({ topic, producer }) => ({
      ...producer,
      groupId: 'none',
      generationId: 3,
      memberId: 'x',
      topics: offsetIn(topic),
    }),
    'INVALID_TXN_STATE',
  ),
  ask(
    'ids that there are not',
    DescribeTransactions,
    0,
    () => ({ transactionalIds: ['nobody'] }),
    'TRANSACTIONAL_ID_NOT_FOUND',
  ),
  ask(
    'a partition that there is not',
    DescribeProducers,
    0,
    ({ topic }) => ({ topics: [{ name: topic, partitionIndexes: [0, 7] }] }),
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ),
]
