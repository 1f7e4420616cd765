/** `--reset-offsets`: where a group, which must have no members, goes on reading. */
import type { Admin } from '../../clients/admin/admin.ts'
import { partitionName, type TopicPartition } from '../../clients/topic-partition.ts'
import { SystemClock } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import { LineLogger } from '../../common/logger.ts'
import { readTextFile } from '../support/client-settings.ts'
import { inHashOrder, partitionHash, stringHash } from '../support/java-hash-order.ts'
import { ILLEGAL_ARGUMENT, javaText, printLine, ToolError, type ToolIo } from '../support/tool.ts'
import { orFirstFailure, rethrowing, runtimeFailure } from './failures.ts'
import { parseDateTime, parseDuration } from './java-time.ts'
import { formatOffsetCsv, type NewOffset, type OffsetPlan, parseOffsetCsv } from './offset-csv.ts'
import type { GroupsOptions } from './options.ts'
import {
  checkPartitions,
  describePartitions,
  endOffsets,
  offsetsFromTime,
  parseTopicPartitions,
  startOffsets,
} from './partition-offsets.ts'

export interface ResetContext {
  readonly admin: Admin
  readonly options: GroupsOptions
  readonly timeoutMs: number
  readonly io: ToolIo
}

const SCENARIO_LIST =
  '[[to-offset], [shift-by], [to-datetime], [by-duration], [to-earliest], [to-latest], ' +
  '[to-current], [from-file]]'

/** Resets what the options name, or only finds out where to; prints the new offsets. */
export async function resetOffsets(
  context: ResetContext,
  groupIds: readonly string[],
): Promise<void> {
  const plan = new Map<string, readonly NewOffset[]>()
  for (const groupId of inHashOrder(new Set(groupIds), stringHash)) {
    const state = await stateOf(context, groupId)
    if (state === undefined || state === 'Empty' || state === 'Dead') {
      plan.set(groupId, await resetGroup(context, groupId))
    } else {
      printLine(
        context.io.stdout,
        `\nError: Assignments can only be reset if the group '${groupId}' is inactive, ` +
          `but the current state is ${state}.`,
      )
      plan.set(groupId, [])
    }
  }
  const { options, io } = context
  if (options.has('export')) {
    const withGroups = options.values('group').length !== 1
    printLine(io.stdout, formatOffsetCsv(plan, withGroups))
  } else printPlan(plan, io)
}

/** Undefined where there is no such group. */
async function stateOf(
  { admin, timeoutMs }: ResetContext,
  groupId: string,
): Promise<string | undefined> {
  try {
    const groups = await orFirstFailure(admin.describeGroups([groupId], { timeoutMs }))
    const { state, protocolType } = groups.get(groupId)!
    if (protocolType === 'consumer' || protocolType === '') return state
    const message = `GroupId ${groupId} is not a consumer group (${protocolType}).`
    throw new ToolError(message, ILLEGAL_ARGUMENT)
  } catch (error) {
    const isAbsent = error instanceof KafkaError && error.errorName === 'GROUP_ID_NOT_FOUND'
    if (isAbsent) return undefined
    throw runtimeFailure(error)
  }
}

async function resetGroup(context: ResetContext, groupId: string): Promise<NewOffset[]> {
  const { admin, options, timeoutMs } = context
  const partitions = await partitionsToReset(context, groupId)
  await checkPartitions(admin, partitions, timeoutMs)
  const offsets = inHashOrder(await newOffsets(context, groupId, partitions), partitionHash)
  if (options.has('execute') && !options.has('dry-run')) {
    await orFirstFailure(admin.alterGroupOffsets(groupId, offsets, { timeoutMs }))
  }
  return offsets
}

async function committedOffsets(
  { admin, timeoutMs }: ResetContext,
  groupId: string,
): Promise<Map<string, NewOffset>> {
  const call = admin.listGroupOffsets(groupId, { timeoutMs })
  const committed = await rethrowing(call, runtimeFailure)
  return new Map(
    committed.map(({ topic, partition, offset }) => [
      partitionName({ topic, partition }),
      { topic, partition, offset },
    ]),
  )
}

async function partitionsToReset(
  context: ResetContext,
  groupId: string,
): Promise<TopicPartition[]> {
  const { admin, options, timeoutMs } = context
  if (options.has('all-topics')) return [...(await committedOffsets(context, groupId)).values()]
  if (options.has('topic')) {
    const texts = options.values('topic')
    const partitions = texts.filter((text) => text.includes(':')).flatMap(parseTopicPartitions)
    const topics = texts.filter((text) => !text.includes(':'))
    if (topics.length === 0) return partitions
    return [...partitions, ...(await describePartitions(admin, topics, timeoutMs))]
  }
  if (options.has('from-file')) return []
  throw options.usage('One of the reset scopes should be defined: --all-topics, --topic.')
}

