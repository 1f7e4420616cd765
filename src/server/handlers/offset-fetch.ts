/**
 * OffsetFetch (versions 1-10): how far groups have read. To version 7 it is one group, later several
 * (KIP-709), each with an error of its own. Null for the topics means all that have offsets.
 * Version 10 names topics by id (KIP-516); offsets of a topic that is gone are left out then.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type {
  FetchedOffset,
  FetchedOffsets,
  OffsetsToFetch,
} from '../../coordinator/group/offsets/group-offsets.ts'
import { OffsetFetch, type OffsetFetchRequest } from '../../protocol/messages/offset-fetch.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

type OffsetFetchResponse = ResponseInput<typeof OffsetFetch>
type GroupRequest = OffsetFetchRequest['groups'][number]
type GroupResponse = NonNullable<OffsetFetchResponse['groups']>[number]

const BATCHED_VERSION = 8
const TOPIC_ID_VERSION = 10
/** Before it there is no error of the group, only of each partition. */
const GROUP_ERROR_VERSION = 2

export function offsetFetchHandler({
  groupCoordinator,
  metadata,
}: BrokerServices): RequestHandler<typeof OffsetFetch> {
  async function fetchGroup(
    { groupId, memberId, memberEpoch }: GroupRequest,
    topics: OffsetsToFetch['topics'],
    requireStable: boolean,
  ): Promise<{ errorCode: number; topics: FetchedOffsets[] }> {
    try {
      const request = { groupId, memberId, memberEpoch, topics, requireStable }
      const fetched = groupCoordinator.read(groupId, ({ offsets }) => offsets.fetch(request))
      return { errorCode: ErrorCode.NONE, topics: await fetched }
    } catch (error) {
      if (error instanceof KafkaError) return { errorCode: error.code, topics: [] }
      throw error
    }
  }

  async function fetchById(request: GroupRequest, requireStable: boolean): Promise<GroupResponse> {
    const asked = request.topics?.map((topic) => ({
      ...topic,
      name: metadata.topicName(topic.topicId),
    }))
    const known = asked?.flatMap(({ name, partitionIndexes }) =>
      name === undefined ? [] : [{ name, partitionIndexes }],
    )
    const { errorCode, topics } = await fetchGroup(request, known ?? null, requireStable)
    const unknown = asked?.filter(({ name }) => name === undefined) ?? []
    return {
      groupId: request.groupId,
      errorCode,
      topics: [
        ...topics.flatMap(({ name, partitions }) => {
          const topicId = metadata.topic(name)?.topicId
          return topicId === undefined ? [] : [{ topicId, partitions }]
        }),
        ...(errorCode === ErrorCode.NONE ? unknown : []).map(({ topicId, partitionIndexes }) => ({
          topicId,
          partitions: partitionIndexes.map((partition) =>
            failedPartition(partition, ErrorCode.UNKNOWN_TOPIC_ID),
          ),
        })),
      ],
    }
  }

  return {
    api: OffsetFetch,

    async handle(request, { apiVersion }) {
      const { requireStable } = request
      if (apiVersion >= BATCHED_VERSION) {
        const usesTopicIds = apiVersion >= TOPIC_ID_VERSION
        const fetchOne = async (group: GroupRequest): Promise<GroupResponse> => {
          if (usesTopicIds) return await fetchById(group, requireStable)
          const fetched = await fetchGroup(group, group.topics, requireStable)
          return { groupId: group.groupId, ...fetched }
        }
        return { groups: await Promise.all(request.groups.map(fetchOne)) }
      }
      const { groupId, topics } = request
      // Version 1 cannot say null, and an empty list is none.
      const group = { groupId, memberId: null, memberEpoch: -1, topics: null }
      const fetched = await fetchGroup(group, topics, requireStable)
      if (fetched.errorCode === ErrorCode.NONE) return fetched
      return failedAsOne(request, fetched.errorCode, apiVersion)
    },

    failure(request, error) {
      if (request.groups.length === 0) return failedAsOne(request, error.code, 1)
      const groups = request.groups.map(({ groupId }) => ({
        groupId,
        errorCode: error.code,
        topics: [],
      }))
      return { groups }
    },
  }
}

function failedAsOne(
  { topics }: OffsetFetchRequest,
  errorCode: number,
  apiVersion: number,
): OffsetFetchResponse {
  if (apiVersion >= GROUP_ERROR_VERSION) return { errorCode, topics: [] }
  return {
    errorCode,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => failedPartition(partition, errorCode)),
    })),
  }
}

function failedPartition(partitionIndex: number, errorCode: number): FetchedOffset {
  const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }
  return { partitionIndex, ...nothing, errorCode }
}
