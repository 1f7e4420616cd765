/** The options of kafka-console-consumer. */
import type { OptionsDefinition, OptionTable } from '../support/options.ts'

const PROPERTIES = `
 print.timestamp=true|false
 print.key=true|false
 print.offset=true|false
 print.epoch=true|false
 print.partition=true|false
 print.headers=true|false
 print.value=true|false
 key.separator=<between the parts of a line>
 line.separator=<after each record>
 headers.separator=<between headers>
 null.literal=<what stands for null>
 key.deserializer=<class name>
 value.deserializer=<class name>
 headers.deserializer=<class name>`

/** What the command line of this tool is read with; errors of values have their own way. */
export const CONSOLE_CONSUMER_OPTIONS = {
  about: 'This tool helps to read data from Kafka topics and outputs it to standard output.',
  options: {
    topic: { argument: 'topic', about: 'The topic to read.' },
    include: {
      argument: 'Java regex (String)',
      about: 'A regular expression for the topics to read.',
    },
    partition: {
      argument: 'partition',
      type: 'Integer',
      about: 'The one partition to read, from its end on unless --offset is given.',
    },
    offset: {
      argument: 'consume offset',
      default: 'latest',
      about: "Where to begin: an offset, 'earliest' or 'latest'",
    },
    'from-beginning': { about: 'Begin with the first record, where the group has no offset yet.' },
    'max-messages': {
      argument: 'num_messages',
      type: 'Integer',
      about: 'How many records to read; without it there is no end.',
    },
    'timeout-ms': {
      argument: 'timeout_ms',
      type: 'Long',
      about: 'End when no record has come for so long.',
    },
    'skip-message-on-error': { about: 'Go on after a record that cannot be printed.' },
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'REQUIRED: Some brokers of the cluster, as HOST1:PORT1,HOST2:PORT2.',
    },
    group: { argument: 'consumer group id', about: 'The consumer group to read as.' },
    'isolation-level': {
      type: 'String',
      default: 'read_uncommitted',
      about: 'read_committed leaves out what transactions have not committed.',
    },
    formatter: {
      argument: 'class',
      default: 'org.apache.kafka.tools.consumer.DefaultMessageFormatter',
      about:
        'How records are printed: org.apache.kafka.tools.consumer.{Default,Logging,NoOp,Offsets,' +
        'GroupMetadata,TransactionLog}MessageFormatter.',
    },
    'formatter-property': {
      argument: 'prop',
      about: `A property of the formatter, as key=value:${PROPERTIES}`,
    },
    property: { argument: 'prop', about: '(DEPRECATED) The old name of --formatter-property.' },
    'formatter-config': {
      argument: 'config file',
      about: 'A file of properties of the formatter, below [formatter-property].',
    },
    'key-deserializer': {
      argument: 'deserializer for keys',
      about: 'The class by which keys are read.',
    },
    'value-deserializer': {
      argument: 'deserializer for values',
      about: 'The class by which values are read.',
    },
    'command-property': {
      argument: 'consumer_prop',
      about: 'A setting of the consumer, as key=value.',
    },
    'consumer-property': {
      argument: 'consumer_prop',
      about: '(DEPRECATED) The old name of --command-property.',
    },
    'command-config': {
      argument: 'config file',
      about: 'A file of settings of the consumer, below [command-property].',
    },
    'consumer.config': {
      argument: 'config file',
      about: '(DEPRECATED) The old name of --command-config.',
    },
    'enable-systest-events': { about: 'Print when the tool has shut down, for tests.' },
  },
} as const satisfies OptionsDefinition<OptionTable>
