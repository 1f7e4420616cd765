/**
 * What is asked of share groups and takes two coordinators: the group's, which knows members and
 * partitions, and the share coordinator, which remembers how far each partition has got. It has no
 * state of its own: each step is recorded by one of the two, and what was interrupted is taken up
 * again by the next heartbeat or request.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import type { Logger } from '../../../common/logger.ts'
import type {
  AlterShareGroupOffsets,
  AlterShareGroupOffsetsRequest,
} from '../../../protocol/messages/alter-share-group-offsets.ts'
import type {
  DeleteShareGroupOffsets,
  DeleteShareGroupOffsetsRequest,
} from '../../../protocol/messages/delete-share-group-offsets.ts'
import type {
  DescribeShareGroupOffsets,
  DescribeShareGroupOffsetsRequest,
} from '../../../protocol/messages/describe-share-group-offsets.ts'
import { type ResponseInput, ZERO_UUID } from '../../../protocol/schema.ts'
import type { ShareGroupHeartbeatRequest } from '../../../protocol/share-group-messages.ts'
import type { ShareCoordinator } from '../../share/share-coordinator.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import type { TopicImage } from '../topic-image.ts'
import type { TopicState } from './share-group.ts'
import type { PartitionToInitialize, StateToInitialize } from './share-group-state.ts'
import type { DescribedShareGroup, OffsetToSet, ShareHeartbeatResponse } from './share-groups.ts'

export interface ShareGroupCoordinatorOptions {
  readonly log: Logger
  readonly groups: GroupCoordinator
  readonly states: ShareCoordinator
  readonly topics: TopicImage
  /** Makes `__share_group_state` if there is none. Rejects with KafkaError. */
  readonly ensureStateTopic: () => Promise<void>
  /** The end of a partition, for a lag. Throws KafkaError where this broker cannot tell. */
  readonly latestOffset: (topic: string, partition: number) => number
}

type AlterResponse = ResponseInput<typeof AlterShareGroupOffsets>
type DeleteResponse = ResponseInput<typeof DeleteShareGroupOffsets>
type DescribedGroup = ResponseInput<typeof DescribeShareGroupOffsets>['groups'][number]
type DescribedTopic = DescribedGroup['topics'][number]
type DescribedPartition = DescribedTopic['partitions'][number]

/** Names of topics and partitions of interest; null for all that the group has. */
export type AskedTopics = DescribeShareGroupOffsetsRequest['groups'][number]['topics']

export class ShareGroupCoordinator {
  readonly #options: ShareGroupCoordinatorOptions

  constructor(options: ShareGroupCoordinatorOptions) {
    this.#options = options
  }

