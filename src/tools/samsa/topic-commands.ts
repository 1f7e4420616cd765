/** `samsa topic list|create|describe|delete|trim`. */
import type { Command } from 'commander'
import {
  PartialFailureError,
  type TopicMetadata,
  type TopicPartition,
} from '../../clients/index.ts'
import { printLine } from '../support/tool.ts'
import { confirm } from './confirm.ts'
import { parseOffset } from './offset-expression.ts'
import { findOffsets, type PartitionOffset } from './offset-lookup.ts'
import { printJson, printTable } from './output.ts'
import type { RunCommand } from './program.ts'
import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

/** Adds the commands about topics as such; `consume` and `produce` have files of their own. */
export function addTopicCommands(topic: Command, run: RunCommand): void {
  topic
    .command('list')
    .description('the topics, with their partitions and records')
    .argument('[expression]', 'only topics whose name matches this regular expression')
    .option('--internal', 'also the topics of the coordinators')
    .action(run(listTopics))
  topic
    .command('create')
    .description('create topics')
    .argument('<name...>')
    .option('-p, --partitions <count>', 'number of partitions', wholeNumber)
    .option('-r, --replicas <count>', 'copies of each partition', wholeNumber)
    .option('-c, --topic-config <key=value...>', 'settings of the topics')
    .option('--if-not-exists', 'topics that exist are no failure')
    .action(run(createTopics))
  topic
    .command('describe')
    .description('partitions, leaders, offsets and settings of topics')
    .argument('<name...>')
    .action(run(describeTopics))
  topic
    .command('delete')
    .description('delete topics with all their records')
    .argument('<name...>')
    .option('-y, --yes', 'do not ask')
    .action(run(deleteTopics))
  topic
    .command('trim')
    .description('delete the records before an offset')
    .argument('<name>')
    .requiredOption('-o, --offset <offset>', 'end, 42, -10, @2026-11-01, @-7d')
    .option('-p, --partitions <numbers>', 'only these partitions: 0,1,5-7', partitionNumbers)
    .option('-y, --yes', 'do not ask')
    .action(run(trimTopic))
}

async function listTopics(
  session: Session,
  [expression]: [string | undefined],
  options: { internal?: boolean },
): Promise<void> {
  const { admin } = session
  const pattern = expression === undefined ? undefined : regularExpression(expression)
  const all = await admin.listTopics({ includeInternal: options.internal ?? false })
  const topics = all
    .filter(({ name }) => pattern?.test(name) ?? true)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const counts = await countRecords(session, topics.flatMap(partitionsOf))
  const rows = topics.map(({ name, partitions, isInternal }) => ({
    ...{ name, partitions: partitions.length, isInternal },
    replicas: partitions[0]?.replicas.length ?? 0,
    records: counts.get(name) ?? 0,
  }))
  if (session.json) return printJson(session.io, rows)
  printTable(
    session.io.stdout,
    session.paint,
    [
      { heading: 'NAME', cell: (row) => row.name, style: () => 'cyan' },
      { heading: 'PARTITIONS', cell: (row) => row.partitions },
      { heading: 'REPLICAS', cell: (row) => row.replicas },
      { heading: 'RECORDS', cell: (row) => row.records },
    ],
    rows,
  )
}

/** Offsets from the first to the end, which is how many records there are but for compaction. */
async function countRecords({ admin }: Session, partitions: readonly TopicPartition[]) {
  const [starts, ends] = await Promise.all([
    findOffsets(admin, partitions, { kind: 'start' }),
    findOffsets(admin, partitions, { kind: 'end' }),
  ])
  const counts = new Map<string, number>()
  for (const [index, { topic, offset }] of ends.entries()) {
    counts.set(topic, (counts.get(topic) ?? 0) + offset - starts[index]!.offset)
  }
  return counts
}

