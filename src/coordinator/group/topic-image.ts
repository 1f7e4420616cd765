/**
 * What group coordinators need to know of the cluster's topics: a view of the broker's metadata
 * that always shows its present state. Who owns the metadata also calls `onTopicChange` of the
 * group coordinators, after this view shows the change.
 */
export interface TopicImage {
  /** The id of the topic, or undefined if there is none of that name. */
  topicId(name: string): string | undefined

  /** The name of the topic, or undefined if there is none of that id. */
  topicName(topicId: string): string | undefined

  /** How many partitions the topic has, or undefined if there is none of that name. */
  partitionCount(name: string): number | undefined

  /** The names of all topics, in no particular order. */
  names(): Iterable<string>

  /** The racks of the partition's replicas, where brokers say in which rack they are. */
  racks?(name: string, partition: number): readonly string[]
}
