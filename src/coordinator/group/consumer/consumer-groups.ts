/**
 * What members and administrators of consumer groups (KIP-848) ask for: ConsumerGroupHeartbeat and
 * ConsumerGroupDescribe. One object serves all consumer groups of a partition.
 *
 * The coordinator assigns: a member says what it subscribes to and what it has, and is told what it
 * is to have; heartbeat by heartbeat members come to the target, each at its own pace. Members of
 * the classic protocol may be in the same group: see classic-protocol.ts.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import type { ConsumerGroupHeartbeat } from '../../../protocol/messages/consumer-group-heartbeat.ts'
import type { ResponseInput } from '../../../protocol/schema.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { CoordinatorEffects, CoordinatorResult } from '../../runtime/coordinator-shard.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import type { MemberContext } from '../classic/joining.ts'
import { ConsumerGroupMemberMetadataRecord, ConsumerGroupMetadataRecord } from '../group-records.ts'
import { fromAssignment, isSameAssignment, toAssignment } from './assignment.ts'
import { ClassicProtocol } from './classic-protocol.ts'
import { ConsumerGroup } from './consumer-group.ts'
import {
  type ConsumerGroupMember,
  currentAssignmentRecord,
  isReconciledTo,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  STATIC_LEAVE_EPOCH,
} from './consumer-group-member.ts'
import { applyRecord } from './consumer-group-replay.ts'
import { type DescribedConsumerGroup, describeGroup } from './describe-group.ts'
import type { MemberChangeResult } from './group-change.ts'
import {
  type HeartbeatRequest,
  validateHeartbeat,
  validateMemberEpoch,
} from './heartbeat-validation.ts'
import { type ConsumerGroupsOptions, Membership } from './membership.ts'
import { upgrade } from './migration.ts'

export type { ConsumerGroupConfig } from './consumer-group-config.ts'
export type { HeartbeatRequest } from './heartbeat-validation.ts'
export type HeartbeatResponse = ResponseInput<typeof ConsumerGroupHeartbeat>

/**
 * Members of a group that is changing are told to come back soon rather than after the interval
 * that is configured: each step of a change takes a heartbeat of everybody concerned, and with the
 * usual five seconds a member that joins would wait for several of these. Clients follow whatever
 * interval the last answer names. Changes come in bursts (a fleet starts, or is restarted one by
 * one), so a group counts as changing for a while after the last one.
 */
const SETTLING_MS = 10_000
const QUICK_HEARTBEAT_MS = 250
/** With many members the quick interval is longer: one partition has this much time for each. */
const QUICK_HEARTBEAT_MS_PER_MEMBER = 10

/** A group to join, as it will be once `records` are replayed. */
interface Joinable extends Pick<CoordinatorEffects, 'onCommitted'> {
  readonly group: ConsumerGroup
  readonly records: readonly CoordinatorRecord[]
}

export class ConsumerGroups {
  readonly #options: ConsumerGroupsOptions
  readonly #membership: Membership
  /** Joining, syncing, heartbeats and leaving in the classic protocol, for consumer groups. */
  readonly classicProtocol: ClassicProtocol
  #memberCount = 0
  #isLoaded = false

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options
    this.#membership = new Membership(options)
    this.classicProtocol = new ClassicProtocol(this.#membership)
  }

  /**
   * ConsumerGroupHeartbeat. Throws KafkaError: INVALID_REQUEST, UNSUPPORTED_ASSIGNOR,
   * INVALID_REGULAR_EXPRESSION, GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID,
   * FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID.
   */
  heartbeat(
    request: HeartbeatRequest,
    context: MemberContext,
  ): CoordinatorResult<HeartbeatResponse> {
    validateHeartbeat(request, context.apiVersion, this.#membership.assignors)
    const { groupId, memberEpoch, instanceId, topicPartitions } = request
    if (memberEpoch < JOIN_EPOCH) return this.#leave(request)
    const isJoining = memberEpoch === JOIN_EPOCH
    const { group, records, onCommitted } = isJoining
      ? this.#toJoin(groupId)
      : { group: this.#existing(groupId), records: [] }
    this.#membership.requireRoom(group, request.memberId, instanceId)
    const memberId = request.memberId === '' ? this.#membership.newMemberId() : request.memberId
    const identity = { memberId, instanceId, isClassic: false, isJoining }
    const { before, replaced } = this.#membership.find(group, identity)
    if (!isJoining) validateMemberEpoch(before, request)
    const result = this.#membership.change({
      ...{ group, before, replaced },
      after: updated(before, request, context),
      owned: topicPartitions === null ? undefined : toAssignment(topicPartitions),
    })
    this.#membership.renewSession(groupId, memberId, this.#options.config.sessionTimeoutMs(groupId))
    return {
      records: [...records, ...result.records],
      response: this.#response(request, group, before, result),
      ...(onCommitted && { onCommitted }),
    }
  }

