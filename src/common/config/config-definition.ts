/**
 * Definitions of configuration keys: a definition is an object literal, and everything else (the
 * type of `config.get('num.partitions')`, checks, defaults, what DescribeConfigs says) follows from
 * it.
 *
 * ```ts
 * const EXAMPLE = defineConfig({
 *   'num.partitions': int({ default: 1, valid: atLeast(1), doc: 'Partitions of a new topic.' }),
 *   'node.id': int({ valid: atLeast(0), doc: 'Without a default, so it must be given.' }),
 *   'log.retention.hours': int({ default: 168, doc: '…' }),
 *   'log.retention.ms': long({ otherwise: [{ key: 'log.retention.hours', times: 3_600_000 }] }),
 * })
 * ```
 */
import {
  ConfigError,
  type ConfigType,
  type ConfigValue,
  formatConfigValue,
  type Password,
} from './config-value.ts'

/** How important a key is to most people; Kafka's documentation is ordered by it. */
export type Importance = 'high' | 'medium' | 'low'

/** Whether a key can change while the broker runs, and if so, for one broker only or for all. */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide'

/** Throws ConfigError if `value`, whose text is `shown`, is not allowed for the key `name`. */
export type Validator = (name: string, value: ConfigValue, shown: string) => void

/** Another key that supplies the value when this one has none: its value times `times`. */
export interface Fallback {
  readonly key: string
  readonly times?: number
}

/** One key of a definition. `T` is the type of the value it gives. */
export interface ConfigKey<out T = ConfigValue | null> {
  readonly type: ConfigType
  /** Undefined where the key must be given, null where it may be absent. */
  readonly default: T | null | undefined
  readonly valid: Validator | undefined
  readonly importance: Importance
  /** Undefined: as the definition says for all its keys. */
  readonly update: UpdateMode | undefined
  /** In the order in which they are asked. */
  readonly otherwise: readonly Fallback[]
  /** A key of the broker's configuration that supplies the default of a topic's. */
  readonly brokerDefault: string | undefined
  /** A key that, if it is set, wins over this one. */
  readonly overriddenBy: string | undefined
  /** Internal keys can be set but are not listed. */
  readonly internal: boolean
  readonly doc: string
}

export interface KeyOptions<T, Default extends T | null> {
  default?: Default
  valid?: Validator
  importance?: Importance
  update?: UpdateMode
  brokerDefault?: string
  overriddenBy?: string
  internal?: boolean
  doc: string
}

/** A key without a default for which, as long as it is not set, another key stands in. */
interface FallbackOptions extends Omit<KeyOptions<never, never>, 'default'> {
  otherwise: readonly [Fallback, ...Fallback[]]
}

interface KeyBuilder<T> {
  (options: FallbackOptions): ConfigKey<T>
  <Default extends T | null = T>(
    options: KeyOptions<T, Default>,
  ): ConfigKey<null extends Default ? T | null : T>
}

function keyBuilder<T extends ConfigValue>(type: ConfigType): KeyBuilder<T> {
  return (options: KeyOptions<T, T | null> | FallbackOptions) => {
    const fallback = 'otherwise' in options
    return {
      type,
      default: fallback ? null : options.default,
      valid: options.valid,
      importance: options.importance ?? 'medium',
      update: options.update,
      otherwise: fallback ? options.otherwise : [],
      brokerDefault: options.brokerDefault,
      overriddenBy: options.overriddenBy,
      internal: options.internal ?? false,
      doc: options.doc,
    } as ConfigKey<T>
  }
}

export const boolean = keyBuilder<boolean>('BOOLEAN')
export const string = keyBuilder<string>('STRING')
export const short = keyBuilder<number>('SHORT')
export const int = keyBuilder<number>('INT')
/** 9223372036854775807 is Infinity. */
export const long = keyBuilder<number>('LONG')
export const double = keyBuilder<number>('DOUBLE')
export const list = keyBuilder<readonly string[]>('LIST')
export const password = keyBuilder<Password>('PASSWORD')
/** The name of a plug-in. */
export const classKey = keyBuilder<string>('CLASS')

