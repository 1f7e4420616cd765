/**
 * The values of a configuration: layers of text over the defaults of a definition.
 *
 * A layer is what one source says (server.properties, a broker's dynamic settings, a topic's), and
 * the source of the lowest number wins, as in Kafka. A topic's configuration hangs below its
 * broker's: keys that a topic does not set follow the broker's value, also when that changes later.
 *
 * A Config is always valid: constructing it or replacing a layer either succeeds as a whole or
 * throws ConfigError and changes nothing.
 */
import {
  type ConfigDefinition,
  type ConfigKey,
  type ConfigKeys,
  checkValue,
  type ValueOf,
} from './config-definition.ts'
import {
  ConfigError,
  type ConfigType,
  type ConfigValue,
  formatConfigValue,
  parseConfigValue,
} from './config-value.ts'

/** Where a value comes from, with the numbers of a DescribeConfigs response. */
export const ConfigSource = {
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

/** What one source says, as text. */
export type ConfigEntries = ReadonlyMap<string, string>

/** One way in which a value was given, for DescribeConfigs. */
export interface ConfigSynonym {
  readonly name: string
  /** Null where it is secret. */
  readonly value: string | null
  readonly source: ConfigSource
}

/** All that DescribeConfigs says of a key. */
export interface ConfigDescription extends ConfigSynonym {
  readonly type: ConfigType | 'UNKNOWN'
  readonly sensitive: boolean
  readonly readOnly: boolean
  readonly documentation: string
  /** In order of precedence; the first is the one in force. */
  readonly synonyms: readonly ConfigSynonym[]
}

type Layers = ReadonlyMap<ConfigSource, ConfigEntries>
type Values = Map<string, ConfigValue | null>

export class Config<Keys extends ConfigKeys> {
  readonly definition: ConfigDefinition<Keys>
  // biome-ignore lint/suspicious/noExplicitAny: a parent has keys of its own, whatever they are
  readonly #parent: Config<any> | undefined
  readonly #listeners = new Set<(changed: ReadonlySet<string>) => void>()
  #layers: Layers
  /** The values that some layer gives. */
  #given: Values
  /** The outcome of `get`, while the parent's version is `#parentVersion`. */
  #resolved: Values = new Map()
  #parentVersion = 0
  #version = 0

  /** Throws ConfigError if a value is malformed or missing, or if values do not go together. */
  constructor(
    definition: ConfigDefinition<Keys>,
    layers: Iterable<readonly [ConfigSource, ConfigEntries]>,
    // biome-ignore lint/suspicious/noExplicitAny: as above
    parent?: Config<any>,
  ) {
    this.definition = definition
    this.#parent = parent
    this.#layers = new Map([...layers].sort(([a], [b]) => a - b))
    this.#given = parseLayers(definition.keys, this.#layers)
    definition.check?.((name) => this.get(name))
  }

  /** The value in force. */
  get<Name extends keyof Keys & string>(name: Name): ValueOf<Keys[Name]> {
    this.#followParent()
    let value = this.#resolved.get(name)
    if (value === undefined) {
      value = this.#resolve(name)
      this.#resolved.set(name, value)
    }
    return value as ValueOf<Keys[Name]>
  }

  /**
   * An object with a property for each of these keys, by another name. Each is read when it is
   * asked for, so that it changes with the configuration.
   */
  view<const Names extends Readonly<Record<string, keyof Keys & string>>>(
    names: Names,
  ): { readonly [Property in keyof Names]: ValueOf<Keys[Names[Property]]> } {
    const view = {}
    for (const [property, name] of Object.entries(names)) {
      Object.defineProperty(view, property, { enumerable: true, get: () => this.get(name) })
    }
    return view as { readonly [Property in keyof Names]: ValueOf<Keys[Names[Property]]> }
  }

  /** Rises whenever a value may have changed, for those who keep something computed from them. */
  get version(): number {
    this.#followParent()
    return this.#version
  }

  #followParent(): void {
    if (this.#parent === undefined || this.#parent.version === this.#parentVersion) return
    this.#parentVersion = this.#parent.version
    this.#version += 1
    this.#resolved.clear()
  }

  #resolve(name: string): ConfigValue | null {
    const key = this.#key(name)
    if (key.overriddenBy !== undefined) {
      const override = this.get(key.overriddenBy) as ConfigValue | null
      if (override !== null) return override
    }
    const own = this.#own(name, key)
    if (own !== null) return own
    for (const { key: other, times } of key.otherwise) {
      const value = this.get(other) as ConfigValue | null
      if (value === null) continue
      // A negative time is "no limit" in whatever unit it is given, and -1 is how that is written.
      return times === undefined ? value : Math.max((value as number) * times, -1)
    }
    return null
  }

  /** The value given for the key itself, or its default; its synonyms do not count. */
  #own(name: string, key: ConfigKey<unknown>): ConfigValue | null {
    const given = this.#given.get(name)
    if (given !== undefined) return given
    if (key.brokerDefault !== undefined && this.#parent !== undefined) {
      return this.#parent.get(key.brokerDefault) as ConfigValue | null
    }
    return (key.default as ConfigValue | null | undefined) ?? null
  }

  #key(name: string): ConfigKey<unknown> {
    const key = this.definition.keys[name]
    if (key === undefined) throw new Error(`there is no configuration key ${name}`)
    return key
  }

  /** What a source says, as it was given. */
  entries(source: ConfigSource): ConfigEntries {
    return this.#layers.get(source) ?? new Map()
  }

  /** Keys that were given but are not in the definition, in the order they were given. */
  get unknownKeys(): string[] {
    const names = [...this.#layers.values()].flatMap((entries) => [...entries.keys()])
    return [...new Set(names)].filter((name) => this.definition.keys[name] === undefined)
  }

  /** A copy in which `source` says `entries` and nothing else. Throws ConfigError if invalid. */
  with(source: ConfigSource, entries: ConfigEntries): Config<Keys> {
    const layers = new Map([...this.#layers, [source, entries]])
    return new Config(this.definition, layers, this.#parent)
  }

  /**
   * Lets `source` say `entries` and nothing else from now on, and tells listeners which keys have
   * other values now. Throws ConfigError, and changes nothing, if the outcome would be invalid.
   */
  replace(source: ConfigSource, entries: ConfigEntries): void {
    const next = this.with(source, entries)
    const changed = new Set<string>()
    for (const name of Object.keys(this.definition.keys)) {
      if (!sameValue(this.get(name), next.get(name))) changed.add(name)
    }
    this.#layers = next.#layers
    this.#given = next.#given
    this.#resolved = new Map()
    this.#version += 1
    if (changed.size === 0) return
    for (const listener of this.#listeners) listener(changed)
  }

  /** Calls `listener` after each `replace` that changed a value. Returns how to stop that. */
  onChange(listener: (changed: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * What DescribeConfigs says of each key of `names`, or of every key but internal ones. Names that
   * are neither defined nor given are left out, as Kafka does.
   */
  describe(names?: Iterable<string>): ConfigDescription[] {
    const defined = Object.keys(this.definition.keys)
    const unknown = this.unknownKeys
    const wanted = names === undefined ? [...defined, ...unknown] : new Set(names)
    return [...wanted].flatMap((name) => {
      const key = this.definition.keys[name]
      if (key !== undefined) return key.internal ? [] : [this.#describeKey(name, key)]
      return unknown.includes(name) ? [this.#describeUnknown(name)] : []
    })
  }

  #describeKey(name: string, key: ConfigKey<unknown>): ConfigDescription {
    const value = this.#own(name, key)
    const sensitive = key.type === 'PASSWORD'
    const synonyms = this.#synonyms(name, key)
    return {
      name,
      value: value === null || sensitive ? null : formatConfigValue(key.type, value),
      source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
      type: key.type,
      sensitive,
      readOnly: this.definition.updateMode(name) === 'read-only',
      documentation: key.doc,
      synonyms,
    }
  }

  /** A key we know nothing of might be a secret, so its value is not told. */
  #describeUnknown(name: string): ConfigDescription {
    const sources = [...this.#layers].filter(([, entries]) => entries.has(name))
    const synonyms = sources.map(([source]) => ({ name, value: null, source }))
    const source = synonyms[0]!.source
    const type = 'UNKNOWN'
    return {
      ...{ name, value: null, source, type, sensitive: true, readOnly: true, documentation: '' },
      synonyms,
    }
  }

  #synonyms(name: string, key: ConfigKey<unknown>): ConfigSynonym[] {
    const found: ConfigSynonym[] = []
    const names = this.definition.synonyms(name)
    for (const [source, entries] of this.#layers) {
      for (const synonym of names) {
        const text = entries.get(synonym)
        if (text === undefined) continue
        const { type } = this.#key(synonym)
        const value = formatConfigValue(type, parseConfigValue(synonym, type, text))
        found.push({ name: synonym, value: type === 'PASSWORD' ? null : value, source })
      }
    }
    const parent = this.#parent
    if (key.brokerDefault !== undefined && parent !== undefined) {
      const parentKey = parent.#key(key.brokerDefault)
      return [...found, ...parent.#synonyms(key.brokerDefault, parentKey)]
    }
    for (const synonym of names) {
      const { type, default: value } = this.#key(synonym)
      if (value === null || value === undefined) continue
      const text = type === 'PASSWORD' ? null : formatConfigValue(type, value as ConfigValue)
      found.push({ name: synonym, value: text, source: ConfigSource.DEFAULT_CONFIG })
    }
    // Kafka lists a value given under another name only after one given under the name itself.
    const first = found.findIndex((synonym) => synonym.name === name)
    return first < 0 ? [] : found.slice(first)
  }
}

/** Parses and checks all that the layers say; where several name a key, the first layer wins. */
function parseLayers(keys: ConfigKeys, layers: Layers): Values {
  const given: Values = new Map()
  for (const entries of layers.values()) {
    for (const [name, text] of entries) {
      const key = keys[name]
      if (key === undefined) continue
      const value = parseConfigValue(name, key.type, text)
      checkValue(name, key, value)
      if (!given.has(name)) given.set(name, value)
    }
  }
  for (const [name, key] of Object.entries(keys)) {
    if (key.default !== undefined || given.has(name)) continue
    throw new ConfigError(`Missing required configuration "${name}" which has no default value.`)
  }
  return given
}

function sameValue(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) ? a.join() === b.join() : Object.is(a, b)
}
