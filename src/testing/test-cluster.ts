/**
 * A Kafka cluster within the process of a test: real brokers, with a protocol that any client
 * speaks, whose data lies in memory, whose time can be advanced and whose faults can be chosen.
 *
 * ```ts
 * await using kafka = await TestCluster.start({ topics: { orders: { partitions: 3 } } })
 * const app = startApp({ bootstrapServers: kafka.bootstrapServers })
 * await kafka.produce('orders', [{ key: 'a', value: { total: 3 } }])
 * await kafka.waitForGroup('billing', { caughtUp: true })
 * ```
 * Nothing of it keeps the process alive, except a call of this class that is under way. A process
 * may have many clusters; they share nothing.
 */
import {
  type Admin,
  type GroupDescription,
  IllegalStateError,
  KafkaError,
  type ProducerRecord,
  type RecordMetadata,
} from '../clients/index.ts'
import { AdvancingClock } from '../common/advancing-clock.ts'
import { sleep } from '../common/clock.ts'
import type { Disk } from '../common/disk.ts'
import { LineLogger, silentLogger } from '../common/logger.ts'
import { MemoryDisk } from '../common/memory-disk.ts'
import { SystemRandom } from '../common/random.ts'
import { SystemDisk } from '../common/system-disk.ts'
import { SystemNetwork } from '../common/system-network.ts'
import { absolutePath, makeTemporaryFolder } from '../common/temporary-folder.ts'
import type { RequestInterceptor } from '../server/request-interceptor.ts'
import {
  brokerConfig,
  checkOptions,
  MEMORY_FOLDER,
  type TestClusterOptions,
  type Topics,
  textValues,
} from './cluster-options.ts'
import { resetSettings } from './cluster-reset.ts'
import { EmbeddedBroker } from './embedded-broker.ts'
import { FaultInjector, type Faults } from './faults.ts'
import { FormerMembers } from './former-members.ts'
import { type GroupConditions, GroupWatcher } from './group-wait.ts'
import { KeepAlive } from './keep-alive.ts'
import { OwnClients, type TestValue } from './own-clients.ts'
import type { TestBroker } from './test-broker.ts'
import { type ReadTopicOptions, TopicReader, type TopicRecord } from './topic-reader.ts'

/** A record to be produced: its value alone, or with what goes with it. */
export type TestRecord =
  | string
  | Uint8Array
  | Omit<ProducerRecord<string | Uint8Array, TestValue>, 'topic'>

const TEMPORARY_PREFIX = 'samsa-testing-'

export class TestCluster {
  readonly #options: TestClusterOptions
  readonly #clock = new AdvancingClock()
  readonly #keepAlive = new KeepAlive()
  readonly #faults = new FaultInjector(this.#keepAlive.clock)
  readonly #clients = new OwnClients(this.#keepAlive, () => this.bootstrapServers)
  readonly #formerMembers = new FormerMembers()
  #brokers: readonly EmbeddedBroker[] = []
  #removeFolder: (() => void) | undefined

  /** A cluster that is still to be opened. Throws ConfigError. */
  constructor(options: TestClusterOptions = {}) {
    checkOptions(options)
    this.#options = options
  }

