/**
 * DescribeTopicPartitions (version 0, KIP-966): as Metadata for given topics, or all, but in pages
 * of at most `responsePartitionLimit` partitions, in the order of topic names. The answer names
 * where the next page starts.
 */
import { ErrorCode } from '../../common/errors.ts'
import { DescribeTopicPartitions } from '../../protocol/messages/describe-topic-partitions.ts'
import { type ResponseInput, ZERO_UUID } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import { NO_LEADER } from '../metadata-cache.ts'
import type { RequestHandler } from '../request-handler.ts'
import { INTERNAL_TOPICS } from '../topic-admin.ts'

type Response = ResponseInput<typeof DescribeTopicPartitions>

/** `max.request.partition.size.limit` of Kafka: however much the client asks for. */
const MAX_PARTITIONS = 2000

export function describeTopicPartitionsHandler({
  metadata,
}: BrokerServices): RequestHandler<typeof DescribeTopicPartitions> {
  return {
    api: DescribeTopicPartitions,

    handle(request) {
      const { cursor } = request
      const all = request.topics.length === 0
      const asked = all
        ? metadata.topics().map((topic) => topic.name)
        : [...new Set(request.topics.map((topic) => topic.name))].sort()
      const names = asked.filter((name) => cursor === null || name >= cursor.topicName)
      let room = Math.min(Math.max(request.responsePartitionLimit, 1), MAX_PARTITIONS)
      const topics: Response['topics'][number][] = []
      for (const name of names) {
        const from = cursor?.topicName === name ? Math.max(cursor.partitionIndex, 0) : 0
        if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } }
        const topic = metadata.topic(name)
        if (topic === undefined) {
          topics.push(unknown(name))
          continue
        }
        const page = topic.partitions.slice(from, from + room)
        room -= page.length
        topics.push({
          errorCode: ErrorCode.NONE,
          name,
          topicId: topic.topicId,
          isInternal: INTERNAL_TOPICS.has(name),
          partitions: page.map((partition) => ({
            errorCode:
              partition.leader === NO_LEADER ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
            partitionIndex: partition.partitionIndex,
            leaderId: partition.leader,
            leaderEpoch: partition.leaderEpoch,
            replicaNodes: [...partition.replicas],
            isrNodes: [...partition.isr],
            eligibleLeaderReplicas: [],
            lastKnownElr: [],
            offlineReplicas: [...partition.offlineReplicas],
          })),
        })
        if (from + page.length < topic.partitions.length) {
          return { topics, nextCursor: { topicName: name, partitionIndex: from + page.length } }
        }
      }
      return { topics }
    },

    failure(request, error) {
      return {
        topics: request.topics.map(({ name }) => ({ ...unknown(name), errorCode: error.code })),
      }
    },
  }
}

function unknown(name: string): Response['topics'][number] {
  return {
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    name,
    topicId: ZERO_UUID,
    partitions: [],
  }
}