async function newOffsets(
  context: ResetContext,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<NewOffset[]> {
  const { admin, options, timeoutMs, io } = context
  const at = (offsets: ReadonlyMap<string, number>): NewOffset[] =>
    partitions.map(({ topic, partition }) => {
      return { topic, partition, offset: offsets.get(partitionName({ topic, partition }))! }
    })
  const fromTime = async (timeMs: number) =>
    at(await offsetsFromTime(admin, partitions, timeMs, timeoutMs, io))
  if (options.has('to-offset')) {
    const offset = Number(options.values('to-offset')[0])
    return withinRange(
      context,
      partitions.map(({ topic, partition }) => ({ topic, partition, offset })),
    )
  }
  if (options.has('to-earliest')) return at(await startOffsets(admin, partitions, timeoutMs))
  if (options.has('to-latest')) return at(await endOffsets(admin, partitions, timeoutMs))
  if (options.has('shift-by')) return shifted(context, groupId, partitions)
  if (options.has('to-datetime')) return fromTime(parseDateTime(options.values('to-datetime')[0]!))
  if (options.has('by-duration')) {
    return fromTime(new SystemClock().now() - parseDuration(options.required('by-duration')))
  }
  if (options.has('from-file')) return offsetsFromFile(context, groupId)
  if (options.has('to-current')) return currentOffsets(context, groupId, partitions)
  throw options.usage(
    `Option '[reset-offsets]' requires one of the following scenarios: ${SCENARIO_LIST}`,
  )
}

async function shifted(
  context: ResetContext,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<NewOffset[]> {
  const by = Number(context.options.required('shift-by'))
  const committed = await committedOffsets(context, groupId)
  const wanted = partitions.map((one) => {
    const current = committed.get(partitionName(one))
    if (current !== undefined) return { ...current, offset: current.offset + by }
    const what = `Cannot shift offset for partition ${partitionName(one)}`
    throw new ToolError(`${what} since there is no current committed offset`, ILLEGAL_ARGUMENT)
  })
  return withinRange(context, wanted)
}

async function currentOffsets(
  context: ResetContext,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<NewOffset[]> {
  const committed = await committedOffsets(context, groupId)
  const others = partitions.filter((one) => !committed.has(partitionName(one)))
  const ends = await endOffsets(context.admin, others, context.timeoutMs)
  return partitions.map(({ topic, partition }) => {
    const name = partitionName({ topic, partition })
    return committed.get(name) ?? { topic, partition, offset: ends.get(name)! }
  })
}

async function offsetsFromFile(context: ResetContext, groupId: string): Promise<NewOffset[]> {
  const { options, io } = context
  const groups = options.values('group')
  const onlyGroup = groups.length === 1 ? groups[0] : undefined
  const offsets = readPlan(options.values('from-file')[0]!, onlyGroup).get(groupId)
  if (offsets !== undefined) return withinRange(context, offsets)
  printLine(io.stdout, `\nError: No reset plan for group ${groupId} found`)
  return []
}

function readPlan(path: string, onlyGroup: string | undefined): OffsetPlan {
  let text: string
  try {
    text = readTextFile(path)
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    throw new ToolError(javaText(error))
  }
  return parseOffsetCsv(text, onlyGroup)
}

/** Moves offsets that are not in their partition to its beginning or its end, and says so. */
async function withinRange(
  { admin, timeoutMs, io }: ResetContext,
  wanted: readonly NewOffset[],
): Promise<NewOffset[]> {
  const starts = await startOffsets(admin, wanted, timeoutMs)
  const ends = await endOffsets(admin, wanted, timeoutMs)
  const sink = (line: string) => printLine(io.stderr, line)
  const log = new LineLogger({ clock: new SystemClock(), level: 'warn', sink })
  return inHashOrder(wanted, partitionHash).map((one) => {
    const name = partitionName(one)
    const [start, end] = [starts.get(name)!, ends.get(name)!]
    const offset = Math.max(start, Math.min(one.offset, end))
    if (offset !== one.offset) {
      const side = offset === end && one.offset > end ? 'higher than latest' : 'lower than earliest'
      log.warn(
        `New offset (${one.offset}) is ${side} offset for topic partition ${name}. ` +
          `Value will be set to ${offset} (org.apache.kafka.tools.OffsetsUtils)`,
      )
    }
    return { ...one, offset }
  })
}

/** Prints where groups go on. */
export function printPlan(plan: OffsetPlan, io: ToolIo): void {
  const groupWidth = Math.max(15, ...[...plan.keys()].map((groupId) => groupId.length))
  const topics = [...plan.values()].flatMap((offsets) => offsets.map(({ topic }) => topic.length))
  const topicWidth = Math.max(15, ...topics)
  const line = (group: string, topic: string, partition: string, offset: string) =>
    `\n${group.padEnd(groupWidth)} ${topic.padEnd(topicWidth)} ${partition.padEnd(10)} ${offset}`
  const rows = [...plan].flatMap(([groupId, offsets]) =>
    offsets.map(({ topic, partition, offset }) =>
      line(groupId, topic, String(partition), String(offset)),
    ),
  )
  const header = plan.size > 0 ? [line('GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET')] : []
  printLine(io.stdout, [...header, ...rows].join(''))
}
