/**
 * The order in which Java goes through a HashMap or HashSet. Kafka's tools print many things in
 * that order, and those who compare their output see it.
 */
import type { TopicPartition } from '../../clients/topic-partition.ts'

/** `String.hashCode` */
export function stringHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}

/** `TopicPartition.hashCode` */
export function partitionHash({ topic, partition }: TopicPartition): number {
  const hash = Math.imul(31, 31 + partition) | 0
  return (hash + stringHash(topic)) | 0
}

/**
 * The items as a HashMap gives them that they were put into one after the other, and that was made
 * for `capacity` of them. Of those in the same bucket the first put comes first.
 */
export function inHashOrder<Item>(
  items: Iterable<Item>,
  hashOf: (item: Item) => number,
  capacity = 16,
): Item[] {
  const list = [...items]
  let buckets = 1
  while (buckets < capacity) buckets *= 2
  while (list.length > buckets * 0.75) buckets *= 2
  const bucketOf = (item: Item) => {
    const hash = hashOf(item)
    return (hash ^ (hash >>> 16)) & (buckets - 1)
  }
  return list
    .map((item) => [bucketOf(item), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}
