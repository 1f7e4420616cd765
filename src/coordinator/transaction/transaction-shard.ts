/**
 * The transaction coordinator for one partition of `__transaction_state`: what is known of its
 * transactional ids, and what becomes of their transactions.
 *
 * Once a record has decided the outcome of a transaction (PrepareCommit, PrepareAbort) and is
 * committed, every partition of the transaction is sent a marker, again and again until it has it;
 * then another record completes the transaction. What is recorded as decided is carried on after a
 * restart. Markers may be written twice that way, which does no harm.
 *
 * Specified by KIP-98, KIP-360, KIP-890 (version 2), KIP-664.
 */
import { KafkaError } from '../../common/errors.ts'
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts'
import type {
  CoordinatorEffects,
  CoordinatorResult,
  CoordinatorShard,
  ShardContext,
} from '../runtime/coordinator-shard.ts'
import { type EndRequest, endTransaction } from './end-transaction.ts'
import { type InitializeRequest, initializeProducer } from './initialize-producer.ts'
import type { MarkerOutcome, TransactionMarkers } from './marker-channel.ts'
import type { TopicPartition, TopicPartitionSet } from './topic-partition-set.ts'
import {
  complete,
  fence,
  isPrepared,
  NO_PRODUCER_EPOCH,
  nextProducer,
  type ProducerIdAndEpoch,
  readTransactionRecord,
  recordOf,
  type TransactionMetadata,
  tombstoneOf,
  withPartitions,
} from './transaction-metadata.ts'

export interface TransactionConfig {
  /** `transaction.max.timeout.ms` */
  readonly maxTimeoutMs: () => number
  /** `transactional.id.expiration.ms` */
  readonly expirationMs: () => number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly abortTimedOutIntervalMs: () => number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly removeExpiredIntervalMs: () => number
}

export interface AddPartitionsRequest extends ProducerIdAndEpoch {
  readonly transactionalId: string
  readonly partitions: readonly TopicPartition[]
  readonly clientTransactionVersion: number
}

export interface TransactionFilter {
  /** Empty: all. */
  readonly producerIds: readonly number[]
  /** Empty: all. */
  readonly states: readonly string[]
  /** Those that have been open for longer; -1: all. */
  readonly durationMs: number
}

const MARKER_RETRY_MS = 100
/** How many records a timer appends at once: a batch must not be too large. */
const RECORDS_AT_ONCE = 500

export class TransactionShard implements CoordinatorShard {
  readonly #context: ShardContext
  readonly #config: TransactionConfig
  readonly #sendMarkers: (markers: TransactionMarkers) => void
  readonly #transactions = new Map<string, TransactionMetadata>()
  /** For KIP-360; see InitializeDecision. Not recorded, as in Kafka. */
  readonly #previousEpochs = new Map<string, number>()
  /** The partitions that have no marker yet, of the transactions whose outcome is committed. */
  readonly #unmarked = new Map<string, TopicPartitionSet>()

  constructor(options: {
    context: ShardContext
    config: TransactionConfig
    /** Sends markers; the outcomes come back through `onMarkersWritten`. */
    sendMarkers: (markers: TransactionMarkers) => void
  }) {
    this.#context = options.context
    this.#config = options.config
    this.#sendMarkers = options.sendMarkers
  }

  get(transactionalId: string): TransactionMetadata | undefined {
    return this.#transactions.get(transactionalId)
  }

