/**
 * The settings that can be changed while the broker runs: each topic's, each group's, this
 * broker's, those of all brokers, and subscriptions to metrics of clients. They are kept in the
 * metadata store; what is here is a copy, kept up to date by whoever changes them through this
 * broker.
 *
 * A change is checked as a whole before it is written, and is in force when the call that made it
 * resolves.
 */
import { type BrokerConfig, checkDynamicUpdate } from '../common/config/broker-config.ts'
import {
  type ClientMetricsConfig,
  createClientMetricsConfig,
  validateClientMetricsConfig,
} from '../common/config/client-metrics-config.ts'
import { type ConfigEntries, ConfigSource } from '../common/config/config.ts'
import {
  createGroupConfig,
  type GroupConfig,
  validateGroupConfig,
} from '../common/config/group-config.ts'
import {
  createTopicConfig,
  type TopicConfig,
  validateTopicConfig,
} from '../common/config/topic-config.ts'
import { ANY_VERSION, isMetadataError, type MetadataStore } from '../metadata/metadata-store.ts'
import {
  type ConfigEntity,
  DEFAULT_ENTITY,
  decodeConfig,
  encodeConfig,
  paths,
} from '../metadata/znodes.ts'
import type {
  CleanupPolicy,
  LogConfig,
  TimestampType,
  TopicCompression,
} from '../storage/log-config.ts'
import { ConfigNodes } from './config-nodes.ts'
import { asStorageError } from './storage-errors.ts'

export class ConfigRepository {
  readonly #broker: BrokerConfig
  #loadedStore: MetadataStore | undefined
  #brokerId = -1
  readonly #topics = new Map<string, ConfigEntries>()
  /** Made from `#topics` when first asked for. */
  readonly #topicConfigs = new Map<string, TopicConfig>()
  readonly #topicListeners = new Set<(topic: string) => void>()
  /** What has been set for groups, by their ids. */
  readonly groups: ConfigNodes<GroupConfig>
  /** The subscriptions to metrics of clients, by their names. */
  readonly clientMetrics: ConfigNodes<ClientMetricsConfig>

  /** `broker` is the configuration from the broker's properties; what is loaded is added to it. */
  constructor(broker: BrokerConfig) {
    this.#broker = broker
    this.groups = new ConfigNodes('groups', {
      create: (entries) => createGroupConfig(broker, entries),
      validate: (entries) => validateGroupConfig(broker, entries),
    })
    this.clientMetrics = new ConfigNodes('client-metrics', {
      create: createClientMetricsConfig,
      validate: validateClientMetricsConfig,
    })
  }

  /** The broker's own configuration, with what was set dynamically. */
  get broker(): BrokerConfig {
    return this.#broker
  }

