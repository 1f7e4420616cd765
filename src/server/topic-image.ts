import type { TopicImage } from '../coordinator/group/topic-image.ts'
import type { MetadataCache } from './metadata-cache.ts'

/** The topics of this broker's metadata, as group coordinators see them. */
export function topicImage(metadata: MetadataCache): TopicImage {
  return {
    topicId: (name) => metadata.topic(name)?.topicId,
    topicName: (topicId) => metadata.topicName(topicId),
    partitionCount: (name) => metadata.topic(name)?.partitions.length,
    names: () => metadata.topics().map(({ name }) => name),
    racks: (name, partition) => {
      const replicas = metadata.topic(name)?.partitions[partition]?.replicas ?? []
      const racks = replicas.map((broker) => metadata.brokers.get(broker)?.rack ?? null)
      return racks.filter((rack) => rack !== null)
    },
  }
}