  #response(
    request: HeartbeatRequest,
    group: ConsumerGroup,
    before: ConsumerGroupMember,
    result: MemberChangeResult,
  ): HeartbeatResponse {
    const { member } = result
    const { memberId, memberEpoch, assignedPartitions } = member
    const isTold =
      isFullRequest(request) || !isSameAssignment(before.assignedPartitions, assignedPartitions)
    return {
      errorCode: 0,
      memberId,
      memberEpoch,
      heartbeatIntervalMs: this.#heartbeatIntervalMs(group, result),
      assignment: isTold ? { topicPartitions: fromAssignment(assignedPartitions) } : null,
    }
  }

  /** See SETTLING_MS. */
  #heartbeatIntervalMs(group: ConsumerGroup, result: MemberChangeResult): number {
    const { config, context } = this.#options
    const configured = config.heartbeatIntervalMs(group.groupId)
    const isSettling =
      result.groupEpoch !== group.groupEpoch || context.now() - group.changedAt < SETTLING_MS
    if (!isSettling && isReconciledTo(result.member, result.targetEpoch)) return configured
    const shared = this.#memberCount * QUICK_HEARTBEAT_MS_PER_MEMBER
    return Math.min(configured, Math.max(QUICK_HEARTBEAT_MS, shared))
  }

  #leave(request: HeartbeatRequest): CoordinatorResult<HeartbeatResponse> {
    const { groupId, memberId, memberEpoch, instanceId } = request
    const group = this.#existing(groupId)
    const identity = { memberId, instanceId, isClassic: false, isJoining: false }
    const { before: member } = this.#membership.find(group, identity)
    const response = { errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 }
    if (memberEpoch === LEAVE_EPOCH) {
      return { ...this.#membership.remove(group, [member]), response }
    }
    // Its partitions are kept until its session is over, which goes on.
    const away: ConsumerGroupMember = {
      ...member,
      memberEpoch: STATIC_LEAVE_EPOCH,
      partitionsPendingRevocation: new Map(),
    }
    return { records: [currentAssignmentRecord(groupId, away)], response }
  }

  /** The group, or a new one; a classic group turns into one. Throws GROUP_ID_NOT_FOUND. */
  #toJoin(groupId: string): Joinable {
    const { groups, config, topics, rebalance } = this.#options
    const known = groups.get(groupId)
    if (known === undefined) return { group: new ConsumerGroup(groupId), records: [] }
    if (known instanceof ConsumerGroup) return { group: known, records: [] }
    if (!(known instanceof ClassicGroup)) throw notConsumer(groupId)
    if (known.isEmpty) return { group: new ConsumerGroup(groupId), records: known.tombstones() }
    const { migrationPolicy, maxSize } = config
    return {
      ...upgrade(known, topics, { migrationPolicy, maxSize }),
      onCommitted: () => {
        rebalance.dissolve(known, ErrorCode.REBALANCE_IN_PROGRESS)
        const successor = groups.get(groupId)
        if (successor instanceof ConsumerGroup) this.#membership.startTimers(successor)
      },
    }
  }

  #existing(groupId: string): ConsumerGroup {
    const group = this.#options.groups.get(groupId)
    if (group instanceof ConsumerGroup) return group
    if (group !== undefined) throw notConsumer(groupId)
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
  }

  /** ConsumerGroupDescribe, of one group. */
  describe(groupId: string): DescribedConsumerGroup {
    const group = this.#options.groups.get(groupId)
    return describeGroup(groupId, group, this.#options.topics, this.#membership.assignors)
  }

  /**
   * Topics were created, deleted, or got more partitions. Groups look when a member is next heard.
   */
  onTopicChange(names: Iterable<string>): void {
    this.#membership.topicChanges.add(names)
  }

  /** Makes the change that a record of a consumer group describes. */
  replay(record: CoordinatorRecord): void {
    const { groupId } = record.key as { groupId: string }
    const group = this.#toReplay(groupId, record.value !== null)
    if (group === undefined) return
    const sizeBefore = group.members.size
    applyRecord(group, record)
    this.#memberCount += group.members.size - sizeBefore
    if (ConsumerGroupMemberMetadataRecord.is(record) && record.value === null) {
      this.#membership.timers.cancelAll(groupId, record.key.memberId)
    } else if (ConsumerGroupMetadataRecord.is(record)) {
      if (record.value === null) this.#forget(group)
      else if (this.#isLoaded) this.#noteNewEpoch(group)
    }
  }

  #toReplay(groupId: string, mayCreate: boolean): ConsumerGroup | undefined {
    const { groups } = this.#options
    const known = groups.get(groupId)
    if (known instanceof ConsumerGroup) return known
    if (!mayCreate) return undefined
    const group = new ConsumerGroup(groupId)
    groups.set(group)
    return group
  }

  #forget(group: ConsumerGroup): void {
    this.#memberCount -= group.members.size
    this.#options.groups.delete(group.groupId)
  }

  #noteNewEpoch(group: ConsumerGroup): void {
    group.checkedTopicsVersion = this.#membership.topicChanges.version
    group.changedAt = this.#options.context.now()
  }

  /** The log has been read to its end: sessions begin. */
  onLoaded(): void {
    this.#isLoaded = true
    for (const group of this.#options.groups.values()) {
      if (!(group instanceof ConsumerGroup)) continue
      group.rebuildOwners()
      this.#membership.startTimers(group)
    }
  }
}

function updated(
  member: ConsumerGroupMember,
  request: HeartbeatRequest,
  { clientId, clientHost }: MemberContext,
): ConsumerGroupMember {
  const { instanceId, rackId, rebalanceTimeoutMs, serverAssignor } = request
  return {
    ...member,
    ...{ clientId, clientHost },
    instanceId: instanceId ?? member.instanceId,
    rackId: rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: serverAssignor ?? member.serverAssignor,
    subscribedTopicNames: request.subscribedTopicNames ?? member.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
    classicMetadata: null,
  }
}

/** A member that says everything, as after an error, wants to be told everything. */
function isFullRequest(request: HeartbeatRequest): boolean {
  const { memberEpoch, rebalanceTimeoutMs, topicPartitions } = request
  if (memberEpoch === JOIN_EPOCH) return true
  const saysSubscription =
    request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null
  return rebalanceTimeoutMs !== -1 && saysSubscription && topicPartitions !== null
}

function notConsumer(groupId: string): KafkaError {
  return new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
}
