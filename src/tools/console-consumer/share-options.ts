/** The options of kafka-console-share-consumer, and what a command line asks for. */
import { mergeSettings } from '../support/client-settings.ts'
import {
  defineOptions,
  keyValues,
  type OptionsDefinition,
  type OptionTable,
} from '../support/options.ts'
import { checkNames } from '../support/renamed-options.ts'
import type { ToolIo } from '../support/tool.ts'
import type { PrintRequest } from './record-printer.ts'
import { formatterOf, groupIdOf, notNegative, oldOrNew, SHARED_OPTIONS } from './shared-options.ts'

const DEFINITION = {
  about:
    'This tool helps to read data from Kafka topics using share groups and outputs it to ' +
    'standard output.',
  options: {
    ...SHARED_OPTIONS,
    'timeout-ms': {
      argument: 'timeout_ms',
      type: 'Integer',
      about: 'End when no record has come for so long.',
    },
    reject: { about: 'Reject records when they have been printed.' },
    release: { about: 'Release records when they have been printed: others get them as well.' },
    'reject-message-on-error': { about: 'Reject a record that cannot be printed, and go on.' },
    group: { argument: 'share group id', about: 'The share group to read as.' },
    'consumer-config': {
      argument: 'config file',
      about: '(DEPRECATED) The old name of --command-config.',
    },
  },
} as const satisfies OptionsDefinition<OptionTable>

const OPTIONS = defineOptions(DEFINITION)
/** An argument that is not of its type ends the tool as something thrown. */
const VALUES = defineOptions({ ...DEFINITION, onUnreadable: 'throw' })

export interface ConsoleShareConsumerRequest extends PrintRequest {
  readonly settings: ReadonlyMap<string, string>
  readonly topic: string
  readonly acknowledgement: 'accept' | 'release' | 'reject'
  readonly hasSystestEvents: boolean
}

/** Throws ToolExit or ToolError. */
export function readConsoleShareConsumerOptions(
  args: readonly string[],
  io: ToolIo,
): ConsoleShareConsumerRequest {
  const usage = OPTIONS.parse(args)
  if (!usage.has('topic')) throw usage.usage('--topic is a required argument')
  usage.checkRequired('bootstrap-server')
  if (usage.has('reject') && usage.has('release')) {
    throw usage.usage('At most one of --reject and --release may be specified.')
  }
  checkNames(usage, [
    ['consumer-property', 'command-property'],
    ['consumer-config', 'command-config'],
  ])
  const options = VALUES.read(args)
  const property = oldOrNew(options, io, 'consumer-property', 'command-property')
  const config = oldOrNew(options, io, 'consumer-config', 'command-config')
  const file = mergeSettings(options.value(config))
  const properties = keyValues(options.values(property))
  const settings = new Map([...file, ...properties])
  const groupId = groupIdOf(options, '--consumer-config', [file, properties])
  settings.set('bootstrap.servers', options.value('bootstrap-server')!)
  settings.set('group.id', groupId ?? 'console-share-consumer')
  settings.set('share.acknowledgement.mode', 'explicit')
  if (!settings.has('client.id')) settings.set('client.id', 'console-share-consumer')
  const notAccepted = (['reject', 'release'] as const).find((name) => options.has(name))
  return {
    settings,
    formatter: formatterOf(options, io),
    topic: options.value('topic')!,
    acknowledgement: notAccepted ?? 'accept',
    maxMessages: () => notNegative(options.number('max-messages')),
    timeoutMs: notNegative(options.number('timeout-ms')),
    onError: options.has('reject-message-on-error') ? 'rejecting' : undefined,
    hasSystestEvents: options.has('enable-systest-events'),
  }
}
