/**
 * The controller: the one broker that decides what topics exist and who leads each partition.
 *
 * A decision is first written to the metadata store, in one `multi` that also checks that this
 * broker is still the controller; only then are brokers told, LeaderAndIsr before UpdateMetadata,
 * so that no client is sent to a leader that does not know of it yet. Decisions are made one after
 * the other. The store is the truth: what is kept here is a picture of it, read anew when this
 * broker becomes the controller.
 */
import type { Clock } from '../../common/clock.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import {
  ANY_VERSION,
  isMetadataError,
  type MetadataOperation,
  type MetadataStore,
} from '../../metadata/metadata-store.ts'
import {
  type BrokerRegistration,
  decodeBroker,
  decodeController,
  decodePartitionState,
  decodeTopic,
  encodeConfig,
  encodeController,
  encodePartitionState,
  encodeTopic,
  type PartitionState,
  paths,
  type TopicAssignment,
} from '../../metadata/znodes.ts'
import { NO_LEADER } from '../metadata-cache.ts'
import type { LeaderAndIsr } from '../partition.ts'
import { asStorageError } from '../storage-errors.ts'
import type { ControlChannel } from './control-channel.ts'
import type { ClusterView, Decision, PartitionChange } from './partition-change.ts'
import {
  assigned,
  changedTopic,
  creationOf,
  leaderAndIsrOf,
  metadataOf,
  type PartitionInfo,
  removalOf,
  type TopicInfo,
} from './topic-info.ts'
import { type NewTopic, planNewPartitions, planNewTopic } from './topic-plan.ts'

export interface CreateTopicSpec extends NewTopic {
  /** Overrides of the broker's defaults, already checked. */
  readonly configs: Readonly<Record<string, string>>
  /** The id it shall have: that of a log folder found on disk. Undefined: a new one. */
  readonly topicId?: string
}

/** A topic as it was, or would be, created. */
export interface CreatedTopic {
  readonly topicId: string
  readonly numPartitions: number
  readonly replicationFactor: number
}

export interface ControllerOptions {
  readonly brokerId: number
  readonly store: MetadataStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** The way to a live broker. */
  readonly channel: (brokerId: number) => ControlChannel | undefined
  readonly defaults: () => { partitions: number; replicationFactor: number }
  /** Makes topic ids. */
  readonly newTopicId: () => string
}

export class Controller {
  readonly #options: ControllerOptions
  readonly #topics = new Map<string, TopicInfo>()
  #brokers: Map<number, BrokerRegistration> = new Map()
  #epoch = 0
  #epochVersion = 0
  #isActive = false
  #lastDecision: Promise<unknown> = Promise.resolve()

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  /** Whether this broker is the controller. */
  get isActive(): boolean {
    return this.#isActive
  }

  /**
   * Tries to become the controller, and if it does, reads the cluster's state and tells all live
   * brokers what they lead. Returns whether it did.
   */
  async elect(): Promise<boolean> {
    if (!(await this.#claim())) return false
    await this.#load()
    this.#isActive = true
    await this.#decide(async () => {
      await this.#resumeDeletions()
      await this.#announceAll()
    })
    return true
  }

  /** Decides nothing more. What is being decided is finished first. */
  async resign(): Promise<void> {
    this.#isActive = false
    await this.#lastDecision
  }

