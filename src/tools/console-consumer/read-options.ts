/** What the command line of kafka-console-consumer asks for. */
import { mergeSettings } from '../support/client-settings.ts'
import { defineOptions, keyValues } from '../support/options.ts'
import { checkNames } from '../support/renamed-options.ts'
import { ToolExit, type ToolIo } from '../support/tool.ts'
import { CONSOLE_CONSUMER_OPTIONS } from './options.ts'
import type { PrintRequest } from './record-printer.ts'
import { formatterOf, groupIdOf, notNegative, oldOrNew } from './shared-options.ts'

export interface ConsoleConsumerRequest extends PrintRequest {
  readonly settings: ReadonlyMap<string, string>
  readonly topic: string | undefined
  /** A regular expression for topics; this or `topic` is there. */
  readonly include: string | undefined
  readonly partition: number | undefined
  readonly offset: number | 'earliest' | 'latest'
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
  const groupId = groupIdOf(options, '--consumer.config', [file, properties])
  if (groupId !== undefined && options.has('partition')) {
    throw options.usage('Options group and partition cannot be specified together.')
  }
  return {
    settings: settingsOf(options, new Map([...file, ...properties]), groupId),
    offset: offsetOf(options),
    timeoutMs: notNegative(options.number('timeout-ms')),
    formatter: formatterOf(options, io),
    topic: options.value('topic'),
    include: options.value('include'),
    partition: options.number('partition'),
    maxMessages: () => notNegative(options.number('max-messages')),
    onError: options.has('skip-message-on-error') ? 'skipping' : undefined,
    hasSystestEvents: options.has('enable-systest-events'),
  }
}

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
