/** What a poll gives: records of some partitions, in the order of each. */
import type { TopicPartition } from '../topic-partition.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { OffsetToCommit, Position } from './partition-state.ts'

/** The records of one partition; there is at least one. */
export interface PartitionRecords<Key, Value> extends TopicPartition {
  readonly records: readonly ConsumerRecord<Key, Value>[]
  /** Where to go on after them; commits are of this. May be more than the last offset plus one. */
  readonly next: Position
}

export class ConsumerRecords<Key = Buffer, Value = Buffer>
  implements Iterable<ConsumerRecord<Key, Value>>
{
  readonly #parts: readonly PartitionRecords<Key, Value>[]
  /** How many there are. */
  readonly count: number
  #all: readonly ConsumerRecord<Key, Value>[] | undefined

  constructor(parts: readonly PartitionRecords<Key, Value>[]) {
    this.#parts = parts
    let count = 0
    for (const { records } of parts) count += records.length
    this.count = count
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** Those by partition, each once. */
  byPartition(): readonly PartitionRecords<Key, Value>[] {
    return this.#parts
  }

  partitions(): TopicPartition[] {
    return this.#parts.map(({ topic, partition }) => ({ topic, partition }))
  }

  /** What to commit when all of them are done with. */
  nextOffsets(): OffsetToCommit[] {
    return this.#parts.map(({ topic, partition, next }) => ({ topic, partition, ...next }))
  }

  /** The records of a partition, in their order. */
  records({ topic, partition }: TopicPartition): readonly ConsumerRecord<Key, Value>[] {
    const found = this.#parts.find((part) => part.partition === partition && part.topic === topic)
    return found?.records ?? []
  }

  /** One partition after the other. */
  [Symbol.iterator](): IterableIterator<ConsumerRecord<Key, Value>> {
    // Engines know how to make nothing of an array's iterator; a generator costs at each record.
    this.#all ??= this.#parts.length === 1 ? this.#parts[0]!.records : this.#joined()
    return this.#all[Symbol.iterator]()
  }

  #joined(): readonly ConsumerRecord<Key, Value>[] {
    const none: ConsumerRecord<Key, Value>[] = []
    return none.concat(...this.#parts.map(({ records }) => records))
  }
}
