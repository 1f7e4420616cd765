/** A set of partitions that is never changed: `with` and `without` make others. */

export interface TopicPartition {
  readonly topic: string
  readonly partitionIndex: number
}

export class TopicPartitionSet implements Iterable<TopicPartition> {
  static readonly EMPTY = new TopicPartitionSet(new Map())

  readonly #topics: ReadonlyMap<string, ReadonlySet<number>>

  private constructor(topics: ReadonlyMap<string, ReadonlySet<number>>) {
    this.#topics = topics
  }

  static of(partitions: Iterable<TopicPartition>): TopicPartitionSet {
    return TopicPartitionSet.EMPTY.with(partitions)
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  has({ topic, partitionIndex }: TopicPartition): boolean {
    return this.#topics.get(topic)?.has(partitionIndex) === true
  }

  hasAll(partitions: Iterable<TopicPartition>): boolean {
    for (const partition of partitions) if (!this.has(partition)) return false
    return true
  }

  with(partitions: Iterable<TopicPartition>): TopicPartitionSet {
    const topics = this.#copy()
    for (const { topic, partitionIndex } of partitions) {
      const indexes = topics.get(topic)
      if (indexes === undefined) topics.set(topic, new Set([partitionIndex]))
      else indexes.add(partitionIndex)
    }
    return new TopicPartitionSet(topics)
  }

  without(partitions: Iterable<TopicPartition>): TopicPartitionSet {
    const topics = this.#copy()
    for (const { topic, partitionIndex } of partitions) {
      const indexes = topics.get(topic)
      indexes?.delete(partitionIndex)
      if (indexes?.size === 0) topics.delete(topic)
    }
    return new TopicPartitionSet(topics)
  }

  *[Symbol.iterator](): Generator<TopicPartition> {
    for (const [topic, indexes] of this.#topics) {
      for (const partitionIndex of indexes) yield { topic, partitionIndex }
    }
  }

  /** The partitions by topic. */
  byTopic(): { topic: string; partitionIds: number[] }[] {
    return [...this.#topics].map(([topic, indexes]) => ({ topic, partitionIds: [...indexes] }))
  }

  #copy(): Map<string, Set<number>> {
    return new Map([...this.#topics].map(([topic, indexes]) => [topic, new Set(indexes)]))
  }
}
