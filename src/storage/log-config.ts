/**
 * What a partition's log must know of its topic's configuration: a plain object with a value for
 * every key, which the server builds from topic and broker configuration. A log reads it anew each
 * time it needs it, so replacing a log's config object is how a change takes effect.
 *
 * Where Kafka writes Long.MAX_VALUE for "never", this has Infinity; where Kafka writes -1 for
 * "unlimited", this has -1.
 */

/** `message.timestamp.type`: whose clock a record's timestamp is. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

export type CleanupPolicy = 'delete' | 'compact'

/** `compression.type`: what batches are stored as; `producer` keeps what the producer chose. */
export type TopicCompression =
  | 'producer'
  | 'uncompressed'
  | 'none'
  | 'gzip'
  | 'snappy'
  | 'lz4'
  | 'zstd'

export interface LogConfig {
  /** `segment.bytes` */
  readonly segmentBytes: number
  /** `segment.ms` */
  readonly segmentMs: number
  /** `segment.jitter.ms`: each segment is rolled up to this much earlier than `segmentMs`. */
  readonly segmentJitterMs: number
  /** `index.interval.bytes` */
  readonly indexIntervalBytes: number
  /** `segment.index.bytes` */
  readonly maxIndexSizeBytes: number
  /** `flush.messages` */
  readonly flushMessages: number
  /** `flush.ms` */
  readonly flushMs: number
  /** `retention.bytes`, -1 for unlimited */
  readonly retentionBytes: number
  /** `retention.ms`, -1 for unlimited */
  readonly retentionMs: number
  /** `max.message.bytes`: largest batch, its header included */
  readonly maxMessageBytes: number
  /** `message.timestamp.type` */
  readonly timestampType: TimestampType
  /** `message.timestamp.before.max.ms` */
  readonly messageTimestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms` */
  readonly messageTimestampAfterMaxMs: number
  /** `cleanup.policy` */
  readonly cleanupPolicy: readonly CleanupPolicy[]
  /** `min.cleanable.dirty.ratio` */
  readonly minCleanableDirtyRatio: number
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number
  /** `min.compaction.lag.ms` */
  readonly minCompactionLagMs: number
  /** `max.compaction.lag.ms` */
  readonly maxCompactionLagMs: number
  /** `preallocate` */
  readonly preallocate: boolean
  /** `file.delete.delay.ms` */
  readonly fileDeleteDelayMs: number
  /** `compression.type` */
  readonly compressionType: TopicCompression
  /** `compression.<type>.level` of `compressionType`, where one is set */
  readonly compressionLevel?: number
}

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  segmentJitterMs: 0,
  indexIntervalBytes: 4096,
  maxIndexSizeBytes: 10 * 1024 * 1024,
  flushMessages: Number.POSITIVE_INFINITY,
  flushMs: Number.POSITIVE_INFINITY,
  retentionBytes: -1,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  maxMessageBytes: 1024 * 1024 + 12,
  timestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  messageTimestampAfterMaxMs: 60 * 60 * 1000,
  cleanupPolicy: ['delete'],
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: 24 * 60 * 60 * 1000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
  preallocate: false,
  fileDeleteDelayMs: 60_000,
  compressionType: 'producer',
}

/** Whether the log cleaner may remove records of this log by key. */
export function isCompacted(config: LogConfig): boolean {
  return config.cleanupPolicy.includes('compact')
}

/** The age at which a segment is closed: what must be compacted soon must not stay in it longer. */
export function maxSegmentMs(config: LogConfig): number {
  if (!isCompacted(config)) return config.segmentMs
  return Math.min(config.segmentMs, config.maxCompactionLagMs)
}