async function createTopics(
  session: Session,
  [names]: [string[]],
  options: {
    partitions?: number
    replicas?: number
    topicConfig?: string[]
    ifNotExists?: boolean
  },
): Promise<void> {
  const { partitions, replicas: replicationFactor } = options
  const topics = names.map((topic) => ({
    topic,
    ...(partitions !== undefined && { partitions }),
    ...(replicationFactor !== undefined && { replicationFactor }),
    configs: settings(options.topicConfig ?? []),
  }))
  const tolerated = options.ifNotExists ? ['TOPIC_ALREADY_EXISTS'] : []
  const outcome = await outcomes(names, tolerated, () => session.admin.createTopics(topics))
  report(session, outcome, (name) => `Created topic ${name}`)
}

async function describeTopics(session: Session, [names]: [string[]]): Promise<void> {
  const { admin, io, paint } = session
  const [topics, configs] = await Promise.all([
    admin.describeTopics(names),
    admin.describeConfigs(names.map((name) => ({ type: 'topic' as const, name }))),
  ])
  const descriptions = []
  for (const name of names) {
    const topic = topics.get(name)!
    const entries = [...(configs.get(`topic ${name}`) ?? [])]
    const own = entries.filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
    const settings = Object.fromEntries(own.map((entry) => [entry.name, entry.value]))
    descriptions.push({
      ...{ name, topicId: topic.topicId, configs: settings },
      partitions: await describePartitions(session, topic),
    })
  }
  if (session.json) return printJson(io, descriptions)
  for (const [index, { name, topicId, configs, partitions }] of descriptions.entries()) {
    if (index > 0) printLine(io.stdout)
    const field = (label: string, value: string) =>
      printLine(io.stdout, `${paint('bold', label.padEnd(10))}  ${value}`)
    field('TOPIC', paint('cyan', name))
    field('ID', topicId)
    const texts = Object.entries(configs).map(([key, value]) => `${key}=${value}`)
    field('SETTINGS', texts.length === 0 ? "all as the broker's" : texts.join(' '))
    printLine(io.stdout)
    printTable(io.stdout, paint, PARTITION_COLUMNS, partitions)
  }
}

type PartitionRow = Awaited<ReturnType<typeof describePartitions>>[number]

const PARTITION_COLUMNS = [
  { heading: 'PARTITION', cell: (row: PartitionRow) => row.partition },
  {
    heading: 'LEADER',
    cell: (row: PartitionRow) => (row.leader < 0 ? 'none' : row.leader),
    style: (row: PartitionRow) => (row.leader < 0 ? ('red' as const) : undefined),
  },
  { heading: 'REPLICAS', cell: (row: PartitionRow) => row.replicas.join(',') },
  {
    heading: 'IN-SYNC',
    cell: (row: PartitionRow) => row.inSync.join(','),
    style: (row: PartitionRow) =>
      row.inSync.length < row.replicas.length ? ('yellow' as const) : undefined,
  },
  { heading: 'START', cell: (row: PartitionRow) => row.startOffset },
  { heading: 'END', cell: (row: PartitionRow) => row.endOffset },
  { heading: 'RECORDS', cell: (row: PartitionRow) => row.endOffset - row.startOffset },
]

async function describePartitions({ admin }: Session, topic: TopicMetadata) {
  // What has no leader has nobody to ask.
  const led = partitionsOf(topic).filter(
    ({ partition }) => topic.partitions[partition]!.leaderId >= 0,
  )
  const [starts, ends] = await Promise.all([
    findOffsets(admin, led, { kind: 'start' }),
    findOffsets(admin, led, { kind: 'end' }),
  ])
  const offsetOf = (offsets: readonly PartitionOffset[], partition: number) =>
    offsets.find((found) => found.partition === partition)?.offset ?? 0
  return topic.partitions.map(({ partition, leaderId, replicas, inSyncReplicas }) => ({
    ...{ partition, leader: leaderId, replicas, inSync: inSyncReplicas },
    startOffset: offsetOf(starts, partition),
    endOffset: offsetOf(ends, partition),
  }))
}

async function deleteTopics(
  session: Session,
  [names]: [string[]],
  options: { yes?: boolean },
): Promise<void> {
  const question = `Delete ${names.join(', ')} with all records?`
  if (!options.yes && !(await confirm(session.io, question))) return
  const outcome = await outcomes(names, [], () => session.admin.deleteTopics(names))
  report(session, outcome, (name) => `Deleted topic ${name}`)
}

