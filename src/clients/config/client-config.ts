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
import { ConfigError, type ConfigType, parseConfigValue } from '../../common/config/config-value.ts'

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
    if (value !== null) entries.set(name, textOf(name, definition.keys[name]!.type, value))
  }
  return new Config(definition, [[ConfigSource.STATIC_BROKER_CONFIG, entries]])
}

/** Kafka's name of a key as a property in JavaScript. */
export function camelCase(name: string): string {
  return name.replace(/\.(.)/g, (_, first: string) => first.toUpperCase())
}

/** Throws ConfigError for what is no value of the type. */
function textOf(name: string, type: ConfigType, value: unknown): string {
  const isList = Array.isArray(value)
  if (!isList && !['string', 'number', 'boolean', 'bigint'].includes(typeof value)) {
    const reason = 'Expected a string, a number, a boolean or a list of strings'
    throw ConfigError.invalidValue(name, shown(name, value), reason)
  }
  const isForever = value === Number.POSITIVE_INFINITY && type === 'LONG'
  const text = isForever ? '9223372036854775807' : isList ? value.join(',') : String(value)
  const range = RANGES[type]
  if (typeof value !== 'number' || range === undefined) return text
  try {
    parseConfigValue(name, type, text)
    return text
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // It is a number, so more has to be said than Kafka does, which reads text.
    throw new ConfigError(`${error.message}, which is ${range}`)
  }
}

const RANGES: Readonly<Partial<Record<ConfigType, string>>> = {
  SHORT: 'a whole number from -32768 to 32767',
  INT: 'a whole number from -2147483648 to 2147483647',
  LONG: 'a whole number; Infinity stands for no limit',
  DOUBLE: 'a number',
}

/** What of a key that is not known may be a secret all the same. */
const SECRET = /password|secret|token|jaas|key$|credential/i

/** A value as a message may show it. */
function shown(name: string, value: unknown): string {
  if (SECRET.test(name)) return '[hidden]'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' ? 'an object' : String(value)
}

/**
 * Options that are functions or objects, not text. Throws ConfigError for one that is something
 * else, as where Java's name of a class was given.
 */
export function checkOptions(
  options: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, 'function' | 'object' | 'list'>>,
): void {
  for (const [name, type] of Object.entries(types)) {
    const value = options[name]
    if (value === undefined) continue
    const found = Array.isArray(value) ? 'list' : typeof value
    if (found === type) continue
    const expected = type === 'list' ? 'a list' : type === 'object' ? 'an object' : 'a function'
    throw ConfigError.invalidValue(name, shown(name, value), `Expected ${expected}`)
  }
}

function unknownName(given: string, value: unknown, names: ReadonlyMap<string, string>) {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '')
  const near = [...names.values()].filter((name) => distance(plain(name), plain(given)) <= 2)
  const allowed = near.length > 0 ? near : [...names.values()]
  const hint = near.length > 0 ? 'Did you mean' : 'Allowed are'
  const listed = [...new Set(allowed)].join(', ')
  const found = shown(given, value)
  return new ConfigError(`Unknown configuration ${given} (value ${found}). ${hint} ${listed}?`)
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
