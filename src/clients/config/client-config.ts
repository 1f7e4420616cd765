/**
 * Configuration of clients: by Kafka's names (`'bootstrap.servers'`) or in camel case
 * (`bootstrapServers`), with values as text or as what they mean (`5000`, `true`, `['a:9092']`).
 *
 * A name that is not known is refused, since it is most often a misspelling; the error names the
 * key, the value and what is allowed.
 */
import { Config, ConfigSource } from '../../common/config/config.ts'
import type {
  ConfigDefinition,
  ConfigKeys,
  ValueOf,
} from '../../common/config/config-definition.ts'
import { ConfigError } from '../../common/config/config-value.ts'

type Capital<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? `${Uppercase<First>}${Rest}`
  : Text

/** `bootstrap.servers` as `bootstrapServers`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Head}${CapitalCamelCase<Tail>}`
  : Name

type CapitalCamelCase<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Capital<Head>}${CapitalCamelCase<Tail>}`
  : Capital<Name>

type InputOf<Value> = Value extends readonly string[] ? Value | string : Value | string

/** What may be given: each key in either spelling, each value as such or as text. */
export type ConfigInput<Keys extends ConfigKeys> = {
  readonly [Name in keyof Keys & string as Name | CamelCase<Name>]?:
    | InputOf<ValueOf<Keys[Name]>>
    | undefined
}

/**
 * The configuration that `input` gives; undefined values count as not given. Throws ConfigError for
 * an unknown name, a name given twice, and for what the definition refuses.
 */
export function readClientConfig<Keys extends ConfigKeys>(
  definition: ConfigDefinition<Keys>,
  input: object,
): Config<Keys> {
  const names = new Map<string, string>()
  for (const name of Object.keys(definition.keys)) {
    names.set(name, name)
    names.set(camelCase(name), name)
  }
  const entries = new Map<string, string>()
  for (const [given, value] of Object.entries(input)) {
    if (value === undefined) continue
    const name = names.get(given)
    if (name === undefined) throw unknownName(given, value, names)
    if (entries.has(name)) throw new ConfigError(`Configuration ${name} is given twice`)
    if (value !== null) entries.set(name, textOf(name, value))
  }
  return new Config(definition, [[ConfigSource.STATIC_BROKER_CONFIG, entries]])
}

/** Kafka's name of a key as a property in JavaScript. */
export function camelCase(name: string): string {
  return name.replace(/\.(.)/g, (_, first: string) => first.toUpperCase())
}

function textOf(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (value === Number.POSITIVE_INFINITY) return '9223372036854775807'
  if (['string', 'number', 'boolean', 'bigint'].includes(typeof value)) return String(value)
  const reason = 'Expected a string, a number, a boolean or a list of strings'
  throw ConfigError.invalidValue(name, typeof value, reason)
}

function unknownName(given: string, value: unknown, names: ReadonlyMap<string, string>) {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '')
  const near = [...names.values()].filter((name) => distance(plain(name), plain(given)) <= 2)
  const allowed = near.length > 0 ? near : [...names.values()]
  const hint = near.length > 0 ? 'Did you mean' : 'Allowed are'
  const listed = [...new Set(allowed)].join(', ')
  return new ConfigError(`Unknown configuration ${given} (value ${value}). ${hint} ${listed}?`)
}

/** How many letters must be added, removed or replaced to get from one text to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, replaced))
    }
    row = next
  }
  return row[to.length]!
}