  /** Reads everything from the store, in which changes will be kept. */
  async load(store: MetadataStore, brokerId: number): Promise<void> {
    this.#loadedStore = store
    this.#brokerId = brokerId
    for (const topic of (await this.#store.children(paths.configs('topics'))).names) {
      this.#topics.set(topic, await this.#read('topics', topic))
    }
    for (const [source, name] of this.#brokerEntities()) {
      this.#broker.replace(source, await this.#read('brokers', name))
    }
    await this.groups.load(store)
    await this.clientMetrics.load(store)
  }

  /** The configuration of a topic. What it does not set follows the broker's. */
  topic(name: string): TopicConfig {
    let config = this.#topicConfigs.get(name)
    if (config === undefined) {
      config = createTopicConfig(this.#broker, this.topicEntries(name))
      this.#topicConfigs.set(name, config)
    }
    return config
  }

  /** What has been set for a topic. */
  topicEntries(name: string): ConfigEntries {
    return this.#topics.get(name) ?? new Map()
  }

  /** Calls `listener` after a topic's settings have changed. */
  onTopicChange(listener: (topic: string) => void): void {
    this.#topicListeners.add(listener)
  }

  /** Throws ConfigError unless `entries` could be a topic's settings. */
  checkTopic(entries: ConfigEntries): TopicConfig {
    return validateTopicConfig(this.#broker, entries)
  }

  /** Reads a topic's settings from the store, where the controller has put them. */
  async refreshTopic(name: string): Promise<void> {
    this.#setEntries(name, await this.#read('topics', name))
  }

  /** The topic is gone. */
  forgetTopic(name: string): void {
    this.#topics.delete(name)
    this.#topicConfigs.delete(name)
  }

  #setEntries(name: string, entries: ConfigEntries): void {
    this.#topics.set(name, entries)
    this.#topicConfigs.delete(name)
  }

  /** Replaces a topic's settings. Throws ConfigError. */
  async setTopic(name: string, entries: ConfigEntries, validateOnly: boolean): Promise<void> {
    this.checkTopic(entries)
    if (validateOnly) return
    await this.#write('topics', name, entries)
    this.#setEntries(name, entries)
    for (const listener of this.#topicListeners) listener(name)
  }

  /** What has been set for this broker (`source` 2) or for all brokers (3). */
  brokerEntries(source: DynamicSource): ConfigEntries {
    return this.#broker.entries(source)
  }

  /** Replaces the dynamic settings of this broker, or of all brokers. Throws ConfigError. */
  async setBroker(
    source: DynamicSource,
    entries: ConfigEntries,
    validateOnly: boolean,
  ): Promise<void> {
    const forAll = source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
    checkDynamicUpdate(entries, forAll ? 'cluster-wide' : 'per-broker')
    this.#broker.with(source, entries)
    if (validateOnly) return
    await this.#write('brokers', forAll ? DEFAULT_ENTITY : String(this.#brokerId), entries)
    this.#broker.replace(source, entries)
  }

  get #store(): MetadataStore {
    if (this.#loadedStore === undefined) throw new Error('settings are used before they are loaded')
    return this.#loadedStore
  }

  #brokerEntities(): [DynamicSource, string][] {
    return [
      [ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, DEFAULT_ENTITY],
      [ConfigSource.DYNAMIC_BROKER_CONFIG, String(this.#brokerId)],
    ]
  }

  async #read(type: ConfigEntity, name: string): Promise<ConfigEntries> {
    try {
      const { data } = await this.#store.get(paths.config(type, name))
      return new Map(Object.entries(decodeConfig(data)))
    } catch (error) {
      if (isMetadataError(error, 'NO_NODE')) return new Map()
      throw error
    }
  }

  async #write(type: ConfigEntity, name: string, entries: ConfigEntries): Promise<void> {
    const path = paths.config(type, name)
    const data = encodeConfig(Object.fromEntries(entries))
    const exists = (await this.#store.exists(path)) !== undefined
    const write = exists ? this.#store.set(path, data, ANY_VERSION) : this.#store.create(path, data)
    await asStorageError<unknown>(write)
  }
}

type DynamicSource =
  | typeof ConfigSource.DYNAMIC_BROKER_CONFIG
  | typeof ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG

/** What a log must know of its topic's configuration. */
export function logConfigOf(config: TopicConfig): LogConfig {
  const compressionType = config.get('compression.type') as TopicCompression
  const level = compressionLevel(config, compressionType)
  return {
    segmentBytes: config.get('internal.segment.bytes') ?? config.get('segment.bytes'),
    segmentMs: config.get('segment.ms'),
    segmentJitterMs: config.get('segment.jitter.ms'),
    indexIntervalBytes: config.get('index.interval.bytes'),
    maxIndexSizeBytes: config.get('segment.index.bytes'),
    flushMessages: config.get('flush.messages'),
    flushMs: config.get('flush.ms'),
    retentionBytes: config.get('retention.bytes'),
    retentionMs: config.get('retention.ms'),
    maxMessageBytes: config.get('max.message.bytes'),
    timestampType: config.get('message.timestamp.type') as TimestampType,
    messageTimestampBeforeMaxMs: config.get('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: config.get('message.timestamp.after.max.ms'),
    cleanupPolicy: config.get('cleanup.policy') as readonly CleanupPolicy[],
    minCleanableDirtyRatio: config.get('min.cleanable.dirty.ratio'),
    deleteRetentionMs: config.get('delete.retention.ms'),
    minCompactionLagMs: config.get('min.compaction.lag.ms'),
    maxCompactionLagMs: config.get('max.compaction.lag.ms'),
    preallocate: config.get('preallocate'),
    fileDeleteDelayMs: config.get('file.delete.delay.ms'),
    compressionType,
    ...(level === undefined ? {} : { compressionLevel: level }),
  }
}

function compressionLevel(config: TopicConfig, type: TopicCompression): number | undefined {
  if (type === 'gzip') return config.get('compression.gzip.level')
  if (type === 'lz4') return config.get('compression.lz4.level')
  if (type === 'zstd') return config.get('compression.zstd.level')
  return undefined
}
