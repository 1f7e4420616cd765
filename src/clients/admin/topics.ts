/** The admin client's calls about topics and their records. */
import { KafkaError } from '../../common/errors.ts'
import type { BrokerConnection } from '../../network/broker-connection.ts'
import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import { CreateTopics } from '../../protocol/messages/create-topics.ts'
import { DeleteRecords } from '../../protocol/messages/delete-records.ts'
import { DeleteTopics } from '../../protocol/messages/delete-topics.ts'
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from '../../protocol/messages/describe-topic-partitions.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import {
  ClusterMetadata,
  type PartitionMetadata,
  type TopicMetadata,
} from '../cluster/cluster-metadata.ts'
import { byTopic, partitionName, type TopicPartition } from '../topic-partition.ts'
import { call, callForItems, callForLeaders, outcome } from './admin-call.ts'

export interface NewTopic {
  readonly topic: string
  /** Without it, `num.partitions` of the broker. */
  readonly partitions?: number
  /** Without it, `default.replication.factor` of the broker. */
  readonly replicationFactor?: number
  /** The brokers of each partition, in place of the two above. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  readonly topicId: string
  /** -1 where the broker does not say. */
  readonly partitions: number
  readonly replicationFactor: number
}

export interface ValidateOption {
  /** Only tells whether it would succeed. */
  readonly validateOnly?: boolean
}

/** See `Admin.createTopics`. */
export async function createTopics(
  cluster: ClusterClient,
  topics: Iterable<NewTopic>,
  options: CallOptions & ValidateOption,
): Promise<Map<string, CreatedTopic>> {
  const limits = cluster.limits(options)
  const items = [...topics].map((topic) => [topic.topic, topic] as const)
  return await callForItems(cluster, limits, items, async (pending) => {
    const request = {
      topics: pending.map(createRequest),
      timeoutMs: limits.remainingMs | 0,
      validateOnly: options.validateOnly ?? false,
    }
    const { topics: created } = await cluster.sendToController(CreateTopics, request, limits)
    return new Map(
      created.map(({ name, errorCode, errorMessage, topicId, numPartitions, ...topic }) => {
        const { replicationFactor } = topic
        const result = () => ({ topicId, partitions: numPartitions, replicationFactor })
        return [name, outcome(errorCode, errorMessage, result)]
      }),
    )
  })
}

function createRequest({ topic, partitions, replicationFactor, assignments, configs }: NewTopic) {
  return {
    name: topic,
    numPartitions: assignments === undefined ? (partitions ?? -1) : -1,
    replicationFactor: assignments === undefined ? (replicationFactor ?? -1) : -1,
    assignments: (assignments ?? []).map((brokerIds, index) => {
      return { partitionIndex: index, brokerIds: [...brokerIds] }
    }),
    configs: Object.entries(configs ?? {}).map(([name, value]) => ({ name, value })),
  }
}

/** See `Admin.deleteTopics`. */
export async function deleteTopics(
  cluster: ClusterClient,
  topics: Iterable<string>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const items = [...topics].map((topic) => [topic, topic] as const)
  await callForItems(cluster, limits, items, async (pending) => {
    const timeoutMs = limits.remainingMs | 0
    const request = (connection: BrokerConnection) =>
      (connection.supportedVersion(DeleteTopics) ?? 0) >= 6
        ? { topics: pending.map((name) => ({ name })), timeoutMs }
        : { topicNames: pending, timeoutMs }
    const { responses } = await cluster.sendToController(DeleteTopics, request, limits)
    return new Map(
      responses.map(({ name, errorCode, errorMessage }) => {
        return [name!, outcome(errorCode, errorMessage, () => true)]
      }),
    )
  })
}

/** See `Admin.listTopics`. */
export async function listTopics(
  cluster: ClusterClient,
  options: CallOptions & { readonly includeInternal?: boolean },
): Promise<TopicMetadata[]> {
  const limits = cluster.limits(options)
  const response = await cluster.retry(limits, () =>
    cluster.sendToAny(Metadata, { topics: null }, limits),
  )
  const topics = [...ClusterMetadata.empty.with(response).topics.values()]
  return topics.filter(({ isInternal }) => options.includeInternal || !isInternal)
}

/** See `Admin.describeTopics`. */
export async function describeTopics(
  cluster: ClusterClient,
  topics: Iterable<string>,
  options: CallOptions,
): Promise<Map<string, TopicMetadata>> {
  const limits = cluster.limits(options)
  const items = [...topics].map((topic) => [topic, topic] as const)
  return await callForItems(cluster, limits, items, async (pending) => {
    const request = { topics: pending.map((name) => ({ name })), allowAutoTopicCreation: false }
    const response = await cluster.sendToAny(Metadata, request, limits)
    const described = ClusterMetadata.empty.with(response)
    return new Map(
      pending.map((name) => {
        const code = described.failures.get(name) ?? 0
        const text = code === 0 ? null : `Topic ${name} could not be described`
        return [name, outcome(code, text, () => described.topics.get(name)!)]
      }),
    )
  })
}

export interface PartitionDescription extends PartitionMetadata {
  /** Replicas out of sync that may lead all the same (KIP-966); null where brokers do not say. */
  readonly eligibleLeaderReplicas: readonly number[] | null
  readonly lastKnownEligibleLeaderReplicas: readonly number[] | null
}

