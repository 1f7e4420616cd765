/** What `kafka-configs --alter` is told to change. */
import { readSettings } from '../support/client-settings.ts'
import { ILLEGAL_ARGUMENT, ToolError } from '../support/tool.ts'
import type { ConfigsOptions, EntityType } from './options.ts'

export interface ConfigChange {
  readonly add: ReadonlyMap<string, string>
  readonly remove: readonly string[]
}

/** `topic` for `topics`, and so on. */
export function singular(type: EntityType): string {
  return type.slice(0, -1)
}

export function invalidConfiguration(message: string): ToolError {
  return new ToolError(message, {
    className: 'org.apache.kafka.common.errors.InvalidConfigurationException',
  })
}

/** Not within brackets, which are around values that have commas or equals signs. */
const OUTSIDE = '(?=[^\\]]*(?:\\[|$))'
const COMMA = new RegExp(`,${OUTSIDE}`)
const EQUALS = new RegExp(`\\s*=\\s*${OUTSIDE}`)

/** Reads what the options say. Throws ToolError. */
export function readChange(options: ConfigsOptions): ConfigChange {
  const file = options.value('add-config-file')
  const add = file === undefined ? new Map<string, string>() : readSettings(file)
  const text = options.value('add-config')
  if (text !== undefined) {
    for (const [key, value] of readPairs(text)) add.set(key, value)
  }
  for (const key of add.keys()) {
    if (/^[a-zA-Z0-9._-]*$/.test(key)) continue
    throw new ToolError(`Invalid character found for config key: ${key}`, ILLEGAL_ARGUMENT)
  }
  return { add, remove: options.values('delete-config').map((key) => key.trim()) }
}

function readPairs(text: string): [string, string][] {
  const parts = text.split(COMMA)
  while (parts.length > 1 && parts.at(-1) === '') parts.pop()
  return parts.map((part) => {
    const pair = part.split(EQUALS)
    if (pair.length !== 2) {
      throw new ToolError(
        'requirement failed: Invalid entity config: all configs to be added must be in the ' +
          'format "key=val" or  "key=[val1,val2]" to group values which contain commas.',
        ILLEGAL_ARGUMENT,
      )
    }
    return [pair[0]!.trim(), pair[1]!.replace(/[[\]]/g, '').trim()]
  })
}
