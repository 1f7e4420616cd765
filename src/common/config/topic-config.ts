/**
 * A topic's configuration: every key of Kafka 4, over the configuration of the broker, which gives
 * the defaults.
 *
 * Keys about tiered storage exist so that tools can read them; switching it on is refused, as by a
 * Kafka broker that has none.
 */
import type { BrokerConfig } from './broker-config.ts'
import { Config, type ConfigEntries, ConfigSource } from './config.ts'
import {
  atLeast,
  between,
  boolean,
  defineConfig,
  double,
  int,
  list,
  long,
  oneOf,
  string,
} from './config-definition.ts'
import { ConfigError, formatConfigValue } from './config-value.ts'
import {
  CLEANUP_POLICIES,
  COMPRESSION_TYPES,
  gzipLevel,
  LZ4_LEVELS,
  TIMESTAMP_TYPES,
  throttledReplicas,
  ZSTD_LEVELS,
} from './log-values.ts'

const NEVER = Number.POSITIVE_INFINITY
const MIB = 1024 * 1024
const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS

const SEGMENTS = {
  'segment.bytes': int({
    default: 1024 * MIB,
    valid: atLeast(MIB),
    brokerDefault: 'log.segment.bytes',
    overriddenBy: 'internal.segment.bytes',
    doc: 'The size at which a segment of the log is closed and a new one begun.',
  }),
  'internal.segment.bytes': int({
    default: null,
    internal: true,
    doc: 'As segment.bytes, without its lower limit. For tests.',
  }),
  'segment.ms': long({
    default: WEEK_MS,
    valid: atLeast(1),
    brokerDefault: 'log.roll.ms',
    doc: 'The age at which a segment is closed though it is not full, so that it can be deleted.',
  }),
  'segment.jitter.ms': long({
    default: 0,
    valid: atLeast(0),
    brokerDefault: 'log.roll.jitter.ms',
    doc: 'At most this much, chosen at random, is taken off segment.ms.',
  }),
  'segment.index.bytes': int({
    default: 10 * MIB,
    valid: atLeast(4),
    brokerDefault: 'log.index.size.max.bytes',
    doc: 'The size at which an offset index is full and its segment is closed.',
  }),
  'index.interval.bytes': int({
    default: 4096,
    valid: atLeast(0),
    brokerDefault: 'log.index.interval.bytes',
    doc: 'How many bytes of log lie between two entries of the offset index, roughly.',
  }),
  preallocate: boolean({
    default: false,
    brokerDefault: 'log.preallocate',
    doc: 'Whether a new segment file is given its full size at once.',
  }),
  'flush.messages': long({
    default: NEVER,
    valid: atLeast(1),
    brokerDefault: 'log.flush.interval.messages',
    doc: 'How many records a partition takes before it is flushed to the disk.',
  }),
  'flush.ms': long({
    default: NEVER,
    valid: atLeast(0),
    brokerDefault: 'log.flush.interval.ms',
    doc: 'How long a record may stay unflushed.',
  }),
}

const RETENTION = {
  'cleanup.policy': list({
    default: ['delete'],
    valid: oneOf(...CLEANUP_POLICIES),
    brokerDefault: 'log.cleanup.policy',
    doc:
      'What is done with old segments: "delete" removes them past their retention, "compact" ' +
      'keeps the last record of each key. Both may be given.',
  }),
  'retention.ms': long({
    default: WEEK_MS,
    valid: atLeast(-1),
    brokerDefault: 'log.retention.ms',
    doc: 'How long records are kept; -1 means without limit.',
  }),
  'retention.bytes': long({
    default: -1,
    brokerDefault: 'log.retention.bytes',
    doc: 'The size of a partition above which its oldest segments are deleted; -1 means no limit.',
  }),
  'file.delete.delay.ms': long({
    default: 60_000,
    valid: atLeast(0),
    brokerDefault: 'log.segment.delete.delay.ms',
    doc: 'How long the file of a deleted segment stays on the disk.',
  }),
  'delete.retention.ms': long({
    default: 24 * HOUR_MS,
    valid: atLeast(0),
    brokerDefault: 'log.cleaner.delete.retention.ms',
    doc: 'How long the deletion of a key stays visible to readers of a compacted topic.',
  }),
  'min.compaction.lag.ms': long({
    default: 0,
    valid: atLeast(0),
    brokerDefault: 'log.cleaner.min.compaction.lag.ms',
    doc: 'The age below which a record is not compacted.',
  }),
  'max.compaction.lag.ms': long({
    default: NEVER,
    valid: atLeast(1),
    brokerDefault: 'log.cleaner.max.compaction.lag.ms',
    doc: 'The age above which a record is compacted, however little there is to gain.',
  }),
  'min.cleanable.dirty.ratio': double({
    default: 0.5,
    valid: between(0, 1),
    brokerDefault: 'log.cleaner.min.cleanable.ratio',
    doc: 'The part of a log that must be uncompacted before it is worth compacting.',
  }),
}