export interface TopicDescription extends TopicMetadata {
  readonly partitions: readonly PartitionDescription[]
}

/** See `Admin.describeTopicPartitions`. */
export async function describeTopicPartitions(
  cluster: ClusterClient,
  topics: Iterable<string>,
  options: CallOptions & { readonly partitionsPerResponse?: number },
): Promise<Map<string, TopicDescription>> {
  const limits = cluster.limits(options)
  const items = [...topics].map((topic) => [topic, topic] as const)
  return await callForItems(cluster, limits, items, async (pending) => {
    const outcomes = new Map<string, TopicDescription | KafkaError>()
    const request = {
      topics: pending.toSorted().map((name) => ({ name })),
      responsePartitionLimit: options.partitionsPerResponse ?? 2000,
    }
    let cursor: DescribeTopicPartitionsResponse['nextCursor'] = null
    do {
      const page: DescribeTopicPartitionsResponse = await cluster.sendToAny(
        DescribeTopicPartitions,
        { ...request, cursor },
        limits,
      )
      for (const topic of page.topics) {
        const before = outcomes.get(topic.name!)
        const earlier =
          before === undefined || before instanceof KafkaError ? [] : before.partitions
        const description = () => describedTopic(topic, earlier)
        outcomes.set(topic.name!, outcome(topic.errorCode, null, description))
      }
      cursor = page.nextCursor
    } while (cursor !== null)
    return outcomes
  })
}

function describedTopic(
  { name, topicId, isInternal, partitions }: DescribeTopicPartitionsResponse['topics'][number],
  earlier: readonly PartitionDescription[],
): TopicDescription {
  const described = partitions.map((found) => ({
    partition: found.partitionIndex,
    leaderId: found.leaderId,
    leaderEpoch: found.leaderEpoch,
    replicas: found.replicaNodes,
    inSyncReplicas: found.isrNodes,
    offlineReplicas: found.offlineReplicas,
    eligibleLeaderReplicas: found.eligibleLeaderReplicas,
    lastKnownEligibleLeaderReplicas: found.lastKnownElr,
  }))
  return { name: name!, topicId, isInternal, partitions: [...earlier, ...described] }
}

export interface NewPartitions {
  readonly topic: string
  /** How many the topic is to have in all. */
  readonly totalCount: number
  /** The brokers of each new partition. */
  readonly assignments?: readonly (readonly number[])[]
}

/** See `Admin.createPartitions`. */
export async function createPartitions(
  cluster: ClusterClient,
  topics: Iterable<NewPartitions>,
  options: CallOptions & ValidateOption,
): Promise<void> {
  const limits = cluster.limits(options)
  const items = [...topics].map((topic) => [topic.topic, topic] as const)
  await callForItems(cluster, limits, items, async (pending) => {
    const request = {
      topics: pending.map(({ topic, totalCount, assignments }) => ({
        name: topic,
        count: totalCount,
        assignments: assignments?.map((brokerIds) => ({ brokerIds: [...brokerIds] })) ?? null,
      })),
      timeoutMs: limits.remainingMs | 0,
      validateOnly: options.validateOnly ?? false,
    }
    const { results } = await cluster.sendToController(CreatePartitions, request, limits)
    return new Map(
      results.map(({ name, errorCode, errorMessage }) => {
        return [name, outcome(errorCode, errorMessage, () => true)]
      }),
    )
  })
  cluster.invalidate()
}

export interface RecordsToDelete extends TopicPartition {
  /** Records below are deleted; -1 stands for the high watermark. */
  readonly beforeOffset: number
}

export interface DeletedRecords extends TopicPartition {
  /** Where the partition begins now. */
  readonly lowWatermark: number
}

/** See `Admin.deleteRecords`. */
export async function deleteRecords(
  cluster: ClusterClient,
  partitions: Iterable<RecordsToDelete>,
  options: CallOptions,
): Promise<DeletedRecords[]> {
  const limits = cluster.limits(options)
  const deleted = await callForLeaders(cluster, limits, partitions, async (leaderId, led) => {
    const request = {
      topics: byTopic(led).map(([name, all]) => ({
        name,
        partitions: all.map(({ partition, beforeOffset }) => {
          return { partitionIndex: partition, offset: beforeOffset }
        }),
      })),
      timeoutMs: limits.remainingMs | 0,
    }
    const { topics } = await cluster.sendTo(leaderId, DeleteRecords, request, limits)
    const outcomes = new Map<string, DeletedRecords | KafkaError>()
    for (const { name: topic, partitions: found } of topics) {
      for (const { partitionIndex: partition, errorCode, lowWatermark } of found) {
        const result = () => ({ topic, partition, lowWatermark })
        outcomes.set(partitionName({ topic, partition }), outcome(errorCode, null, result))
      }
    }
    return outcomes
  })
  return [...deleted.values()]
}

/** Waits until a topic has a leader for each of its partitions, as clients see it. */
export async function waitForTopic(
  cluster: ClusterClient,
  topic: string,
  options: CallOptions,
): Promise<TopicMetadata> {
  const limits = cluster.limits(options)
  return await call(
    cluster,
    limits,
    () => cluster.topic(topic, limits),
    ({ partitions }) => {
      if (partitions.every(({ leaderId }) => leaderId >= 0)) return
      throw new KafkaError('LEADER_NOT_AVAILABLE', `Topic ${topic} has partitions without a leader`)
    },
  )
}
