/**
 * The transaction coordinator as request handlers know it: for each transactional id it asks the
 * shard that looks after it. It also carries what shards cannot do themselves: markers to the
 * partitions of transactions, and new producer ids.
 */
import type { Clock } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts'
import type { CoordinatorStorage } from '../runtime/coordinator-storage.ts'
import { partitionFor } from '../runtime/partition-for.ts'
import type { EndRequest } from './end-transaction.ts'
import type { InitializeRequest } from './initialize-producer.ts'
import type { TransactionMarkerChannel, TransactionMarkers } from './marker-channel.ts'
import {
  type ProducerIdAndEpoch,
  TRANSACTION_STATES,
  type TransactionMetadata,
} from './transaction-metadata.ts'
import { transactionRecordCodec } from './transaction-records.ts'
import {
  type AddPartitionsRequest,
  type TransactionConfig,
  type TransactionFilter,
  TransactionShard,
} from './transaction-shard.ts'

export const TRANSACTION_STATE_TOPIC = '__transaction_state'

export interface TransactionCoordinatorOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly storage: CoordinatorStorage
  readonly config: TransactionConfig
  readonly producerIds: { next(): Promise<number> }
  readonly markers: TransactionMarkerChannel
  /** The leader epoch in which this broker leads a partition of the topic. */
  readonly coordinatorEpoch: (partition: number) => number
  /** How many partitions the topic has. */
  readonly partitionCount: () => number
}

export class TransactionCoordinator {
  /** Loads and unloads partitions. */
  readonly runtime: CoordinatorRuntime<TransactionShard>
  readonly #options: TransactionCoordinatorOptions
  /** Producer ids that were taken for a request that did not need one. */
  readonly #spareProducerIds: number[] = []

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options
    const { clock, log, storage, config } = options
    this.runtime = new CoordinatorRuntime({
      ...{ clock, log, storage, topic: TRANSACTION_STATE_TOPIC, codec: transactionRecordCodec },
      createShard: (context) =>
        new TransactionShard({
          context,
          config,
          sendMarkers: (markers) => void this.#sendMarkers(context.partition, markers),
        }),
    })
  }

  /** The partition whose leader coordinates a transactional id. */
  partitionFor(transactionalId: string): number {
    return partitionFor(transactionalId, this.#options.partitionCount())
  }

  /**
   * InitProducerId. Rejects with KafkaError: INVALID_REQUEST, INVALID_TRANSACTION_TIMEOUT,
   * PRODUCER_FENCED, CONCURRENT_TRANSACTIONS (again soon), and those of CoordinatorRuntime.write.
   */
  async initializeProducer(request: InitializeRequest): Promise<ProducerIdAndEpoch> {
    const partition = this.#partitionOf(request)
    const response = await this.#withProducerId((newProducerId) =>
      this.runtime.write(partition, (shard) => shard.initializeProducer(request, newProducerId)),
    )
    if (response instanceof KafkaError) throw response
    return response
  }

  /**
   * Makes partitions part of a transaction. Rejects with KafkaError: INVALID_REQUEST,
   * INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, and those of
   * CoordinatorRuntime.write.
   */
  async addPartitions(request: AddPartitionsRequest): Promise<void> {
    const partition = this.#partitionOf(request)
    await this.runtime.write(partition, (shard) => shard.addPartitions(request))
  }

  /** Says for each partition whether it is part of the transaction. Rejects as addPartitions. */
  async verifyPartitions(request: AddPartitionsRequest): Promise<boolean[]> {
    const partition = this.#partitionOf(request)
    return await this.runtime.read(partition, (shard) => shard.verifyPartitions(request))
  }

  /**
   * EndTxn; resolves with what the producer goes on with, once the outcome is certain. Rejects as
   * addPartitions, and with INVALID_TXN_STATE.
   */
  async endTransaction(request: EndRequest): Promise<ProducerIdAndEpoch> {
    const partition = this.#partitionOf(request)
    return await this.#withProducerId((newProducerId) =>
      this.runtime.write(partition, (shard) => shard.endTransaction(request, newProducerId)),
    )
  }

  /** Rejects with TRANSACTIONAL_ID_NOT_FOUND, INVALID_REQUEST, and those of the runtime. */
  async describe(transactionalId: string): Promise<TransactionMetadata> {
    const partition = this.#partitionOf({ transactionalId })
    return await this.runtime.read(partition, (shard) => shard.describe(transactionalId))
  }

  /** The transactions that this broker coordinates, and the filter's states that do not exist. */
  async list(
    filter: TransactionFilter,
  ): Promise<{ transactions: TransactionMetadata[]; unknownStates: string[] }> {
    if (this.runtime.isLoading) throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
    const known: readonly string[] = TRANSACTION_STATES
    const unknownStates = filter.states.filter((state) => !known.includes(state))
    const found = await this.runtime.readAll((shard) => shard.list(filter))
    return { transactions: found.flat(), unknownStates }
  }

  #partitionOf({ transactionalId }: { transactionalId: string }): number {
    if (transactionalId === '') throw new KafkaError('INVALID_REQUEST')
    return this.partitionFor(transactionalId)
  }

  /** Shards decide at once, and producer ids may be long in coming: one is kept at hand. */
  async #withProducerId<R>(action: (newProducerId: () => number) => Promise<R>): Promise<R> {
    const producerId = this.#spareProducerIds.pop() ?? (await this.#options.producerIds.next())
    let isUsed = false
    try {
      return await action(() => {
        isUsed = true
        return producerId
      })
    } finally {
      if (!isUsed) this.#spareProducerIds.push(producerId)
    }
  }

  /** If this fails as a whole, the partition is another coordinator's, which carries on. */
  async #sendMarkers(partition: number, markers: TransactionMarkers): Promise<void> {
    const { markers: channel, coordinatorEpoch, log } = this.#options
    try {
      const outcomes = await channel.write(markers, coordinatorEpoch(partition))
      await this.runtime.write(partition, (shard) => shard.onMarkersWritten(markers, outcomes))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const { transactionalId } = markers
      log.info(`the transaction of ${transactionalId} is not completed here yet: ${error.message}`)
    }
  }
}