  /**
   * ShareGroupHeartbeat. Where the state of partitions has to be set up first, that is done before
   * the answer, so that a member has its partitions with its first heartbeat. Rejects with
   * KafkaError.
   */
  async heartbeat(
    request: ShareGroupHeartbeatRequest,
    client: { readonly clientId: string; readonly clientHost: string },
  ): Promise<ShareHeartbeatResponse> {
    const { groupId } = request
    const decide = (heartbeat: ShareGroupHeartbeatRequest) =>
      this.#options.groups.write(groupId, (shard) => shard.share.heartbeat(heartbeat, client))
    const { response, toInitialize } = await decide(request)
    if (toInitialize === undefined || !(await this.#initialize(toInitialize))) return response
    // Now there is something to assign: the member asks once more, as what it has become.
    const { memberEpoch } = response
    return (await decide({ ...request, memberEpoch })).response
  }

  /** ShareGroupDescribe of one group. Rejects with KafkaError. */
  async describe(groupId: string): Promise<DescribedShareGroup> {
    return await this.#options.groups.read(groupId, (shard) => shard.share.describe(groupId))
  }

  /** DescribeShareGroupOffsets of one group; an unknown one has none. Rejects with KafkaError. */
  async describeOffsets(groupId: string, asked: AskedTopics): Promise<DescribedGroup> {
    const known = await this.#options.groups.read(groupId, (shard) =>
      shard.share.initializedPartitions(groupId),
    )
    const wanted =
      asked ??
      [...known.values()].map(({ topicName, partitions }) => ({
        ...{ topicName, partitions: [...partitions].sort((a, b) => a - b) },
      }))
    const topics = await Promise.all(
      wanted.map(({ topicName, partitions }) =>
        this.#describeTopic(groupId, topicName, partitions),
      ),
    )
    return { groupId, topics, errorCode: ErrorCode.NONE }
  }

  /** AlterShareGroupOffsets. Rejects with KafkaError for the group as a whole. */
  async alterOffsets(request: AlterShareGroupOffsetsRequest): Promise<AlterResponse> {
    const { groupId } = request
    const { topics } = this.#options
    const offsets = request.topics.flatMap(({ topicName, partitions }) =>
      partitions
        .filter(({ partitionIndex }) => this.#exists(topicName, partitionIndex))
        .map(({ partitionIndex, startOffset }): OffsetToSet => {
          return { topicName, partition: partitionIndex, startOffset }
        }),
    )
    const failures = new Map<string, KafkaError>()
    const toInitialize = await this.#options.groups.write(groupId, (shard) =>
      shard.share.setOffsets(groupId, offsets),
    )
    await this.#initialize(toInitialize, failures)
    const responses = request.topics.map(({ topicName, partitions }) => {
      const topicId = topics.topicId(topicName) ?? ZERO_UUID
      return {
        ...{ topicName, topicId },
        partitions: partitions.map(({ partitionIndex }) => {
          const error = this.#exists(topicName, partitionIndex)
            ? failures.get(`${topicId}:${partitionIndex}`)
            : new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
          return { partitionIndex, ...outcomeOf(error) }
        }),
      }
    })
    return { errorCode: ErrorCode.NONE, responses }
  }

  /** DeleteShareGroupOffsets. Rejects with KafkaError for the group as a whole. */
  async deleteOffsets({
    groupId,
    topics,
  }: DeleteShareGroupOffsetsRequest): Promise<DeleteResponse> {
    const idOf = (name: string) => this.#options.topics.topicId(name)
    const topicIds = topics.map(({ topicName }) => idOf(topicName)).filter((id) => id !== undefined)
    const found = await this.#options.groups.write(groupId, (shard) =>
      shard.share.beginToDeleteOffsets(groupId, topicIds),
    )
    const failures = await this.#deleteStates(groupId, found)
    const responses = topics.map(({ topicName }) => {
      const topicId = idOf(topicName)
      if (topicId === undefined) {
        return { topicName, topicId: ZERO_UUID, ...outcomeOf(UNKNOWN_TOPIC) }
      }
      const error = found.has(topicId) ? failures.get(topicId) : NOTHING_TO_DELETE
      return { topicName, topicId, ...outcomeOf(error) }
    })
    return { errorCode: ErrorCode.NONE, responses }
  }

  /**
   * What DeleteGroups has to do before it deletes a share group: its state with the share
   * coordinator goes first. Nothing to do for other groups. Rejects with KafkaError.
   */
  async prepareToDelete(groupId: string): Promise<void> {
    const found = await this.#options.groups.write(groupId, (shard) =>
      shard.share.beginToDelete(groupId),
    )
    for (const error of (await this.#deleteStates(groupId, found)).values()) throw error
  }

  /**
   * Has the share coordinator set up state, and the group take note. Says whether all went well.
   */
  async #initialize(
    { groupId, stateEpoch, partitions }: StateToInitialize,
    failures = new Map<string, KafkaError>(),
  ): Promise<boolean> {
    const { states, groups, log } = this.#options
    const initialize = async ({ topicId, partition, startOffset }: PartitionToInitialize) => {
      try {
        await this.#options.ensureStateTopic()
        await states.initialize({ groupId, topicId, partition }, { stateEpoch, startOffset })
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        log.warn(`could not set up share group ${groupId} for ${topicId}-${partition}`, error)
        failures.set(`${topicId}:${partition}`, error)
      }
    }
    await Promise.all(partitions.map(initialize))
    const isGood = ({ topicId, partition }: PartitionToInitialize) =>
      !failures.has(`${topicId}:${partition}`)
    const done = this.#byTopic(partitions.filter(isGood))
    const failed = this.#byTopic(partitions.filter((partition) => !isGood(partition)))
    if (done.size > 0) {
      await groups.write(groupId, (shard) => shard.share.initialized(groupId, done))
    }
    if (failed.size > 0) {
      await groups.write(groupId, (shard) => shard.share.notInitialized(groupId, failed))
    }
    return failed.size === 0
  }

