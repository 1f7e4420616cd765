/**
 * The broker's keys about logs: where they lie, how they are cut into segments, kept, flushed and
 * compacted. Most of them are defaults of a topic's own keys (which of which, is said in
 * `topic-config.ts`); those can be changed while the broker runs.
 */
import {
  atLeast,
  between,
  boolean,
  double,
  int,
  list,
  long,
  nonEmpty,
  oneOf,
  string,
} from './config-definition.ts'
import {
  CLEANUP_POLICIES,
  COMPRESSION_TYPES,
  gzipLevel,
  LZ4_LEVELS,
  TIMESTAMP_TYPES,
  ZSTD_LEVELS,
} from './log-values.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const NEVER = Number.POSITIVE_INFINITY
const MIB = 1024 * 1024

const FOLDERS = {
  'log.dir': list({
    default: ['/tmp/kafka-logs'],
    valid: nonEmpty(),
    importance: 'high',
    doc: 'The folders that hold the data, separated by commas. Used where log.dirs is not set.',
  }),
  'log.dirs': list({
    otherwise: [{ key: 'log.dir' }],
    valid: nonEmpty(),
    importance: 'high',
    doc: 'The folders that hold the data, separated by commas. If not set, log.dir is used.',
  }),
  'num.recovery.threads.per.data.dir': int({
    default: 2,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How many logs of a data folder are recovered at a time after an unclean shutdown.',
  }),
}

const SEGMENTS = {
  'log.segment.bytes': int({
    default: 1024 * MIB,
    valid: atLeast(MIB),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'The size at which a segment of a log is closed and a new one begun.',
  }),
  'log.roll.hours': int({
    default: 168,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The age in hours at which a segment is closed. Used where log.roll.ms is not set.',
  }),
  'log.roll.ms': long({
    otherwise: [{ key: 'log.roll.hours', times: HOUR_MS }],
    importance: 'high',
    update: 'cluster-wide',
    doc: 'The age at which a segment is closed, in ms. If not set, log.roll.hours is used.',
  }),
  'log.roll.jitter.hours': int({
    default: 0,
    valid: atLeast(0),
    importance: 'high',
    doc: 'As log.roll.jitter.ms, in hours. Used where that is not set.',
  }),
  'log.roll.jitter.ms': long({
    otherwise: [{ key: 'log.roll.jitter.hours', times: HOUR_MS }],
    importance: 'high',
    update: 'cluster-wide',
    doc:
      'At most this much, chosen at random, is taken off log.roll.ms so that segments are not ' +
      'all closed at once. If not set, log.roll.jitter.hours is used.',
  }),
  'log.index.size.max.bytes': int({
    default: 10 * MIB,
    valid: atLeast(4),
    update: 'cluster-wide',
    doc: 'The size at which an offset index is full and its segment is closed.',
  }),
  'log.index.interval.bytes': int({
    default: 4096,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'How many bytes of log lie between two entries of the offset index, roughly.',
  }),
  'log.preallocate': boolean({
    default: false,
    update: 'cluster-wide',
    doc: 'Whether a new segment file is given its full size at once.',
  }),
}

const RETENTION = {
  'log.retention.hours': int({
    default: 168,
    importance: 'high',
    doc: 'As log.retention.ms, in hours. Used where neither that nor the minutes are set.',
  }),
  'log.retention.minutes': int({
    default: null,
    importance: 'high',
    doc: 'As log.retention.ms, in minutes. If not set, log.retention.hours is used.',
  }),
  'log.retention.ms': long({
    otherwise: [
      { key: 'log.retention.minutes', times: MINUTE_MS },
      { key: 'log.retention.hours', times: HOUR_MS },
    ],
    importance: 'high',
    update: 'cluster-wide',
    doc:
      'How long records are kept, in milliseconds; -1 means without limit. ' +
      'If not set, log.retention.minutes is used.',
  }),
  'log.retention.bytes': long({
    default: -1,
    importance: 'high',
    update: 'cluster-wide',
    doc: 'The size of a partition above which its oldest segments are deleted; -1 means no limit.',
  }),
  'log.retention.check.interval.ms': long({
    default: 5 * MINUTE_MS,
    valid: atLeast(1),
    doc: 'How often logs are searched for segments to delete.',
  }),
  'log.segment.delete.delay.ms': long({
    default: MINUTE_MS,
    valid: atLeast(0),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How long the file of a deleted segment stays on the disk, for readers still at it.',
  }),
  'log.cleanup.policy': list({
    default: ['delete'],
    valid: oneOf(...CLEANUP_POLICIES),
    update: 'cluster-wide',
    doc:
      'What is done with old segments: "delete" removes them past their retention, "compact" ' +
      'keeps the last record of each key. Both may be given.',
  }),
  'log.initial.task.delay.ms': long({
    default: 30_000,
    valid: atLeast(0),
    importance: 'low',
    internal: true,
    doc: 'How long after the start retention, flushing and checkpoints begin.',
  }),
}

