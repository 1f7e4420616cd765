/** What `kafka-consumer-groups --describe` prints: offsets, members or states of groups. */
import type { Admin } from '../../clients/admin/admin.ts'
import type { CommittedOffset } from '../../clients/admin/group-offsets.ts'
import type { GroupDescription, GroupMember } from '../../clients/admin/groups.ts'
import { partitionName, type TopicPartition } from '../../clients/topic-partition.ts'
import { ILLEGAL_ARGUMENT, printLine, ToolError, type ToolIo } from '../support/tool.ts'
import { executionFailure, rethrowing, runtimeFailure } from './failures.ts'
import { endOffsets, leaderlessPartitions } from './partition-offsets.ts'
import { assignmentText, byName, MIN_COLUMN, MISSING, table, widest } from './table.ts'

export interface DescribeOptions {
  readonly timeoutMs: number
  readonly isVerbose: boolean
}

/** Groups of consumers by name, in the order of the names; throws if any is something else. */
export async function describeGroups(
  admin: Admin,
  groupIds: Iterable<string>,
  timeoutMs: number,
): Promise<GroupDescription[]> {
  const call = admin.describeGroups(new Set(groupIds), { timeoutMs })
  const groups = [...(await rethrowing(call, executionFailure)).values()]
  for (const { groupId, protocolType } of groups) {
    if (protocolType !== 'consumer' && protocolType !== '') {
      const message = `GroupId ${groupId} is not a consumer group (${protocolType}).`
      throw executionFailure(new ToolError(message, ILLEGAL_ARGUMENT))
    }
  }
  return groups.sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
}

const REBALANCING = ['PreparingRebalance', 'CompletingRebalance', 'Assigning', 'Reconciling']

/** Tells of a state in which there is little to be shown. Returns whether there is anything. */
function announceState({ groupId, state }: GroupDescription, rows: number, io: ToolIo): boolean {
  if (state === 'Dead') {
    printLine(io.stdout, `\nError: Consumer group '${groupId}' does not exist.`)
  } else if (state === 'Empty') {
    printLine(io.stderr, `\nConsumer group '${groupId}' has no active members.`)
  } else if (REBALANCING.includes(state)) {
    printLine(io.stderr, `\nWarning: Consumer group '${groupId}' is rebalancing.`)
  } else if (state !== 'Stable') {
    const message = `Expected a valid consumer group state, but found '${state}'.`
    throw new ToolError(message, { className: 'org.apache.kafka.common.KafkaException' })
  }
  return state !== 'Dead' && rows > 0
}

interface OffsetRow extends TopicPartition {
  readonly committed: CommittedOffset | undefined
  readonly end: number | undefined
  readonly consumerId: string
  readonly host: string
  readonly clientId: string
}

const NOBODY = { consumerId: MISSING, host: MISSING, clientId: MISSING }

export async function printOffsets(
  admin: Admin,
  groups: readonly GroupDescription[],
  options: DescribeOptions,
  io: ToolIo,
): Promise<void> {
  for (const group of groups) {
    const rows = await offsetRows(admin, group, options.timeoutMs)
    if (!announceState(group, rows.length, io)) continue
    const { isVerbose } = options
    const cells = rows.map((row) => offsetCells(group.groupId, row, isVerbose))
    const header = [
      ...['GROUP', 'TOPIC', 'PARTITION', ...(isVerbose ? ['LEADER-EPOCH'] : [])],
      ...['CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID'],
    ]
    const widths = [
      Math.max(MIN_COLUMN, group.groupId.length),
      widest(
        rows.map(({ topic }) => topic),
        MIN_COLUMN,
      ),
      ...[10, 15, 15, 15, ...(isVerbose ? [15] : [])],
      widest(
        rows.map(({ consumerId }) => consumerId),
        MIN_COLUMN,
      ),
      widest(
        rows.map(({ host }) => host),
        MIN_COLUMN,
      ),
    ]
    printLine(io.stdout, table(widths, [header, ...cells]))
  }
}

function offsetCells(groupId: string, row: OffsetRow, isVerbose: boolean): string[] {
  const { committed, end } = row
  const lag = committed === undefined || end === undefined ? undefined : end - committed.offset
  const epoch = committed === undefined || committed.leaderEpoch < 0 ? undefined : committed
  const shown = (value: number | undefined): string =>
    value === undefined ? MISSING : String(value)
  return [
    ...[groupId, row.topic, String(row.partition)],
    ...(isVerbose ? [shown(epoch?.leaderEpoch)] : []),
    ...[shown(committed?.offset), shown(end), shown(lag)],
    ...[row.consumerId, row.host, row.clientId],
  ]
}

