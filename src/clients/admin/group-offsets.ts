/** The admin client's calls about the offsets of groups. */
import { ErrorCode, type KafkaError } from '../../common/errors.ts'
import type { BrokerConnection } from '../../network/broker-connection.ts'
import { AlterShareGroupOffsets } from '../../protocol/messages/alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../protocol/messages/delete-share-group-offsets.ts'
import { DescribeShareGroupOffsets } from '../../protocol/messages/describe-share-group-offsets.ts'
import { OffsetCommit } from '../../protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../../protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../../protocol/messages/offset-fetch.ts'
import type { RequestInput } from '../../protocol/schema.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { errorForCode, PartialFailureError, throwIfError } from '../errors.ts'
import { byTopic, numbersByTopic, partitionName, type TopicPartition } from '../topic-partition.ts'
import { isPassing } from './admin-call.ts'

export interface CommittedOffset extends TopicPartition {
  /** The next record to be read. */
  readonly offset: number
  /** -1 where it is unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string
}

/** From 10 on requests name topics by id, which costs a look-up and gives nothing here. */
const BY_NAME = { fetch: 9, commit: 9 } as const

/** Throws PartialFailureError for partitions with an error, or what is going to pass. */
function throwFailures(parts: Iterable<TopicPartition & { code: number; text?: string | null }>) {
  const failures = new Map<string, KafkaError>()
  const results = new Map<string, true>()
  for (const part of parts) {
    if (part.code === ErrorCode.NONE) results.set(partitionName(part), true)
    else failures.set(partitionName(part), errorForCode(part.code, part.text))
  }
  // Nothing is lost by committing again what has been committed.
  const passing = failures.values().find(isPassing)
  if (passing !== undefined) throw passing
  if (failures.size > 0) throw new PartialFailureError(failures, results)
}

export interface ListGroupOffsetsOptions extends CallOptions {
  /** Only these; without it, all that the group has committed. */
  readonly partitions?: readonly TopicPartition[]
  /** Waits for transactions that may yet move an offset. */
  readonly requireStable?: boolean
}

/** See `Admin.listGroupOffsets`. */
export async function listGroupOffsets(
  cluster: ClusterClient,
  groupId: string,
  options: ListGroupOffsetsOptions,
): Promise<CommittedOffset[]> {
  const limits = cluster.limits(options)
  const topics =
    options.partitions === undefined
      ? null
      : numbersByTopic(options.partitions).map(([name, numbers]) => {
          return { name, partitionIndexes: numbers }
        })
  const requireStable = options.requireStable ?? false
  const request = (connection: BrokerConnection): RequestInput<typeof OffsetFetch> =>
    (connection.supportedVersion(OffsetFetch, BY_NAME.fetch) ?? 0) >= 8
      ? { groups: [{ groupId, topics }], requireStable }
      : { groupId, topics, requireStable }
  return await cluster.retry(limits, async () => {
    const response = await cluster.sendToCoordinator(
      ['group', groupId],
      OffsetFetch,
      request,
      limits,
      { maxVersion: BY_NAME.fetch, errorOf: (found) => (found.groups[0] ?? found).errorCode },
    )
    const group = response.groups[0] ?? response
    throwIfError(group.errorCode)
    return group.topics.flatMap(({ name, partitions }) =>
      partitions.flatMap(({ partitionIndex, committedOffset, committedLeaderEpoch, ...found }) => {
        throwIfError(found.errorCode)
        if (committedOffset < 0) return []
        const metadata = found.metadata ?? ''
        const at = { topic: name, partition: partitionIndex, offset: committedOffset }
        return [{ ...at, leaderEpoch: committedLeaderEpoch, metadata }]
      }),
    )
  })
}

/** See `Admin.alterGroupOffsets`. */
export async function alterGroupOffsets(
  cluster: ClusterClient,
  groupId: string,
  offsets: Iterable<OffsetToCommit>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const request = {
    groupId,
    topics: byTopic(offsets).map(([name, all]) => ({
      name,
      partitions: all.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
        ...{ partitionIndex: partition, committedOffset: offset },
        ...{ committedLeaderEpoch: leaderEpoch, committedMetadata: metadata },
      })),
    })),
  }
  await cluster.retry(limits, async () => {
    const { topics } = await cluster.sendToCoordinator(
      ['group', groupId],
      OffsetCommit,
      request,
      limits,
      {
        maxVersion: BY_NAME.commit,
        errorOf: (found) => found.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.NONE,
      },
    )
    const parts = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => {
        return { topic: name, partition: partitionIndex, code: errorCode }
      }),
    )
    throwFailures(parts)
  })
}

