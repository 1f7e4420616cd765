/**
 * Asks the transaction coordinator about the first records of each transaction on each partition
 * before they are appended (KIP-890): whether the partition belongs to the transaction, or, for
 * clients of version 2, to make it so.
 *
 * While the coordinator is asked, later records of the same producer wait, so that they are
 * appended in the order in which they came. Records of a transaction that is open already, and such
 * without a transaction, are not held up.
 */
import { type Clock, sleep } from '../../common/clock.ts'
import { ErrorCode, errorName, KafkaError } from '../../common/errors.ts'
import type { TopicPartition } from '../../coordinator/transaction/topic-partition-set.ts'
import type { TransactionCoordinator } from '../../coordinator/transaction/transaction-coordinator.ts'
import { TRANSACTION_V2 } from '../../coordinator/transaction/transaction-metadata.ts'
import type { AppendEntry, ReplicaManager } from '../replica-manager.ts'
import {
  type TransactionalBatch,
  type TransactionGuard,
  transactionalBatchIn,
} from './transaction-guards.ts'

/**
 * What a client can be told, and wants to be done: `add` the partition to the transaction (v2);
 * hear that it should abort (`abortable`); or neither (`legacy`).
 */
export type TransactionSupport = 'add' | 'abortable' | 'legacy'

export interface VerificationOptions {
  readonly coordinator: Pick<TransactionCoordinator, 'addPartitions' | 'verifyPartitions'>
  readonly replicaManager: ReplicaManager
  readonly clock: Clock
  /** `add.partitions.to.txn.retry.backoff.ms` */
  readonly retryBackoffMs: () => number
  /** `add.partitions.to.txn.retry.backoff.max.ms` */
  readonly retryMaxMs: () => number
}

interface Transaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly support: TransactionSupport
}

interface Question {
  readonly partition: TopicPartition
  readonly guard: TransactionGuard
}

export class TransactionVerification {
  readonly #options: VerificationOptions
  /** The last of what waits, by producer id. */
  readonly #waiting = new Map<number, Promise<unknown>>()

  constructor(options: VerificationOptions) {
    this.#options = options
  }

