/** `--reset-offsets` and `--delete-offsets` of share groups. */
import type { Admin } from '../../clients/admin/admin.ts'
import { KafkaError, PartialFailureError } from '../../clients/errors.ts'
import { partitionName, type TopicPartition } from '../../clients/topic-partition.ts'
import { orFirstFailure, runtimeFailure } from '../groups/failures.ts'
import { parseDateTime } from '../groups/java-time.ts'
import {
  checkPartitions,
  describePartitions,
  endOffsets,
  offsetsFromTime,
  parseTopicPartitions,
  startOffsets,
} from '../groups/partition-offsets.ts'
import { printPlan } from '../groups/reset-offsets.ts'
import { MIN_COLUMN, widest } from '../groups/table.ts'
import { inHashOrder, partitionHash } from '../support/java-hash-order.ts'
import { javaText, printLine, ToolExit, type ToolIo } from '../support/tool.ts'
import type { ShareGroupsOptions } from './options.ts'

export interface ShareGroupContext {
  readonly admin: Admin
  readonly options: ShareGroupsOptions
  readonly timeoutMs: number
  readonly io: ToolIo
}

/** Resets what the options name, or only finds out where to; prints the new offsets. */
export async function resetOffsets(context: ShareGroupContext): Promise<void> {
  const { admin, options, timeoutMs, io } = context
  const groupId = options.required('group')
  await checkIsEmpty(admin, groupId, timeoutMs)
  const partitions = await partitionsToReset(context, groupId)
  await checkPartitions(admin, partitions, timeoutMs)
  const found = await newOffsets(context, partitions)
  const offsets = inHashOrder(partitions, partitionHash).map(({ topic, partition }) => {
    return { topic, partition, offset: found.get(partitionName({ topic, partition }))! }
  })
  if (options.has('execute')) {
    const wanted = offsets.map(({ offset, ...one }) => ({ ...one, startOffset: offset }))
    await orFirstFailure(admin.alterShareGroupOffsets(groupId, wanted, { timeoutMs }))
  }
  printPlan(new Map([[groupId, offsets]]), io)
}

async function checkIsEmpty(admin: Admin, groupId: string, timeoutMs: number): Promise<void> {
  let state: string
  try {
    const groups = await orFirstFailure(admin.describeShareGroups([groupId], { timeoutMs }))
    state = groups.get(groupId)!.state
  } catch (error) {
    if (!(error instanceof KafkaError)) throw runtimeFailure(error)
    if (error.errorName === 'GROUP_ID_NOT_FOUND') return
    throw new ToolExit(1, { stderr: `${error.message}\n` })
  }
  if (state === 'Empty' || state === 'Dead') return
  throw new ToolExit(1, { stderr: `Share group '${groupId}' is not empty.\n` })
}

async function partitionsToReset(
  { admin, options, timeoutMs }: ShareGroupContext,
  groupId: string,
): Promise<TopicPartition[]> {
  if (!options.has('topic')) {
    return await orFirstFailure(admin.listShareGroupOffsets(groupId, { timeoutMs }))
  }
  const texts = options.values('topic')
  const partitions = texts.filter((text) => text.includes(':')).flatMap(parseTopicPartitions)
  const topics = texts.filter((text) => !text.includes(':'))
  if (topics.length === 0) return partitions
  return [...partitions, ...(await describePartitions(admin, topics, timeoutMs))]
}

async function newOffsets(
  { admin, options, timeoutMs, io }: ShareGroupContext,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, number>> {
  if (options.has('to-earliest')) return await startOffsets(admin, partitions, timeoutMs)
  if (options.has('to-latest')) return await endOffsets(admin, partitions, timeoutMs)
  const timeMs = parseDateTime(options.values('to-datetime')[0]!)
  return await offsetsFromTime(admin, partitions, timeMs, timeoutMs, io)
}

const OF_GROUP = [
  ...['INVALID_GROUP_ID', 'GROUP_ID_NOT_FOUND', 'GROUP_AUTHORIZATION_FAILED', 'NON_EMPTY_GROUP'],
]
/** These are told of with their topics. */
const OF_TOPICS = ['TOPIC_AUTHORIZATION_FAILED', 'UNKNOWN_TOPIC_OR_PARTITION']

export async function deleteOffsets(context: ShareGroupContext): Promise<void> {
  const { admin, options, timeoutMs, io } = context
  const topics = [...new Set(options.values('topic'))].sort()
  let failure: KafkaError | undefined
  try {
    await admin.deleteShareGroupOffsets(options.required('group'), topics, { timeoutMs })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    failure = error
  }
  const first = failure instanceof PartialFailureError ? [...failure.failures.values()][0] : failure
  if (first !== undefined && OF_GROUP.includes(first.errorName)) {
    printLine(io.stdout, `\nError: ${first.message}`)
  } else if (first !== undefined && !OF_TOPICS.includes(first.errorName)) {
    printLine(io.stdout, `\nError: Encounter some unknown error: ${javaText(first)}`)
  }
  const width = widest(topics, MIN_COLUMN)
  const rows = topics.map((topic) => {
    const problem = failure instanceof PartialFailureError ? failure.failures.get(topic) : failure
    const status = problem === undefined ? 'Successful' : `Error: ${problem.message}`
    return `\n${topic.padEnd(width)} ${status}`
  })
  printLine(io.stdout, [`\n${'TOPIC'.padEnd(width)} STATUS`, ...rows].join(''))
}
