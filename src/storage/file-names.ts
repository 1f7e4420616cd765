/**
 * The names that Kafka gives to files and folders of logs. They are part of the on-disk format: a
 * folder written by either must be readable by the other.
 */

export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TRANSACTION_INDEX_SUFFIX = '.txnindex'
export const PRODUCER_SNAPSHOT_SUFFIX = '.snapshot'

/** The files that make up one segment. */
export const SEGMENT_SUFFIXES = [
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
] as const

/** Waiting to be removed. */
export const DELETED_SUFFIX = '.deleted'
/** Being written by the log cleaner; worthless until it is renamed. */
export const CLEANED_SUFFIX = '.cleaned'
/** Written completely by the log cleaner, about to replace the segments it was made from. */
export const SWAP_SUFFIX = '.swap'

export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'
export const PARTITION_METADATA = 'partition.metadata'

export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint'
export const LOG_START_OFFSET_CHECKPOINT = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_CHECKPOINT = 'replication-offset-checkpoint'
export const CLEANER_OFFSET_CHECKPOINT = 'cleaner-offset-checkpoint'
export const META_PROPERTIES = 'meta.properties'
export const CLEAN_SHUTDOWN_MARKER = '.kafka_cleanshutdown'
export const LOCK_FILE = '.lock'

/** The path of one of a segment's files. The name is its base offset in 20 digits. */
export function segmentFile(directory: string, baseOffset: number, suffix: string): string {
  return `${directory}/${String(baseOffset).padStart(20, '0')}${suffix}`
}

/**
 * The offset in a file's name, or undefined where the name does not consist of one and `suffix`.
 */
export function offsetInName(name: string, suffix: string): number | undefined {
  if (!name.endsWith(suffix)) return undefined
  const digits = name.slice(0, -suffix.length)
  if (!/^\d{1,20}$/.test(digits)) return undefined
  const offset = Number(digits)
  return Number.isSafeInteger(offset) ? offset : undefined
}

/** The folder of a partition's log, below its log directory. */
export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/**
 * The name a partition's folder gets when it is to be removed or set aside:
 * `topic-partition.<id>-delete` or `…-stray`, or while it is a copy that is not complete yet,
 * `…-future`; with the topic's name cut where the whole would exceed the 255 bytes that file
 * systems allow.
 */
export function specialDirectoryName(
  topic: string,
  partition: number,
  uniqueId: string,
  kind: 'delete' | 'stray' | 'future',
): string {
  const suffix = `-${partition}.${uniqueId}-${kind}`
  return `${topic.slice(0, 255 - suffix.length)}${suffix}`
}

/** What the name of a folder in a log directory says. */
export type DirectoryName =
  | { readonly kind: 'partition'; readonly topic: string; readonly partition: number }
  | { readonly kind: 'delete' | 'future' | 'stray' | 'other' }

const SPECIAL = /^\S+-\d+\.[0-9a-f]+-(delete|future|stray)$/
const PARTITION = /^([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,9})$/

/** Reads a folder's name. `other` is not a log: Kafka's rules give no meaning to that name. */
export function parseDirectoryName(name: string): DirectoryName {
  const special = SPECIAL.exec(name)
  if (special !== null) return { kind: special[1] as 'delete' | 'future' | 'stray' }
  const match = PARTITION.exec(name)
  if (match === null) return { kind: 'other' }
  return { kind: 'partition', topic: match[1]!, partition: Number(match[2]) }
}