const RECORDS = {
  'max.message.bytes': int({
    default: MIB + 12,
    valid: atLeast(0),
    brokerDefault: 'message.max.bytes',
    doc: 'The largest record batch that is accepted, in bytes, as it is sent.',
  }),
  'message.timestamp.type': string({
    default: 'CreateTime',
    valid: oneOf(...TIMESTAMP_TYPES),
    brokerDefault: 'log.message.timestamp.type',
    doc: 'Whether records carry the time their producer gave them or that of their append.',
  }),
  'message.timestamp.before.max.ms': long({
    default: NEVER,
    valid: atLeast(0),
    brokerDefault: 'log.message.timestamp.before.max.ms',
    doc: 'How far before the clock of the broker the timestamp of a record may lie.',
  }),
  'message.timestamp.after.max.ms': long({
    default: HOUR_MS,
    valid: atLeast(0),
    brokerDefault: 'log.message.timestamp.after.max.ms',
    doc: 'How far after the clock of the broker the timestamp of a record may lie.',
  }),
  'compression.type': string({
    default: 'producer',
    valid: oneOf(...COMPRESSION_TYPES),
    brokerDefault: 'compression.type',
    doc: 'How batches are stored; "producer" leaves them as they were sent.',
  }),
  'compression.gzip.level': int({
    default: -1,
    valid: gzipLevel,
    brokerDefault: 'compression.gzip.level',
    doc: 'The level at which gzip compresses, where the broker does so; -1 is its own default.',
  }),
  'compression.lz4.level': int({
    default: 9,
    valid: LZ4_LEVELS,
    brokerDefault: 'compression.lz4.level',
    doc: 'The level at which lz4 compresses, where the broker does so.',
  }),
  'compression.zstd.level': int({
    default: 3,
    valid: ZSTD_LEVELS,
    brokerDefault: 'compression.zstd.level',
    doc: 'The level at which zstd compresses, where the broker does so.',
  }),
}

const REPLICATION = {
  'min.insync.replicas': int({
    default: 1,
    valid: atLeast(1),
    brokerDefault: 'min.insync.replicas',
    doc: 'How many replicas must be in sync for a write with acks=all to be accepted.',
  }),
  'unclean.leader.election.enable': boolean({
    default: false,
    brokerDefault: 'unclean.leader.election.enable',
    doc: 'Whether a replica that is behind may lead if no other is left. Records may be lost then.',
  }),
  'leader.replication.throttled.replicas': list({
    default: [],
    valid: throttledReplicas,
    doc: 'The replicas whose reading from their leader is throttled, as partition:broker, or *.',
  }),
  'follower.replication.throttled.replicas': list({
    default: [],
    valid: throttledReplicas,
    doc: 'The replicas that are throttled as followers, as partition:broker, or *.',
  }),
}

const TIERED_STORAGE = {
  'remote.storage.enable': boolean({
    default: false,
    doc: 'Whether old segments move to remote storage. There is none, so only false is accepted.',
  }),
  'remote.log.copy.disable': boolean({
    default: false,
    doc: 'Whether data already in remote storage becomes read-only.',
  }),
  'remote.log.delete.on.disable': boolean({
    default: false,
    doc: 'Whether data in remote storage is deleted when remote storage is switched off.',
  }),
  'local.retention.ms': long({
    default: -2,
    valid: atLeast(-2),
    doc: 'How long segments are kept locally after their move; -2 means as long as retention.ms.',
  }),
  'local.retention.bytes': long({
    default: -2,
    valid: atLeast(-2),
    doc: 'How much is kept locally after its move; -2 means as much as retention.bytes.',
  }),
}

const TOPIC_KEYS = { ...SEGMENTS, ...RETENTION, ...RECORDS, ...REPLICATION, ...TIERED_STORAGE }

export const TOPIC_CONFIG = defineConfig(TOPIC_KEYS, {
  update: 'cluster-wide',
  check(get) {
    const minLagMs = get('min.compaction.lag.ms')
    const maxLagMs = get('max.compaction.lag.ms')
    if (minLagMs > maxLagMs) {
      throw new ConfigError(
        'conflict topic config setting ' +
          `min.compaction.lag.ms (${formatConfigValue('LONG', minLagMs)}) > ` +
          `max.compaction.lag.ms (${formatConfigValue('LONG', maxLagMs)})`,
      )
    }
    if (get('remote.storage.enable')) {
      throw new ConfigError(
        'Tiered Storage functionality is disabled in the broker. ' +
          'Topic cannot be configured with remote log storage.',
      )
    }
  },
})

export type TopicConfig = Config<typeof TOPIC_CONFIG.keys>

/**
 * The configuration of a topic that has set `entries`. Unknown keys are kept and have no effect.
 * Throws ConfigError if a value is invalid.
 */
export function createTopicConfig(broker: BrokerConfig, entries: ConfigEntries): TopicConfig {
  return new Config(TOPIC_CONFIG, [[ConfigSource.TOPIC_CONFIG, entries]], broker)
}

/** As `createTopicConfig`, for what a client asks: an unknown key is a ConfigError too. */
export function validateTopicConfig(broker: BrokerConfig, entries: ConfigEntries): TopicConfig {
  for (const name of entries.keys()) {
    if (TOPIC_CONFIG.keys[name as keyof typeof TOPIC_KEYS] === undefined) {
      throw new ConfigError(`Unknown topic config name: ${name}`)
    }
  }
  return createTopicConfig(broker, entries)
}
