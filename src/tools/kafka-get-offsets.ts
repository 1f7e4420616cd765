/** `kafka-get-offsets.sh`: offsets of partitions, at their ends or at a time. */
import type { Admin } from '../clients/admin/admin.ts'
import { OffsetSpec } from '../clients/admin/partitions.ts'
import { partitionName, type TopicPartition } from '../clients/topic-partition.ts'
import { bootstrapProblem } from './support/bootstrap-address.ts'
import { openAdmin, outcomesOf } from './support/client-settings.ts'
import { parseInteger } from './support/integer.ts'
import { defineOptions, type Parsed } from './support/options.ts'
import {
  firstFailure,
  isForeseen,
  javaText,
  javaTrace,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
} from './support/tool.ts'
import { topicPattern } from './support/topic-filter.ts'

const POINTS =
  '-1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / ' +
  '-5 or latest-tiered / -6 or earliest-pending-upload'

const OPTIONS = defineOptions({
  about: 'An interactive shell for getting topic-partition offsets.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'HOST1:PORT1,...,HOST3:PORT3',
      about: 'REQUIRED. The broker to connect to, as host:port.',
    },
    'topic-partitions': {
      argument: 'topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3',
      about:
        'The partitions, as TOPIC:PARTITIONS with commas between several. TOPIC is a regular ' +
        'expression; without it, all topics. PARTITIONS is a number, or a range FROM-TO without ' +
        'TO itself, in which either may be left out; without it, all partitions.',
    },
    topic: {
      argument: 'topic',
      about: 'The topic, or a regular expression. Not together with --topic-partitions.',
    },
    partitions: {
      argument: 'partition ids',
      about:
        'The numbers of the partitions, with commas between them; without, all. Not together ' +
        'with --topic-partitions.',
    },
    time: {
      argument: `<timestamp> / ${POINTS}`,
      default: 'latest',
      about:
        'Which offset: that of the first record of this time (in milliseconds since 1970) or ' +
        'later, or one of the points with a name. If there is no such record, none is shown.',
    },
    'command-config': {
      argument: 'config file',
      about: 'A file with settings of the admin client.',
    },
    'exclude-internal-topics': { about: 'Leaves out the topics of the coordinators.' },
  },
})

type GetOffsetsOptions = Parsed<typeof OPTIONS>

/** An error that is told without the name of a class. */
const TERSE = { className: 'org.apache.kafka.tools.TerseException' }

const NAMED_POINTS: ReadonlyMap<string, number> = new Map([
  ['latest', OffsetSpec.latest],
  ['earliest', OffsetSpec.earliest],
  ['max-timestamp', OffsetSpec.maxTimestamp],
  ['earliest-local', OffsetSpec.earliestLocal],
  ['latest-tiered', OffsetSpec.latestTiered],
  ['earliest-pending-upload', OffsetSpec.earliestPendingUpload],
])

function readTime(text: string): number {
  const point = NAMED_POINTS.get(text)
  if (point !== undefined) return point
  if (/^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) {
    return Number(text)
  }
  throw new ToolError(
    `Malformed time argument ${text}. Please use ${POINTS}, or a specified long format timestamp`,
    TERSE,
  )
}

/** Partitions that are asked for: of topics that match, those for which `includes` holds. */
interface Rule {
  readonly topics: RegExp
  includes(partition: number): boolean
}

function readRules(options: GetOffsetsOptions): Rule[] {
  if (options.has('topic-partitions')) {
    return options.required('topic-partitions').replace(/,+$/, '').split(',').map(readRule)
  }
  const topics = topicPattern(options.value('topic') ?? '.*')
  const text = options.value('partitions') ?? ''
  if (text === '') return [{ topics, includes: () => true }]
  let partitions: Set<number>
  try {
    partitions = new Set(text.replace(/,+$/, '').split(',').map(parseInteger))
  } catch {
    const expected = '--partitions expects a comma separated list of numeric partition ids'
    throw new ToolError(`${expected}, but received: ${text}`, TERSE)
  }
  return [{ topics, includes: (partition) => partitions.has(partition) }]
}

function readRule(text: string): Rule {
  const match = /^([^:,]*)(?::(?:([0-9]*)|([0-9]*)-([0-9]*)))?$/.exec(text)
  if (match === null) {
    const message = `${TERSE.className}: Invalid rule specification: ${text}`
    throw new ToolError(message)
  }
  const [, topic, only, from, to] = match
  const topics = topicPattern(topic || '.*')
  if (only) {
    const wanted = parseInteger(only)
    return { topics, includes: (partition) => partition === wanted }
  }
  const low = from ? parseInteger(from) : 0
  const high = to ? parseInteger(to) : Number.POSITIVE_INFINITY
  return { topics, includes: (partition) => partition >= low && partition < high }
}

async function findPartitions(
  admin: Admin,
  rules: readonly Rule[],
  includeInternal: boolean,
): Promise<TopicPartition[]> {
  const all = await admin.listTopics({ includeInternal })
  return all.flatMap(({ name: topic, partitions }) => {
    const mine = rules.filter(({ topics }) => topics.test(topic))
    return partitions
      .filter(({ partition }) => mine.some((rule) => rule.includes(partition)))
      .map(({ partition }) => ({ topic, partition }))
  })
}

async function printOffsets(options: GetOffsetsOptions, io: ToolIo): Promise<void> {
  if (options.has('topic-partitions') && (options.has('topic') || options.has('partitions'))) {
    const message = '--topic-partitions cannot be used with --topic or --partitions'
    throw new ToolError(message, TERSE)
  }
  const at = readTime(options.required('time'))
  const rules = readRules(options)
  await using admin = openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value('command-config'),
    properties: new Map([['client.id', 'GetOffsetShell']]),
    io,
  })
  const partitions = await findPartitions(admin, rules, !options.has('exclude-internal-topics'))
  if (partitions.length === 0) {
    const message = 'Could not match any topic-partitions with the specified filters'
    throw new ToolError(message, TERSE)
  }
  const call = admin.listOffsets(partitions.map((partition) => ({ ...partition, at })))
  const { results, failures } = await outcomesOf(
    call.then((found) => new Map(found.map((offset) => [partitionName(offset), offset]))),
  )
  for (const [name, error] of failures) {
    printLine(
      io.stderr,
      `Skip getting offsets for topic-partition ${name} due to error: ${javaText(error)}`,
    )
  }
  for (const [, { topic, partition, offset }] of [...results].sort(byName)) {
    if (offset >= 0) printLine(io.stdout, `${topic}:${partition}:${offset}`)
  }
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1
}

export const kafkaGetOffsets: Tool = async (args, io) => {
  try {
    const options = OPTIONS.parse(args)
    options.checkRequired('bootstrap-server')
    const problem = bootstrapProblem(options.value('bootstrap-server'))
    if (problem !== undefined) throw options.usage(problem)
    await printOffsets(options, io)
    return 0
  } catch (thrown) {
    const error = firstFailure(thrown)
    if (!isForeseen(error)) throw error
    printLine(io.stderr, `Error occurred: ${error.message}`)
    const isTerse =
      error instanceof ToolError && /^joptsimple|TerseException$/.test(error.className)
    if (!isTerse) io.stderr.write(`${javaTrace(error)}\n\n`)
    return 1
  }
}
