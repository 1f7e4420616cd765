/** What the console consumers have in common on their command lines. */
import { mergeSettings } from '../support/client-settings.ts'
import { inHashOrder, stringHash } from '../support/java-hash-order.ts'
import { keyValues, type OptionTable } from '../support/options.ts'
import { printLine, ToolError, type ToolExit, type ToolIo } from '../support/tool.ts'
import { createFormatter } from './formatters.ts'
import type { MessageFormatter } from './message-formatter.ts'

const PROPERTIES = `
 print.timestamp=true|false
 print.key=true|false
 print.offset=true|false
 print.delivery=true|false
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

export const SHARED_OPTIONS = {
  topic: { argument: 'topic', about: 'The topic to read.' },
  'bootstrap-server': {
    argument: 'server to connect to',
    about: 'REQUIRED: Some brokers of the cluster, as HOST1:PORT1,HOST2:PORT2.',
  },
  'max-messages': {
    argument: 'num_messages',
    type: 'Integer',
    about: 'How many records to read; without it there is no end.',
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
  'enable-systest-events': { about: 'Print when the tool has shut down, for tests.' },
} as const satisfies OptionTable

export type SharedName = keyof typeof SHARED_OPTIONS | 'group'

/** A command line, as far as all console consumers have it. */
export interface SharedOptions {
  has(name: SharedName): boolean
  value(name: SharedName): string | undefined
  values(name: SharedName): string[]
  number(name: SharedName): number | undefined
  usage(message: string): ToolExit
}

/** The name under which an option was given, with a warning if that is the old one. */
export function oldOrNew<Name extends string>(
  options: { has(name: Name): boolean },
  io: ToolIo,
  oldName: Name,
  newName: Name,
): Name {
  if (!options.has(oldName)) return newName
  const rest = `will be removed in a future version. Use --${newName} instead.`
  printLine(io.stdout, `Option --${oldName} is deprecated and ${rest}`)
  return oldName
}

export const notNegative = (value: number | undefined): number | undefined =>
  value === undefined || value < 0 ? undefined : value

/** The group that the option and settings agree on. `configFlag` is how a file is given. */
export function groupIdOf(
  options: SharedOptions,
  configFlag: string,
  settings: readonly ReadonlyMap<string, string>[],
): string | undefined {
  const given = [options.value('group'), ...settings.map((some) => some.get('group.id'))]
  const ids = new Set(given.filter((id) => id !== undefined))
  if (ids.size <= 1) return [...ids][0]
  const listed = inHashOrder(ids, stringHash).map((id) => `'${id}'`)
  throw options.usage(
    "The group ids provided in different places (directly using '--group', via " +
      `'--consumer-property', or via '${configFlag}') do not match. ` +
      `Detected group ids: ${listed.join(', ')}`,
  )
}

export function formatterOf(options: SharedOptions, io: ToolIo): MessageFormatter {
  try {
    if (options.has('property') && options.has('formatter-property')) {
      const both = 'Options --property and --formatter-property'
      throw options.usage(`${both} cannot be specified together.`)
    }
    const name = oldOrNew<SharedName>(options, io, 'property', 'formatter-property')
    const properties = new Map(mergeSettings(options.value('formatter-config')))
    for (const part of ['key', 'value'] as const) {
      const className = options.value(`${part}-deserializer`)
      if (className) properties.set(`${part}.deserializer`, className)
    }
    for (const [key, value] of keyValues(options.values(name))) properties.set(key, value)
    return createFormatter(options.value('formatter')!, properties, io)
  } catch (error) {
    if (error instanceof ToolError) throw options.usage(error.message)
    throw error
  }
}