/** See `Admin.deleteGroupOffsets`. */
export async function deleteGroupOffsets(
  cluster: ClusterClient,
  groupId: string,
  partitions: Iterable<TopicPartition>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const topics = numbersByTopic(partitions).map(([name, numbers]) => ({
    name,
    partitions: numbers.map((partitionIndex) => ({ partitionIndex })),
  }))
  await cluster.retry(limits, async () => {
    const request = { groupId, topics }
    const errorOf = (found: { errorCode: number }) => found.errorCode
    const to = ['group', groupId] as const
    const found = await cluster.sendToCoordinator(to, OffsetDelete, request, limits, { errorOf })
    throwIfError(found.errorCode)
    throwFailures(
      found.topics.flatMap(({ name, partitions: parts }) =>
        parts.map(({ partitionIndex, errorCode }) => {
          return { topic: name, partition: partitionIndex, code: errorCode }
        }),
      ),
    )
  })
}

export interface ShareGroupOffset extends TopicPartition {
  /** Everything below is done with; -1 while the group has not begun. */
  readonly startOffset: number
  readonly leaderEpoch: number
  /** -1 where it is unknown. */
  readonly lag: number
}

/** See `Admin.listShareGroupOffsets`. */
export async function listShareGroupOffsets(
  cluster: ClusterClient,
  groupId: string,
  options: CallOptions & { readonly partitions?: readonly TopicPartition[] },
): Promise<ShareGroupOffset[]> {
  const limits = cluster.limits(options)
  const topics =
    options.partitions === undefined
      ? null
      : numbersByTopic(options.partitions).map(([topicName, numbers]) => {
          return { topicName, partitions: numbers }
        })
  return await cluster.retry(limits, async () => {
    const { groups } = await cluster.sendToCoordinator(
      ['group', groupId],
      DescribeShareGroupOffsets,
      { groups: [{ groupId, topics }] },
      limits,
      { errorOf: (found) => found.groups[0]!.errorCode },
    )
    const group = groups[0]!
    throwIfError(group.errorCode, group.errorMessage)
    return group.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partitionIndex, startOffset, leaderEpoch, lag, ...found }) => {
        throwIfError(found.errorCode, found.errorMessage)
        return { topic: topicName, partition: partitionIndex, startOffset, leaderEpoch, lag }
      }),
    )
  })
}

/** See `Admin.alterShareGroupOffsets`. */
export async function alterShareGroupOffsets(
  cluster: ClusterClient,
  groupId: string,
  offsets: Iterable<TopicPartition & { readonly startOffset: number }>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const topics = byTopic(offsets).map(([topicName, all]) => ({
    topicName,
    partitions: all.map(({ partition, startOffset }) => {
      return { partitionIndex: partition, startOffset }
    }),
  }))
  await cluster.retry(limits, async () => {
    const found = await cluster.sendToCoordinator(
      ['group', groupId],
      AlterShareGroupOffsets,
      { groupId, topics },
      limits,
      { errorOf: ({ errorCode }) => errorCode },
    )
    throwIfError(found.errorCode, found.errorMessage)
    throwFailures(
      found.responses.flatMap(({ topicName, partitions }) =>
        partitions.map(({ partitionIndex, errorCode, errorMessage }) => {
          const code = errorCode
          return { topic: topicName, partition: partitionIndex, code, text: errorMessage }
        }),
      ),
    )
  })
}

/** See `Admin.deleteShareGroupOffsets`. */
export async function deleteShareGroupOffsets(
  cluster: ClusterClient,
  groupId: string,
  topics: Iterable<string>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const request = { groupId, topics: [...topics].map((topicName) => ({ topicName })) }
  await cluster.retry(limits, async () => {
    const found = await cluster.sendToCoordinator(
      ['group', groupId],
      DeleteShareGroupOffsets,
      request,
      limits,
      { errorOf: ({ errorCode }) => errorCode },
    )
    throwIfError(found.errorCode, found.errorMessage)
    const failed = found.responses.filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
    if (failed.length === 0) return
    const failures = failed.map(({ topicName, errorCode, errorMessage }) => {
      return [topicName, errorForCode(errorCode, errorMessage)] as const
    })
    const passing = failures.map(([, failure]) => failure).find(isPassing)
    if (passing !== undefined) throw passing
    const deleted = found.responses.filter((one) => !failed.includes(one))
    const results = deleted.map(({ topicName }) => [topicName, true] as const)
    throw new PartialFailureError(new Map(failures), new Map(results))
  })
}
