/**
 * Fetching and acknowledging in share groups (KIP-932), as request handlers ask for it: sessions of
 * members, share partitions, and the fetches that wait for records.
 */
import type { Clock } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { Purgatory } from '../purgatory/purgatory.ts'
import type { ReplicaManager } from '../replica-manager.ts'
import type { AcknowledgementBatch } from './acknowledgement.ts'
import {
  type ShareFetchedPartition,
  ShareFetchOperation,
  type ShareFetchParams,
  type ShareFetchPartition,
  type ShareFetchResult,
} from './share-fetch.ts'
import { SharePartitions, type SharePartitionsConfig } from './share-partitions.ts'
import { type SessionPartition, ShareSessions } from './share-sessions.ts'
import { nameOfSharePartition, type ShareStatePersister } from './share-state-persister.ts'

export interface SharePartitionManagerConfig extends SharePartitionsConfig {
  /** `group.share.max.share.sessions` */
  readonly maxSessions: number
}

export interface SharePartitionManagerOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly config: SharePartitionManagerConfig
  readonly replicaManager: ReplicaManager
  readonly persister: ShareStatePersister
  /** The name of a topic, by its id. */
  readonly topicName: (topicId: string) => string | undefined
}

/** What a fetch has brought of a partition of a session; others have nothing to say. */
export interface SessionFetched extends SessionPartition {
  readonly error: KafkaError | undefined
  readonly fetched: ShareFetchedPartition | undefined
}

export interface ShareFetched {
  readonly partitions: readonly SessionFetched[]
  /** Lets go of the memory of the records. To be called when they have been sent. */
  release(): void
}

export class SharePartitionManager {
  readonly sessions: ShareSessions
  readonly #options: SharePartitionManagerOptions
  readonly #partitions: SharePartitions
  readonly #purgatory: Purgatory<object>

  constructor(options: SharePartitionManagerOptions) {
    const { clock, log, config, replicaManager, persister, topicName } = options
    this.#options = options
    this.#purgatory = new Purgatory<object>(clock)
    this.#partitions = new SharePartitions({
      ...{ clock, log, config, replicaManager, persister, topicName },
      onAvailable: (sharePartition) => this.#purgatory.check(sharePartition),
    })
    this.sessions = new ShareSessions({
      maxSessions: () => config.maxSessions,
      onEnd: ({ groupId, memberId }, partitions) =>
        void this.#release(groupId, memberId, partitions),
    })
    replicaManager.onWake((partition) => this.#purgatory.check(partition))
  }

  /** Acquires records for a member, waiting for them as `params` says. Never rejects. */
  async fetch(
    groupId: string,
    params: ShareFetchParams,
    wanted: readonly SessionPartition[],
  ): Promise<ShareFetched> {
    const failures: SessionFetched[] = []
    const found = await Promise.all(
      wanted.map(async (each): Promise<ShareFetchPartition | undefined> => {
        try {
          const sharePartition = await this.#partitions.getOrLoad({ groupId, ...each })
          return { sharePartition, partition: this.#partitions.partition(each) }
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          failures.push({ ...each, error, fetched: undefined })
          return undefined
        }
      }),
    )
    const partitions = found.filter((each) => each !== undefined)
    // An error is not made to wait.
    const maxWaitMs = failures.length > 0 ? 0 : params.maxWaitMs
    const { clock, replicaManager } = this.#options
    const operation = new ShareFetchOperation(
      { clock, replicaManager, purgatory: this.#purgatory },
      { ...params, maxWaitMs },
      partitions,
    )
    operation.start()
    const result = await new Promise<ShareFetchResult>((resolve) => {
      operation.result.onComplete(resolve)
    })
    const successes = result.partitions.map((fetched): SessionFetched => {
      const { topicId, partition } = fetched.sharePartition.key
      return { topicId, partition, error: fetched.error, fetched }
    })
    return { partitions: [...failures, ...successes], release: () => result.release() }
  }

  /**
   * Carries out what a member says of the records of one partition. Resolves when it is safe.
   * Rejects with KafkaError.
   */
  async acknowledge(
    groupId: string,
    memberId: string,
    of: SessionPartition,
    batches: readonly AcknowledgementBatch[],
  ): Promise<void> {
    this.#partitions.partition(of)
    const { topicId, partition } = of
    const sharePartition = this.#partitions.get({ groupId, topicId, partition })
    if (sharePartition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    await sharePartition.acknowledge(memberId, batches)
  }

  /** `share.record.lock.duration.ms` of a group. */
  lockDurationMs(groupId: string): number {
    return this.#options.config.lockDurationMs(groupId)
  }

  /** Answers everything that waits. */
  shutDown(): void {
    this.#purgatory.expireAll()
    this.#partitions.close()
  }

  /** A member's session has ended: others may have its records. */
  async #release(
    groupId: string,
    memberId: string,
    partitions: readonly SessionPartition[],
  ): Promise<void> {
    await Promise.all(
      partitions.map(async (each) => {
        const key = { groupId, ...each }
        try {
          await this.#partitions.get(key)?.release(memberId)
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          const name = nameOfSharePartition(key)
          this.#options.log.warn(`could not release what ${memberId} had of ${name}`, error)
        }
      }),
    )
    if (!this.sessions.hasGroup(groupId)) this.#partitions.dropGroup(groupId)
  }
}
