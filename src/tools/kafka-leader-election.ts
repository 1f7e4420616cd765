/** `kafka-leader-election.sh`: has partitions lead by their preferred replica, or by any. */
import type { Admin } from '../clients/admin/admin.ts'
import { partitionName, type TopicPartition } from '../clients/topic-partition.ts'
import type { KafkaError } from '../common/errors.ts'
import { openAdmin, outcomesOf, readTextFile } from './support/client-settings.ts'
import { JsonValue } from './support/json.ts'
import { defineOptions, type Parsed } from './support/options.ts'
import { checkNames, nameInUse } from './support/renamed-options.ts'
import {
  javaText,
  printLine,
  type Tool,
  ToolError,
  type ToolIo,
  withTrace,
} from './support/tool.ts'

const OPTIONS = defineOptions({
  about:
    'This tool attempts to elect a new leader for a set of topic partitions. The type of ' +
    'elections supported are preferred replicas and unclean replicas.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'host:port',
      about: 'REQUIRED: Some brokers to connect to, as host:port, separated by commas.',
    },
    'admin.config': {
      argument: 'config file',
      about: '(DEPRECATED: use --command-config) A file with settings of the admin client.',
    },
    'command-config': {
      argument: 'Config file',
      about: 'A file with settings of the admin client.',
    },
    'path-to-json-file': {
      argument: 'Path to JSON file',
      about:
        'The partitions, as {"partitions":[{"topic": "foo", "partition": 1}]}. Not with --topic ' +
        'or --all-topic-partitions.',
    },
    topic: { argument: 'topic name', about: 'The topic of --partition.' },
    partition: {
      argument: 'partition id',
      type: 'Integer',
      about: 'The partition. REQUIRED with --topic.',
    },
    'all-topic-partitions': { about: 'All partitions that need such an election.' },
    'election-type': {
      argument: 'election type',
      typeName: '[PREFERRED,UNCLEAN]',
      about:
        'REQUIRED: preferred, for partitions that are not led by their first replica, or ' +
        'unclean, for those that have no leader.',
    },
  },
})

type CommandLine = Parsed<typeof OPTIONS>

const FAILED = { className: 'org.apache.kafka.tools.AdminCommandFailedException' }
const INVALID = { className: 'org.apache.kafka.tools.AdminOperationException' }

function electionType(options: CommandLine): 'preferred' | 'unclean' {
  const text = options.required('election-type')
  const found = (['preferred', 'unclean'] as const).find((type) => type === text.toLowerCase())
  if (found !== undefined) return found
  const message = `Cannot parse argument '${text}' of option election-type`
  throw new ToolError(message, { className: 'joptsimple.OptionArgumentConversionException' })
}

function checkOptions(options: CommandLine): void {
  const required = ['bootstrap-server', 'election-type'] as const
  const missing = required.filter((name) => !options.has(name))
  if (missing.length > 0) {
    throw new ToolError(`Missing required option(s): ${missing.join(', ')}`, FAILED)
  }
  const exclusive = ['topic', 'all-topic-partitions', 'path-to-json-file'] as const
  if (exclusive.filter((name) => options.has(name)).length !== 1) {
    const names = exclusive.join(', ')
    throw new ToolError(`One and only one of the following options is required: ${names}`, FAILED)
  }
  if (options.has('topic') && !options.has('partition')) {
    throw new ToolError('Missing required option(s): partition', FAILED)
  }
  if (!options.has('topic') && options.has('partition')) {
    throw new ToolError('Option partition is only allowed if topic is used', FAILED)
  }
}

/** The partitions that are meant; undefined for all. */
function chosenPartitions(options: CommandLine): TopicPartition[] | undefined {
  const path = options.value('path-to-json-file')
  if (path !== undefined) return readFile(path)
  const topic = options.value('topic')
  return topic === undefined ? undefined : [{ topic, partition: options.number('partition')! }]
}

function readFile(path: string): TopicPartition[] {
  try {
    return readPartitions(readTextFile(path))
  } catch (error) {
    const isForeign = error instanceof ToolError && error.className !== INVALID.className
    // Kafka's tool wraps what is not its own.
    throw isForeign ? new ToolError(javaText(error)) : error
  }
}

function readPartitions(text: string): TopicPartition[] {
  const json = JsonValue.parse(text)
  if (json === undefined) throw new ToolError('Replica election data is empty', INVALID)
  const list = json.get('partitions')
  if (list === undefined) {
    throw new ToolError('Replica election data is missing "partitions" field', INVALID)
  }
  const partitions = list.list().map((entry) => ({
    topic: entry.field('topic').string(),
    partition: entry.field('partition').integer(),
  }))
  const names = partitions.map(partitionName)
  const duplicates = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  if (duplicates.size > 0) {
    const listed = [...duplicates].join(', ')
    const message = `Replica election data contains duplicate partitions: [${listed}]`
    throw new ToolError(message, INVALID)
  }
  return partitions
}

async function elect(
  admin: Admin,
  kind: 'preferred' | 'unclean',
  partitions: readonly TopicPartition[] | undefined,
  io: ToolIo,
): Promise<void> {
  const call = admin.electLeaders(kind, partitions)
  const { results, failures } = await outcomesOf(
    call.then((elected) => new Map(elected.map((item) => [partitionName(item), true]))),
  )
  const isNeedless = ({ errorName }: KafkaError) => errorName === 'ELECTION_NOT_NEEDED'
  const needless = [...failures].filter(([, error]) => isNeedless(error))
  const failed = [...failures].filter(([, error]) => !isNeedless(error))
  if (results.size > 0) {
    const names = [...results.keys()].join(', ')
    const what = `leader election (${kind.toUpperCase()}) for partitions ${names}`
    printLine(io.stdout, `Successfully completed ${what}`)
  }
  if (needless.length > 0) {
    const names = needless.map(([name]) => name).join(', ')
    printLine(io.stdout, `Valid replica already elected for partitions ${names}`)
  }
  for (const [name, error] of failed) {
    const what = `leader election (${kind.toUpperCase()}) for partition: ${name}`
    printLine(io.stdout, `Error completing ${what}: ${javaText(error)}`)
  }
  if (failed.length === 0) return
  throw new ToolError(`${failed.length} replica(s) could not be elected`, FAILED)
}

export const kafkaLeaderElection: Tool = withTrace(async (args, io) => {
  const options = OPTIONS.parse(args)
  checkNames(options, [['command-config', 'admin.config']])
  checkOptions(options)
  const kind = electionType(options)
  const partitions = chosenPartitions(options)
  await using admin = openAdmin({
    bootstrapServer: options.value('bootstrap-server'),
    commandConfig: options.value(nameInUse(options, io, 'admin.config', 'command-config')),
    io,
    defaults: new Map([
      ['default.api.timeout.ms', '30000'],
      ['request.timeout.ms', '15000'],
    ]),
  })
  await elect(admin, kind, partitions, io)
  return 0
})