/** Those of the members, the one with the most partitions first, then those of nobody. */
async function offsetRows(
  admin: Admin,
  group: GroupDescription,
  timeoutMs: number,
): Promise<OffsetRow[]> {
  const { groupId, members } = group
  const call = admin.listGroupOffsets(groupId, { timeoutMs })
  const committed = await rethrowing(call, runtimeFailure)
  const offsets = new Map(committed.map((one) => [partitionName(one), one]))
  const rowsOf = async (
    partitions: readonly TopicPartition[],
    owner: { consumerId: string; host: string; clientId: string },
  ): Promise<OffsetRow[]> => {
    const leaderless = await leaderlessPartitions(admin, partitions, timeoutMs)
    const led = partitions.filter((one) => !leaderless.has(partitionName(one)))
    const ends = await endOffsets(admin, led, timeoutMs)
    return [...partitions].sort(byName).map(({ topic, partition }) => {
      const name = partitionName({ topic, partition })
      return { topic, partition, committed: offsets.get(name), end: ends.get(name), ...owner }
    })
  }
  const withPartitions = members.filter(({ assignment }) => assignment.length > 0)
  withPartitions.sort((one, other) => other.assignment.length - one.assignment.length)
  const rows: OffsetRow[] = []
  for (const { memberId, host, clientId, assignment } of withPartitions) {
    rows.push(...(await rowsOf(assignment, { consumerId: memberId, host, clientId })))
  }
  const assigned = new Set(
    withPartitions.flatMap(({ assignment }) => assignment.map(partitionName)),
  )
  const unassigned = committed.filter((one) => !assigned.has(partitionName(one)))
  if (unassigned.length > 0) rows.push(...(await rowsOf(unassigned, NOBODY)))
  return rows
}

export function printMembers(
  groups: readonly GroupDescription[],
  { isVerbose }: DescribeOptions,
  io: ToolIo,
): void {
  for (const group of groups) {
    const { members } = group
    // As Kafka's tool, it prints the header whether or not there is a member.
    const shown = announceState(group, members.length, io) ? members : []
    const hasInstances = shown.some(({ instanceId }) => instanceId)
    const isMixed = [true, false].every((kind) =>
      shown.some(({ isUpgraded }) => isUpgraded === kind),
    )
    const column = (cells: readonly string[], atLeast = MIN_COLUMN) => widest(cells, atLeast)
    const widths = [
      column(shown.length > 0 ? [group.groupId] : []),
      column(shown.map(({ memberId }) => memberId)),
      ...(hasInstances
        ? [
            column(
              shown.map(({ instanceId }) => instanceId ?? ''),
              17,
            ),
          ]
        : []),
      column(shown.map(({ host }) => host)),
      column(shown.map(({ clientId }) => clientId)),
      MIN_COLUMN,
    ]
    const instance = hasInstances ? ['GROUP-INSTANCE-ID'] : []
    const header = ['GROUP', 'CONSUMER-ID', ...instance, 'HOST', 'CLIENT-ID', '#PARTITIONS']
    const rows = members.map((member) => [
      ...[group.groupId, member.memberId, ...(hasInstances ? [member.instanceId ?? ''] : [])],
      ...[member.host, member.clientId, String(member.assignment.length)],
    ])
    const details = isVerbose ? verboseMembers(group, shown, isMixed) : []
    const lines = [header, ...rows].map((row, index) => {
      const start = table(widths, [row]).slice(1)
      return `${start} ${details[index] ?? ''}\n`
    })
    io.stdout.write(`\n${lines.join('')}`)
  }
}

/** What `--verbose` adds to the header and to the members, in this order. */
function verboseMembers(
  group: GroupDescription,
  shown: readonly GroupMember[],
  isMixed: boolean,
): string[] {
  const epoch = (value: number | undefined) => (value === undefined ? MISSING : String(value))
  const rows = group.members.map((member) => [
    epoch(member.memberEpoch),
    assignmentText(member.assignment),
    epoch(group.assignmentEpoch),
    assignmentText(member.targetAssignment ?? []),
    ...(isMixed ? [String(member.isUpgraded ?? MISSING)] : []),
  ])
  const upgraded = isMixed ? ['UPGRADED'] : []
  const header = ['CURRENT-EPOCH', 'CURRENT-ASSIGNMENT', 'TARGET-EPOCH', 'TARGET-ASSIGNMENT']
  const measured = shown.length > 0 ? rows : []
  const width = (index: number) =>
    widest(
      measured.map((row) => row[index]!),
      20,
    )
  const widths = [MIN_COLUMN, width(1), MIN_COLUMN, width(3)]
  return [[...header, ...upgraded], ...rows].map((row) => table(widths, [row]).slice(1))
}

export function printStates(
  groups: readonly GroupDescription[],
  { isVerbose }: DescribeOptions,
  io: ToolIo,
): void {
  for (const group of groups) {
    if (!announceState(group, 1, io)) continue
    const { host, port, id } = group.coordinator
    const coordinator = `${host}:${port}  (${id})`
    const epoch = (value: number | undefined) => (value === undefined ? MISSING : String(value))
    const epochs = isVerbose ? [epoch(group.groupEpoch), epoch(group.assignmentEpoch)] : []
    const header = [
      ...['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE'],
      ...[...(isVerbose ? ['GROUP-EPOCH', 'TARGET-ASSIGNMENT-EPOCH'] : []), '#MEMBERS'],
    ]
    const strategy = group.assignor === '' ? MISSING : group.assignor
    const members = String(group.members.length)
    const row = [group.groupId, coordinator, strategy, group.state, ...epochs, members]
    const widths = [
      Math.max(MIN_COLUMN, group.groupId.length),
      Math.max(25, coordinator.length),
      ...[20, 20, ...(isVerbose ? [15, 25] : [])],
    ]
    printLine(io.stdout, table(widths, [header, row]))
  }
}
