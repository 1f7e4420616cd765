/**
 * Committing, reading, deleting and forgetting the offsets of groups of all kinds, in the partition
 * of one shard. Whether whoever asks may do so is for the group itself to say.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type {
  CoordinatorResult,
  ShardContext,
  TransactionalProducer,
} from '../../runtime/coordinator-shard.ts'
import type { Group, GroupTable, OffsetCommitter } from '../group.ts'
import type { GroupCoordinatorConfig } from '../group-config.ts'
import { OffsetCommitRecord } from '../group-records.ts'
import { type CommittedOffset, OffsetStore } from './offset-store.ts'
import { TransactionalOffsets } from './transactional-offsets.ts'

export interface OffsetsToCommit {
  readonly groupId: string
  readonly committer: OffsetCommitter
  /** How long the offsets shall be kept, in milliseconds; undefined: as the broker is set. */
  readonly retentionTimeMs?: number | undefined
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: number
      readonly committedLeaderEpoch: number
      readonly committedMetadata: string | null
    }[]
  }[]
}

/** What became of each partition, in the order of the request. */
export interface PartitionOutcomes {
  readonly name: string
  readonly partitions: { readonly partitionIndex: number; readonly errorCode: number }[]
}

export interface OffsetsToFetch {
  readonly groupId: string
  /** Null and -1 where the member does not say who it is. */
  readonly memberId: string | null
  readonly memberEpoch: number
  /** Offsets that an open transaction may replace are UNSTABLE_OFFSET_COMMIT (KIP-447). */
  readonly requireStable: boolean
  /** Null: all topics with offsets. */
  readonly topics: readonly { readonly name: string; readonly partitionIndexes: number[] }[] | null
}

export interface FetchedOffsets {
  readonly name: string
  readonly partitions: FetchedOffset[]
}

export interface FetchedOffset {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: number
}

type OffsetKey = { groupId: string; topic: string; partition: number }
type OffsetRecordValue = NonNullable<Parameters<(typeof OffsetCommitRecord)['of']>[1]>

/** From this version of OffsetCommit on, clients are told that there is no such group. */
const GROUP_ID_NOT_FOUND_VERSION = 9
const NO_TIMESTAMP = -1
const MINUTE_MS = 60_000

export class GroupOffsets {
  readonly #context: ShardContext
  readonly #config: GroupCoordinatorConfig
  readonly #groups: GroupTable
  readonly #committed = new OffsetStore()
  readonly #pending = new TransactionalOffsets()
  /** Makes the group of somebody who commits without being a member: a classic one, empty. */
  readonly #createGroup: (groupId: string) => void

  constructor(options: {
    context: ShardContext
    config: GroupCoordinatorConfig
    groups: GroupTable
    createGroup: (groupId: string) => void
  }) {
    this.#context = options.context
    this.#config = options.config
    this.#groups = options.groups
    this.#createGroup = options.createGroup
  }

  /** How many offsets are committed. */
  get size(): number {
    return this.#committed.size
  }

