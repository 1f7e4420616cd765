/**
 * What clients publish to channels of `node:diagnostics_channel` (or whatever Diagnostics they were
 * given), by the names of the channels. A channel that nobody subscribes to costs one look.
 */
import type { KafkaError } from '../../common/errors.ts'
import type { TopicPartition } from '../topic-partition.ts'

interface ClientEvent {
  /** `client.id`. */
  readonly clientId: string
}

/** A request has been answered, or never will be. */
export interface RequestEvent extends ClientEvent {
  /** As in `Metadata`. */
  readonly api: string
  readonly host: string
  readonly port: number
  /** Until the answer, in milliseconds. */
  readonly durationMs: number
  /** Without an answer. What an answer says of single things is not here. */
  readonly error: KafkaError | undefined
}

/** A connection was opened, has ended, or could not be made. */
export interface ConnectionEvent extends ClientEvent {
  readonly state: 'opened' | 'closed' | 'failed'
  readonly host: string
  readonly port: number
  /** Why, unless the client itself has closed it. */
  readonly error: KafkaError | undefined
}

/** A call is made again after a passing failure. */
export interface RetryEvent extends ClientEvent {
  /** How often it has failed in a row. */
  readonly failures: number
  /** How long it waits now, in milliseconds. */
  readonly delayMs: number
  readonly error: KafkaError
}

/** A batch of records was written, has failed, or is sent again. */
export interface ProduceEvent extends ClientEvent, TopicPartition {
  readonly records: number
  /** As sent; of a batch that never was, before compression. */
  readonly bytes: number
  /** How often it was sent. */
  readonly attempts: number
  /** Since its first record, in milliseconds. */
  readonly durationMs: number
  /** Of its first record; -1 where nobody knows. */
  readonly baseOffset: number
  readonly error: KafkaError | undefined
  readonly willRetry: boolean
}

/** A fetch was answered, or failed. */
export interface FetchEvent extends ClientEvent {
  readonly nodeId: number
  /** How many partitions the answer has something of. */
  readonly partitions: number
  /** Of record batches. */
  readonly bytes: number
  readonly durationMs: number
  readonly error: KafkaError | undefined
}

/** What is assigned to a member of a group has changed. */
export interface RebalanceEvent extends ClientEvent {
  readonly groupId: string
  readonly kind: 'assigned' | 'revoked' | 'lost'
  /** Those that have come or gone. */
  readonly partitions: readonly TopicPartition[]
}

/** Offsets were committed, records acknowledged, or that has failed. */
export interface CommitEvent extends ClientEvent {
  readonly groupId: string
  /** How many partitions, or how many records of a share group. */
  readonly count: number
  readonly durationMs: number
  readonly error: KafkaError | undefined
}

/** By channel. */
export interface ClientEvents {
  'samsa:clients:request': RequestEvent
  'samsa:clients:connection': ConnectionEvent
  'samsa:clients:retry': RetryEvent
  'samsa:clients:produce': ProduceEvent
  'samsa:clients:fetch': FetchEvent
  'samsa:clients:rebalance': RebalanceEvent
  'samsa:clients:commit': CommitEvent
}