  /** Deletes state and has the group take note. Returns what went wrong, by topic id. */
  async #deleteStates(
    groupId: string,
    topics: ReadonlyMap<string, TopicState>,
  ): Promise<Map<string, KafkaError>> {
    const failures = new Map<string, KafkaError>()
    if (topics.size === 0) return failures
    await this.#options.ensureStateTopic()
    const deletePartition = async (topicId: string, partition: number) => {
      try {
        await this.#options.states.delete({ groupId, topicId, partition })
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        failures.set(topicId, error)
      }
    }
    await Promise.all(
      [...topics].flatMap(([topicId, { partitions }]) =>
        [...partitions].map((partition) => deletePartition(topicId, partition)),
      ),
    )
    const done = new Set([...topics.keys()].filter((topicId) => !failures.has(topicId)))
    await this.#options.groups.write(groupId, (shard) => shard.share.offsetsDeleted(groupId, done))
    return failures
  }

  async #describeTopic(
    groupId: string,
    topicName: string,
    partitions: readonly number[],
  ): Promise<DescribedTopic> {
    const topicId = this.#options.topics.topicId(topicName)
    if (topicId === undefined) {
      const unknown = (partitionIndex: number) => ({ partitionIndex, ...NOT_BEGUN })
      return { topicName, topicId: ZERO_UUID, partitions: partitions.map(unknown) }
    }
    const described = await Promise.all(
      partitions.map((partition) =>
        this.#describePartition(groupId, topicName, topicId, partition),
      ),
    )
    return { topicName, topicId, partitions: described }
  }

  async #describePartition(
    groupId: string,
    topicName: string,
    topicId: string,
    partitionIndex: number,
  ): Promise<DescribedPartition> {
    try {
      await this.#options.ensureStateTopic()
      const id = { groupId, topicId, partition: partitionIndex }
      const state = await this.#options.states.summary(id)
      if (state === undefined) return { partitionIndex, ...NOT_BEGUN }
      const { startOffset, leaderEpoch, deliveryCompleteCount } = state
      const errorCode = ErrorCode.NONE
      if (startOffset === -1 || deliveryCompleteCount === -1) {
        return { partitionIndex, startOffset, leaderEpoch, lag: -1, errorCode }
      }
      const end = this.#options.latestOffset(topicName, partitionIndex)
      const lag = end - startOffset - deliveryCompleteCount
      return { partitionIndex, startOffset, leaderEpoch, lag, errorCode }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { partitionIndex, ...NOT_BEGUN, ...outcomeOf(error) }
    }
  }

  #exists(topicName: string, partition: number): boolean {
    const count = this.#options.topics.partitionCount(topicName) ?? 0
    return partition >= 0 && partition < count
  }

  #byTopic(partitions: readonly PartitionToInitialize[]): Map<string, TopicState> {
    const topics = new Map<string, { topicName: string; partitions: Set<number> }>()
    for (const { topicId, partition } of partitions) {
      const topicName = this.#options.topics.topicName(topicId) ?? '<UNKNOWN>'
      const known = topics.get(topicId)?.partitions ?? new Set()
      topics.set(topicId, { topicName, partitions: known.add(partition) })
    }
    return topics
  }
}

const UNKNOWN_TOPIC = new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
const NOTHING_TO_DELETE = new KafkaError(
  'UNKNOWN_TOPIC_OR_PARTITION',
  'There is no offset information to delete.',
)
const NOT_BEGUN = { startOffset: -1, leaderEpoch: 0, lag: -1, errorCode: ErrorCode.NONE as number }

function outcomeOf(error: KafkaError | undefined): {
  errorCode: number
  errorMessage: string | null
} {
  if (error === undefined) return { errorCode: ErrorCode.NONE, errorMessage: null }
  return { errorCode: error.code, errorMessage: error.message }
}
