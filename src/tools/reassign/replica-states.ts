/** How far the moves of a plan have got, and the lines that say so. */
import type { Admin } from '../../clients/admin/admin.ts'
import type { LogDir } from '../../clients/admin/log-dirs.ts'
import { comparePartitions, partitionName } from '../../clients/topic-partition.ts'
import { outcomesOf } from '../support/client-settings.ts'
import { ToolError } from '../support/tool.ts'
import {
  type LogDirs,
  type LogDirTarget,
  type PartitionTarget,
  replicaName,
} from './reassignment-file.ts'

/** The lines for partitions, and whether anything is being reassigned at all. */
export async function verifyPartitions(
  admin: Admin,
  targets: readonly PartitionTarget[],
): Promise<{ lines: string[]; isOngoing: boolean }> {
  const ongoing = await admin.listPartitionReassignments()
  const moving = new Set(ongoing.map(partitionName))
  const settled = targets.filter((target) => !moving.has(partitionName(target)))
  const current = await currentReplicas(admin, new Set(settled.map(({ topic }) => topic)))
  const latest = new Map(targets.map((target) => [partitionName(target), target]))
  const lines = [...latest.values()].sort(comparePartitions).map((target) => {
    const name = partitionName(target)
    if (moving.has(name)) return `Reassignment of partition ${name} is still in progress.`
    const replicas = current.get(name)?.replicas.join(',') ?? ''
    const wanted = target.replicas.join(',')
    if (replicas === wanted) return `Reassignment of partition ${name} is completed.`
    const found = `replica set is ${replicas} rather than ${wanted}.`
    return `There is no active reassignment of partition ${name}, but ${found}`
  })
  return { lines: ['Status of partition reassignment:', ...lines], isOngoing: ongoing.length > 0 }
}

/** The replicas of each partition of those topics that there are. */
async function currentReplicas(
  admin: Admin,
  topics: ReadonlySet<string>,
): Promise<Map<string, PartitionTarget>> {
  const { results, failures } = await outcomesOf(admin.describeTopics(topics))
  for (const failure of failures.values()) {
    if (failure.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION') throw failure
  }
  return new Map(
    [...results].flatMap(([topic, { partitions }]) =>
      partitions.map(({ partition, replicas }) => [
        partitionName({ topic, partition }),
        { topic, partition, replicas },
      ]),
    ),
  )
}

/** The replicas of each partition. Throws ToolError. */
export async function replicasOf(
  admin: Admin,
  targets: readonly PartitionTarget[],
): Promise<Map<string, PartitionTarget>> {
  const topics = new Set(targets.map(({ topic }) => topic))
  const current = await replicasOfTopics(admin, topics)
  const wanted = new Set(targets.map(partitionName))
  const missing = [...wanted].filter((name) => !current.has(name))
  if (missing.length > 0) throw unknown(`Unable to find partition: ${missing.join(', ')}`)
  return new Map([...current].filter(([name]) => wanted.has(name)))
}

/** The replicas of all partitions of topics. Throws ToolError. */
export async function replicasOfTopics(
  admin: Admin,
  topics: ReadonlySet<string>,
): Promise<Map<string, PartitionTarget>> {
  const current = await currentReplicas(admin, topics)
  const found = new Set([...current.values()].map(({ topic }) => topic))
  for (const topic of topics) {
    if (found.has(topic)) continue
    throw unknown(`Topic ${topic} not found.`)
  }
  return current
}

/** As Kafka's tool wraps it. */
function unknown(message: string): ToolError {
  const className = 'org.apache.kafka.common.errors.UnknownTopicOrPartitionException'
  return new ToolError(`${className}: ${message}`, {
    className: 'java.util.concurrent.ExecutionException',
  })
}

/** The folders in which the replicas of partitions are, as far as brokers say. */
export async function logDirsOf(
  admin: Admin,
  partitions: readonly PartitionTarget[],
): Promise<LogDirs> {
  const brokers = new Set(partitions.flatMap(({ replicas }) => replicas))
  const { results } = await outcomesOf(
    admin
      .describeLogDirs(brokers, { partitions })
      .then((found) => new Map([...found].map(([id, dirs]) => [String(id), dirs]))),
  )
  return new Map(
    [...results].flatMap(([id, dirs]) =>
      dirs.flatMap(({ path, replicas }) =>
        replicas
          .filter(({ isFuture }) => !isFuture)
          .map((replica) => [replicaName(replica, Number(id)), path] as const),
      ),
    ),
  )
}

/** Where a replica is, and where it is going. */
export interface LogDirState {
  readonly target: LogDirTarget
  readonly current: string | undefined
  /** Undefined unless it is being moved. */
  readonly future: string | undefined
}

export async function logDirStates(
  admin: Admin,
  targets: readonly LogDirTarget[],
): Promise<LogDirState[]> {
  if (targets.length === 0) return []
  const brokers = new Set(targets.map(({ brokerId }) => brokerId))
  const found = await admin.describeLogDirs(brokers, { partitions: targets })
  const sorted = targets.toSorted((a, b) => a.brokerId - b.brokerId || comparePartitions(a, b))
  return sorted.map((target) => {
    const dirs = found.get(target.brokerId) ?? []
    return { target, current: pathOf(dirs, target, false), future: pathOf(dirs, target, true) }
  })
}

function pathOf(dirs: readonly LogDir[], target: LogDirTarget, isFuture: boolean) {
  const found = dirs.find(({ replicas }) =>
    replicas.some(
      ({ topic, partition, ...replica }) =>
        topic === target.topic && partition === target.partition && replica.isFuture === isFuture,
    ),
  )
  return found?.path
}

export function describeLogDirState({ target, current, future }: LogDirState): string {
  const { brokerId, path } = target
  const replica = replicaName(target, brokerId)
  const where = `Partition ${partitionName(target)}`
  if (current === undefined) {
    const offline = 'There is likely an offline log directory on the broker.'
    return `${where} is not found in any live log dir on broker ${brokerId}. ${offline}`
  }
  if (future === path) return `Reassignment of replica ${replica} is still in progress.`
  if (future !== undefined) {
    return `${where} on broker ${brokerId} is being moved to log dir ${future} instead of ${path}.`
  }
  if (current === path) return `Reassignment of replica ${replica} completed successfully.`
  return `${where} on broker ${brokerId} is not being moved from log dir ${current} to ${path}.`
}
