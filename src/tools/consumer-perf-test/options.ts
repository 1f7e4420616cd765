/** The options of kafka-consumer-perf-test. */
import type { OptionsDefinition, OptionTable } from '../support/options.ts'

export const CONSUMER_PERF_OPTIONS = {
  about: 'This tool is used to verify the consumer performance.',
  options: {
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'REQUIRED: Some brokers of the cluster, as HOST1:PORT1,HOST2:PORT2.',
    },
    topic: { argument: 'topic', about: 'The topic to read.' },
    include: {
      argument: 'Java regex (String)',
      about: 'A regular expression for the topics to read.',
    },
    group: { argument: 'gid', about: 'The consumer group to read as; by default a new one.' },
    'fetch-size': {
      argument: 'size',
      type: 'Integer',
      default: '1048576',
      about: 'The most bytes of one partition in an answer to a fetch.',
    },
    'from-latest': { about: 'Begin at the end, where the group has no offset yet.' },
    'socket-buffer-size': {
      argument: 'size',
      type: 'Integer',
      default: '2097152',
      about: 'The receive buffer of sockets. Accepted, and left to the system.',
    },
    'command-property': {
      argument: 'prop1=val1',
      about: 'A setting of the consumer, above those of --command-config.',
    },
    'command-config': { argument: 'config file', about: 'A file of settings of the consumer.' },
    'consumer.config': {
      argument: 'config file',
      about: '(DEPRECATED) The old name of --command-config.',
    },
    'print-metrics': { about: 'Print the metrics of the consumer at the end.' },
    'show-detailed-stats': { about: 'Print a line for each reporting interval.' },
    'reporting-interval': {
      argument: 'interval_ms',
      type: 'Long',
      default: '5000',
      about: 'How often such a line is printed.',
    },
    timeout: {
      argument: 'milliseconds',
      type: 'Long',
      optional: true,
      default: '10000',
      about: 'End when no record has come for so long.',
    },
    'num-records': {
      argument: 'count',
      type: 'Long',
      about: 'REQUIRED: How many records are read.',
    },
    messages: {
      argument: 'count',
      type: 'Long',
      about: '(DEPRECATED) The old name of --num-records.',
    },
    'date-format': {
      argument: 'date format',
      default: 'yyyy-MM-dd HH:mm:ss:SSS',
      about: 'How times are written: see java.text.SimpleDateFormat.',
    },
    'hide-header': { about: 'Print no line with the names of the columns.' },
  },
} as const satisfies OptionsDefinition<OptionTable>
