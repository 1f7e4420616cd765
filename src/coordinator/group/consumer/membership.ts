/**
 * What members of consumer groups have in common, whichever protocol they speak: who they are, how
 * they change and go, how long they may be silent.
 */
import { KafkaError } from '../../../common/errors.ts'
import type { Random } from '../../../common/random.ts'
import type { CoordinatorEffects, ShardContext } from '../../runtime/coordinator-shard.ts'
import type { ClassicRebalance } from '../classic/classic-rebalance.ts'
import type { GroupTable } from '../group.ts'
import type { GroupCoordinatorConfig } from '../group-config.ts'
import { randomUuid } from '../member-id.ts'
import type { TopicImage } from '../topic-image.ts'
import { assignorsByName } from './assignors/index.ts'
import type { PartitionAssignor } from './assignors/partition-assignor.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupConfig } from './consumer-group-config.ts'
import {
  type ConsumerGroupMember,
  MemberState,
  newMember,
  STATIC_LEAVE_EPOCH,
  usesClassicProtocol,
} from './consumer-group-member.ts'
import {
  changeMember,
  type GroupEnvironment,
  type MemberChange,
  type MemberChangeResult,
  removeMembers,
} from './group-change.ts'
import { MemberTimers } from './member-timers.ts'
import { downgrade, mayDowngrade } from './migration.ts'
import { TopicChanges } from './topic-changes.ts'

export interface ConsumerGroupsOptions {
  readonly context: ShardContext
  readonly config: ConsumerGroupConfig
  readonly classicConfig: GroupCoordinatorConfig
  readonly groups: GroupTable
  readonly topics: TopicImage
  readonly random: Random
  /** For groups that become classic groups. */
  readonly rebalance: ClassicRebalance
}

/** Who a request says it is from. */
export interface MemberIdentity {
  readonly memberId: string
  readonly instanceId: string | null
  readonly isClassic: boolean
  /** It may be new. */
  readonly isJoining: boolean
}

/** After how long members whose removal could not be recorded are removed again. */
const RETRY_MS = 1000

export class Membership {
  readonly options: ConsumerGroupsOptions
  readonly timers: MemberTimers
  /** In the order of the configuration. */
  readonly assignors: readonly PartitionAssignor[]
  readonly topicChanges = new TopicChanges()

  constructor(options: ConsumerGroupsOptions) {
    this.options = options
    this.timers = new MemberTimers(options.context.timers)
    this.assignors = options.config.assignors.flatMap(
      (name) => Object.values(assignorsByName).find((assignor) => assignor.name === name) ?? [],
    )
    if (this.assignors.length === 0) throw new Error('no assignor is configured that is known')
  }

  environment(): GroupEnvironment {
    const { topics, context } = this.options
    return { topics, assignors: this.assignors, now: context.now() }
  }

  newMemberId(): string {
    return randomUuid(this.options.random)
  }

  /** Throws KafkaError GROUP_MAX_SIZE_REACHED for one who would be one too many. */
  requireRoom(group: ConsumerGroup, memberId: string, instanceId: string | null): void {
    const { maxSize } = this.options.config
    if (group.members.size < maxSize || group.members.has(memberId)) return
    if (instanceId !== null && group.staticMember(instanceId) !== undefined) return
    throw new KafkaError(
      'GROUP_MAX_SIZE_REACHED',
      `The consumer group has reached its maximum capacity of ${maxSize} members.`,
    )
  }

