/**
 * The settings of one kind of thing that exists by having settings: groups as far as their settings
 * go, subscriptions to metrics. Kept below `/config/<kind>/<name>`; what has none has no node.
 */
import type { ConfigEntries } from '../common/config/config.ts'
import { ANY_VERSION, type MetadataStore } from '../metadata/metadata-store.ts'
import {
  type ConfigEntity,
  decodeConfig,
  decodeNodeName,
  encodeConfig,
  encodeNodeName,
  paths,
} from '../metadata/znodes.ts'
import { asStorageError } from './storage-errors.ts'

const NOTHING: ConfigEntries = new Map()

export interface ConfigNodesOptions<C> {
  /** The configuration that entries give; it must not fail for what once passed `validate`. */
  create(entries: ConfigEntries): C
  /** Throws KafkaError unless entries may be set. */
  validate(entries: ConfigEntries): C
}

export class ConfigNodes<C> {
  readonly #kind: ConfigEntity
  readonly #options: ConfigNodesOptions<C>
  readonly #entries = new Map<string, ConfigEntries>()
  /** Made from `#entries` when first asked for. */
  readonly #configs = new Map<string, C>()
  readonly #default: C
  #store: MetadataStore | undefined
  readonly #listeners = new Set<(name: string) => void>()

  constructor(kind: ConfigEntity, options: ConfigNodesOptions<C>) {
    this.#kind = kind
    this.#options = options
    this.#default = options.create(NOTHING)
  }

  /** Reads everything from the store, in which changes will be kept. */
  async load(store: MetadataStore): Promise<void> {
    this.#store = store
    for (const name of (await store.children(paths.configs(this.#kind))).names) {
      const { data } = await store.get(paths.config(this.#kind, name))
      this.#entries.set(decodeNodeName(name), new Map(Object.entries(decodeConfig(data))))
    }
  }

  /** What has settings, in the order of names. */
  names(): string[] {
    return [...this.#entries.keys()].sort()
  }

  /** The configuration of `name`, defaults where it has set nothing. */
  get(name: string): C {
    const entries = this.#entries.get(name)
    if (entries === undefined) return this.#default
    let config = this.#configs.get(name)
    if (config === undefined) {
      config = this.#options.create(entries)
      this.#configs.set(name, config)
    }
    return config
  }

  entries(name: string): ConfigEntries {
    return this.#entries.get(name) ?? NOTHING
  }

  /** Calls `listener` after the settings of something have changed. */
  onChange(listener: (name: string) => void): void {
    this.#listeners.add(listener)
  }

  /** Replaces the settings of `name`. Throws KafkaError. */
  async set(name: string, entries: ConfigEntries, validateOnly: boolean): Promise<void> {
    this.#options.validate(entries)
    if (validateOnly) return
    await this.#write(name, entries)
    if (entries.size === 0) this.#entries.delete(name)
    else this.#entries.set(name, entries)
    this.#configs.delete(name)
    for (const listener of this.#listeners) listener(name)
  }

  async #write(name: string, entries: ConfigEntries): Promise<void> {
    const store = this.#store
    if (store === undefined) throw new Error('settings are used before they are loaded')
    const path = paths.config(this.#kind, encodeNodeName(name))
    const data = encodeConfig(Object.fromEntries(entries))
    const exists = (await store.exists(path)) !== undefined
    if (entries.size === 0) {
      if (exists) await asStorageError(store.delete(path, ANY_VERSION))
    } else {
      const write = exists ? store.set(path, data, ANY_VERSION) : store.create(path, data)
      await asStorageError<unknown>(write)
    }
  }
}
