/**
 * OffsetCommit and OffsetFetch for one group: one attempt each, in whatever version the coordinator
 * serves. Topics go by id where that is possible and by name where it is not.
 *
 * What is asked for is always `stable` (KIP-447): a partition with offsets of an open transaction
 * fails with the retriable UNSTABLE_OFFSET_COMMIT, since going on from older ones would have
 * records read a second time.
 */
import { ErrorCode, type ErrorName, KafkaError } from '../../../common/errors.ts'
import type { BrokerConnection } from '../../../network/broker-connection.ts'
import {
  OffsetCommit,
  type OffsetCommitResponse,
} from '../../../protocol/messages/offset-commit.ts'
import { OffsetFetch, type OffsetFetchResponse } from '../../../protocol/messages/offset-fetch.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import type { ClusterClient } from '../../cluster/cluster-client.ts'
import { errorForCode } from '../../errors.ts'
import {
  byTopic,
  numbersByTopic,
  partitionName,
  type TopicPartition,
} from '../../topic-partition.ts'
import type { OffsetToCommit } from '../partition-state.ts'

/** Who commits. */
export interface Committer {
  /** The generation of a classic group, the member epoch of another; -1 for who is no member. */
  readonly generationId: number
  /** Empty for who is no member. */
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export const NO_MEMBER: Committer = { generationId: -1, memberId: '', groupInstanceId: null }

/** The newest versions that name topics by name. */
const BY_NAME = 9
/** The first version of OffsetFetch that asks for several groups, and that which waits. */
const GROUPS = 8
const STABLE = 7

export class GroupOffsets {
  readonly #cluster: ClusterClient
  readonly #groupId: string

  constructor(cluster: ClusterClient, groupId: string) {
    this.#cluster = cluster
    this.#groupId = groupId
  }

