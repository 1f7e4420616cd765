/**
 * Features of the whole cluster (KIP-584): what this broker supports, and the levels that have been
 * finalized, which are in force on every broker. Clients and brokers go by the finalized ones: with
 * `transaction.version` 2 the epoch of a producer rises with each transaction (KIP-890).
 */
import { KafkaError } from '../common/errors.ts'
import { ANY_VERSION, type MetadataStore } from '../metadata/metadata-store.ts'
import { decodeFeatures, encodeFeatures, paths } from '../metadata/znodes.ts'
import type { VersionRange } from '../protocol/schema.ts'
import { asStorageError } from './storage-errors.ts'

/** Level 0 is the absence of the feature. */
export const SUPPORTED_FEATURES: ReadonlyMap<string, VersionRange> = new Map([
  ['group.version', { min: 0, max: 1 }],
  ['share.version', { min: 0, max: 1 }],
  ['transaction.version', { min: 0, max: 2 }],
])

/** The kinds of change, with the numbers of the protocol. */
export const FeatureChange = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

export interface FeatureUpdate {
  readonly feature: string
  readonly level: number
  /** One of `FeatureChange`, or what a client takes for one. */
  readonly change: number
}

export class Features {
  readonly #brokerId: number
  #store: MetadataStore | undefined
  #finalized: ReadonlyMap<string, number> = new Map()
  #epoch = -1

  constructor({ brokerId }: { brokerId: number }) {
    this.#brokerId = brokerId
  }

  /** Reads the finalized levels; a cluster that has none yet gets the highest. */
  async load(store: MetadataStore): Promise<void> {
    this.#store = store
    if ((await store.exists(paths.features)) === undefined) {
      const highest = [...SUPPORTED_FEATURES].map(([name, { max }]) => [name, max] as const)
      await store.create(paths.features, encodeFeatures(new Map(highest)))
    }
    const { data, stat } = await store.get(paths.features)
    this.#finalized = decodeFeatures(data)
    this.#epoch = stat.version
  }

  /** The levels above 0. */
  get finalized(): ReadonlyMap<string, number> {
    return this.#finalized
  }

  /** Rises with each change of finalized levels. */
  get epoch(): number {
    return this.#epoch
  }

  /** The finalized level of a feature; 0 where it is off. */
  level(feature: string): number {
    return this.#finalized.get(feature) ?? 0
  }

  /** Makes all changes or none. Throws FEATURE_UPDATE_FAILED, with what is wrong of the first. */
  async update(updates: readonly FeatureUpdate[], validateOnly: boolean): Promise<void> {
    const levels = new Map(this.#finalized)
    for (const update of updates) {
      this.#check(update)
      if (update.level === 0) levels.delete(update.feature)
      else levels.set(update.feature, update.level)
    }
    if (validateOnly || updates.length === 0) return
    if (this.#store === undefined) throw new Error('features are changed before they are loaded')
    const write = this.#store.set(paths.features, encodeFeatures(levels), ANY_VERSION)
    const stat = await asStorageError(write)
    this.#finalized = levels
    this.#epoch = stat.version
  }

  #check({ feature, level, change }: FeatureUpdate): void {
    const fail = (why: string): never => {
      throw new KafkaError(
        'FEATURE_UPDATE_FAILED',
        'The update failed for all features since the following feature had an error: ' +
          `Invalid update version ${level} for feature ${feature}. ${why}`,
      )
    }
    if (!(Object.values(FeatureChange) as number[]).includes(change)) {
      fail('The controller does not support the given upgrade type.')
    }
    if (level < 0) fail('A feature version cannot be less than 0.')
    const supported = SUPPORTED_FEATURES.get(feature)
    if (supported === undefined) {
      fail(
        level === 0
          ? `Feature ${feature} not found.`
          : `Local controller ${this.#brokerId} does not support this feature.`,
      )
    } else if (level > supported.max) {
      const range = `${supported.min}-${supported.max}`
      fail(`Local controller ${this.#brokerId} only supports versions ${range}`)
    }
    const current = this.level(feature)
    if (level < current && change === FeatureChange.UPGRADE) {
      fail(
        "Can't downgrade the version of this feature without setting the upgrade type to either " +
          'safe or unsafe downgrade.',
      )
    }
    if (level > current && change !== FeatureChange.UPGRADE) {
      fail("Can't downgrade to a newer version.")
    }
  }
}
