/** A partition of a topic, and how many of them are put into requests. */

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The partition's name, as brokers write it in logs and tools in their output: `orders-0`. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** By topic, in the order of code units as in Java, then by number. */
export function comparePartitions(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

/** The items by topic, in the order in which they came. */
export function byTopic<Item extends TopicPartition>(items: Iterable<Item>): [string, Item[]][] {
  const topics = new Map<string, Item[]>()
  for (const item of items) {
    const found = topics.get(item.topic)
    if (found === undefined) topics.set(item.topic, [item])
    else found.push(item)
  }
  return [...topics]
}

/** The numbers of the partitions by topic. */
export function numbersByTopic(items: Iterable<TopicPartition>): [string, number[]][] {
  return byTopic(items).map(([topic, all]) => [topic, all.map(({ partition }) => partition)])
}
