/** The admin client's calls about the folders in which brokers keep partitions. */
import { ErrorCode, type KafkaError } from '../../common/errors.ts'
import { AlterReplicaLogDirs } from '../../protocol/messages/alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../protocol/messages/describe-log-dirs.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { errorForCode, throwIfError } from '../errors.ts'
import { numbersByTopic, partitionName, type TopicPartition } from '../topic-partition.ts'
import { callForItems, collect, outcome } from './admin-call.ts'

export interface LogDirReplica extends TopicPartition {
  readonly sizeInBytes: number
  /** How far it lags behind the high watermark, or a future log behind the current one. */
  readonly offsetLag: number
  /** It is on its way to this folder, and will then take the place of the current one. */
  readonly isFuture: boolean
}

export interface LogDir {
  /** An absolute path. */
  readonly path: string
  /** Why the folder cannot be used; undefined for one that can. */
  readonly error: KafkaError | undefined
  /** Of the file system; -1 where it is unknown. */
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly LogDirReplica[]
}

/** See `Admin.describeLogDirs`. */
export async function describeLogDirs(
  cluster: ClusterClient,
  brokerIds: Iterable<number>,
  options: CallOptions & { readonly partitions?: readonly TopicPartition[] },
): Promise<Map<number, LogDir[]>> {
  const limits = cluster.limits(options)
  const topics =
    options.partitions === undefined
      ? null
      : numbersByTopic(options.partitions).map(([topic, numbers]) => {
          return { topic, partitions: numbers }
        })
  const items = [...brokerIds].map((id) => [String(id), id] as const)
  const found = await collect(items, (brokerId) =>
    cluster.retry(limits, async () => {
      const response = await cluster.sendTo(brokerId, DescribeLogDirs, { topics }, limits)
      throwIfError(response.errorCode)
      return response.results.map(logDirOf)
    }),
  )
  return new Map([...found].map(([id, dirs]) => [Number(id), dirs]))
}

interface DescribedDir {
  readonly errorCode: number
  readonly logDir: string
  readonly totalBytes: number
  readonly usableBytes: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly partitionSize: number
      readonly offsetLag: number
      readonly isFutureKey: boolean
    }[]
  }[]
}

function logDirOf({ errorCode, logDir, totalBytes, usableBytes, topics }: DescribedDir): LogDir {
  const error = errorCode === ErrorCode.NONE ? undefined : errorForCode(errorCode)
  const replicas = topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition, partitionSize, offsetLag, isFutureKey }) => {
      return { topic, partition, sizeInBytes: partitionSize, offsetLag, isFuture: isFutureKey }
    }),
  )
  return { path: logDir, error, totalBytes, usableBytes, replicas }
}

export interface ReplicaMove extends TopicPartition {
  readonly brokerId: number
  /** The folder it is to be in, one of the broker's `log.dirs`. */
  readonly path: string
}

/** See `Admin.alterReplicaLogDirs`. */
export async function alterReplicaLogDirs(
  cluster: ClusterClient,
  moves: Iterable<ReplicaMove>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const byBroker = Map.groupBy(moves, ({ brokerId }) => brokerId)
  const perBroker = [...byBroker].map(async ([brokerId, all]) => {
    const items = all.map((move) => [partitionName(move), move] as const)
    await callForItems(cluster, limits, items, async (pending) => {
      const dirs = [...Map.groupBy(pending, ({ path }) => path)].map(([path, moved]) => ({
        path,
        topics: numbersByTopic(moved).map(([name, partitions]) => ({ name, partitions })),
      }))
      const { results } = await cluster.sendTo(brokerId, AlterReplicaLogDirs, { dirs }, limits)
      const outcomes = new Map<string, true | KafkaError>()
      for (const { topicName: topic, partitions } of results) {
        for (const { partitionIndex: partition, errorCode } of partitions) {
          const name = partitionName({ topic, partition })
          outcomes.set(
            name,
            outcome(errorCode, null, () => true as const),
          )
        }
      }
      return outcomes
    })
  })
  await Promise.all(perBroker)
}
