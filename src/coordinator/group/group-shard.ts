/**
 * One partition of `__consumer_offsets`: the groups whose ids fall into it, of all kinds, and their
 * offsets. It gives each request to the part that knows the group's kind, and each record to the
 * part that wrote it.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { Random } from '../../common/random.ts'
import type { HeartbeatRequest } from '../../protocol/messages/heartbeat.ts'
import type { JoinGroupRequest } from '../../protocol/messages/join-group.ts'
import type { ListGroups } from '../../protocol/messages/list-groups.ts'
import type { SyncGroupRequest } from '../../protocol/messages/sync-group.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts'
import type {
  CoordinatorEffects,
  CoordinatorResult,
  CoordinatorShard,
  ShardContext,
  TransactionalProducer,
} from '../runtime/coordinator-shard.ts'
import { ClassicGroup } from './classic/classic-group.ts'
import { ClassicGroups, type LeavingMember } from './classic/classic-groups.ts'
import type { JoinResponse, SyncResponse } from './classic/classic-member.ts'
import type { MemberContext } from './classic/joining.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import { isConsumerGroupRecord } from './consumer/consumer-group-replay.ts'
import { ConsumerGroups } from './consumer/consumer-groups.ts'
import { GroupTable } from './group.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import {
  GroupMetadataRecord,
  LegacyOffsetCommitRecord,
  OffsetCommitRecord,
} from './group-records.ts'
import {
  GroupOffsets,
  type OffsetsToCommit,
  type PartitionOutcomes,
} from './offsets/group-offsets.ts'
import { ShareGroups } from './share/share-groups.ts'
import type { TopicImage } from './topic-image.ts'

export interface GroupShardOptions {
  readonly context: ShardContext
  readonly config: GroupCoordinatorConfig
  readonly random: Random
  readonly topics: TopicImage
}

type ListedGroup = ResponseInput<typeof ListGroups>['groups'][number]

export class GroupShard implements CoordinatorShard {
  readonly #context: ShardContext
  readonly #config: GroupCoordinatorConfig
  readonly #groups = new GroupTable()
  readonly classic: ClassicGroups
  readonly offsets: GroupOffsets
  readonly consumer: ConsumerGroups
  readonly share: ShareGroups

  constructor({ context, config, random, topics }: GroupShardOptions) {
    this.#context = context
    this.#config = config
    const groups = this.#groups
    this.classic = new ClassicGroups({ context, config, groups, random })
    this.offsets = new GroupOffsets({
      ...{ context, config, groups },
      createGroup: (groupId) => this.classic.getOrCreate(groupId),
    })
    this.consumer = new ConsumerGroups({
      ...{ context, groups, topics, random },
      config: config.consumer,
      classicConfig: config,
      rebalance: this.classic.rebalance,
    })
    this.share = new ShareGroups({ context, config: config.share, groups, topics })
  }

  join(request: JoinGroupRequest, member: MemberContext): CoordinatorResult<JoinResponse> {
    const group = this.#groups.get(request.groupId)
    if (!(group instanceof ConsumerGroup)) return this.classic.join(request, member)
    if (!group.isEmpty) return this.consumer.classicProtocol.join(group, request, member)
    // Nobody is left who speaks the newer protocol.
    this.#groups.delete(request.groupId)
    const result = this.classic.join(request, member)
    return { ...result, records: [...group.tombstones(), ...result.records], isApplied: true }
  }

  sync(request: SyncGroupRequest): CoordinatorResult<SyncResponse> {
    const group = this.#groups.get(request.groupId)
    if (!(group instanceof ConsumerGroup)) return this.classic.sync(request)
    return this.consumer.classicProtocol.sync(group, request)
  }

  heartbeat(request: HeartbeatRequest): CoordinatorResult<{ errorCode: number }> {
    const group = this.#groups.get(request.groupId)
    const isConsumer = group instanceof ConsumerGroup
    const response = isConsumer
      ? this.consumer.classicProtocol.heartbeat(group, request)
      : this.classic.heartbeat(request)
    return { records: [], response }
  }

  leave(groupId: string, members: readonly LeavingMember[]): CoordinatorResult<number[]> {
    const group = this.#groups.get(groupId)
    if (!(group instanceof ConsumerGroup)) return this.classic.leave(groupId, members)
    return this.consumer.classicProtocol.leave(group, members)
  }

  /** OffsetCommit and TxnOffsetCommit. */
  commitOffsets(request: OffsetsToCommit): CoordinatorResult<PartitionOutcomes[]> {
    const result = this.offsets.commit(request)
    const { groupId, committer } = request
    const group = this.#groups.get(groupId)
    const isPlain = !committer.isTransactional && group instanceof ClassicGroup
    if (isPlain) this.classic.noteCommit(group, committer.memberId)
    return result
  }

  /** Those in one of the states and of one of the types; empty lists let all through. */
  list(states: ReadonlySet<string>, types: ReadonlySet<string>): ListedGroup[] {
    const listed: ListedGroup[] = []
    for (const { groupId, protocolType, stateName, type } of this.#groups.values()) {
      if (states.size > 0 && !states.has(stateName.toLowerCase())) continue
      if (types.size > 0 && !types.has(type)) continue
      listed.push({ groupId, protocolType, groupState: stateName, groupType: type })
    }
    return listed
  }

  /** DeleteGroups: the group with its offsets. Answers with an error code. */
  delete(groupId: string): CoordinatorResult<number> {
    const group = this.#groups.get(groupId)
    if (group === undefined) return { records: [], response: ErrorCode.GROUP_ID_NOT_FOUND }
    try {
      group.validateDelete()
    } catch (error) {
      if (error instanceof KafkaError) return { records: [], response: error.code }
      throw error
    }
    const records = [...this.offsets.tombstonesOf(groupId), ...group.tombstones()]
    return { records, response: ErrorCode.NONE, isDivisible: true }
  }

  /** Topics were deleted: nobody shall find their offsets in topics of the same names. */
  onTopicsDeleted(names: ReadonlySet<string>): CoordinatorEffects {
    const offsets = this.offsets.tombstonesOfTopics((topic) => names.has(topic))
    const records = [...offsets, ...this.share.onTopicsDeleted(names).records]
    return { records, isDivisible: true }
  }

  replay(record: CoordinatorRecord, offset: number, producer?: TransactionalProducer): void {
    if (OffsetCommitRecord.is(record)) {
      const { group: groupId, topic, partition } = record.key
      this.offsets.replay({ groupId, topic, partition }, record.value, offset, producer)
    } else if (LegacyOffsetCommitRecord.is(record)) {
      const { group: groupId, topic, partition } = record.key
      this.offsets.replay({ groupId, topic, partition }, record.value, offset, producer)
    } else if (GroupMetadataRecord.is(record)) {
      this.classic.replay(record.key.group, record.value)
    } else if (isConsumerGroupRecord(record)) {
      this.consumer.replay(record)
    } else {
      this.share.replay(record)
    }
  }

  replayEndOfTransaction(producer: TransactionalProducer, isCommit: boolean): void {
    this.offsets.replayEndOfTransaction(producer, isCommit)
  }

  onLoaded(): void {
    this.classic.onLoaded()
    this.consumer.onLoaded()
    this.share.onLoaded()
    this.#scheduleExpiry()
  }

  onUnloaded(): void {
    this.classic.onUnloaded()
  }

  #scheduleExpiry(): void {
    const { offsetsRetentionCheckIntervalMs } = this.#config
    this.#context.timers.schedule('offset expiry', offsetsRetentionCheckIntervalMs, () => {
      this.#scheduleExpiry()
      return { records: this.#expired(), isDivisible: true }
    })
  }

  /** Offsets past their time, and groups that nothing is left of. */
  #expired(): CoordinatorRecord[] {
    const expired: CoordinatorRecord[] = []
    for (const group of this.#groups.values()) {
      const { records, areAll } = this.offsets.expired(group)
      expired.push(...records)
      // A share group stays: it has no offsets here, but state with the share coordinator.
      if (areAll && group.isEmpty && group.type !== 'share') expired.push(...group.tombstones())
    }
    return expired
  }
}
