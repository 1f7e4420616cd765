/** What a test cluster can be told, and what its broker is configured with because of that. */

import { ConfigError } from '../clients/index.ts'
import { createBrokerConfig } from '../common/config/broker-config.ts'
import type { LogLevel } from '../common/logger.ts'

/** A topic that is there from the start. */
export interface TopicOptions {
  /** `num.partitions` of the broker without it, which is 1. */
  readonly partitions?: number
  /** By Kafka's names: `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: Readonly<Record<string, string | number | boolean>>
}

/** Topics by name. */
export type Topics = Readonly<Record<string, TopicOptions>>

export interface TestClusterOptions {
  /** How many brokers; 1 is what there can be so far. */
  readonly brokers?: number
  /** Topics that are there from the start, and again after `reset`. */
  readonly topics?: Topics
  /** Settings of the brokers by Kafka's names, such as `{ 'message.max.bytes': 2000 }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /**
   * Where the data lies: in memory (which nothing outlives), in a folder that is removed with the
   * cluster, or in one that stays, and that may have data from before.
   */
  readonly storage?: 'memory' | 'temporary folder' | { readonly folder: string }
  /** The port of the first broker on 127.0.0.1; 0, as without it, has the system choose. */
  readonly port?: number
  /** Whether asking for a topic creates it, as it does in Kafka unless it is told not to. */
  readonly autoCreateTopics?: boolean
  /** A new one without it. */
  readonly clusterId?: string
  /** Receives the lines of the brokers' log: `console.log`, for example. */
  readonly log?: (line: string) => void
  /** What is worth a line; `info` without it. */
  readonly logLevel?: LogLevel
}

/** Every option, with nothing forgotten. */
const OPTIONS: Readonly<Record<keyof TestClusterOptions, true>> = {
  ...{ brokers: true, topics: true, config: true, storage: true, port: true },
  ...{ autoCreateTopics: true, clusterId: true, log: true, logLevel: true },
}

/** Where data lies on a disk in memory. */
export const MEMORY_FOLDER = '/samsa'

/** Settings that follow from the options, and where to look for what they do. */
const TAKEN: Readonly<Record<string, string>> = {
  'node.id': 'brokers are numbered from 1',
  'broker.id': 'brokers are numbered from 1',
  'log.dir': 'see the option storage',
  'log.dirs': 'see the option storage',
  listeners: 'see the option port',
  'auto.create.topics.enable': 'see the option autoCreateTopics',
}

/** What suits a test better than the defaults of Kafka, which are for large clusters. */
const TEST_DEFAULTS: Readonly<Record<string, string>> = {
  // One partition holds what the few groups and transactions of a test need, and is made at once.
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  // A group of a test is complete when its first member has come.
  'group.initial.rebalance.delay.ms': '0',
  // Members of a test may want to be missed soon.
  'group.min.session.timeout.ms': '100',
  'group.consumer.min.session.timeout.ms': '100',
  'group.share.min.session.timeout.ms': '100',
  // And to hear soon of what a test does to them.
  'group.consumer.min.heartbeat.interval.ms': '10',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.share.min.heartbeat.interval.ms': '10',
  'group.share.heartbeat.interval.ms': '500',
  // When time is advanced, idle connections are not what is to be tested.
  'connections.max.idle.ms': '-1',
  // Retention shows soon after time has been advanced, and what is deleted gives its memory back.
  'log.retention.check.interval.ms': '1000',
  'log.segment.delete.delay.ms': '0',
}

/** Throws ConfigError for options that are unknown or cannot be met. */
export function checkOptions(options: TestClusterOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue
    throw new ConfigError(`Unknown option ${name}. Allowed are ${Object.keys(OPTIONS).join(', ')}`)
  }
  const { brokers = 1, port = 0, storage = 'memory' } = options
  if (!Number.isInteger(brokers) || brokers < 1) {
    throw new ConfigError(`brokers is a number of brokers, 1 at least, not ${brokers}`)
  }
  if (brokers > 1) {
    throw new ConfigError(
      `brokers is ${brokers}, but a cluster can have 1 so far: there is no replication between ` +
        'brokers yet. To see how clients get over a lost broker, kill the one and restart it',
    )
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError(`port is a number from 0 to 65535, not ${port}`)
  }
  if (storage === 'memory' || storage === 'temporary folder') return
  if (typeof storage === 'object' && storage.folder) return
  const given = typeof storage === 'string' ? `'${storage}'` : 'something else'
  throw new ConfigError(`storage is 'memory', 'temporary folder' or { folder }, not ${given}`)
}

/** The configuration of a broker. Throws ConfigError. */
export function brokerConfig(options: TestClusterOptions, brokerId: number, folder: string) {
  const { config = {}, port = 0, autoCreateTopics = true } = options
  for (const [name, reason] of Object.entries(TAKEN)) {
    if (Object.hasOwn(config, name)) throw new ConfigError(`${name} cannot be set: ${reason}`)
  }
  const created = createBrokerConfig(
    new Map([
      ...Object.entries(TEST_DEFAULTS),
      ...Object.entries(textValues(config)),
      ['node.id', String(brokerId)],
      ['listeners', `PLAINTEXT://127.0.0.1:${port}`],
      ['log.dirs', folder],
      ['auto.create.topics.enable', String(autoCreateTopics)],
    ]),
  )
  const unknown = created.unknownKeys
  if (unknown.length === 0) return created
  throw new ConfigError(`Unknown configuration of brokers: ${unknown.join(', ')}`)
}

/** Settings as Kafka has them: as text. */
export function textValues(
  values: Readonly<Record<string, string | number | boolean>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}
