/** The options of kafka-topics, and which of them go together. */
import { TOPIC_CONFIG } from '../../common/config/topic-config.ts'
import { defineOptions, type Parsed } from '../support/options.ts'
import { ILLEGAL_ARGUMENT, printLine, ToolError, ToolExit, type ToolIo } from '../support/tool.ts'

const SEE_CONFIGS = ' (To alter topic configurations, the kafka-configs tool can be used.)'

const CONFIG_NAMES = Object.entries(TOPIC_CONFIG.keys)
  .filter(([, { internal }]) => !internal)
  .map(([name]) => `\t${name}`)
  .sort()

const ONLY = 'When topics are described, shows only '

export const TOPICS_OPTIONS = defineOptions({
  about: 'This tool helps to create, delete, describe, or change a topic.',
  aboutWithoutArguments: 'Create, delete, describe, or change a topic.',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'REQUIRED: The broker to connect to, as host:port.',
    },
    zookeeper: { argument: 'hosts', about: 'The ZooKeeper of the brokers.', hidden: true },
    'command-config': {
      argument: 'command config property file',
      about: 'A file with settings of the admin client.',
    },
    list: { about: 'Lists all topics.' },
    create: { about: 'Creates a topic.' },
    delete: { about: 'Deletes topics.' },
    alter: { about: `Changes the number of partitions, and where they are.${SEE_CONFIGS}` },
    describe: { about: 'Shows topics with their partitions.' },
    topic: {
      argument: 'topic',
      about: 'The topic. Except for --create, also a regular expression, for several.',
    },
    'topic-id': { argument: 'topic-id', about: 'The id of the topic to describe.' },
    config: {
      argument: 'name=value',
      about:
        'A setting of the topic that is created. The settings are:\n' +
        `${CONFIG_NAMES.join('\n')}\n` +
        `Only together with --create.${SEE_CONFIGS}`,
    },
    'delete-config': { argument: 'name', about: 'Has no effect any more, as since Kafka 4.0.' },
    partitions: {
      argument: '# of partitions',
      type: 'Integer',
      about:
        'How many partitions the topic is to have; if it is created without, as many as the ' +
        'broker says. (With more partitions than before, records of a key go elsewhere than ' +
        'the earlier ones.)',
    },
    'replication-factor': {
      argument: 'replication factor',
      type: 'Integer',
      about: 'How many brokers have each partition; without, as many as the broker says.',
    },
    'replica-assignment': {
      argument:
        'broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , ' +
        'broker_id_for_part2_replica1 : broker_id_for_part2_replica2 , ...',
      about: 'Which brokers have each partition.',
    },
    'under-replicated-partitions': { about: `${ONLY}partitions with replicas that lag behind.` },
    'unavailable-partitions': { about: `${ONLY}partitions without a leader.` },
    'under-min-isr-partitions': {
      about: `${ONLY}partitions with fewer replicas in sync than configured.`,
    },
    'at-min-isr-partitions': {
      about: `${ONLY}partitions with just as many replicas in sync as configured.`,
    },
    'topics-with-overrides': { about: `${ONLY}topics with settings of their own.` },
    'if-exists': { about: 'Does nothing where there is no such topic, and fails not.' },
    'if-not-exists': { about: 'Does not fail where the topic exists already.' },
    'exclude-internal': { about: 'Leaves out the topics of the coordinators.' },
    'partition-size-limit-per-response': {
      argument: 'maximum number of partitions per response',
      type: 'Integer',
      about: 'How many partitions the broker describes at a time.',
    },
  },
})

export type TopicsOptions = Parsed<typeof TOPICS_OPTIONS>

const ACTIONS = ['alter', 'create', 'describe', 'list', 'delete'] as const

const REPORTS = [
  'under-replicated-partitions',
  'under-min-isr-partitions',
  'at-min-isr-partitions',
  'unavailable-partitions',
] as const

/** Options that make sense with some actions only. */
const MEANT_FOR = {
  config: ['alter', 'create'],
  partitions: ['alter', 'create'],
  'replication-factor': ['create'],
  'replica-assignment': ['alter', 'create'],
  'under-replicated-partitions': ['describe'],
  'under-min-isr-partitions': ['describe'],
  'at-min-isr-partitions': ['describe'],
  'unavailable-partitions': ['describe'],
  'topics-with-overrides': ['describe'],
  'if-exists': ['alter', 'delete', 'describe'],
  'if-not-exists': ['create'],
  'exclude-internal': ['list', 'describe'],
} as const satisfies Partial<Record<keyof typeof TOPICS_OPTIONS.table, readonly string[]>>

/** Reads the command line. Throws ToolExit, or ToolError, for one that makes no sense. */
export function readTopicsOptions(args: readonly string[], io: ToolIo): TopicsOptions {
  const options = TOPICS_OPTIONS.parse(args)
  if (ACTIONS.filter(options.has).length !== 1) {
    throw options.usage(
      'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
    )
  }
  if (options.has('zookeeper') && !options.has('bootstrap-server')) {
    const message = '--zookeeper is not supported yet: name a broker with --bootstrap-server.'
    throw new ToolExit(1, { stderr: `${message}\n` })
  }
  if (options.has('delete-config')) {
    printLine(
      io.stderr,
      'delete-config option is no longer supported and deprecated since version 4.0. ' +
        'The config will be fully removed in future releases.',
    )
  }
  checkRequired(options, io)
  for (const [name, actions] of Object.entries(MEANT_FOR)) {
    const others = ACTIONS.filter((action) => !(actions as readonly string[]).includes(action))
    options.checkInvalid(name as keyof typeof MEANT_FOR, others)
  }
  if (options.has('create')) {
    options.checkInvalid('replica-assignment', ['partitions', 'replication-factor'])
  }
  for (const report of REPORTS) options.checkInvalid(report, ['topics-with-overrides'])
  options.checkInvalid('topics-with-overrides', REPORTS)
  return options
}

function checkRequired(options: TopicsOptions, io: ToolIo): void {
  if (!options.has('bootstrap-server')) {
    throw new ToolError('--bootstrap-server must be specified', ILLEGAL_ARGUMENT)
  }
  if (options.has('describe') && options.has('if-exists')) {
    if (!options.has('topic') && !options.has('topic-id')) {
      throw options.usage('--topic or --topic-id is required to describe a topic')
    }
    if (options.has('topic') && options.has('topic-id')) {
      printLine(
        io.stdout,
        'Only topic id will be used when both --topic and --topic-id are specified and topicId ' +
          'is not Uuid.ZERO_UUID',
      )
    }
  }
  if (!options.has('list') && !options.has('describe')) options.checkRequired('topic')
  if (options.has('alter')) {
    options.checkInvalidSet(['bootstrap-server', 'config'], ['alter'], SEE_CONFIGS)
    options.checkRequired('partitions')
  }
}