  /**
   * Starts a cluster; when this resolves, clients can use it. Rejects with ConfigError for options
   * that cannot be met, NetworkError if the port is taken, DiskError if the folder cannot be used.
   */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options)
    await cluster.open()
    return cluster
  }

  /** Starts a cluster that was made with `new`. Rejects as `TestCluster.start`. */
  async open(): Promise<void> {
    if (this.#brokers.length > 0) throw new IllegalStateError('The cluster has been started')
    try {
      this.#brokers = this.#makeBrokers()
      await Promise.all(this.#brokers.map((broker) => broker.start()))
      await this.#createDeclaredTopics()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** What clients are told to connect to: `127.0.0.1:49152`. Stays the same over restarts. */
  get bootstrapServers(): string {
    return this.#running.map(({ address }) => address).join(',')
  }

  /** Faults in the way of requests. */
  get faults(): Faults {
    return this.#faults
  }

  /** The brokers, from number 1 on. */
  get brokers(): readonly TestBroker[] {
    return this.#brokers
  }

  /** A broker by its number, of which the first is 1. Throws RangeError. */
  broker(id: number): TestBroker {
    return this.#broker(id)
  }

  /** The id of the cluster. */
  get clusterId(): string {
    return this.#services.metadata.clusterId
  }

  /** An admin client of the cluster's own, which is closed with it. */
  get admin(): Admin {
    return this.#clients.admin
  }

  /**
   * Creates topics; when this resolves, clients can use them. Rejects with KafkaError:
   * TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_CONFIG.
   */
  async createTopics(topics: Topics): Promise<void> {
    for (const [name, { partitions, configs = {} }] of Object.entries(topics)) {
      await this.#services.topics.create(
        {
          ...{ name, numPartitions: partitions ?? -1, replicationFactor: -1, assignments: [] },
          configs: new Map(Object.entries(textValues(configs))),
        },
        false,
      )
    }
  }

  /**
   * Produces records, in order, and gives where each of them is. Values and keys may be text or
   * bytes; values of any other kind are written as JSON. Rejects with KafkaError.
   */
  async produce(topic: string, records: Iterable<TestRecord>): Promise<RecordMetadata[]> {
    if (this.#services.metadata.topic(topic) === undefined) {
      if (this.#options.autoCreateTopics === false) {
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${topic}`)
      }
      await this.createTopics({ [topic]: {} })
    }
    const complete = [...records].map((record) => {
      const isPlain = typeof record === 'string' || record instanceof Uint8Array
      return { topic, ...(isPlain ? { value: record } : record) }
    })
    return await this.#clients.produce(complete)
  }

  /**
   * All records of a topic, ordered by partition and offset, with keys and values as text unless
   * deserializers say otherwise. Rejects with UNKNOWN_TOPIC_OR_PARTITION.
   */
  async readTopic<Key = string, Value = string>(
    topic: string,
    options: ReadTopicOptions<Key, Value> = {},
  ): Promise<TopicRecord<Key, Value>[]> {
    return await new TopicReader(this.#clients).read(topic, options)
  }

  /**
   * Waits until a group is stable, or as the conditions say. Rejects with TimeoutError, which says
   * what it is instead.
   */
  async waitForGroup(groupId: string, conditions: GroupConditions = {}): Promise<GroupDescription> {
    return await new GroupWatcher(this.#clients).wait(groupId, conditions)
  }

  /**
   * Moves the brokers' time on. What becomes due by that happens at once: sessions and transactions
   * time out, retention applies. It is as if the machine had slept: a period that has passed many
   * times counts once. The time of clients, which is the real one, stays.
   */
  async advanceTime(ms: number): Promise<void> {
    this.#clock.advance(ms)
    // What follows from it at once has happened when the caller looks.
    await sleep(this.#keepAlive.clock, 0)
  }

  /**
   * Makes the cluster as it was when it had started: all topics and groups, and whatever belongs to
   * them, are gone, and so are faults, quotas and changed settings; the declared topics are there
   * and empty. Brokers that were killed or paused run. Connections stay, and so does the time.
   */
  async reset(): Promise<void> {
    this.#faults.end()
    for (const broker of this.#running) {
      if (broker.state === 'paused') await broker.resume()
      if (broker.state === 'stopped') await broker.restart()
    }
    const { metadata, topics } = this.#services
    const names = metadata.topics().map(({ name }) => name)
    await this.#keepAlive.during(async () => {
      await this.#formerMembers.remember(this.#services)
      await Promise.all(names.map((name) => topics.delete(name)))
      await resetSettings(this.#services)
      await this.#clients.close()
      await this.#createDeclaredTopics()
    })
  }

  /** Stops everything. Stopping twice is allowed. */
  async stop(): Promise<void> {
    const brokers = this.#brokers
    this.#brokers = []
    this.#faults.end()
    try {
      await this.#keepAlive.during(() => this.#clients.close())
      await Promise.all(brokers.map((broker) => broker.dispose()))
    } finally {
      this.#removeFolder?.()
      this.#removeFolder = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #running(): readonly EmbeddedBroker[] {
    if (this.#brokers.length > 0) return this.#brokers
    throw new IllegalStateError('The cluster is not running: start it first, or no longer use it')
  }

  /** The parts of the broker that decides for the cluster. */
  get #services() {
    return this.#broker(1).services
  }

  #broker(id: number): EmbeddedBroker {
    const broker = this.#running[id - 1]
    if (broker !== undefined) return broker
    throw new RangeError(`There is no broker ${id}: there are 1 to ${this.#brokers.length}`)
  }

  async #createDeclaredTopics(): Promise<void> {
    const { metadata } = this.#services
    const declared = Object.entries(this.#options.topics ?? {})
    // A folder that stays may have them from before.
    const missing = declared.filter(([name]) => metadata.topic(name) === undefined)
    await this.createTopics(Object.fromEntries(missing))
  }

  #makeBrokers(): EmbeddedBroker[] {
    const options = this.#options
    const { brokers = 1, clusterId, log } = options
    const clock = this.#clock
    const { disk, folder } = this.#openStorage()
    const logger =
      log === undefined
        ? silentLogger
        : new LineLogger({ clock, level: options.logLevel ?? 'info', sink: log })
    const network = new SystemNetwork({ keepsAlive: false })
    const ids = Array.from({ length: brokers }, (_, index) => index + 1)
    return ids.map(
      (id) =>
        new EmbeddedBroker({
          ...{ id, clusterId, random: new SystemRandom(), keepAlive: this.#keepAlive },
          machine: { clock, disk, network, log: logger },
          config: () => brokerConfig(options, id, folder),
          interceptor: this.#interceptor(id),
        }),
    )
  }

  #interceptor(brokerId: number): RequestInterceptor {
    const faults = this.#faults.interceptor(brokerId)
    return {
      intercept: (request) => faults.intercept(request) ?? this.#formerMembers.intercept(request),
    }
  }

  #openStorage(): { disk: Disk; folder: string } {
    const { storage = 'memory' } = this.#options
    if (storage === 'memory') return { disk: new MemoryDisk(this.#clock), folder: MEMORY_FOLDER }
    const disk = new SystemDisk()
    if (storage !== 'temporary folder') return { disk, folder: absolutePath(storage.folder) }
    const { path, dispose } = makeTemporaryFolder(TEMPORARY_PREFIX)
    this.#removeFolder = dispose
    return { disk, folder: path }
  }
}
