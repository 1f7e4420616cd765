/** The arguments of kafka-verifiable-producer and kafka-verifiable-consumer. */
import { argumentError, type Namespace, type ParserSpec } from '../support/argparse.ts'
import { readSettings, type Settings } from '../support/client-settings.ts'
import { printLine, ToolError, type ToolIo } from '../support/tool.ts'

const COMMAND_CONFIG = {
  flags: ['--command-config'],
  metavar: 'CONFIG-FILE',
  dest: 'commandConfig',
  help: 'A file of settings of the client.',
} as const

const BOOTSTRAP_SERVER = {
  flags: ['--bootstrap-server'],
  metavar: 'HOST1:PORT1[,HOST2:PORT2[...]]',
  dest: 'bootstrapServer',
  help: 'REQUIRED: Some brokers of the cluster.',
} as const

const CONNECTION_GROUP = {
  title: 'Connection Group',
  description: 'Where to connect to',
  exclusive: true,
  required: true,
} as const

const MAX_MESSAGES = {
  flags: ['--max-messages'],
  type: 'Integer',
  metavar: 'MAX-MESSAGES',
  dest: 'maxMessages',
  default: -1,
  help: 'How many records; with -1 there is no end until the process is told to stop.',
} as const

export const VERIFIABLE_PRODUCER_ARGUMENTS: ParserSpec = {
  program: 'verifiable-producer',
  defaultHelp: true,
  description: 'Sends growing numbers to a topic, and prints what became of each as JSON.',
  arguments: [
    { flags: ['--topic'], required: true, metavar: 'TOPIC', help: 'Where the records go.' },
    MAX_MESSAGES,
    {
      flags: ['--throughput'],
      type: 'Integer',
      metavar: 'THROUGHPUT',
      default: -1,
      help: 'How many records a second are sent about, if it is 0 or more.',
    },
    {
      flags: ['--acks'],
      choices: ['0', '1', '-1'],
      metavar: 'ACKS',
      default: '-1',
      help: 'Who must have a record: nobody, the leader, or all in-sync replicas.',
    },
    {
      flags: ['--producer.config'],
      metavar: 'CONFIG-FILE',
      dest: 'oldConfig',
      help: '(DEPRECATED) The old name of --command-config.',
    },
    {
      flags: ['--message-create-time'],
      type: 'Long',
      metavar: 'CREATE-TIME',
      dest: 'createTime',
      default: -1,
      help: 'The timestamp of the first record, in milliseconds since the epoch; -1 for now.',
    },
    {
      flags: ['--value-prefix'],
      type: 'Integer',
      metavar: 'VALUE-PREFIX',
      dest: 'valuePrefix',
      help: 'Stands before each number, with a dot between.',
    },
    {
      flags: ['--repeating-keys'],
      type: 'Integer',
      metavar: 'REPEATING-KEYS',
      dest: 'repeatingKeys',
      help: 'Records have keys from 0 to below this, in turn.',
    },
    COMMAND_CONFIG,
    { ...CONNECTION_GROUP, group: [BOOTSTRAP_SERVER] },
  ],
}

export const VERIFIABLE_CONSUMER_ARGUMENTS: ParserSpec = {
  program: 'verifiable-consumer',
  defaultHelp: true,
  description:
    'Reads a topic as a member of a group, and prints what it is assigned, reads and commits as ' +
    'JSON.',
  arguments: [
    { flags: ['--topic'], required: true, metavar: 'TOPIC', help: 'The topic that is read.' },
    {
      flags: ['--group-protocol'],
      metavar: 'GROUP-PROTOCOL',
      dest: 'groupProtocol',
      default: 'classic',
      help: 'CLASSIC or CONSUMER',
    },
    {
      flags: ['--group-remote-assignor'],
      metavar: 'GROUP-REMOTE-ASSIGNOR',
      dest: 'groupRemoteAssignor',
      help: "The broker's assignor for the group, with the protocol CONSUMER.",
    },
    {
      flags: ['--group-id'],
      required: true,
      metavar: 'GROUP-ID',
      dest: 'groupId',
      help: 'The id of the group.',
    },
    {
      flags: ['--group-instance-id'],
      metavar: 'GROUP-INSTANCE-ID',
      dest: 'groupInstanceId',
      help: 'Makes the consumer a static member.',
    },
    MAX_MESSAGES,
    {
      flags: ['--session-timeout'],
      type: 'Integer',
      metavar: 'TIMEOUT-MS',
      dest: 'sessionTimeout',
      help: 'The session timeout, with the protocol CLASSIC.',
    },
    { flags: ['--verbose'], action: 'storeTrue', help: 'Print each record as well.' },
    {
      flags: ['--enable-autocommit'],
      action: 'storeTrue',
      dest: 'useAutoCommit',
      help: 'Let the consumer commit by itself.',
    },
    {
      flags: ['--reset-policy'],
      metavar: 'RESET-POLICY',
      dest: 'resetPolicy',
      default: 'earliest',
      help: "Where to begin without an offset: 'earliest', 'latest' or 'none'.",
    },
    {
      flags: ['--assignment-strategy'],
      metavar: 'ASSIGNMENT-STRATEGY',
      dest: 'assignmentStrategy',
      default: 'org.apache.kafka.clients.consumer.RangeAssignor',
      help: 'The assignor, with the protocol CLASSIC.',
    },
    {
      flags: ['--consumer.config'],
      metavar: 'CONFIG-FILE',
      dest: 'oldConfig',
      help: '(DEPRECATED) The old name of --command-config.',
    },
    COMMAND_CONFIG,
    { ...CONNECTION_GROUP, group: [{ ...BOOTSTRAP_SERVER, required: true }] },
  ],
}

/** What the file says that was given under one of its two names. */
export function settingsOfFile(
  spec: ParserSpec,
  given: Namespace,
  oldFlag: string,
  io: ToolIo,
): Settings {
  if (given.has('oldConfig') && given.has('commandConfig')) {
    const message = `Options ${oldFlag} and --command-config are mutually exclusive.`
    throw argumentError(spec, message)
  }
  if (given.has('oldConfig')) {
    const rest = 'will be removed in a future version. Use --command-config instead.'
    printLine(io.stdout, `Option ${oldFlag} has been deprecated and ${rest}`)
  }
  const path = given.string('oldConfig') ?? given.string('commandConfig')
  try {
    return path === undefined ? new Map() : readSettings(path)
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    throw argumentError(spec, error.message)
  }
}
