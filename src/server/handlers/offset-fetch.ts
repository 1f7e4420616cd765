/**
 * OffsetFetch (versions 1-10): how far groups have read. To version 7 it is one group, later
 * several (KIP-709), each with an error of its own. Null for the topics means all that have
 * offsets. Version 10 names topics by id (KIP-516); offsets of a topic that is gone are left out
 * then.
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

export function offsetFetchHandler(services: BrokerServices): RequestHandler<typeof OffsetFetch> {
  const { fetchGroup, fetchGroups } = offsetReader(services)
  return {
    api: OffsetFetch,

    async handle(request, { apiVersion }) {
      if (apiVersion >= BATCHED_VERSION) {
        return { groups: await fetchGroups(request, apiVersion >= TOPIC_ID_VERSION) }
      }
      const { groupId, topics, requireStable } = request
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

/** Reads one group's offsets by the names of topics, or several groups' as they were asked for. */
function offsetReader({ groupCoordinator, metadata }: BrokerServices) {
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
    const found = topics.flatMap(({ name, partitions }) => {
      const topicId = metadata.topic(name)?.topicId
      return topicId === undefined ? [] : [{ topicId, partitions }]
    })
    const hasFailed = errorCode !== ErrorCode.NONE
    const unknown = hasFailed ? [] : (asked ?? []).filter(({ name }) => name === undefined)
    return { groupId: request.groupId, errorCode, topics: [...found, ...unknown.map(unknownTopic)] }
  }

  async function fetchGroups(
    { groups, requireStable }: OffsetFetchRequest,
    usesTopicIds: boolean,
  ): Promise<GroupResponse[]> {
    const fetches = groups.map(async (group): Promise<GroupResponse> => {
      if (usesTopicIds) return await fetchById(group, requireStable)
      const fetched = await fetchGroup(group, group.topics, requireStable)
      return { groupId: group.groupId, ...fetched }
    })
    return await Promise.all(fetches)
  }

  return { fetchGroup, fetchGroups }
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

function unknownTopic({
  topicId,
  partitionIndexes,
}: {
  topicId: string
  partitionIndexes: readonly number[]
}) {
  const error = ErrorCode.UNKNOWN_TOPIC_ID
  const partitions = partitionIndexes.map((partition) => failedPartition(partition, error))
  return { topicId, partitions }
}

function failedPartition(partitionIndex: number, errorCode: number): FetchedOffset {
  const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }
  return { partitionIndex, ...nothing, errorCode }
}