const FLUSHING = {
  'log.flush.interval.messages': long({
    default: NEVER,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How many records a partition takes before it is flushed to the disk.',
  }),
  'log.flush.scheduler.interval.ms': long({
    default: NEVER,
    importance: 'high',
    doc: 'How often logs are searched for ones to flush.',
  }),
  'log.flush.interval.ms': long({
    otherwise: [{ key: 'log.flush.scheduler.interval.ms' }],
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How long a record may stay unflushed. By default log.flush.scheduler.interval.ms.',
  }),
  'log.flush.offset.checkpoint.interval.ms': int({
    default: MINUTE_MS,
    valid: atLeast(0),
    importance: 'high',
    doc: 'How often the recovery points, up to which logs are known to be flushed, are written.',
  }),
  'log.flush.start.offset.checkpoint.interval.ms': int({
    default: MINUTE_MS,
    valid: atLeast(0),
    importance: 'high',
    doc: 'How often the log start offsets are written.',
  }),
}

const RECORDS = {
  'message.max.bytes': int({
    default: MIB + 12,
    valid: atLeast(0),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'The largest record batch that is accepted, in bytes, as it is sent.',
  }),
  'log.message.timestamp.type': string({
    default: 'CreateTime',
    valid: oneOf(...TIMESTAMP_TYPES),
    update: 'cluster-wide',
    doc: 'Whether records carry the time their producer gave them or that of their append.',
  }),
  'log.message.timestamp.before.max.ms': long({
    default: NEVER,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'How far before the clock of the broker the timestamp of a record may lie.',
  }),
  'log.message.timestamp.after.max.ms': long({
    default: HOUR_MS,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'How far after the clock of the broker the timestamp of a record may lie.',
  }),
  'compression.type': string({
    default: 'producer',
    valid: oneOf(...COMPRESSION_TYPES),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How batches are stored; "producer" leaves them as they were sent.',
  }),
  'compression.gzip.level': int({
    default: -1,
    valid: gzipLevel,
    update: 'cluster-wide',
    doc: 'The level at which gzip compresses, where the broker does so; -1 is its own default.',
  }),
  'compression.lz4.level': int({
    default: 9,
    valid: LZ4_LEVELS,
    update: 'cluster-wide',
    doc: 'The level at which lz4 compresses, where the broker does so.',
  }),
  'compression.zstd.level': int({
    default: 3,
    valid: ZSTD_LEVELS,
    update: 'cluster-wide',
    doc: 'The level at which zstd compresses, where the broker does so.',
  }),
  'producer.id.expiration.ms': int({
    default: DAY_MS,
    valid: atLeast(1),
    importance: 'low',
    update: 'cluster-wide',
    doc: 'How long a partition remembers an idempotent producer that has stopped sending.',
  }),
  'producer.id.expiration.check.interval.ms': int({
    default: 10 * MINUTE_MS,
    valid: atLeast(1),
    importance: 'low',
    internal: true,
    doc: 'How often partitions forget producers past producer.id.expiration.ms.',
  }),
}

const COMPACTION = {
  'log.cleaner.enable': boolean({
    default: true,
    doc: 'Whether topics with the cleanup policy "compact" are compacted.',
  }),
  'log.cleaner.threads': int({
    default: 1,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'How many logs are compacted at the same time.',
  }),
  'log.cleaner.dedupe.buffer.size': long({
    default: 128 * MIB,
    update: 'cluster-wide',
    doc: 'The memory for the keys of the logs that are being compacted, at most: 24 bytes a key.',
  }),
  'log.cleaner.io.buffer.size': int({
    default: MIB / 2,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'The memory for reading and writing the logs that are being compacted.',
  }),
  'log.cleaner.io.buffer.load.factor': double({
    default: 0.9,
    update: 'cluster-wide',
    doc: 'How full log.cleaner.dedupe.buffer.size may become, as a fraction of it.',
  }),
  'log.cleaner.io.max.bytes.per.second': double({
    default: Number.MAX_VALUE,
    update: 'cluster-wide',
    doc: 'How much the log cleaner reads and writes in a second, on average, at most.',
  }),
  'log.cleaner.backoff.ms': long({
    default: 15_000,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'How long the log cleaner waits before it looks again, when there is nothing to compact.',
  }),
  'log.cleaner.delete.retention.ms': long({
    default: DAY_MS,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'How long the deletion of a key stays visible to readers of a compacted topic.',
  }),
  'log.cleaner.min.compaction.lag.ms': long({
    default: 0,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'The age below which a record is not compacted.',
  }),
  'log.cleaner.max.compaction.lag.ms': long({
    default: NEVER,
    valid: atLeast(1),
    update: 'cluster-wide',
    doc: 'The age above which a record is compacted, however little there is to gain.',
  }),
  'log.cleaner.min.cleanable.ratio': double({
    default: 0.5,
    valid: between(0, 1),
    update: 'cluster-wide',
    doc: 'The part of a log that must be uncompacted before it is worth compacting.',
  }),
}

export const LOG_KEYS = {
  ...FOLDERS,
  ...SEGMENTS,
  ...RETENTION,
  ...FLUSHING,
  ...RECORDS,
  ...COMPACTION,
}
