/** The options of kafka-console-consumer. */
import type { OptionsDefinition, OptionTable } from '../support/options.ts'
import { SHARED_OPTIONS } from './shared-options.ts'

export const CONSOLE_CONSUMER_OPTIONS = {
  about: 'This tool helps to read data from Kafka topics and outputs it to standard output.',
  options: {
    ...SHARED_OPTIONS,
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
    'timeout-ms': {
      argument: 'timeout_ms',
      type: 'Long',
      about: 'End when no record has come for so long.',
    },
    'skip-message-on-error': { about: 'Go on after a record that cannot be printed.' },
    group: { argument: 'consumer group id', about: 'The consumer group to read as.' },
    'isolation-level': {
      type: 'String',
      default: 'read_uncommitted',
      about: 'read_committed leaves out what transactions have not committed.',
    },
    'consumer.config': {
      argument: 'config file',
      about: '(DEPRECATED) The old name of --command-config.',
    },
  },
} as const satisfies OptionsDefinition<OptionTable>
