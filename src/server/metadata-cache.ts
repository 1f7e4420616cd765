/**
 * What this broker knows of the cluster: brokers, topics, leaders. The controller writes it, with
 * Kafka's UpdateMetadata; every handler reads it. It is a picture of decisions made elsewhere,
 * never the place where one is made.
 */
import type { BrokerRegistration, EndPoint } from '../metadata/znodes.ts'

/** The leader of a partition that has none. */
export const NO_LEADER = -1

export interface PartitionMetadata {
  readonly partitionIndex: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  readonly topicId: string
  /** Indexed by partition. */
  readonly partitions: readonly PartitionMetadata[]
}

/** A change: brokers replace the whole list, topics replace or remove those of the same name. */
export interface MetadataUpdate {
  readonly controllerId?: number
  readonly brokers?: ReadonlyMap<number, BrokerRegistration>
  readonly topics?: readonly TopicMetadata[]
  readonly deletedTopics?: readonly string[]
}

export class MetadataCache {
  readonly clusterId: string
  #controllerId = -1
  #brokers: ReadonlyMap<number, BrokerRegistration> = new Map()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #namesById = new Map<string, string>()
  readonly #listeners: ((update: MetadataUpdate) => void)[] = []

  constructor(clusterId: string) {
    this.clusterId = clusterId
  }

  /** The active controller's broker id, or -1. */
  get controllerId(): number {
    return this.#controllerId
  }

  /** The controller has told everything: what is not here does not exist. */
  get isComplete(): boolean {
    return this.#controllerId !== -1
  }

  /** The live brokers by id. */
  get brokers(): ReadonlyMap<number, BrokerRegistration> {
    return this.#brokers
  }

  /** All topics, in the order of their names. */
  topics(): TopicMetadata[] {
    return [...this.#topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  topicById(topicId: string): TopicMetadata | undefined {
    const name = this.#namesById.get(topicId)
    return name === undefined ? undefined : this.#topics.get(name)
  }

  /** The name of the topic with this id, without a look at the rest. */
  topicName(topicId: string): string | undefined {
    return this.#namesById.get(topicId)
  }

  /** Where clients that came in through `listenerName` should reach a broker. */
  endPoint(brokerId: number, listenerName: string): EndPoint | undefined {
    const registration = this.#brokers.get(brokerId)
    return registration?.endPoints.find((endPoint) => endPoint.listenerName === listenerName)
  }

  /** Calls `listener` with each change, after it has been made. */
  onUpdate(listener: (update: MetadataUpdate) => void): void {
    this.#listeners.push(listener)
  }

  apply(update: MetadataUpdate): void {
    if (update.controllerId !== undefined) this.#controllerId = update.controllerId
    if (update.brokers !== undefined) this.#brokers = update.brokers
    for (const name of update.deletedTopics ?? []) this.#remove(name)
    for (const topic of update.topics ?? []) {
      this.#remove(topic.name)
      this.#topics.set(topic.name, topic)
      this.#namesById.set(topic.topicId, topic.name)
    }
    for (const listener of this.#listeners) listener(update)
  }

  #remove(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    this.#topics.delete(name)
    this.#namesById.delete(topic.topicId)
  }
}
