/**
 * `kafka-consumer-groups.sh`: lists, describes and deletes groups of consumers, of both protocols,
 * and resets and deletes their offsets.
 *
 * As in Kafka's tool, what goes wrong with a command that makes sense is told on standard output,
 * and the exit code is 0 all the same.
 */
import type { Admin } from '../clients/admin/admin.ts'
import { PartialFailureError } from '../clients/errors.ts'
import { partitionName, type TopicPartition } from '../clients/topic-partition.ts'
import { KafkaError } from '../common/errors.ts'
import { RegularExpression } from '../coordinator/group/consumer/re2/expression.ts'
import { describeGroups, printMembers, printOffsets, printStates } from './groups/describe.ts'
import { executionFailure, rethrowing, runtimeFailure } from './groups/failures.ts'
import { ACTIONS, checkOptions, GROUPS_OPTIONS, type GroupsOptions } from './groups/options.ts'
import { describePartitions, parseTopicPartitions } from './groups/partition-offsets.ts'
import { resetOffsets } from './groups/reset-offsets.ts'
import { runGroupCommand } from './groups/run-command.ts'
import { MISSING } from './groups/table.ts'
import { openAdmin, outcomesOf } from './support/client-settings.ts'
import { inHashOrder, stringHash } from './support/java-hash-order.ts'
import {
  ILLEGAL_ARGUMENT,
  javaText,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
} from './support/tool.ts'
import { withClassName } from './support/tool-log.ts'

const CONSUMER_STATES = [
  ...['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty'],
  ...['Assigning', 'Reconciling'],
]
const CONSUMER_TYPES = ['Classic', 'Consumer']

interface Context {
  readonly admin: Admin
  readonly options: GroupsOptions
  readonly timeoutMs: number
  readonly io: ToolIo
}

/** Names that users give, in the spelling of Kafka. Throws ToolError. */
function parseNames(text: string | undefined, known: readonly string[], what: string): string[] {
  if (text === undefined || text === '') return []
  const names = text.split(',').map((name) => {
    return known.find((one) => one.toLowerCase() === name.trim().toLowerCase())
  })
  if (names.every((name) => name !== undefined)) return [...new Set(names)]
  const [list, valid] = what === 'state' ? ['state list', 'states'] : ['types list', 'types']
  const message = `Invalid ${list} '${text}'. Valid ${valid} are: ${known.join(', ')}`
  throw new ToolError(message, ILLEGAL_ARGUMENT)
}

/** Groups of consumers, or that have only offsets. */
async function listGroups({ admin, timeoutMs }: Context, states: string[], types: string[]) {
  const groups = await admin.listGroups({ timeoutMs, states, types })
  const meant = groups.filter(({ protocolType }) => ['consumer', ''].includes(protocolType))
  return inHashOrder(meant, ({ groupId }) => stringHash(groupId))
}

async function allGroups(context: Context): Promise<string[]> {
  const groups = await rethrowing(listGroups(context, [], CONSUMER_TYPES), runtimeFailure)
  return groups.map(({ groupId }) => groupId)
}

async function chosenGroups(context: Context): Promise<string[]> {
  return context.options.has('all-groups') ? allGroups(context) : context.options.values('group')
}

async function list(context: Context): Promise<void> {
  const { options, io } = context
  const [withType, withState] = [options.has('type'), options.has('state')]
  if (!withType && !withState) {
    for (const groupId of await allGroups(context)) printLine(io.stdout, groupId)
    return
  }
  const types = parseNames(options.value('type'), CONSUMER_TYPES, 'type')
  const states = parseNames(options.value('state'), CONSUMER_STATES, 'state')
  const groups = await rethrowing(listGroups(context, states, types), executionFailure)
  const width = Math.max(15, ...groups.map(({ groupId }) => groupId.length)) + 10
  const row = (groupId: string, type: string, state: string): string =>
    [
      groupId.padEnd(width),
      ...(withType ? [type.padEnd(20)] : []),
      ...(withState ? [state.padEnd(20)] : []),
    ].join(' ')
  printLine(io.stdout, row('GROUP', 'TYPE', 'STATE'))
  for (const { groupId, type, state } of groups) {
    const named = CONSUMER_TYPES.find((known) => known.toLowerCase() === type.toLowerCase())
    printLine(io.stdout, row(groupId, named ?? 'Unknown', state || 'Unknown'))
  }
}

async function describe(context: Context): Promise<void> {
  const { admin, options, timeoutMs, io } = context
  const groups = await describeGroups(admin, await chosenGroups(context), timeoutMs)
  const how = { timeoutMs, isVerbose: options.has('verbose') }
  if (options.has('members')) printMembers(groups, how, io)
  else if (options.has('state')) printStates(groups, how, io)
  else await printOffsets(admin, groups, how, io)
}

async function deleteGroups(context: Context): Promise<void> {
  const { admin, timeoutMs, io } = context
  const groupIds = inHashOrder(new Set(await chosenGroups(context)), stringHash)
  const quoted = (names: Iterable<string>) => [...names].map((name) => `'${name}'`).join(', ')
  const deletion = admin.deleteGroups(groupIds, { timeoutMs })
  const { failures } = await outcomesOf(deletion.then(() => new Map<string, true>()))
  if (failures.size === 0) {
    const names = quoted(groupIds)
    printLine(io.stdout, `Deletion of requested consumer groups (${names}) was successful.`)
    return
  }
  printLine(io.stdout, '\nError: Deletion of some consumer groups failed:')
  for (const groupId of groupIds.filter((one) => failures.has(one))) {
    const failure = failures.get(groupId)
    const what = `* Group '${groupId}' could not be deleted due to`
    printLine(io.stdout, `${what}: ${javaText(failure)}`)
  }
  const deleted = groupIds.filter((groupId) => !failures.has(groupId))
  if (deleted.length > 0) {
    const names = quoted(deleted)
    printLine(io.stdout, `\nThese consumer groups were deleted successfully: ${names}`)
  }
}

