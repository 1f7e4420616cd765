/** Committed offsets by group, topic and partition. */

export interface CommittedOffset {
  readonly offset: number
  /** Of the record before `offset`; -1 where the consumer did not say. */
  readonly leaderEpoch: number
  /** What the consumer wanted to be kept with it. */
  readonly metadata: string
  /** In milliseconds since the epoch, as is the next. */
  readonly commitTimestamp: number
  /** Where a client of OffsetCommit 2 to 4 has said how long; otherwise -1. */
  readonly expireTimestamp: number
  /** Where the record of this commit lies: of two commits the later one counts. */
  readonly recordOffset: number
}

type ByPartition = Map<number, CommittedOffset>

export class OffsetStore {
  readonly #groups = new Map<string, Map<string, ByPartition>>()
  #size = 0

  /** How many offsets there are. */
  get size(): number {
    return this.#size
  }

  /** The ids of the groups with offsets. */
  groupIds(): IterableIterator<string> {
    return this.#groups.keys()
  }

  /** The offsets of a group, by topic and partition. */
  ofGroup(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> | undefined {
    return this.#groups.get(groupId)
  }

  get(groupId: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition)
  }

  set(groupId: string, topic: string, partition: number, offset: CommittedOffset): void {
    let topics = this.#groups.get(groupId)
    if (topics === undefined) {
      topics = new Map()
      this.#groups.set(groupId, topics)
    }
    let partitions = topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      topics.set(topic, partitions)
    }
    if (!partitions.has(partition)) this.#size += 1
    partitions.set(partition, offset)
  }

  delete(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId)
    const partitions = topics?.get(topic)
    if (partitions === undefined || !partitions.delete(partition)) return
    this.#size -= 1
    if (partitions.size > 0) return
    topics!.delete(topic)
    if (topics!.size === 0) this.#groups.delete(groupId)
  }

  *entries(): Generator<[groupId: string, topic: string, partition: number, CommittedOffset]> {
    for (const [groupId, topics] of this.#groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) yield [groupId, topic, partition, offset]
      }
    }
  }
}
