/**
 * OffsetCommit (versions 2-10): stores how far a group has read. Partitions that do not exist are
 * refused one by one. Version 10 names topics by id (KIP-516).
 */
import { ErrorCode } from '../../common/errors.ts'
import { OffsetCommit, type OffsetCommitRequest } from '../../protocol/messages/offset-commit.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestContext, RequestHandler } from '../request-handler.ts'

type OffsetCommitResponse = ResponseInput<typeof OffsetCommit>
type TopicRequest = OffsetCommitRequest['topics'][number]

const TOPIC_ID_VERSION = 10
/** As Long.MAX_VALUE would be: never. */
const NO_RETENTION_TIME = -1n

export function offsetCommitHandler({
  groupCoordinator,
  metadata,
}: BrokerServices): RequestHandler<typeof OffsetCommit> {
  /** The name of a topic that there is, and otherwise why its partitions are refused. */
  function resolve({ name, topicId }: TopicRequest, usesTopicIds: boolean) {
    const topic = usesTopicIds ? metadata.topicById(topicId) : metadata.topic(name)
    if (topic !== undefined) return topic
    return usesTopicIds ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  /** Splits the request into what can be committed and what cannot; `outcomes` are in its order. */
  function plan(request: OffsetCommitRequest, usesTopicIds: boolean) {
    const outcomes: { partitionIndex: number; errorCode: number }[][] = []
    const topics: { name: string; partitions: TopicRequest['partitions'] }[] = []
    for (const asked of request.topics) {
      const topic = resolve(asked, usesTopicIds)
      const isKnown = typeof topic !== 'number'
      const errorCode = isKnown ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : topic
      const count = isKnown ? topic.partitions.length : 0
      const isThere = (index: number) => index >= 0 && index < count
      const partitions = asked.partitions.filter(({ partitionIndex }) => isThere(partitionIndex))
      if (isKnown && partitions.length > 0) topics.push({ name: topic.name, partitions })
      outcomes.push(
        asked.partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: isThere(partitionIndex) ? ErrorCode.NONE : errorCode,
        })),
      )
    }
    return { topics, outcomes }
  }

  async function commit(
    request: OffsetCommitRequest,
    topics: ReturnType<typeof plan>['topics'],
    { apiVersion }: RequestContext,
  ): Promise<Map<string, number>> {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
    const member = { memberId, groupInstanceId, generationIdOrMemberEpoch }
    const { retentionTimeMs } = request
    const isTimed = retentionTimeMs !== NO_RETENTION_TIME
    const offsets = {
      ...{ groupId, topics },
      committer: { ...member, isTransactional: false, apiVersion },
      retentionTimeMs: isTimed ? Number(retentionTimeMs) : undefined,
    }
    const results = await groupCoordinator.write(groupId, (shard) => shard.commitOffsets(offsets))
    const errors = new Map<string, number>()
    for (const { name, partitions } of results) {
      for (const { partitionIndex, errorCode } of partitions) {
        errors.set(`${name}-${partitionIndex}`, errorCode)
      }
    }
    return errors
  }

  return {
    api: OffsetCommit,

    async handle(request, context): Promise<OffsetCommitResponse> {
      const usesTopicIds = context.apiVersion >= TOPIC_ID_VERSION
      const { topics, outcomes } = plan(request, usesTopicIds)
      // Also without any partition: whether the member may commit is an answer too.
      const errors = await commit(request, topics, context)
      return {
        topics: request.topics.map(({ name, topicId }, i) => {
          const known = usesTopicIds ? metadata.topicName(topicId) : name
          const partitions = outcomes[i]!.map(({ partitionIndex, errorCode }) => ({
            partitionIndex,
            errorCode: errors.get(`${known}-${partitionIndex}`) ?? errorCode,
          }))
          return { name, topicId, partitions }
        }),
      }
    },

    failure(request, { code }) {
      const errorCode = perPartition(code)
      return {
        topics: request.topics.map(({ name, topicId, partitions }) => ({
          ...{ name, topicId },
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      }
    },
  }
}

/** A batch that is too large for the log is the client's metadata being too much. */
function perPartition(errorCode: number): number {
  const isTooLarge = errorCode === ErrorCode.UNKNOWN_SERVER_ERROR
  return isTooLarge ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE : errorCode
}