/** Keys by name. */
export type ConfigKeys = { readonly [name: string]: ConfigKey<unknown> }

/** The type of a key's value. */
export type ValueOf<Key> = Key extends ConfigKey<infer T> ? T : never

/** Looks up the current value of a key, for checks that concern several keys. */
export type ValueGetter<Keys extends ConfigKeys> = <Name extends keyof Keys & string>(
  name: Name,
) => ValueOf<Keys[Name]>

export interface DefinitionOptions<Keys extends ConfigKeys> {
  /** The update mode of keys that do not name one. */
  update?: UpdateMode
  /** Throws ConfigError where values that are right by themselves do not go together. */
  check?: (get: ValueGetter<Keys>) => void
}

export interface ConfigDefinition<Keys extends ConfigKeys> {
  readonly keys: Keys
  readonly check: ((get: ValueGetter<Keys>) => void) | undefined
  updateMode(name: keyof Keys & string): UpdateMode
  /** The names under which a key's value may be given, itself first, in order of precedence. */
  synonyms(name: keyof Keys & string): readonly string[]
}

/** Makes a definition. Throws if its keys refer to missing ones or have invalid defaults. */
export function defineConfig<const Keys extends ConfigKeys>(
  keys: Keys,
  options: DefinitionOptions<Keys> = {},
): ConfigDefinition<Keys> {
  const synonyms = new Map<string, readonly string[]>()
  for (const [name, key] of Object.entries(keys)) {
    checkReferences(keys, name, key)
    if (key.default !== undefined && key.default !== null) {
      checkValue(name, key, key.default as ConfigValue)
    }
    if (key.otherwise.length === 0) continue
    const group = [name, ...key.otherwise.map((fallback) => fallback.key)]
    for (const [index, member] of group.entries()) {
      if (index === 0 || !synonyms.has(member)) synonyms.set(member, group.slice(index))
    }
  }
  return {
    // Without a prototype, so that a client's key named "constructor" is as unknown as any other.
    keys: Object.assign(Object.create(null), keys),
    check: options.check,
    updateMode: (name) => keys[name]!.update ?? options.update ?? 'read-only',
    synonyms: (name) => synonyms.get(name) ?? [name],
  }
}

/** Throws ConfigError if `value` is not allowed for a key. */
export function checkValue(name: string, key: ConfigKey<unknown>, value: ConfigValue): void {
  key.valid?.(name, value, formatConfigValue(key.type, value))
}

function checkReferences(keys: ConfigKeys, name: string, key: ConfigKey<unknown>): void {
  const last = key.otherwise.at(-1)
  if (last !== undefined && keys[last.key]?.default == null) {
    throw new Error(`${name} falls back on ${last.key}, which has no default`)
  }
  if (key.overriddenBy !== undefined && keys[key.overriddenBy] === undefined) {
    throw new Error(`${name} is overridden by ${key.overriddenBy}, which is not defined`)
  }
}

/** Accepts numbers from `min` on. */
export function atLeast(min: number): Validator {
  return (name, value, shown) => {
    if ((value as number) < min) {
      throw ConfigError.invalidValue(name, shown, `Value must be at least ${min}`)
    }
  }
}

/** Accepts numbers from `min` to `max`, both included. */
export function between(min: number, max: number): Validator {
  return (name, value, shown) => {
    atLeast(min)(name, value, shown)
    if ((value as number) > max) {
      throw ConfigError.invalidValue(name, shown, `Value must be no more than ${max}`)
    }
  }
}

/** Accepts these strings only; of a list, each entry must be one of them. */
export function oneOf(...allowed: string[]): Validator {
  return (name, value) => {
    for (const entry of Array.isArray(value) ? value : [value]) {
      if (allowed.includes(entry)) continue
      throw ConfigError.invalidValue(name, entry, `String must be one of: ${allowed.join(', ')}`)
    }
  }
}

/** Accepts any list that has an entry, and any string but the empty one. */
export function nonEmpty(): Validator {
  return (name, value) => {
    if ((value as string | readonly string[]).length > 0) return
    throw new ConfigError(
      `Configuration '${name}' must not be empty. Valid values include: any non-empty value`,
    )
  }
}