/** What deleting offsets comes to, as a whole and for each partition. */
interface OffsetDeletion {
  readonly failure: KafkaError | undefined
  readonly partitions: readonly (TopicPartition & { readonly failure: KafkaError | undefined })[]
}

async function deleteTheOffsets(context: Context, groupId: string): Promise<OffsetDeletion> {
  const { admin, options, timeoutMs } = context
  const texts = options.values('topic')
  const partitions: TopicPartition[] = texts
    .filter((text) => text.includes(':'))
    .flatMap(parseTopicPartitions)
  const unknown = []
  for (const topic of texts.filter((text) => !text.includes(':'))) {
    try {
      partitions.push(...(await describePartitions(admin, [topic], timeoutMs)))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      unknown.push({ topic, partition: -1, failure: error })
    }
  }
  let failure: KafkaError | undefined
  try {
    await admin.deleteGroupOffsets(groupId, partitions, { timeoutMs })
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    failure = error
  }
  const ofPartition = (one: TopicPartition): KafkaError | undefined =>
    failure instanceof PartialFailureError ? failure.failures.get(partitionName(one)) : failure
  const told = partitions.map((one) => ({ ...one, failure: ofPartition(one) }))
  // As texts: partition 10 comes before 2.
  const order = ({ topic, partition }: TopicPartition) => `${topic}${partition}`
  const all = [...told, ...unknown].sort((a, b) => (order(a) < order(b) ? -1 : 1))
  return { failure, partitions: all }
}

const OF_GROUP = [
  ...['INVALID_GROUP_ID', 'GROUP_ID_NOT_FOUND', 'GROUP_AUTHORIZATION_FAILED', 'NON_EMPTY_GROUP'],
]
const OF_PARTITIONS = [
  ...['GROUP_SUBSCRIBED_TO_TOPIC', 'TOPIC_AUTHORIZATION_FAILED', 'UNKNOWN_TOPIC_OR_PARTITION'],
]

async function deleteOffsets(context: Context): Promise<void> {
  const { options, io } = context
  const groupId = options.required('group')
  const { failure, partitions } = await deleteTheOffsets(context, groupId)
  if (failure === undefined) {
    printLine(io.stdout, `Request succeeded for deleting offsets from group ${groupId}.`)
  } else if (OF_GROUP.includes(failure.errorName)) {
    printLine(io.stdout, `\nError: ${new KafkaError(failure.errorName).message}`)
  } else if (OF_PARTITIONS.includes(failure.errorName)) {
    const message = 'Encountered some partition-level error, see the follow-up details.'
    printLine(io.stdout, `\nError: ${message}`)
  } else {
    printLine(io.stdout, `\nError: Encountered some unknown error: ${failure.errorName}`)
  }
  const width = Math.max(15, ...partitions.map(({ topic }) => topic.length))
  const row = (topic: string, partition: string, status: string): string =>
    `\n${topic.padEnd(width)} ${partition.padEnd(10)} ${status.padEnd(15)}`
  const rows = partitions.map(({ topic, partition, failure: problem }) => {
    const status = problem === undefined ? 'Successful' : `Error: ${javaText(problem)}`
    return row(topic, partition < 0 ? MISSING : String(partition), status)
  })
  printLine(io.stdout, [row('TOPIC', 'PARTITION', 'STATUS'), ...rows].join(''))
}

function validateRegex(text: string, io: ToolIo): void {
  try {
    new RegularExpression(text)
    printLine(io.stdout, `The regular expression \`${text}\` is valid.`)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const why = error.message
      .replace(/^.* is not a valid regular expression: /s, '')
      .replace(/\.$/, '')
    printLine(io.stdout, `The regular expression \`${text}\` is invalid: ${why}.`)
  }
}

function open(options: GroupsOptions, io: ToolIo): Admin {
  const bootstrapServer = options.value('bootstrap-server')
  const commandConfig = options.value('command-config')
  try {
    return openAdmin({ bootstrapServer, commandConfig, io })
  } catch (error) {
    const isOfFile = error instanceof ToolError && error.className.startsWith('java.nio.')
    throw isOfFile ? new ToolError(javaText(error)) : error
  }
}

async function run(options: GroupsOptions, io: ToolIo): Promise<void> {
  if (options.has('validate-regex')) {
    validateRegex(options.required('validate-regex'), io)
    return
  }
  const timeoutMs = Number(options.required('timeout'))
  // Arguments that are no numbers fail before anything is done.
  for (const name of ['to-offset', 'shift-by'] as const) options.values(name)
  await using admin = open(options, io)
  const context = { admin, options, timeoutMs, io }
  if (options.has('list')) await list(context)
  else if (options.has('describe')) await describe(context)
  else if (options.has('delete')) await deleteGroups(context)
  else if (options.has('reset-offsets')) await resetOffsets(context, await chosenGroups(context))
  else await deleteOffsets(context)
}

export const kafkaConsumerGroups: Tool = withClassName(async (args, io) => {
  const options = GROUPS_OPTIONS.parse(args)
  checkOptions(options, io)
  if (ACTIONS.filter(options.has).length !== 1) {
    const names = ACTIONS.map((name) => `--${name}`).join(', ')
    throw options.usage(`Command must include exactly one action: ${names}`)
  }
  return await runGroupCommand(
    'consumer group',
    (message) => options.usage(message),
    io,
    () => run(options, io),
  )
})
