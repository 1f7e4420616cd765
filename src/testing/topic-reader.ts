/** Reads topics whole, as a consumer would, for a test to compare with what it expects. */
import {
  type Consumer,
  type ConsumerOptions,
  type ConsumerRecord,
  type Deserializer,
  type RecordHeader,
  stringDeserializer,
  TimeoutError,
  type TopicPartition,
} from '../clients/index.ts'
import type { OwnClients } from './own-clients.ts'

/** A record as it lies in its topic. */
export interface TopicRecord<Key = string, Value = string> {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly key: Key | null
  /** Null is a tombstone. */
  readonly value: Value | null
  readonly headers: readonly RecordHeader[]
}

export interface ReadTopicOptions<Key = string, Value = string> {
  /** How keys and values are made of bytes: as text, unless something else is given. */
  readonly deserializers?: {
    readonly key?: Deserializer<Key>
    readonly value?: Deserializer<Value>
  }
  /**
   * `read_committed`, as without it, leaves out what was aborted, and ends where a transaction is
   * open that may still be.
   */
  readonly isolationLevel?: 'read_committed' | 'read_uncommitted'
  /** How long it may take, in milliseconds; 10,000 without it. */
  readonly timeoutMs?: number
}

/** How long a poll waits for what is on its way, in milliseconds. */
const POLL_MS = 100
const DEFAULT_TIMEOUT_MS = 10_000

export class TopicReader {
  readonly #clients: OwnClients

  constructor(clients: OwnClients) {
    this.#clients = clients
  }

  /**
   * The records of all partitions, ordered by partition and offset, as far as they were there when
   * it was called. Rejects with UNKNOWN_TOPIC_OR_PARTITION, DeserializationError and TimeoutError.
   */
  async read<Key, Value>(
    topic: string,
    options: ReadTopicOptions<Key, Value>,
  ): Promise<TopicRecord<Key, Value>[]> {
    const { deserializers = {}, isolationLevel = 'read_committed', timeoutMs } = options
    const described = await this.#clients.admin.describeTopics([topic], { timeoutMs })
    const partitions = described.get(topic)!.partitions.map(({ partition }) => {
      return { topic, partition }
    })
    return await this.#clients.keepAlive.during(async () => {
      await using consumer = this.#clients.consumer<Key, Value>({
        isolationLevel,
        keyDeserializer: deserializers.key ?? (stringDeserializer as Deserializer<unknown>),
        valueDeserializer: deserializers.value ?? (stringDeserializer as Deserializer<unknown>),
      } as ConsumerOptions<Key, Value>)
      consumer.assign(partitions)
      consumer.seekToBeginning()
      const found: TopicRecord<Key, Value>[] = []
      for await (const record of this.#toTheEnd(consumer, partitions, timeoutMs)) {
        const { partition, offset, timestamp, key, value, headers } = record
        found.push({ partition, offset, timestamp, key, value, headers: [...headers] })
      }
      return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    })
  }

  /** Whether a partition has a committed record at `offset` or after it. */
  async hasRecordsFrom(partition: TopicPartition, offset: number): Promise<boolean> {
    return await this.#clients.keepAlive.during(async () => {
      const isolationLevel = 'read_committed'
      const autoOffsetReset = 'earliest'
      await using consumer = this.#clients.consumer({ isolationLevel, autoOffsetReset })
      consumer.assign([partition])
      consumer.seek(partition, offset)
      for await (const _ of this.#toTheEnd(consumer, [partition])) return true
      return false
    })
  }

  /** Reads from where the consumer is to where the partitions end now. */
  async *#toTheEnd<Key, Value>(
    consumer: Consumer<Key, Value>,
    partitions: readonly TopicPartition[],
    timeoutMs = DEFAULT_TIMEOUT_MS,
  ): AsyncGenerator<ConsumerRecord<Key, Value>> {
    const { clock } = this.#clients.keepAlive
    const deadlineMs = clock.monotonic() + timeoutMs
    const ends = await consumer.endOffsets(partitions, { timeoutMs })
    const endOf = ({ topic, partition }: TopicPartition) => ends.get(`${topic}-${partition}`)!
    const isRead = async (partition: TopicPartition) =>
      (await consumer.position(partition, { timeoutMs })) >= endOf(partition)
    while (!(await Promise.all(partitions.map(isRead))).every(Boolean)) {
      for (const record of await consumer.poll({ timeoutMs: POLL_MS })) {
        if (record.offset < endOf(record)) yield record
      }
      if (clock.monotonic() < deadlineMs) continue
      const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
      throw new TimeoutError(`${names} could not be read to the end within ${timeoutMs} ms`)
    }
  }
}