  /** Commits. Rejects with the first error in the answer; of topics, those come last. */
  async commit(
    offsets: readonly OffsetToCommit[],
    { generationId, memberId, groupInstanceId }: Committer,
    limits: CallLimits,
  ): Promise<void> {
    const topics = byTopic(offsets).map(([name, all]) => ({
      ...{ name, topicId: this.#idOf(name) },
      partitions: all.map(({ partition, offset, leaderEpoch, metadata }) => ({
        ...{ partitionIndex: partition, committedOffset: offset },
        ...{ committedLeaderEpoch: leaderEpoch ?? -1, committedMetadata: metadata ?? '' },
      })),
    }))
    const request = {
      ...{ groupId: this.#groupId, memberId, groupInstanceId, topics },
      generationIdOrMemberEpoch: generationId,
    }
    const answered = (response: OffsetCommitResponse) =>
      response.topics.map((topic) => ({ ...topic, name: this.#nameOf(topic) }))
    const errorOf = (response: OffsetCommitResponse) => firstError(answered(response))
    const response = await this.#cluster.sendToCoordinator(
      ['group', this.#groupId],
      OffsetCommit,
      request,
      limits,
      { errorOf, ...this.#versions(topics) },
    )
    await this.#throwFirst(answered(response), limits)
  }

  /** What is committed. A member of a KIP-848 group says who it is, others do not. */
  async fetch(
    partitions: readonly TopicPartition[],
    member: Committer,
    limits: CallLimits,
  ): Promise<Map<string, OffsetToCommit | undefined>> {
    const topics = numbersByTopic(partitions).map(([name, partitionIndexes]) => {
      return { name, topicId: this.#idOf(name), partitionIndexes }
    })
    const response = await this.#cluster.sendToCoordinator(
      ['group', this.#groupId],
      OffsetFetch,
      (connection) => this.#fetchRequest(connection, topics, member),
      limits,
      {
        errorOf: (found) => {
          const { errorCode, topics: answered } = this.#found(found)
          return errorCode !== ErrorCode.NONE ? errorCode : firstError(answered)
        },
        ...this.#versions(topics),
      },
    )
    const { errorCode, topics: answered } = this.#found(response)
    if (errorCode !== ErrorCode.NONE) throw this.#error(errorCode)
    await this.#throwFirst(answered, limits)
    const committed = new Map<string, OffsetToCommit | undefined>()
    for (const { name: topic, partitions: all } of answered) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata } of all) {
        const at = { topic, partition: partitionIndex }
        const offset = { offset: committedOffset, leaderEpoch: committedLeaderEpoch }
        const isThere = committedOffset >= 0
        const found = isThere ? { ...at, ...offset, metadata: metadata ?? '' } : undefined
        committed.set(partitionName(at), found)
      }
    }
    return committed
  }

  #fetchRequest(
    connection: BrokerConnection,
    topics: readonly { name: string; topicId: string; partitionIndexes: number[] }[],
    { memberId, generationId }: Committer,
  ) {
    const version = connection.supportedVersion(OffsetFetch) ?? 0
    const requireStable = version >= STABLE
    if (version < GROUPS) {
      const named = topics.map(({ name, partitionIndexes }) => ({ name, partitionIndexes }))
      return { groupId: this.#groupId, topics: named, requireStable }
    }
    const member = memberId === '' ? {} : { memberId, memberEpoch: generationId }
    return { groups: [{ groupId: this.#groupId, ...member, topics }], requireStable }
  }

  /** The answer's part about the group, with topics by name. */
  #found(response: OffsetFetchResponse) {
    const [group] = response.groups
    const { errorCode, topics } = group ?? response
    const named = topics.map((topic) => ({ ...topic, name: this.#nameOf(topic) }))
    return { errorCode, topics: named }
  }

  /** By names where the id of some topic is not known. */
  #versions(topics: readonly { topicId: string }[]): { maxVersion?: number } {
    return topics.some(({ topicId }) => topicId === ZERO_UUID) ? { maxVersion: BY_NAME } : {}
  }

  #idOf(topic: string): string {
    return this.#cluster.metadata.topics.get(topic)?.topicId ?? ZERO_UUID
  }

  #nameOf(topic: { name: string; topicId?: string }): string {
    if (topic.name !== '' || topic.topicId === undefined) return topic.name
    return this.#cluster.metadata.nameOf(topic.topicId) ?? topic.topicId
  }

  async #throwFirst(topics: readonly AnsweredTopic[], limits: CallLimits): Promise<void> {
    if (firstError(topics) === ErrorCode.UNKNOWN_TOPIC_ID) {
      // The topic was made anew: its old id is of no use to a second attempt.
      await this.#cluster.refresh(limits)
    }
    const refused: string[] = []
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        if (errorCode === ErrorCode.NONE) continue
        if (errorCode !== ErrorCode.TOPIC_AUTHORIZATION_FAILED) {
          throw this.#error(errorCode, partitionName({ topic: name, partition: partitionIndex }))
        }
        if (!refused.includes(name)) refused.push(name)
      }
    }
    if (refused.length === 0) return
    const text = `Not authorized to access topics: [${refused.join(', ')}]`
    throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', text)
  }

  #error(code: number, partition?: string): KafkaError {
    if (code === ErrorCode.GROUP_AUTHORIZATION_FAILED) return notAuthorized(this.#groupId)
    const error = errorForCode(code)
    if (partition === undefined || !OF_PARTITIONS.has(error.errorName)) return error
    return errorForCode(code, `${partition}: ${error.message}`)
  }
}

/** Errors that are about one partition though they end the whole call. */
const OF_PARTITIONS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'OFFSET_METADATA_TOO_LARGE',
  'UNSTABLE_OFFSET_COMMIT',
])

interface AnsweredTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

export function notAuthorized(groupId: string): KafkaError {
  const text = `Not authorized to access group: ${groupId}`
  return new KafkaError('GROUP_AUTHORIZATION_FAILED', text)
}

function firstError(topics: readonly AnsweredTopic[]): number {
  const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  return codes.find((code) => code !== ErrorCode.NONE) ?? ErrorCode.NONE
}