  /**
   * The member that sends a request, and the one whose place it takes. Throws KafkaError
   * UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID.
   */
  find(
    group: ConsumerGroup,
    { memberId, instanceId, isClassic, isJoining }: MemberIdentity,
  ): { before: ConsumerGroupMember; replaced?: ConsumerGroupMember } {
    const holder = instanceId === null ? undefined : group.staticMember(instanceId)
    if (!isJoining) {
      if (instanceId === null) return { before: group.member(memberId) }
      return { before: requireHolder(holder, memberId, instanceId) }
    }
    if (holder === undefined || holder.memberId === memberId) {
      return { before: group.members.get(memberId) ?? newMember(memberId) }
    }
    const bothKnowEpochs = !isClassic && !usesClassicProtocol(holder)
    if (bothKnowEpochs && holder.memberEpoch !== STATIC_LEAVE_EPOCH) {
      throw new KafkaError(
        'UNRELEASED_INSTANCE_ID',
        `Static member ${memberId} with instance id ${instanceId} cannot join the group because ` +
          `the instance id is owned by ${holder.memberId} member.`,
      )
    }
    const before = { ...holder, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
    return { before, replaced: holder }
  }

  /**
   * See `changeMember`. Sets the timer of a rebalance that begins, ends that of one that is over.
   */
  change(change: Omit<MemberChange, 'changedTopics'>): MemberChangeResult {
    const { group } = change
    const changedTopics = this.topicChanges.since(group.checkedTopicsVersion)
    const result = changeMember({ ...change, changedTopics }, this.environment())
    // Otherwise that is noted when the new epoch is replayed.
    if (result.groupEpoch === group.groupEpoch) {
      group.checkedTopicsVersion = this.topicChanges.version
    }
    if (!usesClassicProtocol(result.member)) this.#limitRevocation(group, change, result)
    return result
  }

  #limitRevocation(
    { groupId }: ConsumerGroup,
    { after }: Pick<MemberChange, 'after'>,
    { member }: MemberChangeResult,
  ): void {
    const { memberId, memberEpoch, state, rebalanceTimeoutMs } = member
    if (state !== MemberState.UNREVOKED_PARTITIONS) {
      this.timers.cancel('rebalance', groupId, memberId)
    } else if (member !== after || !this.timers.isSet('rebalance', groupId, memberId)) {
      this.timers.set('rebalance', groupId, memberId, rebalanceTimeoutMs, () => {
        const now = this.#consumerGroup(groupId)?.members.get(memberId)
        const isStuck = now?.state === state && now.memberEpoch === memberEpoch
        return isStuck ? this.fence(groupId, memberId) : undefined
      })
    }
  }

  /** Gives a member a session anew, because it has been heard of. */
  renewSession(groupId: string, memberId: string, timeoutMs: number): void {
    this.timers.set('session', groupId, memberId, timeoutMs, () => this.fence(groupId, memberId))
  }

  sessionTimeoutOf(groupId: string, { classicMetadata }: ConsumerGroupMember): number {
    return classicMetadata?.sessionTimeoutMs ?? this.options.config.sessionTimeoutMs(groupId)
  }

  /** After a restart or a move: sessions begin anew, and what must be given back has its time. */
  startTimers(group: ConsumerGroup): void {
    const { groupId } = group
    for (const member of group.members.values()) {
      this.renewSession(groupId, member.memberId, this.sessionTimeoutOf(groupId, member))
      if (usesClassicProtocol(member)) continue
      const result = { member, records: [], groupEpoch: 0, targetEpoch: 0 }
      this.#limitRevocation(group, { after: member }, result)
    }
  }

  /** Takes a member out that has not done what it should have in time. */
  fence(groupId: string, memberId: string): CoordinatorEffects | undefined {
    const group = this.#consumerGroup(groupId)
    const member = group?.members.get(memberId)
    if (group === undefined || member === undefined) return undefined
    const onFailed = () => this.renewSession(groupId, memberId, RETRY_MS)
    return { ...this.remove(group, [member]), onFailed }
  }

  /** Takes members out. The group becomes a classic group if only such members stay. */
  remove(group: ConsumerGroup, members: readonly ConsumerGroupMember[]): CoordinatorEffects {
    const isLeaving = new Set(members)
    const others = [...group.members.values()].filter((member) => !isLeaving.has(member))
    if (!members.every(usesClassicProtocol) && this.mayDowngrade(others)) {
      return downgrade(group, { ...this.options, members: others, mustRebalance: true })
    }
    const memberIds = members.map(({ memberId }) => memberId)
    const changedTopics = this.topicChanges.since(group.checkedTopicsVersion)
    return { records: removeMembers(group, memberIds, changedTopics, this.environment()) }
  }

  /** Whether a consumer group of these members may become a classic group. */
  mayDowngrade(members: readonly ConsumerGroupMember[]): boolean {
    const { config, classicConfig } = this.options
    const { migrationPolicy } = config
    return mayDowngrade(members, { migrationPolicy, maxSize: classicConfig.maxGroupSize })
  }

  #consumerGroup(groupId: string): ConsumerGroup | undefined {
    const group = this.options.groups.get(groupId)
    return group?.type === 'consumer' ? (group as ConsumerGroup) : undefined
  }
}

function requireHolder(
  holder: ConsumerGroupMember | undefined,
  memberId: string,
  instanceId: string,
): ConsumerGroupMember {
  if (holder === undefined) {
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  }
  if (holder.memberId === memberId) return holder
  throw new KafkaError(
    'FENCED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ` +
      `${holder.memberId}.`,
  )
}
