/**
 * The JSON that `kafka-reassign-partitions.sh` reads and prints:
 * ```
 * {"version":1,
 *  "partitions":[{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":["any","any"]}]}
 * {"version":1,"topics":[{"topic":"t"}]}
 * ```
 */
import {
  comparePartitions,
  partitionName,
  type TopicPartition,
} from '../../clients/topic-partition.ts'
import { JsonValue } from '../support/json.ts'
import { ToolError } from '../support/tool.ts'

export const COMMAND_FAILED = { className: 'org.apache.kafka.tools.AdminCommandFailedException' }
export const OPERATION_ERROR = { className: 'org.apache.kafka.tools.AdminOperationException' }

/** Stands for whichever folder the broker likes. */
const ANY_LOG_DIR = 'any'

export interface PartitionTarget extends TopicPartition {
  readonly replicas: readonly number[]
}

/** The folder of a replica, by the text `replicaName` gives. */
export type LogDirs = ReadonlyMap<string, string>

/** The replica's name in messages: `t-0-1`. */
export function replicaName(at: TopicPartition, brokerId: number): string {
  return `${partitionName(at)}-${brokerId}`
}

/** A replica that is to be in a certain folder of its broker. */
export interface LogDirTarget extends TopicPartition {
  readonly brokerId: number
  readonly path: string
}

export interface ReassignmentPlan {
  readonly partitions: readonly PartitionTarget[]
  readonly logDirs: readonly LogDirTarget[]
}

/** Reads a plan. Throws ToolError. */
export function parsePlan(text: string): ReassignmentPlan {
  const json = parse(text, (reason) => `com.fasterxml.jackson.core.JsonParseException: ${reason}`)
  const partitions: PartitionTarget[] = []
  const logDirs = new Map<string, LogDirTarget>()
  for (const entry of json.get('partitions')?.list() ?? []) {
    const topic = entry.field('topic').string()
    const partition = entry.field('partition').integer()
    const replicas = entry
      .field('replicas')
      .list()
      .map((replica) => replica.integer())
    const dirs = entry
      .get('log_dirs')
      ?.list()
      .map((dir) => dir.string())
    if (dirs !== undefined && dirs.length !== replicas.length) {
      const sizes = `Size of replicas list [${replicas.join(', ')}] is different from`
      const other = `size of log dirs list [${dirs.join(', ')}]`
      const name = partitionName({ topic, partition })
      throw new ToolError(`${sizes} ${other} for partition ${name}`, COMMAND_FAILED)
    }
    partitions.push({ topic, partition, replicas })
    for (const [index, path] of (dirs ?? []).entries()) {
      if (path === ANY_LOG_DIR) continue
      const brokerId = replicas[index]!
      logDirs.set(replicaName({ topic, partition }, brokerId), { topic, partition, brokerId, path })
    }
  }
  return { partitions, logDirs: [...logDirs.values()] }
}

/** Throws ToolError for a plan that cannot be carried out. */
export function checkPlan({ partitions }: ReassignmentPlan): void {
  const fail = (message: string): never => {
    throw new ToolError(message, COMMAND_FAILED)
  }
  if (partitions.length === 0) fail('Partition reassignment list cannot be empty')
  if (partitions.some(({ replicas }) => replicas.length === 0)) {
    fail('Partition replica list cannot be empty')
  }
  const repeated = duplicates(partitions.map(partitionName))
  if (repeated.length > 0) {
    fail(`Partition reassignment contains duplicate topic partitions: ${repeated.join(',')}`)
  }
  const entries = partitions.flatMap((target) => {
    const twice = duplicates(target.replicas)
    if (twice.length === 0) return []
    return [`${partitionName(target)} contains multiple entries for ${twice.join(',')}`]
  })
  if (entries.length > 0) {
    fail(`Partition replica lists may not contain duplicate entries: ${entries.join('. ')}`)
  }
}

/** Reads the topics for which a plan is wanted. Throws ToolError. */
export function parseTopics(text: string): string[] {
  const json = parse(text, () => 'The input string is not a valid JSON')
  const topics = json.get('topics')?.list() ?? []
  return topics.map((entry) => entry.field('topic').string())
}

function parse(text: string, messageFor: (reason: string) => string): JsonValue {
  const json = JsonValue.parse(text)
  if (json === undefined) {
    throw new ToolError(messageFor(reasonOf(text)), OPERATION_ERROR)
  }
  const version = json.get('version')?.integer() ?? 1
  if (version === 1) return json
  throw new ToolError(`Not supported version field value ${version}`, OPERATION_ERROR)
}

function reasonOf(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

/** The items that are there more than once, each once. */
export function duplicates<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items.filter((item, index) => items.indexOf(item) !== index))]
}

/** A plan as JSON, in the order of topics and partitions. */
export function formatPlan(
  partitions: readonly PartitionTarget[],
  logDirs: LogDirs = new Map(),
): string {
  const entries = partitions.toSorted(comparePartitions).map(({ topic, partition, replicas }) => ({
    ...{ topic, partition, replicas },
    log_dirs: replicas.map(
      (id) => logDirs.get(replicaName({ topic, partition }, id)) ?? ANY_LOG_DIR,
    ),
  }))
  return JSON.stringify({ version: 1, partitions: entries })
}
