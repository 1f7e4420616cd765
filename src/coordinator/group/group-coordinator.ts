/**
 * The group coordinator as request handlers know it: for each group it asks the shard that looks
 * after it.
 */
import type { Clock } from '../../common/clock.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts'
import type { CoordinatorResult, TransactionalProducer } from '../runtime/coordinator-shard.ts'
import type { CoordinatorStorage } from '../runtime/coordinator-storage.ts'
import { partitionFor } from '../runtime/partition-for.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import { groupRecordCodec } from './group-records.ts'
import { GroupShard } from './group-shard.ts'
import type { TopicImage } from './topic-image.ts'

export const CONSUMER_OFFSETS_TOPIC = '__consumer_offsets'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly random: Random
  readonly storage: CoordinatorStorage
  readonly config: GroupCoordinatorConfig
  readonly topics: TopicImage
  /** How many partitions the topic has. */
  readonly partitionCount: () => number
}

export class GroupCoordinator {
  /** Loads and unloads partitions. */
  readonly runtime: CoordinatorRuntime<GroupShard>
  readonly #options: GroupCoordinatorOptions

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
    const { clock, log, storage, config, random, topics } = options
    this.runtime = new CoordinatorRuntime({
      ...{ clock, log, storage, topic: CONSUMER_OFFSETS_TOPIC, codec: groupRecordCodec },
      createShard: (context) => new GroupShard({ context, config, random, topics }),
    })
  }

  /** The partition whose leader coordinates a group. */
  partitionFor(groupId: string): number {
    return partitionFor(groupId, this.#options.partitionCount())
  }

  /** Has the group's shard decide something. Rejects as CoordinatorRuntime.write. */
  async write<R>(groupId: string, decide: (shard: GroupShard) => CoordinatorResult<R>): Promise<R> {
    return await this.runtime.write(this.partitionFor(groupId), decide)
  }

  /**
   * As `write`, as part of a producer's transaction: what is decided counts once that has been
   * committed with `endTransaction`.
   */
  async writeTransactional<R>(
    groupId: string,
    producer: TransactionalProducer,
    decide: (shard: GroupShard) => CoordinatorResult<R>,
  ): Promise<R> {
    return await this.runtime.writeTransactional(this.partitionFor(groupId), producer, decide)
  }

  /** Asks the group's shard something. Rejects as CoordinatorRuntime.read. */
  async read<R>(groupId: string, ask: (shard: GroupShard) => R): Promise<R> {
    return await this.runtime.read(this.partitionFor(groupId), ask)
  }

  /** Asks every shard of this broker. Rejects with COORDINATOR_LOAD_IN_PROGRESS meanwhile. */
  async readAll<R>(ask: (shard: GroupShard) => R): Promise<R[]> {
    if (this.runtime.isLoading) throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
    return await this.runtime.readAll(ask)
  }

  /** Ends a producer's transaction in one partition of the topic. */
  async endTransaction(
    partition: number,
    producer: TransactionalProducer & { readonly coordinatorEpoch: number },
    isCommit: boolean,
  ): Promise<void> {
    await this.runtime.endTransaction(partition, producer, isCommit)
  }

  /** Topics were created or deleted, or have got more partitions: groups may have to rebalance. */
  onTopicChange(names: readonly string[]): void {
    this.runtime.tellAll((shard) => {
      shard.consumer.onTopicChange(names)
      shard.share.onTopicChange(names)
      return undefined
    })
  }

  /** Topics were deleted: groups forget their offsets of them. */
  onTopicsDeleted(names: ReadonlySet<string>): void {
    this.runtime.tellAll((shard) => shard.onTopicsDeleted(names))
  }
}

/** Throws INVALID_GROUP_ID for an id that no member may use. */
export function checkGroupId(groupId: string): void {
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
}
