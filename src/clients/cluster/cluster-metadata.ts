/**
 * What a client knows of the cluster: brokers, topics, and who leads each partition.
 *
 * A snapshot never changes; an answer of a broker makes a new one. Of a partition, an answer with
 * an older leader epoch than is known comes from a broker that has not heard yet, and does not
 * count (KIP-320).
 */
import { ErrorCode } from '../../common/errors.ts'
import type { MetadataResponse } from '../../protocol/messages/metadata.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'

export interface BrokerNode {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface PartitionMetadata {
  readonly partition: number
  /** -1 while there is none. */
  readonly leaderId: number
  /** -1 where brokers do not say. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** The zero uuid where brokers do not say. */
  readonly topicId: string
  readonly isInternal: boolean
  /** By number. */
  readonly partitions: readonly PartitionMetadata[]
}

export class ClusterMetadata {
  readonly brokers: ReadonlyMap<number, BrokerNode>
  readonly topics: ReadonlyMap<string, TopicMetadata>
  readonly clusterId: string | null
  /** -1 while there is none. */
  readonly controllerId: number
  /** Topics that could not be described, with the error code. */
  readonly failures: ReadonlyMap<string, number>

  constructor(parts: {
    brokers: ReadonlyMap<number, BrokerNode>
    topics: ReadonlyMap<string, TopicMetadata>
    failures: ReadonlyMap<string, number>
    clusterId: string | null
    controllerId: number
  }) {
    this.brokers = parts.brokers
    this.topics = parts.topics
    this.failures = parts.failures
    this.clusterId = parts.clusterId
    this.controllerId = parts.controllerId
  }

  static readonly empty = new ClusterMetadata({
    ...{ brokers: new Map(), topics: new Map(), failures: new Map() },
    ...{ clusterId: null, controllerId: -1 },
  })

  /** This with what a broker said. Topics stay as they were unless it `wasAskedAll`, or of them. */
  with(response: MetadataResponse, wasAskedAll = false): ClusterMetadata {
    const topics = new Map(this.topics)
    const failures = new Map(this.failures)
    if (wasAskedAll) {
      const named = new Set(response.topics.map(({ name }) => name))
      for (const name of topics.keys()) if (!named.has(name)) topics.delete(name)
    }
    for (const topic of response.topics) {
      const { name, errorCode } = topic
      if (name === null) continue
      failures.delete(name)
      if (errorCode === ErrorCode.NONE) topics.set(name, topicOf(topic, this.topics.get(name)))
      else failures.set(name, errorCode)
      // A topic that is no more must not live on here; other errors may pass.
      if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) topics.delete(name)
    }
    const brokers = response.brokers.map(
      ({ nodeId, host, port, rack }) => [nodeId, { id: nodeId, host, port, rack }] as const,
    )
    const { clusterId, controllerId } = response
    return new ClusterMetadata({
      brokers: new Map(brokers),
      topics,
      failures,
      clusterId,
      controllerId,
    })
  }

  /** This with a newer leader of a partition, where it is newer. */
  withLeader(name: string, partition: number, leaderId: number, epoch: number): ClusterMetadata {
    const topic = this.topics.get(name)
    const known = topic?.partitions[partition]
    if (topic === undefined || known === undefined || known.leaderEpoch >= epoch) return this
    const partitions = topic.partitions.with(partition, { ...known, leaderId, leaderEpoch: epoch })
    const topics = new Map(this.topics).set(name, { ...topic, partitions })
    return new ClusterMetadata({ ...this, topics })
  }

  /** This with brokers that were not known, or have moved. */
  withBrokers(nodes: Iterable<BrokerNode>): ClusterMetadata {
    const brokers = new Map(this.brokers)
    for (const node of nodes) brokers.set(node.id, node)
    return new ClusterMetadata({ ...this, brokers })
  }

  /** The name of the topic with this id, or undefined. */
  nameOf(topicId: string): string | undefined {
    for (const topic of this.topics.values()) if (topic.topicId === topicId) return topic.name
    return undefined
  }
}

type TopicResponse = MetadataResponse['topics'][number]

function topicOf(topic: TopicResponse, before: TopicMetadata | undefined): TopicMetadata {
  // A topic that was deleted and made anew starts its epochs anew as well.
  const isSame = before !== undefined && before.topicId === topic.topicId
  const comparable = isSame && topic.topicId !== ZERO_UUID ? before : undefined
  const partitions: PartitionMetadata[] = []
  for (const found of topic.partitions) {
    const known = comparable?.partitions[found.partitionIndex]
    const isStale = known !== undefined && known.leaderEpoch > found.leaderEpoch
    partitions[found.partitionIndex] = isStale
      ? known
      : {
          partition: found.partitionIndex,
          leaderId: found.leaderId,
          leaderEpoch: found.leaderEpoch,
          replicas: found.replicaNodes,
          inSyncReplicas: found.isrNodes,
          offlineReplicas: found.offlineReplicas,
        }
  }
  const { topicId, isInternal } = topic
  return { name: topic.name!, topicId, isInternal, partitions }
}
