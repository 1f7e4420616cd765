/** The admin client's calls about partitions: their offsets, leaders, replicas and producers. */
import { ErrorCode, type KafkaError } from '../../common/errors.ts'
import {
  AlterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
} from '../../protocol/messages/alter-partition-reassignments.ts'
import { DescribeProducers } from '../../protocol/messages/describe-producers.ts'
import { ElectLeaders } from '../../protocol/messages/elect-leaders.ts'
import { ListOffsets } from '../../protocol/messages/list-offsets.ts'
import { ListPartitionReassignments } from '../../protocol/messages/list-partition-reassignments.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { PartialFailureError, throwIfError } from '../errors.ts'
import { byTopic, numbersByTopic, partitionName, type TopicPartition } from '../topic-partition.ts'
import { call, callForItems, callForLeaders, outcome } from './admin-call.ts'

/** Points of a partition, with the timestamps that stand for them in the protocol. */
export const OffsetSpec = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
  earliestPendingUpload: -6,
} as const

export interface OffsetQuery extends TopicPartition {
  /**
   * A point, or a time in milliseconds since the epoch: the first record of that time or later.
   */
  readonly at: keyof typeof OffsetSpec | number
}

export interface FoundOffset extends TopicPartition {
  /** -1 where there is no such record. */
  readonly offset: number
  /** In milliseconds since the epoch, of the record found; else -1. */
  readonly timestamp: number
  /** -1 where it is unknown. */
  readonly leaderEpoch: number
}

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** See `Admin.listOffsets`. */
export async function listOffsets(
  cluster: ClusterClient,
  queries: Iterable<OffsetQuery>,
  options: CallOptions & { readonly isolationLevel?: IsolationLevel },
): Promise<FoundOffset[]> {
  const limits = cluster.limits(options)
  const isolationLevel = options.isolationLevel === 'read_committed' ? 1 : 0
  const found = await callForLeaders(cluster, limits, queries, async (leaderId, led) => {
    const topics = byTopic(led).map(([name, all]) => ({
      name,
      partitions: all.map(({ partition, at }) => {
        return {
          partitionIndex: partition,
          timestamp: typeof at === 'number' ? at : OffsetSpec[at],
        }
      }),
    }))
    const request = { replicaId: -1, isolationLevel, topics, timeoutMs: limits.remainingMs | 0 }
    const response = await cluster.sendTo(leaderId, ListOffsets, request, limits)
    const outcomes = new Map<string, FoundOffset | KafkaError>()
    for (const { name: topic, partitions } of response.topics) {
      for (const { partitionIndex: partition, errorCode, ...rest } of partitions) {
        const { offset, timestamp, leaderEpoch } = rest
        const result = () => ({ topic, partition, offset, timestamp, leaderEpoch })
        outcomes.set(partitionName({ topic, partition }), outcome(errorCode, null, result))
      }
    }
    return outcomes
  })
  return [...found.values()]
}

export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 where there is none. */
  readonly lastSequence: number
  /** In milliseconds since the epoch; -1 where it is unknown. */
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** Undefined while no transaction is open. */
  readonly transactionStartOffset: number | undefined
}

export interface PartitionProducers extends TopicPartition {
  readonly producers: readonly ActiveProducer[]
}

/** See `Admin.describeProducers`. */
export async function describeProducers(
  cluster: ClusterClient,
  partitions: Iterable<TopicPartition>,
  options: CallOptions & { readonly brokerId?: number },
): Promise<PartitionProducers[]> {
  const limits = cluster.limits(options)
  const ask = async (brokerId: number, asked: readonly TopicPartition[]) => {
    const topics = numbersByTopic(asked).map(([name, numbers]) => {
      return { name, partitionIndexes: numbers }
    })
    const response = await cluster.sendTo(brokerId, DescribeProducers, { topics }, limits)
    const outcomes = new Map<string, PartitionProducers | KafkaError>()
    for (const { name: topic, partitions: parts } of response.topics) {
      for (const { partitionIndex: partition, errorCode, errorMessage, activeProducers } of parts) {
        const producers = activeProducers.map(({ currentTxnStartOffset: start, ...producer }) => {
          return { ...producer, transactionStartOffset: start < 0 ? undefined : start }
        })
        const result = () => ({ topic, partition, producers })
        outcomes.set(partitionName({ topic, partition }), outcome(errorCode, errorMessage, result))
      }
    }
    return outcomes
  }
  const { brokerId } = options
  if (brokerId === undefined) {
    return [...(await callForLeaders(cluster, limits, partitions, ask)).values()]
  }
  const items = [...partitions].map((item) => [partitionName(item), item] as const)
  const found = await callForItems(cluster, limits, items, (asked) => ask(brokerId, asked))
  return [...found.values()]
}

