/**
 * `kafka-share-groups.sh`: lists, describes and deletes share groups (KIP-932), and resets and
 * deletes their offsets. Failures are told on standard output, with exit code 0, as in Kafka's
 * tool.
 */
import type { GroupListing } from '../clients/admin/groups.ts'
import { KafkaError } from '../clients/errors.ts'
import { executionFailure, rethrowing, runtimeFailure } from './groups/failures.ts'
import { runGroupCommand } from './groups/run-command.ts'
import { MIN_COLUMN, widest } from './groups/table.ts'
import {
  describeShareGroups,
  printMembers,
  printOffsets,
  printStates,
} from './share-groups/describe.ts'
import { deleteOffsets, resetOffsets, type ShareGroupContext } from './share-groups/offsets.ts'
import {
  ACTIONS,
  checkOptions,
  SHARE_GROUPS_OPTIONS,
  type ShareGroupsOptions,
} from './share-groups/options.ts'
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

const STATES = ['Stable', 'Empty', 'Dead']

async function listGroups(
  { admin, timeoutMs }: ShareGroupContext,
  states: readonly string[] = [],
): Promise<GroupListing[]> {
  const groups = await admin.listGroups({ timeoutMs, states, types: ['share'] })
  return inHashOrder(groups, ({ groupId }) => stringHash(groupId))
}

async function chosenGroups(context: ShareGroupContext): Promise<string[]> {
  const { options } = context
  if (!options.has('all-groups')) return options.values('group')
  const groups = await rethrowing(listGroups(context), runtimeFailure)
  return groups.map(({ groupId }) => groupId)
}

function parseStates(text: string | undefined): string[] {
  if (text === undefined || text === '') return []
  const states = text.split(',').map((name) => {
    return STATES.find((state) => state.toLowerCase() === name.trim().toLowerCase())
  })
  if (states.every((state) => state !== undefined)) return states
  const message = `Invalid state list '${text}'. Valid states are: ${STATES.join(', ')}`
  throw new ToolError(message, ILLEGAL_ARGUMENT)
}

async function list(context: ShareGroupContext): Promise<void> {
  const { options, io } = context
  if (!options.has('state')) {
    const groups = await rethrowing(listGroups(context), runtimeFailure)
    for (const { groupId } of groups) printLine(io.stdout, groupId)
    return
  }
  const states = parseStates(options.value('state'))
  const groups = await rethrowing(listGroups(context, states), executionFailure)
  const width = widest(
    groups.map(({ groupId }) => groupId),
    MIN_COLUMN,
  )
  printLine(io.stdout, `${'GROUP'.padEnd(width)} STATE`)
  for (const { groupId, state } of groups) {
    printLine(io.stdout, `${groupId.padEnd(width)} ${state || 'Unknown'}`)
  }
}

async function describe(context: ShareGroupContext): Promise<void> {
  const { admin, options, timeoutMs, io } = context
  const groups = await describeShareGroups(admin, await chosenGroups(context), timeoutMs)
  const how = { timeoutMs, isVerbose: options.has('verbose') }
  if (options.has('members')) printMembers(groups, how, io)
  else if (options.has('state')) printStates(groups, how, io)
  else await printOffsets(admin, groups, how, io)
}

/** Why a group will not even be tried to delete; undefined if it will. */
function objection(groupId: string, listed: GroupListing | undefined): Error | undefined {
  if (listed === undefined) {
    return new ToolError(`Group '${groupId}' is not a share group.`, ILLEGAL_ARGUMENT)
  }
  if (listed.state === 'Dead') {
    const className = 'java.lang.IllegalStateException'
    return new ToolError(`Share group '${groupId}' group state is DEAD.`, { className })
  }
  if (listed.state === 'Empty') return undefined
  return new KafkaError('NON_EMPTY_GROUP', `Share group '${groupId}' is not EMPTY.`)
}

async function deleteGroups(context: ShareGroupContext): Promise<void> {
  const { admin, options, timeoutMs, io } = context
  const all = await rethrowing(listGroups(context), runtimeFailure)
  const asked = options.has('all-groups')
    ? all.map(({ groupId }) => groupId)
    : options.values('group')
  const failed = new Map<string, Error>()
  const meant: string[] = []
  for (const groupId of new Set(asked)) {
    const listed = all.find((one) => one.groupId === groupId)
    const problem = objection(groupId, listed)
    if (problem === undefined) meant.push(groupId)
    else failed.set(groupId, problem)
  }
  const deletion = admin.deleteGroups(meant, { timeoutMs })
  const { failures } = await outcomesOf(deletion.then(() => new Map<string, true>()))
  for (const [groupId, failure] of failures) failed.set(groupId, failure)
  const deleted = inHashOrder(meant, stringHash).filter((groupId) => !failed.has(groupId))
  const quoted = deleted.map((groupId) => `'${groupId}'`).join(', ')
  if (failed.size === 0) {
    printLine(io.stdout, `Deletion of requested share groups (${quoted}) was successful.`)
    return
  }
  printLine(io.stdout, '\nError: Deletion of some share groups failed:')
  for (const groupId of inHashOrder(failed.keys(), stringHash)) {
    const failure = failed.get(groupId)
    const what = `* Group '${groupId}' could not be deleted due to`
    printLine(io.stdout, `${what}: ${javaText(failure)}`)
  }
  if (deleted.length === 0) return
  printLine(io.stdout, `\nThese share groups were deleted successfully: ${quoted}`)
}

async function run(options: ShareGroupsOptions, io: ToolIo): Promise<void> {
  const timeoutMs = Number(options.required('timeout'))
  const bootstrapServer = options.value('bootstrap-server')
  const commandConfig = options.value('command-config')
  await using admin = openAdmin({ bootstrapServer, commandConfig, io })
  const context = { admin, options, timeoutMs, io }
  if (options.has('list')) await list(context)
  else if (options.has('describe')) await describe(context)
  else if (options.has('delete')) await deleteGroups(context)
  else if (options.has('reset-offsets')) await resetOffsets(context)
  else await deleteOffsets(context)
}

export const kafkaShareGroups: Tool = withClassName(async (args, io) => {
  const options = SHARE_GROUPS_OPTIONS.parse(args)
  checkOptions(options)
  if (ACTIONS.filter(options.has).length !== 1) {
    const names = ACTIONS.map((name) => `--${name}`).join(', ')
    throw options.usage(`Command must include exactly one action: ${names}.`)
  }
  return await runGroupCommand(
    'share group',
    (message) => options.usage(message),
    io,
    () => run(options, io),
  )
})