  /**
   * InitProducerId. The response is an error (CONCURRENT_TRANSACTIONS) where a transaction had to
   * be aborted first.
   */
  initializeProducer(
    request: InitializeRequest,
    newProducerId: () => number,
  ): CoordinatorResult<ProducerIdAndEpoch | KafkaError> {
    const { transactionalId, timeoutMs } = request
    if (timeoutMs <= 0 || timeoutMs > this.#config.maxTimeoutMs()) {
      throw new KafkaError('INVALID_TRANSACTION_TIMEOUT')
    }
    const current = this.#transactions.get(transactionalId)
    const before = this.#previousEpochs.get(transactionalId) ?? NO_PRODUCER_EPOCH
    const now = this.#context.now()
    const decision = initializeProducer(current, before, request, now, newProducerId)
    const { next } = decision
    if (isPrepared(next)) {
      return { ...this.#ending(next), response: new KafkaError('CONCURRENT_TRANSACTIONS') }
    }
    this.#previousEpochs.set(transactionalId, decision.previousEpoch)
    return {
      records: [recordOf(next)],
      response: { producerId: next.producerId, producerEpoch: next.producerEpoch },
      onFailed: () => {
        const isRefused = this.#transactions.get(transactionalId) === current
        if (isRefused) this.#previousEpochs.set(transactionalId, before)
      },
    }
  }

  /** AddPartitionsToTxn and AddOffsetsToTxn. */
  addPartitions(request: AddPartitionsRequest): CoordinatorResult<void> {
    const current = this.#requireProducer(request)
    const { partitions, clientTransactionVersion } = request
    if (isPrepared(current)) throw new KafkaError('CONCURRENT_TRANSACTIONS')
    if (current.state === 'Ongoing' && current.partitions.hasAll(partitions)) {
      return { records: [], response: undefined }
    }
    const now = this.#context.now()
    const next = withPartitions(current, partitions, clientTransactionVersion, now)
    return { records: [recordOf(next)], response: undefined }
  }

  /** Which of the partitions are in the producer's open transaction. */
  verifyPartitions(request: AddPartitionsRequest): boolean[] {
    const current = this.#requireProducer(request)
    if (isPrepared(current)) throw new KafkaError('CONCURRENT_TRANSACTIONS')
    return request.partitions.map((partition) => current.partitions.has(partition))
  }

  /** EndTxn. The response is what the producer goes on with. */
  endTransaction(
    request: EndRequest,
    newProducerId: () => number,
  ): CoordinatorResult<ProducerIdAndEpoch> {
    const current = this.#transactions.get(request.transactionalId)
    const next = endTransaction(current, request, this.#context.now(), newProducerId)
    if (next === undefined) return { records: [], response: nextProducer(current!) }
    return { ...this.#ending(next), response: nextProducer(next) }
  }

  /** Takes note of what became of markers; completes the transaction when all are settled. */
  onMarkersWritten(
    markers: TransactionMarkers,
    outcomes: readonly MarkerOutcome[],
  ): CoordinatorResult<void> {
    const { transactionalId } = markers
    const unmarked = this.#unmarked.get(transactionalId)
    const current = this.#transactions.get(transactionalId)
    const nothing = { records: [], response: undefined }
    if (unmarked === undefined || current === undefined) return nothing
    if (current.producerId !== markers.producerId) return nothing
    if (current.producerEpoch !== markers.producerEpoch) return nothing
    if (outcomes.includes('fenced')) {
      this.#unmarked.delete(transactionalId)
      return nothing
    }
    const settled = markers.partitions.filter((_, i) => outcomes[i] === 'settled')
    const rest = unmarked.without(settled)
    this.#unmarked.set(transactionalId, rest)
    if (rest.isEmpty) return this.#completing(current)
    this.#continueLater(transactionalId, MARKER_RETRY_MS)
    return nothing
  }

  /** DescribeTransactions. Throws TRANSACTIONAL_ID_NOT_FOUND. */
  describe(transactionalId: string): TransactionMetadata {
    const found = this.#transactions.get(transactionalId)
    if (found === undefined) throw new KafkaError('TRANSACTIONAL_ID_NOT_FOUND')
    return found
  }

  /** ListTransactions. */
  list(filter: TransactionFilter): TransactionMetadata[] {
    const now = this.#context.now()
    const { producerIds, states, durationMs } = filter
    return [...this.#transactions.values()].filter((transaction) => {
      const { producerId, state, startTimestampMs } = transaction
      if (producerIds.length > 0 && !producerIds.includes(producerId)) return false
      if (states.length > 0 && !states.includes(state)) return false
      return durationMs < 0 || now - startTimestampMs > durationMs
    })
  }

  replay(record: CoordinatorRecord): void {
    const read = readTransactionRecord(record)
    if (read === undefined) return
    const { transactionalId, metadata } = read
    if (metadata === undefined) {
      this.#transactions.delete(transactionalId)
      this.#previousEpochs.delete(transactionalId)
    } else {
      this.#transactions.set(transactionalId, metadata)
    }
    if (metadata === undefined || !isPrepared(metadata)) this.#unmarked.delete(transactionalId)
  }

  /** Nothing in this topic is written in transactions. */
  replayEndOfTransaction(): void {}

  onLoaded(): void {
    for (const transaction of this.#transactions.values()) {
      if (!isPrepared(transaction)) continue
      this.#unmarked.set(transaction.transactionalId, transaction.partitions)
      this.#continueLater(transaction.transactionalId, 0)
    }
    this.#abortTimedOutLater()
    this.#removeExpiredLater()
  }

  onUnloaded(): void {
    this.#unmarked.clear()
  }

  #requireProducer(request: AddPartitionsRequest): TransactionMetadata {
    const current = this.#transactions.get(request.transactionalId)
    if (current === undefined || current.producerId !== request.producerId) {
      throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    }
    if (current.producerEpoch !== request.producerEpoch) throw new KafkaError('PRODUCER_FENCED')
    return current
  }

  /** Records a decided outcome, and then sends it to the partitions, of which there may be none. */
  #ending(next: TransactionMetadata): CoordinatorEffects {
    if (next.partitions.isEmpty) {
      return { records: [recordOf(next), recordOf(complete(next, this.#context.now()))] }
    }
    const { transactionalId } = next
    return {
      records: [recordOf(next)],
      onCommitted: () => {
        this.#unmarked.set(transactionalId, next.partitions)
        this.#continue(transactionalId)
      },
      onFailed: () => this.#continueLater(transactionalId, MARKER_RETRY_MS),
    }
  }

  #completing(current: TransactionMetadata): CoordinatorResult<void> {
    const { transactionalId } = current
    return {
      records: [recordOf(complete(current, this.#context.now()))],
      response: undefined,
      onFailed: () => this.#continueLater(transactionalId, MARKER_RETRY_MS),
    }
  }

  /** Does what is next for a transaction whose outcome is decided. */
  #continue(transactionalId: string): CoordinatorEffects | undefined {
    const current = this.#transactions.get(transactionalId)
    if (current === undefined || !isPrepared(current)) return undefined
    const unmarked = this.#unmarked.get(transactionalId)
    // The record was late, and may be committed by now: another one that is will tell.
    if (unmarked === undefined) return this.#ending(current)
    if (unmarked.isEmpty) return this.#completing(current)
    const { producerId, producerEpoch, clientTransactionVersion } = current
    this.#sendMarkers({
      ...{ transactionalId, producerId, producerEpoch, clientTransactionVersion },
      isCommit: current.state === 'PrepareCommit',
      partitions: [...unmarked],
    })
    return undefined
  }

  #continueLater(transactionalId: string, delayMs: number): void {
    this.#context.timers.schedule(`markers:${transactionalId}`, delayMs, () =>
      this.#continue(transactionalId),
    )
  }

  #abortTimedOutLater(delayMs = this.#config.abortTimedOutIntervalMs()): void {
    this.#context.timers.schedule('abort-timed-out', delayMs, () => {
      const now = this.#context.now()
      const endings: CoordinatorEffects[] = []
      for (const transaction of this.#transactions.values()) {
        const { state, startTimestampMs, timeoutMs } = transaction
        if (state !== 'Ongoing' || startTimestampMs + timeoutMs >= now) continue
        endings.push(this.#ending(fence(transaction, now)))
        if (endings.length === RECORDS_AT_ONCE) break
      }
      this.#abortTimedOutLater(endings.length === RECORDS_AT_ONCE ? 0 : undefined)
      return {
        records: endings.flatMap(({ records }) => records),
        onCommitted: () => {
          for (const { onCommitted } of endings) onCommitted?.()
        },
        onFailed: (error) => {
          for (const { onFailed } of endings) onFailed?.(error)
        },
      }
    })
  }

  #removeExpiredLater(delayMs = this.#config.removeExpiredIntervalMs()): void {
    this.#context.timers.schedule('remove-expired', delayMs, () => {
      const oldest = this.#context.now() - this.#config.expirationMs()
      const records = []
      for (const transaction of this.#transactions.values()) {
        if (transaction.state === 'Ongoing' || isPrepared(transaction)) continue
        if (transaction.lastUpdateTimestampMs > oldest) continue
        records.push(tombstoneOf(transaction.transactionalId))
        if (records.length === RECORDS_AT_ONCE) break
      }
      this.#removeExpiredLater(records.length === RECORDS_AT_ONCE ? 0 : undefined)
      return { records }
    })
  }
}
