/** What `kafka-share-groups --describe` prints: offsets, members or states of share groups. */
import type { Admin } from '../../clients/admin/admin.ts'
import type { GroupDescription } from '../../clients/admin/groups.ts'
import { executionFailure, rethrowing, runtimeFailure } from '../groups/failures.ts'
import { assignmentText, byName, MIN_COLUMN, MISSING, table, widest } from '../groups/table.ts'
import { printLine, type ToolIo } from '../support/tool.ts'

export interface DescribeOptions {
  readonly timeoutMs: number
  readonly isVerbose: boolean
}

/** Share groups, in the order of their names. */
export async function describeShareGroups(
  admin: Admin,
  groupIds: Iterable<string>,
  timeoutMs: number,
): Promise<GroupDescription[]> {
  const call = admin.describeShareGroups(new Set(groupIds), { timeoutMs })
  const groups = [...(await rethrowing(call, executionFailure)).values()]
  return groups.sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
}

/** Tells of a state in which there is little to be shown. Returns whether there is anything. */
function announceState({ groupId, state, members }: GroupDescription, io: ToolIo): boolean {
  if (state === 'Dead') {
    printLine(io.stdout, `\nError: Share group '${groupId}' does not exist.`)
  } else if (state === 'Empty') {
    printLine(io.stderr, `\nShare group '${groupId}' has no active members.`)
  }
  return state !== 'Dead' && members.length > 0
}

export async function printOffsets(
  admin: Admin,
  groups: readonly GroupDescription[],
  { timeoutMs, isVerbose }: DescribeOptions,
  io: ToolIo,
): Promise<void> {
  for (const { groupId } of groups) {
    const call = admin.listShareGroupOffsets(groupId, { timeoutMs })
    const offsets = (await rethrowing(call, runtimeFailure)).sort(byName)
    if (offsets.length === 0) {
      printLine(io.stdout, `\nShare group '${groupId}' has no offset information.`)
      continue
    }
    const rows = offsets.map(({ topic, partition, startOffset, leaderEpoch, lag }) => {
      const shown = (value: number) => (startOffset < 0 || value < 0 ? MISSING : String(value))
      const epoch = isVerbose ? [shown(leaderEpoch)] : []
      return [groupId, topic, String(partition), ...epoch, shown(startOffset), shown(lag)]
    })
    const epoch = isVerbose ? ['LEADER-EPOCH'] : []
    const header = ['GROUP', 'TOPIC', 'PARTITION', ...epoch, 'START-OFFSET', 'LAG']
    const topicWidth = widest(
      offsets.map(({ topic }) => topic),
      MIN_COLUMN,
    )
    const widths = [Math.max(MIN_COLUMN, groupId.length), topicWidth, 10, 13]
    printLine(io.stdout, table(isVerbose ? [...widths, 13] : widths, [header, ...rows]))
  }
}

export function printStates(
  groups: readonly GroupDescription[],
  { isVerbose }: DescribeOptions,
  io: ToolIo,
): void {
  for (const group of groups) {
    announceState(group, io)
    const { groupId, state, members } = group
    const { host, port, id } = group.coordinator
    const coordinator = `${host}:${port}  (${id})`
    const epochs = isVerbose ? [String(group.groupEpoch), String(group.assignmentEpoch)] : []
    const header = [
      ...['GROUP', 'COORDINATOR (ID)', 'STATE'],
      ...[...(isVerbose ? ['GROUP-EPOCH', 'ASSIGNMENT-EPOCH'] : []), '#MEMBERS'],
    ]
    const row = [groupId, coordinator, state, ...epochs, String(members.length)]
    const widths = [
      Math.max(MIN_COLUMN, groupId.length),
      Math.max(25, coordinator.length),
      ...[15, ...(isVerbose ? [12, 17] : [])],
    ]
    printLine(io.stdout, table(widths, [header, row]))
  }
}

export function printMembers(
  groups: readonly GroupDescription[],
  { isVerbose }: DescribeOptions,
  io: ToolIo,
): void {
  for (const group of groups) {
    if (!announceState(group, io)) continue
    const members = [...group.members].sort((one, other) =>
      one.memberId < other.memberId ? -1 : 1,
    )
    const rows = members.map(({ memberId, host, clientId, assignment, memberEpoch }) => [
      ...[group.groupId, memberId, host, clientId, String(assignment.length)],
      ...(isVerbose ? [String(memberEpoch)] : []),
      assignment.length === 0 ? '' : assignmentText(assignment),
    ])
    const epoch = isVerbose ? ['MEMBER-EPOCH'] : []
    const header = ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS', ...epoch]
    const width = (index: number) =>
      widest(
        rows.map((row) => row[index]!),
        MIN_COLUMN,
      )
    const widths = [width(0), width(1), width(2), width(3), 12, ...(isVerbose ? [13] : [])]
    printLine(io.stdout, table(widths, [[...header, 'ASSIGNMENT'], ...rows]))
  }
}
