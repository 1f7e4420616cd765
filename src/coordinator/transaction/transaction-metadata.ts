/**
 * What is known of one transactional id: its producer, and the transaction that this has open or
 * had last. A value that is never changed; each change is a new one, and is what the next record in
 * `__transaction_state` says.
 *
 * ```
 *             AddPartitionsToTxn           EndTxn              all markers written
 *   Empty ────────────────────────► Ongoing ─────► PrepareCommit ─────► CompleteCommit ─┐
 *     ▲                             ▲  └─────────► PrepareAbort ──────► CompleteAbort ──┤
 *     │ InitProducerId              └───────────────────────────────────────────────────┤
 *     └─────────────────────────────────────────────────────────────────────────────────┘
 * ```
 * From Prepare… on the outcome is decided, whatever happens. Of Kafka's states, Dead is a value
 * that is being removed, and PrepareEpochFence one that is about to be PrepareAbort; neither is
 * ever recorded.
 */
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts'
import { TopicPartitionSet } from './topic-partition-set.ts'
import { TransactionLogRecord } from './transaction-records.ts'

/** By the number that stands for it in a record. */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

/** As tools show it. */
export type TransactionState = (typeof TRANSACTION_STATES)[number]

export interface ProducerIdAndEpoch {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface TransactionMetadata extends ProducerIdAndEpoch {
  readonly transactionalId: string
  /** The producer id before this one, -1 if there was none. */
  readonly previousProducerId: number
  /** The producer id to go on with once the transaction has ended; -1: the same. */
  readonly nextProducerId: number
  readonly timeoutMs: number
  readonly state: TransactionState
  /** Those of the open transaction. */
  readonly partitions: TopicPartitionSet
  /** When the transaction began, in milliseconds since the Unix epoch; -1 if none has. */
  readonly startTimestampMs: number
  readonly lastUpdateTimestampMs: number
  /** 2: each transaction ends with a raised epoch (KIP-890). */
  readonly clientTransactionVersion: number
}

export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
/** Transactions v2 (KIP-890): what a client that speaks it says, and this broker does by itself. */
export const TRANSACTION_V2 = 2
export const MAX_PRODUCER_EPOCH = 0x7fff

/** No client gets the last epoch, so that the coordinator can always fence it with one more. */
export function isEpochExhausted(producerEpoch: number): boolean {
  return producerEpoch >= MAX_PRODUCER_EPOCH - 1
}

/** Whether the outcome is decided and the markers are on their way. */
export function isPrepared({ state }: TransactionMetadata): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** With more partitions, as of AddPartitionsToTxn; begins a transaction where none is open. */
export function withPartitions(
  current: TransactionMetadata,
  partitions: Iterable<{ topic: string; partitionIndex: number }>,
  clientTransactionVersion: number,
  nowMs: number,
): TransactionMetadata {
  const isOngoing = current.state === 'Ongoing'
  return {
    ...current,
    state: 'Ongoing',
    partitions: current.partitions.with(partitions),
    startTimestampMs: isOngoing ? current.startTimestampMs : nowMs,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion,
  }
}

/**
 * Decides that an open transaction is aborted, with a raised epoch: by the markers, the partitions
 * refuse the producer that left it open. The epoch is given to nobody.
 */
export function fence(current: TransactionMetadata, nowMs: number): TransactionMetadata {
  return {
    ...current,
    state: 'PrepareAbort',
    producerEpoch: current.producerEpoch + 1,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion: TRANSACTION_V2,
  }
}

/** Once all markers are written. */
export function complete(current: TransactionMetadata, nowMs: number): TransactionMetadata {
  return {
    ...current,
    ...nextProducer(current),
    previousProducerId: current.producerId,
    nextProducerId: NO_PRODUCER_ID,
    state: current.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    partitions: TopicPartitionSet.EMPTY,
    lastUpdateTimestampMs: nowMs,
  }
}

/** With what the producer goes on after the transaction. */
export function nextProducer(current: TransactionMetadata): ProducerIdAndEpoch {
  const { producerId, producerEpoch, nextProducerId } = current
  if (nextProducerId === NO_PRODUCER_ID) return { producerId, producerEpoch }
  return { producerId: nextProducerId, producerEpoch: 0 }
}

/** The record that makes `metadata` what is known. */
export function recordOf(metadata: TransactionMetadata): CoordinatorRecord {
  const { transactionalId, partitions, state } = metadata
  return TransactionLogRecord.of(
    { transactionalId },
    {
      producerId: metadata.producerId,
      previousProducerId: metadata.previousProducerId,
      nextProducerId: metadata.nextProducerId,
      producerEpoch: metadata.producerEpoch,
      transactionTimeoutMs: metadata.timeoutMs,
      transactionStatus: TRANSACTION_STATES.indexOf(state),
      transactionPartitions: state === 'Empty' ? null : partitions.byTopic(),
      transactionLastUpdateTimestampMs: metadata.lastUpdateTimestampMs,
      transactionStartTimestampMs: metadata.startTimestampMs,
      clientTransactionVersion: metadata.clientTransactionVersion,
    },
  )
}

/** The record that forgets a transactional id. */
export function tombstoneOf(transactionalId: string): CoordinatorRecord {
  return TransactionLogRecord.of({ transactionalId }, null)
}

/** What a record says: undefined for one that forgets the id. */
export function readTransactionRecord(
  record: CoordinatorRecord,
): { transactionalId: string; metadata: TransactionMetadata | undefined } | undefined {
  if (!TransactionLogRecord.is(record)) return undefined
  const { transactionalId } = record.key
  const { value } = record
  const state = value === null ? undefined : TRANSACTION_STATES[value.transactionStatus]
  if (value === null || state === undefined) return { transactionalId, metadata: undefined }
  const partitions = (value.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map((partitionIndex) => ({ topic, partitionIndex })),
  )
  const metadata: TransactionMetadata = {
    transactionalId,
    producerId: value.producerId,
    producerEpoch: value.producerEpoch,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions: TopicPartitionSet.of(partitions),
    startTimestampMs: value.transactionStartTimestampMs,
    lastUpdateTimestampMs: value.transactionLastUpdateTimestampMs,
    clientTransactionVersion: value.clientTransactionVersion,
  }
  return { transactionalId, metadata }
}
