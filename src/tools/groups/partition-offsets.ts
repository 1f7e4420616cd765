/** Where partitions begin and end, for tools about groups; failures are as in Kafka's tools. */
import type { Admin } from '../../clients/admin/admin.ts'
import type { OffsetQuery } from '../../clients/admin/partitions.ts'
import { partitionName, type TopicPartition } from '../../clients/topic-partition.ts'
import { KafkaError } from '../../common/errors.ts'
import { inHashOrder, partitionHash } from '../support/java-hash-order.ts'
import { ILLEGAL_ARGUMENT, printLine, ToolError, type ToolIo } from '../support/tool.ts'
import { orFirstFailure, plainError, rethrowing, runtimeFailure } from './failures.ts'

type Partitions = readonly TopicPartition[]

/** The offsets at a point or a time, by the partitions' names. */
export async function offsetsAt(
  admin: Admin,
  partitions: Partitions,
  at: OffsetQuery['at'],
  timeoutMs: number,
): Promise<Map<string, number>> {
  const queries = partitions.map(({ topic, partition }) => ({ topic, partition, at }))
  const found = await rethrowing(admin.listOffsets(queries, { timeoutMs }), runtimeFailure)
  return new Map(found.map((one) => [partitionName(one), one.offset]))
}

export function endOffsets(admin: Admin, partitions: Partitions, timeoutMs: number) {
  return offsetsAt(admin, partitions, 'latest', timeoutMs)
}

export function startOffsets(admin: Admin, partitions: Partitions, timeoutMs: number) {
  return offsetsAt(admin, partitions, 'earliest', timeoutMs)
}

/** The first offsets from a time on; the end of what has no later record, of which it tells. */
export async function offsetsFromTime(
  admin: Admin,
  partitions: Partitions,
  timeMs: number,
  timeoutMs: number,
  io: ToolIo,
): Promise<Map<string, number>> {
  const found = await offsetsAt(admin, partitions, timeMs, timeoutMs)
  const none = partitions.filter((one) => (found.get(partitionName(one)) ?? -1) < 0)
  for (const { topic, partition } of inHashOrder(none, partitionHash)) {
    printLine(
      io.stdout,
      `\nWarn: Partition ${partition} from topic ${topic} is empty. ` +
        'Falling back to latest known offset.',
    )
  }
  const ends = await endOffsets(admin, none, timeoutMs)
  return new Map([...found, ...ends])
}

/** The partitions of topics. Throws KafkaError for a topic that is not there. */
export async function describePartitions(
  admin: Admin,
  topics: Iterable<string>,
  timeoutMs: number,
): Promise<(TopicPartition & { readonly leaderId: number })[]> {
  try {
    const described = await orFirstFailure(admin.describeTopics(new Set(topics), { timeoutMs }))
    return [...described].flatMap(([topic, { partitions }]) =>
      partitions.map(({ partition, leaderId }) => ({ topic, partition, leaderId })),
    )
  } catch (error) {
    throw error instanceof KafkaError ? plainError(error) : error
  }
}

/** The names of those that have no leader. */
export async function leaderlessPartitions(
  admin: Admin,
  partitions: Partitions,
  timeoutMs: number,
): Promise<Set<string>> {
  const topics = partitions.map(({ topic }) => topic)
  const call = describePartitions(admin, topics, timeoutMs)
  const all = await rethrowing(call, runtimeFailure)
  return new Set(all.filter(({ leaderId }) => leaderId < 0).map(partitionName))
}

/** Throws if one of these is not there, or has no leader. */
export async function checkPartitions(
  admin: Admin,
  partitions: Partitions,
  timeoutMs: number,
): Promise<void> {
  const topics = partitions.map(({ topic }) => topic)
  const all = await rethrowing(describePartitions(admin, topics, timeoutMs), runtimeFailure)
  const leaders = new Map(all.map((one) => [partitionName(one), one.leaderId]))
  const names = partitions.map(partitionName)
  const absent = names.filter((name) => !leaders.has(name))
  if (absent.length > 0) {
    const message = `The partitions "${absent.join(',')}" do not exist`
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message)
  }
  const leaderless = names.filter((name) => leaders.get(name)! < 0)
  if (leaderless.length > 0) {
    const message = `The partitions "${leaderless.join(',')}" have no leader`
    throw new KafkaError('LEADER_NOT_AVAILABLE', message)
  }
}

/** Reads `topic:0,1,2`. Throws ToolError. */
export function parseTopicPartitions(text: string): TopicPartition[] {
  // Empty parts at the end do not count.
  const [topic = '', numbers, ...more] = text.replace(/:+$/, '').split(':')
  if (numbers === undefined || more.length > 0) {
    const message = `Invalid topic arg '${text}', expected topic name and partitions`
    throw new ToolError(message, ILLEGAL_ARGUMENT)
  }
  return numbers
    .replace(/,+$/, '')
    .split(',')
    .map((number) => {
      if (/^[+-]?\d+$/.test(number)) return { topic, partition: Number(number) }
      const message = `Invalid partition '${number}' specified in topic arg '${text}''`
      throw new ToolError(message, ILLEGAL_ARGUMENT)
    })
}