  /** Creates a topic, or with `validateOnly` says what would be created. Throws KafkaError. */
  createTopic(spec: CreateTopicSpec, validateOnly = false): Promise<CreatedTopic> {
    return this.#decide(async () => {
      const replicas = planNewTopic(spec, {
        ...this.#picture(),
        hasTopic: (name) => this.#topics.has(name),
        topicNames: () => this.#topics.keys(),
      })
      const topicId = validateOnly ? '' : (spec.topicId ?? this.#options.newTopicId())
      if (!validateOnly) await this.#writeNewTopic(spec, topicId, replicas)
      return {
        topicId,
        numPartitions: replicas.length,
        replicationFactor: replicas[0]!.length,
      }
    })
  }

  /** Deletes a topic with its data. Throws UNKNOWN_TOPIC_OR_PARTITION. */
  deleteTopic(name: string): Promise<void> {
    return this.#decide(async () => {
      const topic = this.#topics.get(name)
      if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
      // From here on the deletion will happen, if need be after a restart.
      await this.#write([{ type: 'create', path: paths.deleteTopic(name), data: Buffer.alloc(0) }])
      await this.#finishDeletion(topic)
    })
  }

  /** Adds partitions until there are `count`. Throws KafkaError. */
  createPartitions(
    name: string,
    wanted: { count: number; assignments: readonly (readonly number[])[] | null },
    validateOnly: boolean,
  ): Promise<void> {
    return this.#decide(async () => {
      const topic = this.#topics.get(name)
      if (topic === undefined) {
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
      }
      const existing = {
        name,
        partitionCount: topic.partitions.length,
        replicationFactor: topic.assignment.partitions[0]!.replicas.length,
      }
      const added = planNewPartitions(existing, wanted, this.#picture())
      if (!validateOnly) await this.#writeNewPartitions(topic, added)
    })
  }

  /**
   * Decides about existing partitions: `decide` sees them as they are, and what it wants changed is
   * written and announced. Returns its outcome. Throws KafkaError.
   */
  changePartitions<T>(decide: (view: ClusterView) => Decision<T>): Promise<T> {
    return this.#decide(async () => {
      const { changes, outcome } = decide(this.#view())
      for (const [name, ofTopic] of Map.groupBy(changes, (change) => change.topic)) {
        await this.#writeChanges(this.#topics.get(name)!, ofTopic)
      }
      return outcome
    })
  }

  /** A live broker has entered itself anew, at other addresses: everybody is told. */
  refreshBroker(brokerId: number): Promise<void> {
    return this.#decide(async () => {
      const { data } = await this.#options.store.get(paths.broker(brokerId))
      this.#brokers.set(brokerId, decodeBroker(data))
      await this.#sendMetadata({ brokers: this.#brokers })
    })
  }

  /** The controller's epoch, and how many changes of metadata there have been. */
  async progress(): Promise<{ epoch: number; changes: number }> {
    // The newest of the nodes that change: topics, and the states of their partitions.
    const { stat } = await this.#options.store.children(paths.topics)
    return { epoch: this.#epoch, changes: Number(stat.pzxid) }
  }

  // ---- Becoming the controller ------------------------------------------------------------------

  /** Writes our name into /controller and raises the epoch, both or neither. */
  async #claim(): Promise<boolean> {
    const { store, brokerId, clock } = this.#options
    const epoch = await this.#readEpoch()
    this.#epoch = epoch.epoch + 1
    const data = Buffer.from(String(this.#epoch))
    const controller = encodeController(brokerId, clock.now())
    try {
      await store.multi([
        { type: 'create', path: paths.controller, data: controller, ephemeral: true },
        { type: 'set', path: paths.controllerEpoch, data, version: epoch.version },
      ])
    } catch (error) {
      if (isMetadataError(error, 'NODE_EXISTS', 'BAD_VERSION')) return false
      throw error
    }
    this.#epochVersion = epoch.version + 1
    return true
  }

  async #readEpoch(): Promise<{ epoch: number; version: number }> {
    const { store } = this.#options
    if ((await store.exists(paths.controllerEpoch)) === undefined) {
      await store.create(paths.controllerEpoch, Buffer.from('0')).catch((error: unknown) => {
        if (!isMetadataError(error, 'NODE_EXISTS')) throw error
      })
    }
    const { data, stat } = await store.get(paths.controllerEpoch)
    return { epoch: Number(data.toString()), version: stat.version }
  }

  async #load(): Promise<void> {
    const { store } = this.#options
    this.#topics.clear()
    this.#brokers = new Map()
    for (const id of (await store.children(paths.brokerIds)).names) {
      this.#brokers.set(Number(id), decodeBroker((await store.get(paths.broker(Number(id)))).data))
    }
    for (const name of (await store.children(paths.topics)).names) {
      this.#topics.set(name, await this.#loadTopic(name))
    }
  }

  async #loadTopic(name: string): Promise<TopicInfo> {
    const { store } = this.#options
    const assignment = decodeTopic((await store.get(paths.topic(name))).data)
    const partitions = await Promise.all(
      assignment.partitions.map(async (_, index) => {
        const { data, stat } = await store.get(paths.partitionState(name, index))
        const state = decodePartitionState(data)
        return { state, partitionEpoch: stat.version, offlineReplicas: [] }
      }),
    )
    if (assignment.topicId === undefined) throw new Error(`topic ${name} has no id in the store`)
    return { name, topicId: assignment.topicId, assignment, partitions }
  }

  async #resumeDeletions(): Promise<void> {
    for (const name of (await this.#options.store.children(paths.deleteTopics)).names) {
      const topic = this.#topics.get(name)
      if (topic !== undefined) await this.#finishDeletion(topic)
    }
  }

  /** Tells every live broker everything. */
  async #announceAll(): Promise<void> {
    const topics = [...this.#topics.values()]
    await this.#sendLeaderAndIsr(topics.flatMap((topic) => this.#states(topic, 0, false)))
    await this.#sendMetadata({
      controllerId: this.#options.brokerId,
      brokers: this.#brokers,
      topics: topics.map(metadataOf),
    })
  }

  // ---- Writing decisions ------------------------------------------------------------------------

  async #writeNewTopic(
    spec: CreateTopicSpec,
    topicId: string,
    replicas: readonly number[][],
  ): Promise<void> {
    const { name } = spec
    const assignment: TopicAssignment = { topicId, partitions: replicas.map(assigned) }
    const partitions = replicas.map((list) => this.#newPartition(list))
    await this.#write([
      // A config node without a topic is what a creation of an older kind may have left behind.
      ...(await this.#removalIfPresent(paths.config('topics', name))),
      { type: 'create', path: paths.config('topics', name), data: encodeConfig(spec.configs) },
      { type: 'create', path: paths.topic(name), data: encodeTopic(assignment) },
      { type: 'create', path: paths.topicPartitions(name), data: Buffer.alloc(0) },
      ...partitions.flatMap((partition, index) => creationOf(name, index, partition)),
    ])
    const topic: TopicInfo = { name, topicId, assignment, partitions }
    this.#topics.set(name, topic)
    await this.#announce(topic, 0)
  }

  async #writeNewPartitions(topic: TopicInfo, added: readonly number[][]): Promise<void> {
    const first = topic.partitions.length
    const assignment: TopicAssignment = {
      topicId: topic.topicId,
      partitions: [...topic.assignment.partitions, ...added.map(assigned)],
    }
    const partitions = added.map((list) => this.#newPartition(list))
    await this.#write([
      {
        type: 'set',
        path: paths.topic(topic.name),
        data: encodeTopic(assignment),
        version: ANY_VERSION,
      },
      ...partitions.flatMap((partition, i) => creationOf(topic.name, first + i, partition)),
    ])
    topic.assignment = assignment
    topic.partitions.push(...partitions)
    await this.#announce(topic, first)
  }

  async #writeChanges(topic: TopicInfo, changes: readonly PartitionChange[]): Promise<void> {
    const { assignment, states } = changedTopic(topic, changes, this.#epoch)
    await this.#write([
      {
        type: 'set',
        path: paths.topic(topic.name),
        data: encodeTopic(assignment),
        version: ANY_VERSION,
      },
      ...[...states].map(([index, state]): MetadataOperation => {
        const path = paths.partitionState(topic.name, index)
        return { type: 'set', path, data: encodePartitionState(state), version: ANY_VERSION }
      }),
    ])
    topic.assignment = assignment
    for (const [index, state] of states) {
      const partition = topic.partitions[index]!
      partition.state = state
      partition.partitionEpoch += 1
    }
    const indexes = new Set(changes.map((change) => change.partitionIndex))
    const all = this.#states(topic, 0, false)
    await this.#sendLeaderAndIsr(all.filter(({ partitionIndex }) => indexes.has(partitionIndex)))
    await this.#sendMetadata({ topics: [metadataOf(topic)] })
  }

  /** Carries out a deletion that is already recorded. */
  async #finishDeletion(topic: TopicInfo): Promise<void> {
    const { name } = topic
    await this.#sendMetadata({ deletedTopics: [name] })
    const partitions = topic.partitions.map((_, partitionIndex) => ({
      topic: name,
      partitionIndex,
    }))
    for (const brokerId of this.#brokers.keys()) {
      const own = partitions.filter(({ partitionIndex }) =>
        topic.assignment.partitions[partitionIndex]!.replicas.includes(brokerId),
      )
      await this.#options.channel(brokerId)?.stopReplicas(own, true)
    }
    await this.#write([
      ...topic.partitions.flatMap((_, index) => removalOf(name, index)),
      { type: 'delete', path: paths.topicPartitions(name), version: ANY_VERSION },
      { type: 'delete', path: paths.topic(name), version: ANY_VERSION },
      ...(await this.#removalIfPresent(paths.config('topics', name))),
      { type: 'delete', path: paths.deleteTopic(name), version: ANY_VERSION },
    ])
    this.#topics.delete(name)
  }

  /** Does all of `operations`, on condition that this broker is still the controller. */
  async #write(operations: readonly MetadataOperation[]): Promise<void> {
    const path = paths.controllerEpoch
    const fence: MetadataOperation = { type: 'check', path, version: this.#epochVersion }
    try {
      await asStorageError(this.#options.store.multi([fence, ...operations]))
    } catch (error) {
      if (isMetadataError(error, 'BAD_VERSION') && (await this.#isSuperseded())) {
        this.#isActive = false
        throw new KafkaError('NOT_CONTROLLER')
      }
      throw error
    }
  }

  async #isSuperseded(): Promise<boolean> {
    const stat = await this.#options.store.exists(paths.controllerEpoch)
    return stat?.version !== this.#epochVersion
  }

  async #removalIfPresent(path: string): Promise<MetadataOperation[]> {
    const stat = await this.#options.store.exists(path)
    return stat === undefined ? [] : [{ type: 'delete', path, version: stat.version }]
  }

  /** A partition that has never had data: led by its first live replica, all live ones in sync. */
  #newPartition(replicas: readonly number[]): PartitionInfo {
    const isr = replicas.filter((id) => this.#brokers.has(id))
    const state: PartitionState = {
      leader: isr[0] ?? NO_LEADER,
      leaderEpoch: 0,
      controllerEpoch: this.#epoch,
      isr,
    }
    return { state, partitionEpoch: 0, offlineReplicas: [] }
  }

  // ---- Telling brokers --------------------------------------------------------------------------

  async #announce(topic: TopicInfo, firstPartition: number): Promise<void> {
    await this.#sendLeaderAndIsr(this.#states(topic, firstPartition, true))
    await this.#sendMetadata({ topics: [metadataOf(topic)] })
  }

  #states(topic: TopicInfo, firstPartition: number, isNew: boolean): LeaderAndIsr[] {
    return leaderAndIsrOf(topic, this.#epoch, isNew).slice(firstPartition)
  }

  async #sendLeaderAndIsr(states: readonly LeaderAndIsr[]): Promise<void> {
    for (const brokerId of this.#brokers.keys()) {
      const own = states.filter((state) => state.replicas.includes(brokerId))
      const codes = (await this.#options.channel(brokerId)?.leaderAndIsr(own)) ?? []
      for (const [i, code] of codes.entries()) {
        if (code === ErrorCode.NONE) continue
        const { topic, partitionIndex } = own[i]!
        this.#topics.get(topic)!.partitions[partitionIndex]!.offlineReplicas.push(brokerId)
      }
    }
  }

  async #sendMetadata(update: Parameters<ControlChannel['updateMetadata']>[0]): Promise<void> {
    for (const brokerId of this.#brokers.keys()) {
      await this.#options.channel(brokerId)?.updateMetadata(update)
    }
  }

  #view(): ClusterView {
    return {
      brokerIds: new Set(this.#brokers.keys()),
      topicNames: () => [...this.#topics.keys()],
      partitions: (name) => {
        const topic = this.#topics.get(name)
        return topic?.partitions.map(({ state }, index) => ({
          ...{ state, assignment: topic.assignment.partitions[index]! },
        }))
      },
    }
  }

  #picture() {
    const { partitions, replicationFactor } = this.#options.defaults()
    return {
      brokerIds: [...this.#brokers.keys()],
      defaultPartitions: partitions,
      defaultReplicationFactor: replicationFactor,
      random: this.#options.random,
    }
  }

  /**
   * Runs `decision` after the ones before it. Throws NOT_CONTROLLER unless this is the controller.
   */
  #decide<T>(decision: () => Promise<T>): Promise<T> {
    const run = async () => {
      if (!this.#isActive) throw new KafkaError('NOT_CONTROLLER')
      return await decision()
    }
    const result = this.#lastDecision.then(run, run)
    this.#lastDecision = result.catch(() => {})
    return result
  }
}

/** The broker id in /controller, or -1 where there is no controller. */
export async function currentController(store: MetadataStore): Promise<number> {
  try {
    return decodeController((await store.get(paths.controller)).data).brokerId
  } catch (error) {
    if (isMetadataError(error, 'NO_NODE')) return -1
    throw error
  }
}
