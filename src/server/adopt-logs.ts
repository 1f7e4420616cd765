/**
 * Log folders that came from elsewhere: written by Apache Kafka, say, and now given to this broker.
 *
 * When the metadata store is new, folders of partitions that are found are taken over as topics,
 * with the id that each folder's `partition.metadata` names. When the store is not new it knows
 * best which topics there are; a folder it does not know is left alone, and the log says so.
 */

import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { MetadataCache } from './metadata-cache.ts'
import { INTERNAL_TOPICS, type TopicAdmin } from './topic-admin.ts'

/** The metadata log of a KRaft cluster, which is not a topic. */
const KRAFT_METADATA_TOPIC = '__cluster_metadata'

/** Takes over the topics of all log folders. For a store that is new. */
export async function adoptForeignLogs(options: {
  logs: readonly PartitionLog[]
  metadata: MetadataCache
  brokerId: number
  topics: TopicAdmin
  log: Logger
}): Promise<void> {
  const { logs, metadata, brokerId, topics, log } = options
  for (const [name, ofTopic] of unknownLogs(logs, metadata)) {
    const count = Math.max(...ofTopic.map(({ partition }) => partition)) + 1
    const topicId = ofTopic.find((found) => found.topicId !== undefined)?.topicId
    const assignments = Array.from({ length: count }, (_, partitionIndex) => ({
      partitionIndex,
      brokerIds: [brokerId],
    }))
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments }
    try {
      const id = topicId === undefined ? {} : { topicId }
      await topics.create({ ...topic, configs: settingsOf(name), ...id }, false)
      log.info(
        `took over the topic ${name} with ${count} partition(s) from the log folders found; ` +
          'its settings are not in them, so it keeps everything until retention.ms is set',
      )
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      log.error(`could not take over the topic ${name} from its log folders`, error)
    }
  }
}

/**
 * What is known of a topic's settings. They are not in its folders, and retention by default could
 * delete at once what its owner wanted to keep for ever.
 */
function settingsOf(topic: string): Map<string, string> {
  if (INTERNAL_TOPICS.has(topic)) return new Map([['cleanup.policy', 'compact']])
  return new Map([['retention.ms', '-1']])
}

/** Names the folders that no topic accounts for. They are left alone. */
export function warnOfUnknownLogs(
  logs: readonly PartitionLog[],
  metadata: MetadataCache,
  log: Logger,
): void {
  for (const [topic, ofTopic] of unknownLogs(logs, metadata)) {
    const folders = ofTopic.map(({ directory }) => directory).join(', ')
    log.warn(`left alone: ${folders}, because there is no topic ${topic}`)
  }
}

function unknownLogs(logs: readonly PartitionLog[], metadata: MetadataCache) {
  const unknown = logs.filter(
    ({ topic }) => topic !== KRAFT_METADATA_TOPIC && metadata.topic(topic) === undefined,
  )
  return Map.groupBy(unknown, ({ topic }) => topic)
}
