/**
 * The topics in which coordinators keep their state: made when the first client asks for a
 * coordinator, and loaded and unloaded as this broker begins and ceases to lead their partitions.
 */
import type { ConfigEntries } from '../common/config/config.ts'
import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { type MetadataCache, NO_LEADER } from './metadata-cache.ts'
import type { ReplicaManager } from './replica-manager.ts'
import type { TopicAdmin } from './topic-admin.ts'

/** One such topic, and who reads it. */
export interface InternalTopic {
  readonly name: string
  readonly numPartitions: () => number
  readonly replicationFactor: () => number
  /** Given the replication factor that it gets. */
  readonly configs: (replicationFactor: number) => Readonly<Record<string, string>>
  readonly runtime: {
    load(partition: number): Promise<void>
    unload(partition: number): void
    unloadAll(): void
  }
}

export class InternalTopics {
  readonly #metadata: MetadataCache
  readonly #topics: TopicAdmin
  readonly #log: Logger
  readonly #byName = new Map<string, InternalTopic>()
  readonly #creating = new Map<string, Promise<void>>()
  readonly #loading = new Map<string, Set<Promise<void>>>()

  constructor(options: {
    replicaManager: ReplicaManager
    metadata: MetadataCache
    topics: TopicAdmin
    log: Logger
  }) {
    this.#metadata = options.metadata
    this.#topics = options.topics
    this.#log = options.log
    options.replicaManager.onLeadershipChange(({ topic, partitionIndex }, isLeader) => {
      const internal = this.#byName.get(topic)
      if (internal === undefined) return
      if (isLeader) this.#load(internal, partitionIndex)
      else internal.runtime.unload(partitionIndex)
    })
  }

  /** To be called before this broker learns what it leads. */
  add(topic: InternalTopic): void {
    this.#byName.set(topic.name, topic)
  }

  /** How many partitions the topic has, or will have. */
  partitionCount(name: string): number {
    return this.#metadata.topic(name)?.partitions.length ?? this.#require(name).numPartitions()
  }

  /**
   * The broker that leads a partition of the topic, which is created if there is none. When it is
   * new, its coordinators are ready when this resolves. Throws COORDINATOR_NOT_AVAILABLE.
   */
  async leaderOf(name: string, partition: number): Promise<number> {
    if (this.#metadata.topic(name) === undefined) await this.#create(name)
    const leader = this.#metadata.topic(name)?.partitions[partition]?.leader ?? NO_LEADER
    if (leader === NO_LEADER) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return leader
  }

  /** Stops all coordinators: whoever waits for them is told to look for another. */
  unloadAll(): void {
    for (const { runtime } of this.#byName.values()) runtime.unloadAll()
  }

  #require(name: string): InternalTopic {
    const topic = this.#byName.get(name)
    if (topic === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return topic
  }

  #create(name: string): Promise<void> {
    let creating = this.#creating.get(name)
    if (creating === undefined) {
      const topic = this.#require(name)
      creating = this.#createTopic(topic).finally(() => this.#creating.delete(name))
      this.#creating.set(name, creating)
    }
    return creating
  }

  async #createTopic(topic: InternalTopic): Promise<void> {
    const { name } = topic
    // With fewer brokers than replicas wanted a topic with fewer serves better than none.
    const replicationFactor = Math.min(topic.replicationFactor(), this.#metadata.brokers.size)
    const configs: ConfigEntries = new Map(Object.entries(topic.configs(replicationFactor)))
    const numPartitions = topic.numPartitions()
    try {
      const request = { name, numPartitions, replicationFactor, assignments: [], configs }
      await this.#topics.create(request, false)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (error.errorName !== 'TOPIC_ALREADY_EXISTS') {
        this.#log.error(`could not create ${name}`, error)
        throw new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message)
      }
    }
    await Promise.all(this.#loading.get(name) ?? [])
  }

  #load(topic: InternalTopic, partition: number): void {
    let loading = this.#loading.get(topic.name)
    if (loading === undefined) {
      loading = new Set()
      this.#loading.set(topic.name, loading)
    }
    const load = topic.runtime.load(partition)
    loading.add(load)
    void load.finally(() => loading.delete(load))
  }
}
