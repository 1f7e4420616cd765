/**
 * The records of `__transaction_state`, by which a transaction coordinator remembers its
 * transactional ids: one record for each, the last of which says in what state its transaction is.
 * A null value forgets the id (`transactional.id.expiration.ms`).
 *
 * The format is Kafka's own. 1 is flexible (KIP-915) and is what Kafka writes once the feature
 * `transaction.version` is at 1 or more: its tagged fields are those of transactions v2 (KIP-890).
 */
import { array, int8, int16, int32, int64, string } from '../../protocol/schema.ts'
import { CoordinatorRecordCodec, coordinatorRecord } from '../runtime/coordinator-record.ts'

/** A transactional id and its transaction. */
export const TransactionLogRecord = coordinatorRecord({
  type: 0,
  name: 'TransactionLog',
  key: { transactionalId: string() },
  value: {
    versions: '0-1',
    flexible: '1+',
    fields: {
      producerId: int64(),
      /** The producer id of the last transaction that ended, if it was another. */
      previousProducerId: int64({ versions: '1+', default: -1, tag: 0 }),
      /** The producer id to go on with when the epochs of this one are used up. */
      nextProducerId: int64({ versions: '1+', default: -1, tag: 1 }),
      producerEpoch: int16(),
      nextProducerEpoch: int16({ versions: '1+', default: -1, tag: 3 }),
      transactionTimeoutMs: int32(),
      /**
       * 0: Empty; 1: Ongoing; 2: PrepareCommit; 3: PrepareAbort; 4: CompleteCommit; 5:
       * CompleteAbort; 6: Dead; 7: PrepareEpochFence.
       */
      transactionStatus: int8(),
      /** Null in state Empty. */
      transactionPartitions: array(
        { topic: string(), partitionIds: array(int32()) },
        { nullable: '0+' },
      ),
      /** In milliseconds since the epoch, as is the next; -1: no transaction has begun. */
      transactionLastUpdateTimestampMs: int64(),
      transactionStartTimestampMs: int64(),
      /** 2: the client does transactions v2. */
      clientTransactionVersion: int16({ versions: '1+', default: 0, tag: 2 }),
    },
  },
})

/** Reads and writes `__transaction_state`. */
export const transactionRecordCodec = new CoordinatorRecordCodec([TransactionLogRecord])