  /** OffsetCommit and TxnOffsetCommit. Throws the KafkaError that concerns all partitions. */
  commit(request: OffsetsToCommit): CoordinatorResult<PartitionOutcomes[]> {
    this.#validateCommit(request)
    const { groupId, retentionTimeMs } = request
    const now = this.#context.now()
    const records: CoordinatorRecord[] = []
    const response = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => {
        const { partitionIndex } = partition
        const metadata = partition.committedMetadata ?? ''
        if (metadata.length > this.#config.offsetMetadataMaxBytes) {
          return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE }
        }
        const value = {
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata,
          commitTimestamp: now,
          expireTimestamp: retentionTimeMs === undefined ? NO_TIMESTAMP : now + retentionTimeMs,
        }
        records.push(
          OffsetCommitRecord.of({ group: groupId, topic: name, partition: partitionIndex }, value),
        )
        return { partitionIndex, errorCode: ErrorCode.NONE }
      }),
    }))
    return { records, response }
  }

  #validateCommit({ groupId, committer }: OffsetsToCommit): void {
    const group = this.#groups.get(groupId)
    if (group !== undefined) {
      group.validateOffsetCommit(committer)
      return
    }
    if (committer.generationIdOrMemberEpoch < 0) return
    const isNew = !committer.isTransactional && committer.apiVersion >= GROUP_ID_NOT_FOUND_VERSION
    if (isNew) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    throw new KafkaError('ILLEGAL_GENERATION')
  }

  /** OffsetFetch. Throws the KafkaError that concerns the whole group. */
  fetch(request: OffsetsToFetch): FetchedOffsets[] {
    const { groupId, memberId, memberEpoch, requireStable } = request
    const group = this.#groups.get(groupId)
    group?.validateOffsetFetch(memberId, memberEpoch)
    const ofGroup = group === undefined ? undefined : this.#committed.ofGroup(groupId)
    const topics = request.topics ?? this.#topicsOf(groupId, requireStable)
    return topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => {
        if (requireStable && this.#pending.has(groupId, name, partition)) {
          return fetched(partition, undefined, ErrorCode.UNSTABLE_OFFSET_COMMIT)
        }
        return fetched(partition, ofGroup?.get(name)?.get(partition), ErrorCode.NONE)
      }),
    }))
  }

  #topicsOf(groupId: string, withPending: boolean): NonNullable<OffsetsToFetch['topics']> {
    const partitionsByTopic = new Map<string, Set<number>>()
    const add = (topic: string, partition: number) => {
      const partitions = partitionsByTopic.get(topic)
      if (partitions === undefined) partitionsByTopic.set(topic, new Set([partition]))
      else partitions.add(partition)
    }
    for (const [topic, partitions] of this.#committed.ofGroup(groupId) ?? []) {
      for (const partition of partitions.keys()) add(topic, partition)
    }
    if (withPending) {
      for (const [topic, partition] of this.#pending.ofGroup(groupId)) add(topic, partition)
    }
    return [...partitionsByTopic].map(([name, partitions]) => ({
      name,
      partitionIndexes: [...partitions],
    }))
  }

  /** OffsetDelete. Throws the KafkaError that concerns all partitions. */
  delete(
    groupId: string,
    topics: readonly { name: string; partitions: readonly { partitionIndex: number }[] }[],
  ): CoordinatorResult<PartitionOutcomes[]> {
    const group = this.#groups.get(groupId)
    if (group === undefined)
      throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    group.validateOffsetDelete()
    const records: CoordinatorRecord[] = []
    const response = topics.map(({ name, partitions }) => {
      const isInUse = group.isSubscribedTo(name)
      const errorCode = isInUse ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
      for (const { partitionIndex: partition } of isInUse ? [] : partitions) {
        const key = { groupId, topic: name, partition }
        if (this.#isKnown(key)) records.push(tombstone(key))
      }
      const outcomes = partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }))
      return { name, partitions: outcomes }
    })
    return { records, response }
  }

  #isKnown({ groupId, topic, partition }: OffsetKey): boolean {
    const isCommitted = this.#committed.get(groupId, topic, partition) !== undefined
    return isCommitted || this.#pending.has(groupId, topic, partition)
  }

  /** The tombstones of everything committed by a group that is being deleted. */
  tombstonesOf(groupId: string): CoordinatorRecord[] {
    return this.#topicsOf(groupId, true).flatMap(({ name, partitionIndexes }) =>
      partitionIndexes.map((partition) => tombstone({ groupId, topic: name, partition })),
    )
  }

  /** The tombstones of all groups' offsets of topics that were deleted. */
  tombstonesOfTopics(isDeleted: (topic: string) => boolean): CoordinatorRecord[] {
    const records: CoordinatorRecord[] = []
    for (const [groupId, topic, partition] of this.#committed.entries()) {
      if (isDeleted(topic)) records.push(tombstone({ groupId, topic, partition }))
    }
    return records
  }

  /** The tombstones of a group's offsets that are past their time, and whether all of them are. */
  expired(group: Group): { records: CoordinatorRecord[]; areAll: boolean } {
    const { groupId } = group
    const now = this.#context.now()
    const records: CoordinatorRecord[] = []
    let areAll = !this.#pending.hasGroup(groupId)
    for (const [topic, partitions] of this.#committed.ofGroup(groupId) ?? []) {
      const isInUse = group.isSubscribedTo(topic)
      for (const [partition, offset] of partitions) {
        const isPending = this.#pending.has(groupId, topic, partition)
        if (isInUse || isPending || !this.#isExpired(group, offset, now)) areAll = false
        else records.push(tombstone({ groupId, topic, partition }))
      }
    }
    return { records, areAll }
  }

  #isExpired(group: Group, offset: CommittedOffset, now: number): boolean {
    const base = group.offsetExpirationBase(offset.commitTimestamp)
    if (base === undefined) return false
    if (offset.expireTimestamp !== NO_TIMESTAMP) return now >= offset.expireTimestamp
    return now - base >= this.#config.offsetsRetentionMinutes * MINUTE_MS
  }

  replay(
    key: OffsetKey,
    value: OffsetRecordValue | null,
    recordOffset: number,
    producer: TransactionalProducer | undefined,
  ): void {
    const { groupId, topic, partition } = key
    if (value === null) {
      this.#committed.delete(groupId, topic, partition)
      this.#pending.delete(groupId, topic, partition)
      return
    }
    if (this.#groups.get(groupId) === undefined) this.#createGroup(groupId)
    const offset: CommittedOffset = {
      offset: value.offset,
      leaderEpoch: value.leaderEpoch ?? -1,
      metadata: value.metadata,
      commitTimestamp: value.commitTimestamp,
      expireTimestamp: value.expireTimestamp ?? NO_TIMESTAMP,
      recordOffset,
    }
    if (producer === undefined) this.#committed.set(groupId, topic, partition, offset)
    else this.#pending.set(producer.producerId, key, offset)
  }

  replayEndOfTransaction({ producerId }: TransactionalProducer, isCommit: boolean): void {
    const offsets = this.#pending.take(producerId)
    if (offsets === undefined || !isCommit) return
    for (const [groupId, topic, partition, offset] of offsets.entries()) {
      const known = this.#committed.get(groupId, topic, partition)
      // A plain commit after the transactional one counts, though the transaction ends later.
      if (known !== undefined && known.recordOffset > offset.recordOffset) continue
      this.#committed.set(groupId, topic, partition, offset)
    }
  }
}

function tombstone({ groupId, topic, partition }: OffsetKey): CoordinatorRecord {
  return OffsetCommitRecord.of({ group: groupId, topic, partition }, null)
}

function fetched(
  partitionIndex: number,
  offset: CommittedOffset | undefined,
  errorCode: number,
): FetchedOffset {
  return {
    partitionIndex,
    committedOffset: offset?.offset ?? -1,
    committedLeaderEpoch: offset?.leaderEpoch ?? -1,
    metadata: offset?.metadata ?? '',
    errorCode,
  }
}
