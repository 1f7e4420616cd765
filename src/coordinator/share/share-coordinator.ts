/**
 * The share coordinator as the rest of the broker knows it: for each share partition it asks the
 * shard that remembers it, and it keeps the log of `__share_group_state` short.
 */
import { type Clock, scheduleEvery, type Timer } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts'
import type { CoordinatorResult } from '../runtime/coordinator-shard.ts'
import type { CoordinatorStorage } from '../runtime/coordinator-storage.ts'
import { partitionFor } from '../runtime/partition-for.ts'
import {
  keyOf,
  ShareCoordinatorShard,
  type SharePartitionId,
  type SharePartitionState,
  type SharePartitionWrite,
} from './share-coordinator-shard.ts'
import { SHARE_GROUP_STATE_TOPIC, shareRecordCodec } from './share-records.ts'

/** Read each time, since some of it may change while the broker runs. */
export interface ShareCoordinatorConfig {
  /** `share.coordinator.snapshot.update.records.per.snapshot` */
  readonly updatesPerSnapshot: number
  /** `share.coordinator.cold.partition.snapshot.interval.ms` */
  readonly coldSnapshotIntervalMs: number
  /** `share.coordinator.state.topic.prune.interval.ms` */
  readonly pruneIntervalMs: number
}

export interface ShareCoordinatorOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly storage: CoordinatorStorage
  readonly config: ShareCoordinatorConfig
  /** How many partitions `__share_group_state` has. */
  readonly partitionCount: () => number
  /** How many partitions a topic has, by its id; undefined where there is no such topic. */
  readonly topicPartitionCount: (topicId: string) => number | undefined
  /** Deletes what a partition of `__share_group_state` has below an offset. */
  readonly deleteRecordsBefore: (partition: number, offset: number) => void
}

export class ShareCoordinator {
  /** Loads and unloads partitions. */
  readonly runtime: CoordinatorRuntime<ShareCoordinatorShard>
  readonly #options: ShareCoordinatorOptions
  readonly #prunedBefore = new Map<number, number>()

  constructor(options: ShareCoordinatorOptions) {
    this.#options = options
    const { clock, log, storage, config } = options
    this.runtime = new CoordinatorRuntime({
      ...{ clock, log, storage, topic: SHARE_GROUP_STATE_TOPIC, codec: shareRecordCodec },
      createShard: (context) =>
        new ShareCoordinatorShard({
          updatesPerSnapshot: () => config.updatesPerSnapshot,
          partitionCount: options.topicPartitionCount,
          now: () => context.now(),
        }),
    })
  }

  /** The partition of `__share_group_state` whose leader remembers a share partition. */
  partitionFor(id: SharePartitionId): number {
    return this.partitionForKey(keyOf(id))
  }

  /** As `partitionFor`, for a key in the form of FindCoordinator: `group:topicId:partition`. */
  partitionForKey(key: string): number {
    return partitionFor(key, this.#options.partitionCount())
  }

  /** InitializeShareGroupState. Rejects with KafkaError, as all that follow. */
  async initialize(
    id: SharePartitionId,
    begin: { readonly stateEpoch: number; readonly startOffset: number },
  ): Promise<void> {
    await this.#write(id, (shard) => shard.initialize(id, begin))
  }

  /** ReadShareGroupState: what is known, and leaders of earlier epochs are kept out. */
  async read(id: SharePartitionId, leaderEpoch: number): Promise<SharePartitionState> {
    return await this.#write(id, (shard) => shard.read(id, leaderEpoch))
  }

  /** WriteShareGroupState. */
  async write(id: SharePartitionId, write: SharePartitionWrite): Promise<void> {
    await this.#write(id, (shard) => shard.write(id, write))
  }

  /** ReadShareGroupStateSummary; undefined where there is no state. */
  async summary(id: SharePartitionId): Promise<SharePartitionState | undefined> {
    return await this.runtime.read(this.partitionFor(id), (shard) => shard.summary(id))
  }

  /** DeleteShareGroupState. */
  async delete(id: SharePartitionId): Promise<void> {
    await this.#write(id, (shard) => shard.delete(id))
  }

  /** Topics were deleted: nobody shall find how far groups had got in them. */
  onTopicsDeleted(): void {
    this.runtime.tellAll((shard) => shard.forgetDeletedTopics())
  }

  /** Begins to keep the log short. Ends with the returned timer. */
  start(): Timer {
    const { clock, config } = this.#options
    const snapshots = scheduleEvery(clock, config.coldSnapshotIntervalMs, () => {
      this.runtime.tellAll((shard) => shard.snapshotCold(config.coldSnapshotIntervalMs))
    })
    const pruning = scheduleEvery(clock, config.pruneIntervalMs, () => void this.prune())
    return {
      cancel() {
        snapshots.cancel()
        pruning.cancel()
      },
    }
  }

  /** Deletes what later snapshots have replaced. */
  async prune(): Promise<void> {
    const { log, deleteRecordsBefore } = this.#options
    try {
      await this.runtime.readAll((shard, partition) => {
        const before = shard.redundantBefore
        if (before <= (this.#prunedBefore.get(partition) ?? 0)) return
        deleteRecordsBefore(partition, before)
        this.#prunedBefore.set(partition, before)
      })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      log.warn(`could not prune ${SHARE_GROUP_STATE_TOPIC}`, error)
    }
  }

  async #write<R>(
    id: SharePartitionId,
    decide: (shard: ShareCoordinatorShard) => CoordinatorResult<R>,
  ): Promise<R> {
    return await this.runtime.write(this.partitionFor(id), decide)
  }
}
