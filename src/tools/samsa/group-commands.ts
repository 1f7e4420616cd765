/** `samsa group list|describe|seek|delete`. */
import type { Command } from 'commander'
import type {
  Admin,
  GroupDescription,
  GroupMember,
  KafkaError,
  TopicPartition,
} from '../../clients/index.ts'
import { PartialFailureError } from '../../clients/index.ts'
import { comparePartitions, partitionName } from '../../clients/topic-partition.ts'
import { printLine } from '../support/tool.ts'
import { confirm } from './confirm.ts'
import { parseOffset } from './offset-expression.ts'
import { findOffsets } from './offset-lookup.ts'
import { type Column, printJson, printTable } from './output.ts'
import type { RunCommand } from './program.ts'
import type { Session } from './session.ts'
import { outcomes, report } from './topic-commands.ts'
import { UsageError } from './usage-error.ts'

export function addGroupCommands(group: Command, run: RunCommand): void {
  group
    .command('list')
    .description('the groups with their state')
    .option('-s, --state <state...>', 'only groups in these states: Stable, Empty, …')
    .action(run(listGroups))
  group
    .command('describe')
    .description('members, offsets and lag of groups')
    .argument('<group...>')
    .option('--summary', 'without the partitions')
    .action(run(describeGroups))
  group
    .command('seek')
    .description('set where a group without members goes on reading')
    .argument('<group>')
    .requiredOption('-o, --to <offset>', 'start, end, 42, -10, +10, @2026-11-01, @-1h')
    .option('-t, --topics <name...>', 'only these topics; else all that the group has read')
    .option('-n, --dry-run', 'only show what would be done')
    .action(run(seekGroup))
  group
    .command('delete')
    .description('delete groups and their offsets')
    .argument('<group...>')
    .option('-y, --yes', 'do not ask')
    .action(run(deleteGroups))
}

async function listGroups(
  session: Session,
  _arguments: [],
  options: { state?: string[] },
): Promise<void> {
  const found = await session.admin.listGroups(
    options.state === undefined ? {} : { states: options.state },
  )
  const groups = [...found].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  if (session.json) return printJson(session.io, groups)
  printTable(
    session.io.stdout,
    session.paint,
    [
      { heading: 'GROUP', cell: (row) => row.groupId, style: () => 'cyan' },
      { heading: 'TYPE', cell: (row) => row.type || '-' },
      { heading: 'STATE', cell: (row) => row.state || '-', style: (row) => stateStyle(row.state) },
    ],
    groups,
  )
}

function stateStyle(state: string) {
  if (state === 'Stable') return 'green'
  return state === 'Dead' || state === 'Empty' ? 'gray' : 'yellow'
}

interface PartitionLag extends TopicPartition {
  /** Null where the group has committed nothing. */
  readonly offset: number | null
  readonly endOffset: number
  readonly lag: number | null
  readonly member: GroupMember | undefined
}

async function describeGroups(
  session: Session,
  [groupIds]: [string[]],
  options: { summary?: boolean },
): Promise<void> {
  const { admin, io } = session
  const types = new Map((await admin.listGroups()).map(({ groupId, type }) => [groupId, type]))
  const described = []
  for (const groupId of groupIds) {
    const group = await describeGroup(admin, groupId, types.get(groupId))
    if (group === undefined) {
      printLine(io.stderr, `${session.paint('red', groupId)}: there is no such group`)
      session.failed = true
      continue
    }
    const partitions = await lags(admin, group)
    const totalLag = partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0)
    described.push({ ...group, totalLag, partitions })
  }
  if (session.json) return printJson(io, described)
  for (const [index, group] of described.entries()) {
    if (index > 0) printLine(io.stdout)
    printGroup(session, group, options.summary ?? false)
  }
}

function printGroup(
  { io, paint }: Session,
  group: GroupDescription & { totalLag: number; partitions: PartitionLag[] },
  isSummary: boolean,
): void {
  const field = (label: string, value: string) =>
    printLine(io.stdout, `${paint('bold', label.padEnd(8))}  ${value}`)
  field('GROUP', paint('cyan', group.groupId))
  field('TYPE', group.type)
  field('STATE', paint(stateStyle(group.state), group.state))
  if (group.assignor !== '') field('ASSIGNOR', group.assignor)
  field('MEMBERS', String(group.members.length))
  field('LAG', paint(group.totalLag > 0 ? 'yellow' : 'green', String(group.totalLag)))
  if (isSummary) return
  printLine(io.stdout)
  printTable(io.stdout, paint, LAG_COLUMNS, group.partitions)
}