  /**
   * Calls `append` with the entries and what was found out about them: at once where nothing must
   * be found out. Throws, or rejects with, INVALID_PRODUCER_ID_MAPPING where they are of several
   * producers.
   */
  appendVerified<R>(
    transactionalId: string,
    support: TransactionSupport,
    entries: readonly AppendEntry[],
    append: (entries: readonly AppendEntry[]) => R,
  ): R | Promise<R> {
    const batches = entries.map(({ records }) => transactionalBatchIn(records))
    const producer = producerOf(batches)
    if (producer === undefined) return append(entries)
    const transaction = { transactionalId, support, ...producer }
    const before = this.#waiting.get(producer.producerId)
    if (before === undefined) {
      const questions = this.#questions(transaction, entries, batches)
      if (questions.length === 0) return append(entries)
    }
    return this.#after(before, producer.producerId, async () => {
      // What was before may have opened the transaction by now.
      const questions = this.#questions(transaction, entries, batches)
      const answers = await this.#ask(transaction, questions)
      const refusals = answers.map((error) => error && asProduceError(error, support))
      return append(entries.map((entry) => withAnswer(entry, questions, refusals)))
    })
  }

  /**
   * Finds out about one partition to which a coordinator is about to write in a transaction.
   * Rejects with the KafkaError with which that is refused. The write must follow at once.
   */
  async verify(transaction: Transaction, partition: TopicPartition): Promise<void> {
    const { topic, partitionIndex } = partition
    const hosted = this.#options.replicaManager.partition(topic, partitionIndex)
    const batch = { ...transaction, baseSequence: -1 }
    const guard = hosted?.beginVerification(batch, false, this.#options.clock.now())
    if (hosted === undefined || guard === undefined) return
    const [answer] = await this.#ask(transaction, [{ partition, guard }])
    if (answer !== undefined) throw answer
    hosted.checkGuard(batch, guard)
  }

  #after<R>(
    before: Promise<unknown> | undefined,
    producerId: number,
    action: () => Promise<R>,
  ): Promise<R> {
    const result = (before ?? Promise.resolve()).then(action)
    const settled: Promise<void> = result.then(
      () => this.#forget(producerId, settled),
      () => this.#forget(producerId, settled),
    )
    this.#waiting.set(producerId, settled)
    return result
  }

  #forget(producerId: number, settled: Promise<unknown>): void {
    if (this.#waiting.get(producerId) === settled) this.#waiting.delete(producerId)
  }

  #questions(
    { support }: Transaction,
    entries: readonly AppendEntry[],
    batches: readonly (TransactionalBatch | undefined)[],
  ): Question[] {
    const { replicaManager, clock } = this.#options
    return entries.flatMap(({ topic, partitionIndex }, i): Question[] => {
      const batch = batches[i]
      if (batch === undefined) return []
      const partition = replicaManager.partition(topic, partitionIndex)
      const guard = partition?.beginVerification(batch, support === 'add', clock.now())
      return guard === undefined ? [] : [{ partition: { topic, partitionIndex }, guard }]
    })
  }

  /** For each question the error with which the coordinator answers it. */
  async #ask(
    transaction: Transaction,
    questions: readonly Question[],
  ): Promise<(KafkaError | undefined)[]> {
    if (questions.length === 0) return []
    const { support } = transaction
    const partitions = questions.map(({ partition }) => partition)
    try {
      const request = { ...transaction, partitions, clientTransactionVersion: TRANSACTION_V2 }
      if (support === 'add') {
        await this.#add(request)
        return partitions.map(() => undefined)
      }
      const belongs = await this.#options.coordinator.verifyPartitions(request)
      return belongs.map((is) => (is ? undefined : notInTransaction(support)))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const isFenced = error.errorName === 'PRODUCER_FENCED'
      const known = isFenced ? new KafkaError('INVALID_PRODUCER_EPOCH') : error
      return partitions.map(() => known)
    }
  }

  /** The transaction before may just be ending; that is worth a short wait (KAFKA-18575). */
  async #add(request: Parameters<TransactionCoordinator['addPartitions']>[0]): Promise<void> {
    const { coordinator, clock, retryBackoffMs, retryMaxMs } = this.#options
    const deadline = clock.monotonic() + retryMaxMs()
    for (;;) {
      try {
        return await coordinator.addPartitions(request)
      } catch (error) {
        const isEnding =
          error instanceof KafkaError && error.errorName === 'CONCURRENT_TRANSACTIONS'
        if (!isEnding || clock.monotonic() >= deadline) throw error
      }
      await sleep(clock, retryBackoffMs())
    }
  }
}

/** How a Produce that cannot be verified is answered: older clients come again after that only. */
function asProduceError(error: KafkaError, support: TransactionSupport): KafkaError {
  switch (error.code) {
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      if (support === 'add') return error
      break
    case ErrorCode.NETWORK_EXCEPTION:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      break
    default:
      return error
  }
  return new KafkaError(
    'NOT_ENOUGH_REPLICAS',
    'Unable to verify the partition has been added to the transaction. Underlying error: ' +
      errorName(error.code),
  )
}

function notInTransaction(support: TransactionSupport): KafkaError {
  if (support === 'abortable') return new KafkaError('TRANSACTION_ABORTABLE')
  return new KafkaError('INVALID_TXN_STATE', 'Partition was not added to the transaction')
}

function withAnswer(
  entry: AppendEntry,
  questions: readonly Question[],
  answers: readonly (KafkaError | undefined)[],
): AppendEntry {
  const { topic, partitionIndex } = entry
  const index = questions.findIndex(
    ({ partition }) => partition.topic === topic && partition.partitionIndex === partitionIndex,
  )
  if (index < 0) return entry
  return { ...entry, verification: answers[index] ?? questions[index]!.guard }
}

/** The one producer whose records these are. */
function producerOf(
  batches: readonly (TransactionalBatch | undefined)[],
): { producerId: number; producerEpoch: number } | undefined {
  const transactional = batches.filter((batch) => batch !== undefined)
  const [first] = transactional
  if (first === undefined) return undefined
  const { producerId, producerEpoch } = first
  const isSame = (batch: TransactionalBatch) =>
    batch.producerId === producerId && batch.producerEpoch === producerEpoch
  if (transactional.every(isSame)) return { producerId, producerEpoch }
  throw new KafkaError(
    'INVALID_PRODUCER_ID_MAPPING',
    'Transactional records contained more than one producer ID',
  )
}
