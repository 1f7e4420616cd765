/** The admin client's calls about transactions (KIP-664). */
import type { KafkaError } from '../../common/errors.ts'
import { DescribeTransactions } from '../../protocol/messages/describe-transactions.ts'
import { InitProducerId } from '../../protocol/messages/init-producer-id.ts'
import { ListTransactions } from '../../protocol/messages/list-transactions.ts'
import { WriteTxnMarkers } from '../../protocol/messages/write-txn-markers.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { throwIfError } from '../errors.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import { callForLeaders, collect, outcome } from './admin-call.ts'

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  /** `Ongoing`, `CompleteCommit` and so on. */
  readonly state: string
  /** The broker that coordinates it. */
  readonly coordinatorId: number
}

export interface ListTransactionsOptions extends CallOptions {
  /** Only transactions in these states. */
  readonly states?: readonly string[]
  readonly producerIds?: readonly number[]
  /** Only transactions that have been open for longer, in milliseconds. */
  readonly minDurationMs?: number
  /** A regular expression (RE2) for transactional ids. */
  readonly pattern?: string
}

/** See `Admin.listTransactions`. */
export async function listTransactions(
  cluster: ClusterClient,
  options: ListTransactionsOptions,
): Promise<TransactionListing[]> {
  const limits = cluster.limits(options)
  const request = {
    stateFilters: [...(options.states ?? [])],
    producerIdFilters: [...(options.producerIds ?? [])],
    durationFilter: options.minDurationMs ?? -1,
    transactionalIdPattern: options.pattern ?? null,
  }
  await cluster.retry(limits, () => cluster.refresh(limits))
  const parts = [...cluster.metadata.brokers.keys()].map((brokerId) =>
    cluster.retry(limits, async () => {
      const response = await cluster.sendTo(brokerId, ListTransactions, request, limits)
      throwIfError(response.errorCode)
      return response.transactionStates.map(({ transactionalId, producerId, transactionState }) => {
        return { transactionalId, producerId, state: transactionState, coordinatorId: brokerId }
      })
    }),
  )
  return (await Promise.all(parts)).flat()
}

export interface TransactionDescription extends TransactionListing {
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** In milliseconds since the epoch; undefined while none is open. */
  readonly startTimeMs: number | undefined
  /** Where it has records, and no marker yet. */
  readonly partitions: readonly TopicPartition[]
}

/** See `Admin.describeTransactions`. */
export async function describeTransactions(
  cluster: ClusterClient,
  transactionalIds: Iterable<string>,
  options: CallOptions,
): Promise<Map<string, TransactionDescription>> {
  const limits = cluster.limits(options)
  const items = [...transactionalIds].map((id) => [id, id] as const)
  return await collect(items, (transactionalId) =>
    cluster.retry(limits, async () => {
      const { transactionStates } = await cluster.sendToCoordinator(
        ['transaction', transactionalId],
        DescribeTransactions,
        { transactionalIds: [transactionalId] },
        limits,
        { errorOf: (response) => response.transactionStates[0]!.errorCode },
      )
      const found = transactionStates[0]!
      throwIfError(found.errorCode)
      const { producerId, producerEpoch, transactionStartTimeMs: startTimeMs } = found
      return {
        ...{ transactionalId, producerId, producerEpoch, state: found.transactionState },
        coordinatorId: cluster.coordinators.get('transaction', transactionalId)?.id ?? -1,
        timeoutMs: found.transactionTimeoutMs,
        startTimeMs: startTimeMs < 0 ? undefined : startTimeMs,
        partitions: found.topics.flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      }
    }),
  )
}

export interface TransactionToAbort extends TopicPartition {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/** See `Admin.abortTransaction`. */
export async function abortTransaction(
  cluster: ClusterClient,
  transaction: TransactionToAbort,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  await callForLeaders(cluster, limits, [transaction], async (leaderId) => {
    const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction
    const topics = [{ name: topic, partitionIndexes: [partition] }]
    const marker = { producerId, producerEpoch, coordinatorEpoch, transactionResult: false, topics }
    const request = { markers: [marker] }
    const { markers } = await cluster.sendTo(leaderId, WriteTxnMarkers, request, limits)
    const code = markers[0]?.topics[0]?.partitions[0]?.errorCode ?? -1
    return new Map<string, true | KafkaError>([
      [partitionName(transaction), outcome(code, null, () => true as const)],
    ])
  })
}

/** See `Admin.fenceProducers`. */
export async function fenceProducers(
  cluster: ClusterClient,
  transactionalIds: Iterable<string>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const items = [...transactionalIds].map((id) => [id, id] as const)
  await collect(items, (transactionalId) =>
    cluster.retry(limits, async () => {
      const response = await cluster.sendToCoordinator(
        ['transaction', transactionalId],
        InitProducerId,
        { transactionalId, transactionTimeoutMs: 1 },
        limits,
        { errorOf: ({ errorCode }) => errorCode },
      )
      throwIfError(response.errorCode)
      return response
    }),
  )
}
