/** Records as a share consumer gives them. */
import { ConsumerRecord, type RecordSource } from '../consumer/consumer-record.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'

/** A record that is locked for this consumer until it is acknowledged, or the lock expires. */
export class ShareRecord<Key = Buffer, Value = Buffer> extends ConsumerRecord<Key, Value> {
  /** How often it has been delivered, this time included. */
  readonly deliveryCount: number

  constructor(
    source: RecordSource<Key, Value>,
    offsetDelta: number,
    timestampDelta: number,
    at: number,
    deliveryCount: number,
  ) {
    super(source, offsetDelta, timestampDelta, at)
    this.deliveryCount = deliveryCount
  }

  override toJSON(): object {
    return { ...super.toJSON(), deliveryCount: this.deliveryCount }
  }
}

/** What a poll returns: of each partition in the order of the offsets. */
export class ShareRecords<Key = Buffer, Value = Buffer> {
  readonly #records: readonly ShareRecord<Key, Value>[]

  constructor(records: readonly ShareRecord<Key, Value>[]) {
    this.#records = records
  }

  get count(): number {
    return this.#records.length
  }

  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  partitions(): TopicPartition[] {
    const partitions = new Map<string, TopicPartition>()
    for (const { topic, partition } of this.#records) {
      partitions.set(partitionName({ topic, partition }), { topic, partition })
    }
    return [...partitions.values()]
  }

  /** Those of one partition. */
  records({ topic, partition }: TopicPartition): ShareRecord<Key, Value>[] {
    return this.#records.filter((each) => each.topic === topic && each.partition === partition)
  }

  [Symbol.iterator](): Iterator<ShareRecord<Key, Value>> {
    return this.#records.values()
  }
}
