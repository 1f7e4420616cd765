/**
 * All quotas that have been set. They are kept in the metadata store; what is here is a copy, kept
 * up to date by whoever changes them through this broker.
 */
import {
  ANY_VERSION,
  isMetadataError,
  type MetadataOperation,
  type MetadataStore,
} from '../../metadata/metadata-store.ts'
import { decodeConfig, encodeConfig, paths } from '../../metadata/znodes.ts'
import { asStorageError } from '../storage-errors.ts'
import { entityOfNodes, entityPath, parentPaths, type QuotaEntity } from './quota-entity.ts'
import { checkQuota, formatQuota, type QuotaKey, readQuotas } from './quota-values.ts'

/** An entity with what is set for it: at least one quota. */
export interface SetQuotas {
  readonly entity: QuotaEntity
  readonly quotas: ReadonlyMap<QuotaKey, number>
}

export class ClientQuotas {
  readonly #byPath = new Map<string, SetQuotas>()
  readonly #listeners = new Set<() => void>()
  #loadedStore: MetadataStore | undefined

  /** Reads everything from the store, in which changes will be kept. */
  async load(store: MetadataStore): Promise<void> {
    this.#loadedStore = store
    const namesIn = async (path: string) => (await store.children(path)).names
    for (const user of await namesIn(paths.configs('users'))) {
      await this.#read(entityOfNodes({ user }))
      const clients = `${paths.config('users', user)}/clients`
      if ((await store.exists(clients)) === undefined) continue
      for (const clientId of await namesIn(clients)) {
        await this.#read(entityOfNodes({ user, clientId }))
      }
    }
    for (const clientId of await namesIn(paths.configs('clients'))) {
      await this.#read(entityOfNodes({ clientId }))
    }
    for (const ip of await namesIn(paths.configs('ips'))) await this.#read(entityOfNodes({ ip }))
    this.#tell()
  }

  /** Every entity that has quotas. */
  all(): Iterable<SetQuotas> {
    return this.#byPath.values()
  }

  /** The quota set for exactly this entity. */
  quota(entity: QuotaEntity, key: QuotaKey): number | undefined {
    return this.#byPath.get(entityPath(entity))?.quotas.get(key)
  }

  /** Calls `listener` after a change. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Sets quotas of an entity, and removes those that are null; removing what is not set, or does
   * not exist, is no error. Throws KafkaError.
   */
  async alter(
    entity: QuotaEntity,
    changes: ReadonlyMap<string, number | null>,
    validateOnly: boolean,
  ): Promise<void> {
    const path = entityPath(entity)
    const quotas = new Map(this.#byPath.get(path)?.quotas)
    for (const [key, value] of changes) {
      if (value === null) {
        quotas.delete(key as QuotaKey)
      } else {
        checkQuota(entity, key, value)
        quotas.set(key as QuotaKey, value)
      }
    }
    if (validateOnly) return
    await this.#write(entity, quotas)
    if (quotas.size === 0) this.#byPath.delete(path)
    else this.#byPath.set(path, { entity, quotas })
    this.#tell()
  }

  get #store(): MetadataStore {
    if (this.#loadedStore === undefined) throw new Error('quotas are used before they are loaded')
    return this.#loadedStore
  }

  async #read(entity: QuotaEntity): Promise<void> {
    const path = entityPath(entity)
    const quotas = readQuotas(entity, await this.#settings(path))
    if (quotas.size > 0) this.#byPath.set(path, { entity, quotas })
  }

  /** What is in a node, quotas and others, or nothing. */
  async #settings(path: string): Promise<Record<string, string>> {
    try {
      const { data } = await this.#store.get(path)
      return data.length === 0 ? {} : decodeConfig(data)
    } catch (error) {
      if (isMetadataError(error, 'NO_NODE')) return {}
      throw error
    }
  }

  async #write(entity: QuotaEntity, quotas: ReadonlyMap<QuotaKey, number>): Promise<void> {
    const path = entityPath(entity)
    const settings = await this.#settings(path)
    for (const key of readQuotas(entity, settings).keys()) delete settings[key]
    for (const [key, value] of quotas) settings[key] = formatQuota(key, value)
    const stat = await this.#store.exists(path)
    if (Object.keys(settings).length === 0 && (stat?.childCount ?? 0) === 0) {
      if (stat !== undefined) await asStorageError(this.#store.delete(path, ANY_VERSION))
      return
    }
    const data = encodeConfig(settings)
    const operations: MetadataOperation[] = []
    for (const parent of parentPaths(entity)) {
      if ((await this.#store.exists(parent)) !== undefined) continue
      operations.push({ type: 'create', path: parent, data: encodeConfig({}) })
    }
    if (stat === undefined) operations.push({ type: 'create', path, data })
    else operations.push({ type: 'set', path, data, version: ANY_VERSION })
    await asStorageError(this.#store.multi(operations))
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
