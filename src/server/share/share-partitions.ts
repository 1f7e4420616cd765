/**
 * The share partitions of the partitions that this broker leads: loaded when a member first asks
 * for one, dropped when the partition moves, when the state turns out to be another's business, or
 * when no member of the group is left.
 */
import type { Clock } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Partition } from '../partition.ts'
import type { ReplicaManager } from '../replica-manager.ts'
import { asLeaderError, SharePartition } from './share-partition.ts'
import {
  nameOfSharePartition,
  type SharePartitionKey,
  type ShareStatePersister,
} from './share-state-persister.ts'

/** Settings, read each time. */
export interface SharePartitionsConfig {
  /** `group.share.partition.max.record.locks` */
  readonly maxInFlightRecords: number
  /** `group.share.delivery.count.limit` */
  readonly deliveryCountLimit: number
  /** `share.record.lock.duration.ms` of a group. */
  lockDurationMs(groupId: string): number
  /** `share.auto.offset.reset` of a group: `latest`, `earliest` or `by_duration:P…`. */
  autoOffsetReset(groupId: string): string
}

export interface SharePartitionsOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly config: SharePartitionsConfig
  readonly replicaManager: ReplicaManager
  readonly persister: ShareStatePersister
  /** The name of a topic, by its id. */
  readonly topicName: (topicId: string) => string | undefined
  /** Something may have come to be acquirable from a share partition. */
  readonly onAvailable: (sharePartition: SharePartition) => void
}

interface Entry {
  readonly groupId: string
  readonly partition: Partition
  readonly loading: Promise<SharePartition>
  loaded: SharePartition | undefined
}

export class SharePartitions {
  readonly #options: SharePartitionsOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: SharePartitionsOptions) {
    this.#options = options
    options.replicaManager.onLeadershipChange((partition) => {
      for (const [name, entry] of [...this.#entries]) {
        if (entry.partition.name === partition.name) this.#drop(name, entry)
      }
    })
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * The partition behind a key. Throws UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION,
   * NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR.
   */
  partition({ topicId, partition: index }: Omit<SharePartitionKey, 'groupId'>): Partition {
    const topic = this.#options.topicName(topicId)
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_ID')
    const partition = this.#options.replicaManager.partitionToRead(topic, index)
    partition.checkLeader(-1)
    return partition
  }

  /** The share partition, if it is loaded. */
  get(key: SharePartitionKey): SharePartition | undefined {
    return this.#entries.get(nameOfSharePartition(key))?.loaded
  }

  /** The share partition, which is loaded if need be. Throws as `partition`, or asLeaderError. */
  async getOrLoad(key: SharePartitionKey): Promise<SharePartition> {
    const partition = this.partition(key)
    const name = nameOfSharePartition(key)
    const known = this.#entries.get(name)
    if (known !== undefined) return await known.loading
    const loading = this.#load(key, name, partition)
    const entry: Entry = { groupId: key.groupId, partition, loading, loaded: undefined }
    this.#entries.set(name, entry)
    try {
      const loaded = await loading
      if (this.#entries.get(name) === entry) entry.loaded = loaded
      else loaded.close()
      return loaded
    } catch (error) {
      if (this.#entries.get(name) === entry) this.#entries.delete(name)
      throw asLeaderError(error)
    }
  }

  /** Drops what belongs to a group, of which no member is left here. */
  dropGroup(groupId: string): void {
    for (const [name, entry] of [...this.#entries]) {
      if (entry.groupId === groupId) this.#drop(name, entry)
    }
  }

  /** Ends all locks. */
  close(): void {
    for (const [name, entry] of [...this.#entries]) this.#drop(name, entry)
  }

  async #load(key: SharePartitionKey, name: string, partition: Partition): Promise<SharePartition> {
    const { clock, log, config, persister } = this.#options
    const { groupId } = key
    const sharePartition: SharePartition = await SharePartition.load(
      {
        ...{ key, clock, log, persister, leaderEpoch: partition.leaderEpoch },
        maxInFlightRecords: config.maxInFlightRecords,
        deliveryCountLimit: config.deliveryCountLimit,
        lockDurationMs: () => config.lockDurationMs(groupId),
        onAvailable: () => this.#options.onAvailable(sharePartition),
        onFenced: (error) => {
          log.info(`share partition ${name} is no longer led from here: ${error.message}`)
          const entry = this.#entries.get(name)
          if (entry?.loaded === sharePartition) this.#drop(name, entry)
        },
      },
      () => this.#initialOffset(groupId, partition),
    )
    return sharePartition
  }

  async #initialOffset(groupId: string, partition: Partition): Promise<number> {
    const reset = this.#options.config.autoOffsetReset(groupId)
    if (reset === 'latest') return partition.highWatermark
    if (reset === 'earliest') return partition.log.logStartOffset
    const since = this.#options.clock.now() - durationMs(reset.slice(reset.indexOf(':') + 1))
    const found = await partition.log.offsetForTimestamp(since)
    return Math.min(found?.offset ?? Number.POSITIVE_INFINITY, partition.highWatermark)
  }

  #drop(name: string, entry: Entry): void {
    if (this.#entries.get(name) === entry) this.#entries.delete(name)
    if (entry.loaded === undefined) return
    entry.loaded.close()
    // Whoever waits for it shall look again.
    this.#options.onAvailable(entry.loaded)
  }
}

/** ISO 8601, as java.time.Duration reads it; the configuration has checked the form. */
function durationMs(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/i.exec(text) ?? []
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((n) => Number(n ?? 0))
  return Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}
