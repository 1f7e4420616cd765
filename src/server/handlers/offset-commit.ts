/**
 * OffsetCommit (versions 2-10): stores how far a group has read. Partitions that do not exist are
 * refused one by one. Version 10 names topics by id (KIP-516).
 */
import { ErrorCode } from '../../common/errors.ts'
import type { OffsetsToCommit } from '../../coordinator/group/offsets/group-offsets.ts'
import { OffsetCommit, type OffsetCommitRequest } from '../../protocol/messages/offset-commit.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { RequestHandler } from '../request-handler.ts'

type OffsetCommitResponse = ResponseInput<typeof OffsetCommit>
type TopicRequest = OffsetCommitRequest['topics'][number]

const TOPIC_ID_VERSION = 10
const NO_RETENTION_TIME = -1n

export function offsetCommitHandler({
  groupCoordinator,
  metadata,
}: BrokerServices): RequestHandler<typeof OffsetCommit> {
  return {
    api: OffsetCommit,

    async handle(request, { apiVersion }): Promise<OffsetCommitResponse> {
      const plans = request.topics.map((topic) =>
        planTopic(topic, apiVersion >= TOPIC_ID_VERSION, metadata),
      )
      // Also without any partition: whether the member may commit is an answer too.
      const offsets = offsetsToCommit(request, apiVersion, plans)
      const { groupId } = request
      const results = await groupCoordinator.write(groupId, (shard) => shard.commitOffsets(offsets))
      const committed = new Map<string, number>()
      for (const { name, partitions } of results) {
        for (const { partitionIndex, errorCode } of partitions) {
          committed.set(`${name}-${partitionIndex}`, errorCode)
        }
      }
      return {
        topics: request.topics.map(({ name, topicId, partitions }, i) => ({
          ...{ name, topicId },
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode: committed.get(`${plans[i]!.name}-${partitionIndex}`) ?? plans[i]!.errorCode,
          })),
        })),
      }
    },

    failure(request, { code }) {
      // A batch that is too large for the log is the client's metadata being too much.
      const isTooLarge = code === ErrorCode.UNKNOWN_SERVER_ERROR
      const errorCode = isTooLarge ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE : code
      return {
        topics: request.topics.map(({ name, topicId, partitions }) => ({
          ...{ name, topicId },
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      }
    },
  }
}

interface TopicPlan {
  /** Undefined where there is no such topic. */
  readonly name: string | undefined
  /** Those that there are. */
  readonly partitions: TopicRequest['partitions']
  /** Of those that there are not. */
  readonly errorCode: number
}

function planTopic(
  { name, topicId, partitions }: TopicRequest,
  usesTopicIds: boolean,
  metadata: MetadataCache,
): TopicPlan {
  const topic = usesTopicIds ? metadata.topicById(topicId) : metadata.topic(name)
  const isUnknownId = topic === undefined && usesTopicIds
  const count = topic?.partitions.length ?? 0
  return {
    name: topic?.name,
    partitions: partitions.filter(({ partitionIndex: i }) => i >= 0 && i < count),
    errorCode: isUnknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  }
}

function offsetsToCommit(
  request: OffsetCommitRequest,
  apiVersion: number,
  plans: readonly TopicPlan[],
): OffsetsToCommit {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
  const { retentionTimeMs } = request
  return {
    groupId,
    committer: {
      ...{ memberId, groupInstanceId, generationIdOrMemberEpoch, apiVersion },
      isTransactional: false,
    },
    retentionTimeMs: retentionTimeMs === NO_RETENTION_TIME ? undefined : Number(retentionTimeMs),
    topics: plans.flatMap(({ name, partitions }) =>
      name === undefined || partitions.length === 0 ? [] : [{ name, partitions }],
    ),
  }
}
