/** What only consumers throw. */
import { KafkaError } from '../../common/errors.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'

/**
 * A key or a value could not be made of its bytes; `cause` is what the deserializer threw. The
 * record counts as read: going on passes over it.
 */
export class DeserializationError extends KafkaError {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly part: 'key' | 'value'
  readonly bytes: Buffer

  constructor(
    at: TopicPartition & { readonly offset: number },
    part: 'key' | 'value',
    bytes: Buffer,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const where = `${partitionName(at)} at offset ${at.offset}`
    super('INVALID_RECORD', `Error deserializing the ${part} of ${where}: ${why}`, { cause })
    this.name = 'DeserializationError'
    this.topic = at.topic
    this.partition = at.partition
    this.offset = at.offset
    this.part = part
    this.bytes = bytes
  }
}

/**
 * A record cannot be read: its batch is damaged. The position stays before it, so that the next
 * poll tries again; an application that wants to go on seeks to a later offset.
 */
export class CorruptRecordError extends KafkaError {
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(at: TopicPartition & { readonly offset: number }, cause: KafkaError) {
    const where = `${partitionName(at)} at offset ${at.offset}`
    const text = `Record batch for partition ${where} is invalid: ${cause.message}`
    super('CORRUPT_MESSAGE', `${text}. Seek past the record to continue consumption.`, { cause })
    this.name = 'CorruptRecordError'
    this.topic = at.topic
    this.partition = at.partition
    this.offset = at.offset
  }
}

/** Partitions have no committed offset, and `auto.offset.reset` is `none`. */
export class NoOffsetForPartitionError extends KafkaError {
  readonly partitions: readonly TopicPartition[]

  constructor(partitions: readonly TopicPartition[]) {
    const names = partitions.map(partitionName).join(', ')
    super('OFFSET_OUT_OF_RANGE', `Undefined offset with no reset policy for partitions: ${names}`)
    this.name = 'NoOffsetForPartitionError'
    this.partitions = partitions.map(({ topic, partition }) => ({ topic, partition }))
  }
}

/** Positions lie outside of what is there, and `auto.offset.reset` is `none`. */
export class OffsetOutOfRangeError extends KafkaError {
  /** The position of each partition. */
  readonly positions: readonly (TopicPartition & { readonly offset: number })[]

  constructor(positions: readonly (TopicPartition & { readonly offset: number })[]) {
    const all = positions.map((at) => `${partitionName(at)} at ${at.offset}`).join(', ')
    super('OFFSET_OUT_OF_RANGE', `Positions out of range with no reset policy: ${all}`)
    this.name = 'OffsetOutOfRangeError'
    this.positions = positions
  }
}

/**
 * The log has been cut off before the position: another leader took over that had less (KIP-320).
 * `auto.offset.reset` is `none`, so that the application must seek.
 */
export class LogTruncationError extends KafkaError {
  /** Where each log and what was read part; undefined where no one knows. */
  readonly divergent: readonly (TopicPartition & { readonly offset: number | undefined })[]

  constructor(divergent: readonly (TopicPartition & { readonly offset: number | undefined })[]) {
    const all = divergent.map((at) => `${partitionName(at)} at ${at.offset ?? 'an unknown offset'}`)
    super('OFFSET_OUT_OF_RANGE', `Logs were truncated, with no reset policy: ${all.join(', ')}`)
    this.name = 'LogTruncationError'
    this.divergent = divergent
  }
}

/** `wakeup` was called: the call under way ends. */
export class WakeupError extends Error {
  constructor() {
    super('The consumer was woken up')
    this.name = 'WakeupError'
  }
}

/** What needs a group was asked of a consumer that has none. */
export function noGroup(): KafkaError {
  const text = 'To use the group management or offset commit APIs, you must provide a valid '
  return new KafkaError('INVALID_GROUP_ID', `${text}group.id in the consumer configuration.`)
}
