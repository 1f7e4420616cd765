/** What kafka-transactions is told on its command line. */
import type { CommandSpec, ParserSpec } from '../support/argparse.ts'
import { kafkaVersion } from '../support/version.ts'

const topic = { flags: ['--topic'], required: true, help: 'the topic' } as const
const partition = {
  flags: ['--partition'],
  type: 'Integer',
  required: true,
  help: 'the number of the partition',
} as const

const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  list: {
    help: 'list transactions',
    arguments: [
      {
        flags: ['--duration-filter'],
        type: 'Long',
        help: 'only transactions that have been open for more milliseconds; all, if it is negative',
      },
      {
        flags: ['--transactional-id-pattern'],
        help: 'only transactional ids that match this regular expression',
      },
    ],
  },
  describe: {
    description: 'Shows the state of a transactional id.',
    help: 'show the state of a transactional id',
    arguments: [{ flags: ['--transactional-id'], required: true, help: 'the transactional id' }],
  },
  'describe-producers': {
    help: 'show the producers that write to a partition',
    arguments: [
      {
        flags: ['--broker-id'],
        type: 'Integer',
        help: 'the broker whose replica is asked, if not the leader',
      },
      topic,
      partition,
    ],
  },
  abort: {
    help: 'abort a hanging transaction (which needs the rights of an administrator)',
    arguments: [
      topic,
      partition,
      {
        title: 'Brokers on versions 3.0 and above',
        description: 'The offset at which the transaction begins is all that they need.',
        group: [{ flags: ['--start-offset'], type: 'Long', help: 'where the transaction begins' }],
      },
      {
        title: 'Brokers on versions older than 3.0',
        description: 'They need all of these.',
        group: [
          { flags: ['--producer-id'], type: 'Long', help: 'the id of the producer' },
          { flags: ['--producer-epoch'], type: 'Short', help: 'the epoch of the producer' },
          { flags: ['--coordinator-epoch'], type: 'Integer', help: 'that of the coordinator' },
        ],
      },
    ],
  },
  'find-hanging': {
    help: 'find hanging transactions',
    arguments: [
      { flags: ['--broker-id'], type: 'Integer', help: 'the broker whose replicas are searched' },
      {
        flags: ['--max-transaction-timeout'],
        type: 'Integer',
        default: 15,
        help: 'how many minutes a transaction may be open before it hangs (by default 15)',
      },
      { flags: ['--topic'], help: 'the topic to search; needed if there is a --partition' },
      { ...partition, required: false },
    ],
  },
  forceTerminateTransaction: {
    description: 'Aborts the open transaction of a transactional id.',
    help: 'abort the open transaction of a transactional id (which needs the same rights)',
    arguments: [{ flags: ['--transactionalId'], required: true, help: 'the transactional id' }],
  },
}

export const TRANSACTIONS_PARSER: ParserSpec = {
  program: 'kafka-transactions.sh',
  description:
    'Shows what transactions are in the cluster, and helps to find and end those that hang.',
  version: kafkaVersion,
  arguments: [
    { flags: ['-v', '--version'], action: 'version', help: 'print the version and exit' },
    {
      flags: ['--command-config'],
      metavar: 'FILE',
      help: 'a file with settings of the admin client',
    },
    {
      flags: ['--bootstrap-server'],
      metavar: 'host:port',
      required: true,
      help: 'the broker to connect to, or several with commas between them',
    },
  ],
  commands: { title: 'commands', metavar: 'COMMAND', parsers: COMMANDS },
}