async function trimTopic(
  session: Session,
  [name]: [string],
  options: { offset: string; partitions?: number[]; yes?: boolean },
): Promise<void> {
  const { admin, io } = session
  const expression = parseOffset(options.offset, Date.now())
  const topic = (await admin.describeTopics([name])).get(name)!
  const partitions = chosenPartitions(topic, options.partitions)
  const [starts, targets] = await Promise.all([
    findOffsets(admin, partitions, { kind: 'start' }),
    findOffsets(admin, partitions, expression),
  ])
  const rows = targets.map((target, index) => {
    const { offset: oldStart } = starts[index]!
    return { ...target, oldStart, deleted: Math.max(0, target.offset - oldStart) }
  })
  const deleted = rows.reduce((sum, row) => sum + row.deleted, 0)
  const question = `Delete ${deleted} records of ${name}?`
  if (deleted > 0 && !options.yes && !(await confirm(io, question))) return
  const affected = rows.filter((row) => row.deleted > 0)
  if (affected.length > 0) {
    await admin.deleteRecords(
      affected.map(({ topic, partition, offset }) => ({ topic, partition, beforeOffset: offset })),
    )
  }
  if (session.json) return printJson(io, rows)
  printTable(
    io.stdout,
    session.paint,
    [
      { heading: 'PARTITION', cell: (row) => row.partition },
      { heading: 'OLD-START', cell: (row) => row.oldStart },
      { heading: 'START', cell: (row) => Math.max(row.offset, row.oldStart) },
      { heading: 'DELETED', cell: (row) => row.deleted },
    ],
    rows,
  )
}

/** The partitions of a topic, or those asked for. Throws UsageError for one it has not. */
export function chosenPartitions(
  topic: TopicMetadata,
  numbers: readonly number[] | undefined,
): TopicPartition[] {
  if (numbers === undefined) return partitionsOf(topic)
  return numbers.map((partition) => {
    if (partition < topic.partitions.length) return { topic: topic.name, partition }
    throw new UsageError(`${topic.name} has ${topic.partitions.length} partitions, no ${partition}`)
  })
}

function partitionsOf({ name, partitions }: TopicMetadata): TopicPartition[] {
  return partitions.map(({ partition }) => ({ topic: name, partition }))
}

/** Numbers and ranges of them: `0,1,5-7`. */
export function partitionNumbers(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim())
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (match === null || last < first) {
      throw new UsageError(`'${text}' are no partitions: 0,1,5-7`)
    }
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** A number for an option. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new UsageError(`'${text}' is not a whole number`)
  return Number(text)
}

/** A regular expression from the command line. */
export function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function settings(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at <= 0) throw new UsageError(`--topic-config takes key=value, not '${pair}'`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

/** What became of each thing that was asked for: an error's message, or that all is well. */
export type Outcomes = ReadonlyMap<string, string | undefined>

/** Calls, and sorts what has failed from what has not; `tolerated` errors are no failures. */
export async function outcomes(
  names: readonly string[],
  tolerated: readonly string[],
  call: () => Promise<unknown>,
): Promise<Outcomes> {
  try {
    await call()
    return new Map(names.map((name) => [name, undefined]))
  } catch (error) {
    if (!(error instanceof PartialFailureError)) throw error
    return new Map(
      names.map((name) => {
        const failure = error.failures.get(name)
        const isFailure = failure !== undefined && !tolerated.includes(failure.errorName)
        return [name, isFailure ? failure.message : undefined]
      }),
    )
  }
}

/** Prints a line for each thing; the command fails if any has. */
export function report(session: Session, found: Outcomes, done: (name: string) => string): void {
  const failed = [...found].filter(([, failure]) => failure !== undefined)
  if (session.json) {
    const items = [...found].map(([name, error]) => ({ name, error: error ?? null }))
    printJson(session.io, items)
  } else {
    for (const [name, failure] of found) {
      if (failure === undefined) printLine(session.io.stdout, done(name))
      else printLine(session.io.stderr, `${session.paint('red', name)}: ${failure}`)
    }
  }
  if (failed.length > 0) session.failed = true
}
