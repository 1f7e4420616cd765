/**
 * DescribeTopicPartitions (version 0, KIP-966): as Metadata for given topics, or all, but in pages
 * of at most `responsePartitionLimit` partitions, in the order of topic names. The answer names
 * where the next page starts.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
} from '../../protocol/messages/describe-topic-partitions.ts'
import { type ResponseInput, ZERO_UUID } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import { checkTopicName } from '../controller/topic-plan.ts'
import { NO_LEADER } from '../metadata-cache.ts'
import type { RequestHandler } from '../request-handler.ts'
import { INTERNAL_TOPICS } from '../topic-admin.ts'

type Response = ResponseInput<typeof DescribeTopicPartitions>
type Cursor = NonNullable<DescribeTopicPartitionsRequest['cursor']>

export function describeTopicPartitionsHandler({
  metadata,
  config,
}: BrokerServices): RequestHandler<typeof DescribeTopicPartitions> {
  return {
    api: DescribeTopicPartitions,

    handle(request) {
      const { cursor } = request
      const all = request.topics.length === 0
      const asked = all
        ? metadata.topics().map((topic) => topic.name)
        : [...new Set(request.topics.map((topic) => topic.name))].sort()
      if (cursor !== null) checkCursor(cursor, all ? null : asked)
      const names = asked.filter((name) => cursor === null || name >= cursor.topicName)
      const mostPartitions = config.get('max.request.partition.size.limit')
      let room = Math.min(Math.max(request.responsePartitionLimit, 1), mostPartitions)
      const topics: Response['topics'][number][] = []
      for (const name of names) {
        const from = cursor?.topicName === name ? cursor.partitionIndex : 0
        if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } }
        const topic = metadata.topic(name)
        if (topic === undefined) {
          topics.push(missing(name))
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

/** Throws INVALID_REQUEST for a cursor that cannot have come from an earlier answer. */
function checkCursor(cursor: Cursor, asked: readonly string[] | null): void {
  const fail = (why: string): never => {
    throw new KafkaError('INVALID_REQUEST', `DescribeTopicPartitionsRequest ${why}`)
  }
  if (asked !== null && !asked.includes(cursor.topicName)) {
    fail(`topic list should contain the cursor topic: ${cursor.topicName}`)
  }
  if (cursor.partitionIndex < 0) fail('cursor partition must be valid')
}

function missing(name: string): Response['topics'][number] {
  try {
    checkTopicName(name)
    return unknown(name)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { ...unknown(name), errorCode: error.code }
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