/** See `Admin.electLeaders`. */
export async function electLeaders(
  cluster: ClusterClient,
  kind: 'preferred' | 'unclean',
  partitions: Iterable<TopicPartition> | undefined,
  options: CallOptions,
): Promise<TopicPartition[]> {
  const limits = cluster.limits(options)
  const elected: TopicPartition[] = []
  const elect = async (pending: readonly TopicPartition[] | null) => {
    const topicPartitions =
      pending && numbersByTopic(pending).map(([topic, numbers]) => ({ topic, partitions: numbers }))
    const electionType = kind === 'preferred' ? 0 : 1
    const request = { electionType, topicPartitions, timeoutMs: limits.remainingMs | 0 }
    const response = await cluster.sendToController(ElectLeaders, request, limits)
    throwIfError(response.errorCode)
    const outcomes = new Map<string, true | KafkaError>()
    for (const { topic, partitionResult } of response.replicaElectionResults) {
      for (const { partitionId: partition, errorCode, errorMessage } of partitionResult) {
        const name = partitionName({ topic, partition })
        if (errorCode === ErrorCode.NONE) elected.push({ topic, partition })
        outcomes.set(
          name,
          outcome(errorCode, errorMessage, () => true as const),
        )
      }
    }
    return outcomes
  }
  if (partitions === undefined) {
    // The answer is about those partitions that needed a leader: nobody knows their names before.
    throwFailures(await cluster.retry(limits, () => elect(null)))
  } else {
    const items = [...partitions].map((item) => [partitionName(item), item] as const)
    await callForItems(cluster, limits, items, elect)
  }
  cluster.invalidate()
  return elected
}

function throwFailures(outcomes: ReadonlyMap<string, true | KafkaError>): void {
  const failures = new Map<string, KafkaError>()
  const results = new Map<string, true>()
  for (const [name, found] of outcomes) {
    if (found === true) results.set(name, found)
    else failures.set(name, found)
  }
  if (failures.size > 0) throw new PartialFailureError(failures, results)
}

export interface ReassignOptions extends CallOptions {
  /** False refuses to change how many replicas a partition has (KIP-860). */
  readonly allowReplicationFactorChange?: boolean
}

export interface Reassignment extends TopicPartition {
  /** The brokers that are to have it, the preferred leader first; null calls a move off. */
  readonly replicas: readonly number[] | null
}

/** See `Admin.alterPartitionReassignments`. */
export async function alterPartitionReassignments(
  cluster: ClusterClient,
  reassignments: Iterable<Reassignment>,
  options: ReassignOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const items = [...reassignments].map((item) => [partitionName(item), item] as const)
  await callForItems(cluster, limits, items, async (pending) => {
    const topics: AlterPartitionReassignmentsRequest['topics'] = byTopic(pending).map(
      ([name, all]) => ({
        name,
        partitions: all.map(({ partition, replicas }) => {
          return { partitionIndex: partition, replicas: replicas === null ? null : [...replicas] }
        }),
      }),
    )
    const { allowReplicationFactorChange = true } = options
    const request = { timeoutMs: limits.remainingMs | 0, topics, allowReplicationFactorChange }
    const found = await cluster.sendToController(AlterPartitionReassignments, request, limits)
    throwIfError(found.errorCode, found.errorMessage)
    const outcomes = new Map<string, true | KafkaError>()
    for (const { name: topic, partitions } of found.responses) {
      for (const { partitionIndex: partition, errorCode, errorMessage } of partitions) {
        const name = partitionName({ topic, partition })
        outcomes.set(
          name,
          outcome(errorCode, errorMessage, () => true as const),
        )
      }
    }
    return outcomes
  })
}

export interface OngoingReassignment extends TopicPartition {
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

/** See `Admin.listPartitionReassignments`. */
export async function listPartitionReassignments(
  cluster: ClusterClient,
  partitions: Iterable<TopicPartition> | undefined,
  options: CallOptions,
): Promise<OngoingReassignment[]> {
  const limits = cluster.limits(options)
  const topics =
    partitions === undefined
      ? null
      : numbersByTopic(partitions).map(([name, numbers]) => ({ name, partitionIndexes: numbers }))
  const request = { timeoutMs: limits.remainingMs | 0, topics }
  const send = () => cluster.sendToController(ListPartitionReassignments, request, limits)
  const found = await call(cluster, limits, send, ({ errorCode, errorMessage }) =>
    throwIfError(errorCode, errorMessage),
  )
  return found.topics.flatMap(({ name: topic, partitions: parts }) =>
    parts.map(({ partitionIndex: partition, ...replicas }) => ({ topic, partition, ...replicas })),
  )
}
