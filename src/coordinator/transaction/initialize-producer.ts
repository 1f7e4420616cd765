/**
 * InitProducerId of a transactional id, as a decision: what is known of the id before, what is
 * asked, and what is known afterwards.
 *
 * Each call raises the epoch, which fences older instances of the producer. One that says what id
 * and epoch it has (KIP-360) goes on only if that is the newest, or the one before and the answer
 * to its last call was lost. When the epochs of a producer id are used up it gets another.
 */
import { KafkaError } from '../../common/errors.ts'
import { TopicPartitionSet } from './topic-partition-set.ts'
import {
  fence,
  isEpochExhausted,
  isPrepared,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type ProducerIdAndEpoch,
  type TransactionMetadata,
} from './transaction-metadata.ts'

export interface InitializeRequest {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer has already. */
  readonly expected: ProducerIdAndEpoch | undefined
}

export interface InitializeDecision {
  /** In state Empty, or, where a transaction was open, PrepareAbort: then the caller must wait. */
  readonly next: TransactionMetadata
  /** The epoch with which the same call may be repeated; -1 if none. */
  readonly previousEpoch: number
}

/** Throws KafkaError: PRODUCER_FENCED, CONCURRENT_TRANSACTIONS. */
export function initializeProducer(
  current: TransactionMetadata | undefined,
  /** That of the last decision, -1 where it is not known. */
  previousEpoch: number,
  request: InitializeRequest,
  nowMs: number,
  newProducerId: () => number,
): InitializeDecision {
  const { expected } = request
  if (current === undefined) {
    const producer = { producerId: newProducerId(), producerEpoch: 0 }
    const next = emptied(request, producer, NO_PRODUCER_ID, nowMs)
    return { next, previousEpoch: NO_PRODUCER_EPOCH }
  }
  if (expected !== undefined) checkProducerId(current, expected)
  if (isPrepared(current)) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  if (current.state === 'Ongoing') {
    return { next: fence(current, nowMs), previousEpoch: NO_PRODUCER_EPOCH }
  }
  const { producerId, producerEpoch } = current
  const become = (producer: ProducerIdAndEpoch) => emptied(request, producer, producerId, nowMs)
  if (expected !== undefined && expected.producerEpoch !== producerEpoch) {
    if (expected.producerEpoch !== previousEpoch) {
      throw new KafkaError('PRODUCER_FENCED')
    }
    return { next: become({ producerId, producerEpoch }), previousEpoch }
  }
  const next = isEpochExhausted(producerEpoch)
    ? become({ producerId: newProducerId(), producerEpoch: 0 })
    : become({ producerId, producerEpoch: producerEpoch + 1 })
  return { next, previousEpoch: expected === undefined ? NO_PRODUCER_EPOCH : producerEpoch }
}

/** The id may be the one before where its epochs were used up: the answer may have been lost. */
function checkProducerId(current: TransactionMetadata, expected: ProducerIdAndEpoch): void {
  const { producerId, producerEpoch } = expected
  if (producerId === current.producerId) return
  if (producerId === current.previousProducerId && isEpochExhausted(producerEpoch)) return
  throw new KafkaError('PRODUCER_FENCED')
}

function emptied(
  { transactionalId, timeoutMs }: InitializeRequest,
  producer: ProducerIdAndEpoch,
  previousProducerId: number,
  nowMs: number,
): TransactionMetadata {
  return {
    ...{ transactionalId, timeoutMs, ...producer, previousProducerId },
    nextProducerId: NO_PRODUCER_ID,
    state: 'Empty',
    partitions: TopicPartitionSet.EMPTY,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion: 0,
  }
}
