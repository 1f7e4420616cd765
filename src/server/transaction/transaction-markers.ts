/**
 * Writes the markers that end transactions into the partitions that this broker leads, and offers
 * that to the transaction coordinator as its channel: with one broker, all partitions are here.
 */

import type { Clock } from '../../common/clock.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { garbageCollected } from '../../common/slab.ts'
import type {
  MarkerOutcome,
  TransactionMarkerChannel,
} from '../../coordinator/transaction/marker-channel.ts'
import type { TopicPartition } from '../../coordinator/transaction/topic-partition-set.ts'
import { TRANSACTION_V2 } from '../../coordinator/transaction/transaction-metadata.ts'
import { buildEndTransactionBatch } from '../../protocol/records/record-batch-writer.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { AppendEntry, ReplicaManager } from '../replica-manager.ts'

/** A marker for any number of partitions. */
export interface Marker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
  /** 2: the marker's epoch is above that of the records (KIP-1228). */
  readonly transactionVersion: number
}

/** Writes the markers of the offsets topic, where ended transactions make offsets count. */
export interface OffsetsTransactions {
  endTransaction(
    partition: number,
    producer: { producerId: number; producerEpoch: number; coordinatorEpoch: number },
    isCommit: boolean,
  ): Promise<void>
}

const OFFSETS_TOPIC = '__consumer_offsets'

export class TransactionMarkerWriter {
  readonly #replicaManager: ReplicaManager
  readonly #offsets: OffsetsTransactions
  readonly #clock: Clock
  readonly #timeoutMs: () => number

  constructor(options: {
    replicaManager: ReplicaManager
    offsets: OffsetsTransactions
    clock: Clock
    /** How long a marker may wait for the replicas, in milliseconds. */
    timeoutMs: () => number
  }) {
    this.#replicaManager = options.replicaManager
    this.#offsets = options.offsets
    this.#clock = options.clock
    this.#timeoutMs = options.timeoutMs
  }

  /** Resolves, when all replicas have the markers, with an error code for each partition. */
  async write(marker: Marker, partitions: readonly TopicPartition[]): Promise<number[]> {
    const codes = partitions.map((partition) => this.#verdict(marker, partition))
    const isOpen = (i: number) => codes[i] === undefined
    const ordinary = partitions.filter(({ topic }, i) => topic !== OFFSETS_TOPIC && isOpen(i))
    const [appended, settled] = await Promise.all([
      this.#append(marker, ordinary),
      Promise.all(
        partitions.map(async ({ topic, partitionIndex }) =>
          topic === OFFSETS_TOPIC ? await this.#endOffsets(marker, partitionIndex) : undefined,
        ),
      ),
    ])
    return partitions.map(
      (partition, i) => settled[i] ?? codes[i] ?? appended[ordinary.indexOf(partition)]!,
    )
  }

  /**
   * The error code of a marker that need not, or must not be appended. In version 2 every
   * transaction has an epoch of its own: where the partition has seen that of the marker, the
   * marker is there already, and if records have come since, it would end the wrong transaction.
   */
  #verdict(marker: Marker, { topic, partitionIndex }: TopicPartition): number | undefined {
    if (marker.transactionVersion < TRANSACTION_V2) return undefined
    const partition = this.#replicaManager.partition(topic, partitionIndex)
    const producer = partition?.log.producer(marker.producerId)
    if (producer === undefined || producer.producerEpoch !== marker.producerEpoch) return undefined
    const isOpen = producer.currentTxnFirstOffset >= 0
    return isOpen ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.NONE
  }

  #append(marker: Marker, partitions: readonly TopicPartition[]): Promise<number[]> {
    const { producerId, producerEpoch, coordinatorEpoch, isCommit } = marker
    const now = this.#clock.now()
    const entries = partitions.map(({ topic, partitionIndex }): AppendEntry => {
      const end = { commit: isCommit, coordinatorEpoch }
      const records = buildEndTransactionBatch(end, { producerId, producerEpoch }, now)
      return { topic, partitionIndex, records }
    })
    if (entries.length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      this.#replicaManager
        .append({
          requiredAcks: -1,
          timeoutMs: this.#timeoutMs(),
          origin: 'coordinator',
          lease: garbageCollected(entries[0]!.records),
          entries,
        })
        .onComplete((results) => resolve(results.map(({ errorCode }) => errorCode)))
    })
  }

  async #endOffsets(marker: Marker, partitionIndex: number): Promise<number> {
    try {
      await this.#offsets.endTransaction(partitionIndex, marker, marker.isCommit)
      return ErrorCode.NONE
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return NOT_READY.has(error.code) ? ErrorCode.NOT_LEADER_OR_FOLLOWER : error.code
    }
  }
}

/** A transaction coordinator knows nothing of these, and comes again after the other. */
const NOT_READY: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
])

/** The channel of a coordinator whose broker leads all partitions there are. */
export function localMarkerChannel(options: {
  writer: Pick<TransactionMarkerWriter, 'write'>
  metadata: MetadataCache
  log: Logger
}): TransactionMarkerChannel {
  const { writer, metadata, log } = options
  return {
    async write(markers, coordinatorEpoch) {
      const { clientTransactionVersion, partitions, transactionalId } = markers
      const marker = { ...markers, coordinatorEpoch, transactionVersion: clientTransactionVersion }
      // While the broker starts, a coordinator may be ready before it is known which partitions
      // exist; nothing may pass for deleted then.
      if (!metadata.isComplete) return partitions.map(() => 'retry')
      const exists = ({ topic, partitionIndex }: TopicPartition) =>
        metadata.topic(topic)?.partitions[partitionIndex] !== undefined
      const existing = partitions.filter(exists)
      const codes = await writer.write(marker, existing)
      return partitions.map((partition): MarkerOutcome => {
        const code = codes[existing.indexOf(partition)]
        // A deleted partition needs no marker.
        if (code === undefined) return 'settled'
        if (code === ErrorCode.INVALID_PRODUCER_EPOCH) {
          const name = `${partition.topic}-${partition.partitionIndex}`
          log.warn(`${name} has gone on without the end of a transaction of ${transactionalId}`)
        }
        return outcomeOf(code)
      })
    },
  }
}

function outcomeOf(errorCode: number): MarkerOutcome {
  if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.INVALID_PRODUCER_EPOCH) {
    return 'settled'
  }
  return errorCode === ErrorCode.TRANSACTION_COORDINATOR_FENCED ? 'fenced' : 'retry'
}
