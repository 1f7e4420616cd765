/** The arguments of kafka-producer-perf-test. */
import type { ParserSpec } from '../support/argparse.ts'

const PROPERTIES = { metavar: 'PROP-NAME=PROP-VALUE', takesMany: true } as const

export const PRODUCER_PERF_ARGUMENTS: ParserSpec = {
  program: 'kafka-producer-perf-test',
  defaultHelp: true,
  description:
    'Sends records as fast as it can, or as it is told to, and says how fast that was. ' +
    'With a transactional id or a duration of transactions, all is sent in transactions.',
  arguments: [
    {
      flags: ['--bootstrap-server'],
      metavar: 'BOOTSTRAP-SERVER',
      dest: 'bootstrapServer',
      help: 'Some brokers of the cluster; counts more than bootstrap.servers in a property.',
    },
    { flags: ['--topic'], required: true, metavar: 'TOPIC', help: 'Where the records go.' },
    {
      flags: ['--num-records'],
      required: true,
      type: 'Long',
      metavar: 'NUM-RECORDS',
      dest: 'numRecords',
      help: 'How many records are sent.',
    },
    {
      flags: ['--payload-delimiter'],
      metavar: 'PAYLOAD-DELIMITER',
      dest: 'payloadDelimiter',
      default: '\\n',
      help: 'What separates the values in --payload-file: a regular expression.',
    },
    {
      flags: ['--throughput'],
      required: true,
      type: 'Double',
      metavar: 'THROUGHPUT',
      help: 'How many records a second are sent about; -1 for as many as can be.',
    },
    {
      flags: ['--producer-props'],
      ...PROPERTIES,
      dest: 'producerProps',
      help: '(DEPRECATED) The old name of --command-property.',
    },
    {
      flags: ['--command-property'],
      ...PROPERTIES,
      dest: 'commandProperty',
      help: 'Settings of the producer, above those of --command-config.',
    },
    {
      flags: ['--producer.config'],
      metavar: 'CONFIG-FILE',
      dest: 'producerConfig',
      help: '(DEPRECATED) The old name of --command-config.',
    },
    {
      flags: ['--command-config'],
      metavar: 'CONFIG-FILE',
      dest: 'commandConfig',
      help: 'A file of settings of the producer.',
    },
    {
      flags: ['--print-metrics'],
      action: 'storeTrue',
      dest: 'printMetrics',
      help: 'Print the metrics of the producer at the end.',
    },
    {
      flags: ['--transactional-id'],
      metavar: 'TRANSACTIONAL-ID',
      dest: 'transactionalId',
      help: 'Counts more than transactional.id in a property.',
    },
    {
      flags: ['--transaction-duration-ms'],
      type: 'Long',
      metavar: 'TRANSACTION-DURATION',
      dest: 'transactionDurationMs',
      help: 'How long a transaction is kept open at most: above 0, and 3000 by default.',
    },
    {
      flags: ['--warmup-records'],
      type: 'Long',
      metavar: 'WARMUP-RECORDS',
      dest: 'warmupRecords',
      default: 0,
      help: 'How many records come before the steady state, which then has a line of its own.',
    },
    {
      flags: ['--reporting-interval'],
      type: 'Long',
      metavar: 'INTERVAL-MS',
      dest: 'reportingInterval',
      default: 5000,
      help: 'How often a line is printed in between.',
    },
    {
      exclusive: true,
      required: true,
      description: 'One of these must be given.',
      group: [
        {
          flags: ['--record-size'],
          type: 'Integer',
          metavar: 'RECORD-SIZE',
          dest: 'recordSize',
          help: 'The values are so many random letters.',
        },
        {
          flags: ['--payload-file'],
          metavar: 'PAYLOAD-FILE',
          dest: 'payloadFile',
          help: 'The values are taken at random from a file of UTF-8.',
        },
        {
          flags: ['--payload-monotonic'],
          action: 'storeTrue',
          dest: 'payloadMonotonic',
          help: 'The values are 0, 1, 2 and so on.',
        },
      ],
    },
  ],
}
