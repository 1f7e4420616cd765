/**
 * Log folders that came from elsewhere: written by Apache Kafka, say, and now given to this broker.
 *
 * When the metadata store is new, folders of partitions that are found are taken over as topics, with
 * the id that each folder's `partition.metadata` names. When the store is not new it knows best which
 * topics there are; a folder it does not know is left alone, and the log says so.
 */

import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { TopicAdmin } from './topic-admin.ts'

/** The metadata log of a KRaft cluster, which is not a topic. */
const KRAFT_METADATA_TOPIC = '__cluster_metadata'

export async function adoptForeignLogs(options: {
  logs: readonly PartitionLog[]
  isKnown: (topic: string) => boolean
  isNewStore: boolean
  brokerId: number
  topics: TopicAdmin
  log: Logger
}): Promise<void> {
  const { logs, isKnown, isNewStore, brokerId, topics, log } = options
  const foreign = logs.filter(({ topic }) => topic !== KRAFT_METADATA_TOPIC && !isKnown(topic))
  for (const [name, ofTopic] of Map.groupBy(foreign, ({ topic }) => topic)) {
    if (!isNewStore) {
      const folders = ofTopic.map(({ directory }) => directory).join(', ')
      log.warn(`left alone: ${folders}, because there is no topic ${name}`)
      continue
    }
    const count = Math.max(...ofTopic.map(({ partition }) => partition)) + 1
    const topicId = ofTopic.find((found) => found.topicId !== undefined)?.topicId
    try {
      await topics.create(
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: Array.from({ length: count }, (_, partitionIndex) => ({
            partitionIndex,
            brokerIds: [brokerId],
          })),
          configs: new Map(),
          ...(topicId === undefined ? {} : { topicId }),
        },
        false,
      )
      log.info(`took over the topic ${name} with ${count} partition(s) from the log folders found`)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      log.error(`could not take over the topic ${name} from its log folders`, error)
    }
  }
}
