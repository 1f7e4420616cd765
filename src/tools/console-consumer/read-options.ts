/** What the command line of kafka-console-consumer asks for. */
import { mergeSettings } from '../support/client-settings.ts'
import { inHashOrder, stringHash } from '../support/java-hash-order.ts'
import { defineOptions, keyValues } from '../support/options.ts'
import { checkNames } from '../support/renamed-options.ts'
import { printLine, ToolError, ToolExit, type ToolIo } from '../support/tool.ts'
import { createFormatter } from './formatters.ts'
import type { MessageFormatter } from './message-formatter.ts'
import { CONSOLE_CONSUMER_OPTIONS } from './options.ts'

export interface ConsoleConsumerRequest {
  readonly settings: ReadonlyMap<string, string>
  readonly formatter: MessageFormatter
  readonly topic: string | undefined
  /** A regular expression for topics; this or `topic` is there. */
  readonly include: string | undefined
  readonly partition: number | undefined
  readonly offset: number | 'earliest' | 'latest'
  /** Undefined for no end. Throws ToolError for what is no number. */
  readonly maxMessages: () => number | undefined
  readonly timeoutMs: number | undefined
  readonly skipsOnError: boolean
  readonly hasSystestEvents: boolean
}

const OPTIONS = defineOptions(CONSOLE_CONSUMER_OPTIONS)
/** An argument that is not of its type ends the tool as something thrown. */
const VALUES = defineOptions({ ...CONSOLE_CONSUMER_OPTIONS, onUnreadable: 'throw' })

type Options = ReturnType<typeof VALUES.read>

/** Throws ToolExit or ToolError. */
export function readConsoleConsumerOptions(
  args: readonly string[],
  io: ToolIo,
): ConsoleConsumerRequest {
  const usage = OPTIONS.parse(args)
  checkNames(usage, [
    ['consumer-property', 'command-property'],
    ['consumer.config', 'command-config'],
  ])
  const options = VALUES.read(args)
  const property = oldOrNew(options, io, 'consumer-property', 'command-property')
  const config = oldOrNew(options, io, 'consumer.config', 'command-config')
  checkTogether(options)
  const file = mergeSettings(options.value(config))
  const properties = keyValues(options.values(property))
  const groupId = groupIdOf(options, file, properties)
  return {
    settings: settingsOf(options, new Map([...file, ...properties]), groupId),
    offset: offsetOf(options),
    timeoutMs: notNegative(options.number('timeout-ms')),
    formatter: formatterOf(options, io),
    topic: options.value('topic'),
    include: options.value('include'),
    partition: options.number('partition'),
    maxMessages: () => notNegative(options.number('max-messages')),
    skipsOnError: options.has('skip-message-on-error'),
    hasSystestEvents: options.has('enable-systest-events'),
  }
}

type Name = keyof typeof CONSOLE_CONSUMER_OPTIONS.options

function oldOrNew(options: Options, io: ToolIo, oldName: Name, newName: Name): Name {
  if (!options.has(oldName)) return newName
  const rest = `will be removed in a future version. Use --${newName} instead.`
  printLine(io.stdout, `Option --${oldName} is deprecated and ${rest}`)
  return oldName
}

const notNegative = (value: number | undefined) =>
  value === undefined || value < 0 ? undefined : value

function checkTogether(options: Options): void {
  options.checkOneOf('topic', 'include')
  if (options.has('partition')) {
    if (!options.has('topic')) {
      throw options.usage('The topic is required when partition is specified.')
    }
    if (options.has('from-beginning') && options.has('offset')) {
      throw options.usage('Options from-beginning and offset cannot be specified together.')
    }
  } else if (options.has('offset')) {
    throw options.usage('The partition is required when offset is specified.')
  }
  options.checkRequired('bootstrap-server')
}

function groupIdOf(
  options: Options,
  ...settings: readonly ReadonlyMap<string, string>[]
): string | undefined {
  const given = [options.value('group'), ...settings.map((some) => some.get('group.id'))]
  const ids = new Set(given.filter((id) => id !== undefined))
  if (ids.size > 1) {
    const listed = inHashOrder(ids, stringHash)
      .map((id) => `'${id}'`)
      .join(', ')
    throw options.usage(
      "The group ids provided in different places (directly using '--group', via " +
        "'--consumer-property', or via '--consumer.config') do not match. " +
        `Detected group ids: ${listed}`,
    )
  }
  if (ids.size > 0 && options.has('partition')) {
    throw options.usage('Options group and partition cannot be specified together.')
  }
  return [...ids][0]
}

function settingsOf(
  options: Options,
  given: ReadonlyMap<string, string>,
  groupId: string | undefined,
): Map<string, string> {
  const settings = new Map(given)
  const isFromBeginning = options.has('from-beginning')
  const reset = settings.get('auto.offset.reset')
  if (reset === undefined) {
    settings.set('auto.offset.reset', isFromBeginning ? 'earliest' : 'latest')
  } else if (isFromBeginning && reset !== 'earliest') {
    const both = `--from-beginning and 'auto.offset.reset=${reset}'`
    throw new ToolExit(1, {
      stderr: `Can't simultaneously specify ${both}, please remove one option\n`,
    })
  }
  settings.set('bootstrap.servers', options.value('bootstrap-server')!)
  if (!settings.has('client.id')) settings.set('client.id', 'console-consumer')
  if (options.has('isolation-level') || !settings.has('isolation.level')) {
    settings.set('isolation.level', options.value('isolation-level')!)
  }
  settings.set('group.id', groupId ?? `console-consumer-${Math.floor(Math.random() * 100_000)}`)
  // Nobody will come back to a group with a name made up.
  if (groupId === undefined && !settings.has('enable.auto.commit')) {
    settings.set('enable.auto.commit', 'false')
  }
  return settings
}

function offsetOf(options: Options): number | 'earliest' | 'latest' {
  if (!options.has('offset')) return options.has('from-beginning') ? 'earliest' : 'latest'
  const text = options.value('offset')!
  const name = text.toLowerCase()
  if (name === 'earliest' || name === 'latest') return name
  const offset = Number(text)
  if (/^\+?\d+$/.test(text) && Number.isSafeInteger(offset)) return offset
  throw options.usage(
    `The provided offset value '${text}' is incorrect. Valid values are 'earliest', 'latest', ` +
      'or a non-negative long.',
  )
}

function formatterOf(options: Options, io: ToolIo): MessageFormatter {
  const usage = (message: string) => options.usage(message)
  try {
    checkNames(options, [['property', 'formatter-property']])
    const name = oldOrNew(options, io, 'property', 'formatter-property')
    const properties = new Map(mergeSettings(options.value('formatter-config')))
    for (const part of ['key', 'value'] as const) {
      const className = options.value(`${part}-deserializer`)
      if (className) properties.set(`${part}.deserializer`, className)
    }
    for (const [key, value] of keyValues(options.values(name))) properties.set(key, value)
    return createFormatter(options.value('formatter')!, properties, io)
  } catch (error) {
    if (error instanceof ToolError) throw usage(error.message)
    throw error
  }
}