const LAG_COLUMNS: readonly Column<PartitionLag>[] = [
  { heading: 'TOPIC', cell: (row) => row.topic },
  { heading: 'PARTITION', cell: (row) => row.partition },
  { heading: 'OFFSET', cell: (row) => row.offset ?? '-' },
  { heading: 'END', cell: (row) => row.endOffset },
  {
    heading: 'LAG',
    cell: (row) => row.lag ?? '-',
    style: (row) => ((row.lag ?? 0) > 0 ? 'yellow' : undefined),
  },
  { heading: 'MEMBER', cell: (row) => row.member?.memberId ?? '-' },
  { heading: 'CLIENT', cell: (row) => row.member?.clientId ?? '-' },
  { heading: 'HOST', cell: (row) => row.member?.host ?? '-' },
]

/** A group, whatever its type; undefined if there is none. */
async function describeGroup(
  admin: Admin,
  groupId: string,
  type: string | undefined,
): Promise<GroupDescription | undefined> {
  if (type === undefined) return undefined
  const kind = type.toLowerCase()
  try {
    if (kind === 'share') return (await admin.describeShareGroups([groupId])).get(groupId)
    if (kind === 'consumer') return (await admin.describeConsumerGroups([groupId])).get(groupId)
    return (await admin.describeClassicGroups([groupId])).get(groupId)
  } catch (error) {
    const cause: KafkaError | undefined =
      error instanceof PartialFailureError ? error.failures.get(groupId) : undefined
    if (cause?.errorName === 'GROUP_ID_NOT_FOUND') return undefined
    throw error
  }
}

/** Every partition that the group has read or is to read, with how far it is behind. */
async function lags(admin: Admin, group: GroupDescription): Promise<PartitionLag[]> {
  const committed =
    group.type === 'share'
      ? (await admin.listShareGroupOffsets(group.groupId)).map((found) => {
          return { ...found, offset: found.startOffset }
        })
      : await admin.listGroupOffsets(group.groupId)
  const offsets = new Map(committed.map((found) => [partitionName(found), found.offset]))
  const owners = new Map<string, GroupMember>()
  const partitions = new Map<string, TopicPartition>()
  for (const { topic, partition } of committed) {
    partitions.set(partitionName({ topic, partition }), { topic, partition })
  }
  for (const member of group.members) {
    for (const { topic, partition } of member.assignment) {
      partitions.set(partitionName({ topic, partition }), { topic, partition })
      owners.set(partitionName({ topic, partition }), member)
    }
  }
  const all = [...partitions.values()].sort(comparePartitions)
  const ends = await findOffsets(admin, all, { kind: 'end' })
  return ends.map(({ topic, partition, offset: endOffset }) => {
    const found = offsets.get(partitionName({ topic, partition })) ?? -1
    const offset = found < 0 ? null : found
    const lag = offset === null ? null : Math.max(0, endOffset - offset)
    const member = owners.get(partitionName({ topic, partition }))
    return { topic, partition, offset, endOffset, lag, member }
  })
}

async function seekGroup(
  session: Session,
  [groupId]: [string],
  options: { to: string; topics?: string[]; dryRun?: boolean },
): Promise<void> {
  const { admin, io } = session
  const expression = parseOffset(options.to, Date.now())
  const committed = await admin.listGroupOffsets(groupId)
  const partitions = await partitionsToSeek(session, committed, options.topics)
  if (partitions.length === 0) {
    throw new UsageError(`Group ${groupId} has read nothing yet: name topics with --topics`)
  }
  const targets = await findOffsets(admin, partitions, expression)
  if (!options.dryRun) await admin.alterGroupOffsets(groupId, targets)
  const rows = targets.map((target) => {
    const { topic, partition } = target
    const before = committed.find((at) => at.topic === topic && at.partition === partition)
    return { ...target, before: before?.offset ?? null }
  })
  if (session.json) return printJson(io, rows)
  printTable(
    io.stdout,
    session.paint,
    [
      { heading: 'TOPIC', cell: (row) => row.topic },
      { heading: 'PARTITION', cell: (row) => row.partition },
      { heading: 'BEFORE', cell: (row) => row.before ?? '-' },
      { heading: 'OFFSET', cell: (row) => row.offset },
    ],
    rows,
  )
}

async function partitionsToSeek(
  { admin }: Session,
  committed: readonly TopicPartition[],
  topics: readonly string[] | undefined,
): Promise<TopicPartition[]> {
  if (topics === undefined) {
    return committed.map(({ topic, partition }) => ({ topic, partition }))
  }
  const described = await admin.describeTopics(topics)
  return topics.flatMap((topic) =>
    described.get(topic)!.partitions.map(({ partition }) => ({ topic, partition })),
  )
}

async function deleteGroups(
  session: Session,
  [groupIds]: [string[]],
  options: { yes?: boolean },
): Promise<void> {
  const question = `Delete ${groupIds.join(', ')} with all offsets?`
  if (!options.yes && !(await confirm(session.io, question))) return
  const outcome = await outcomes(groupIds, [], () => session.admin.deleteGroups(groupIds))
  report(session, outcome, (groupId) => `Deleted group ${groupId}`)
}
