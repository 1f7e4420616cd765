/**
 * Members that speak the classic protocol in a consumer group, as they do while its members move
 * from one protocol to the other. To them the member epoch is a generation, and a step of
 * reconciliation is a rebalance: they join, sync, and are told REBALANCE_IN_PROGRESS when there is
 * a next step. Nobody is their leader and nobody waits for the others, since the coordinator
 * assigns.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import {
  type ConsumerSubscription,
  decodeConsumerSubscription,
} from '../../../protocol/consumer-protocol.ts'
import type { HeartbeatRequest } from '../../../protocol/messages/heartbeat.ts'
import type { JoinGroupRequest } from '../../../protocol/messages/join-group.ts'
import type { SyncGroupRequest } from '../../../protocol/messages/sync-group.ts'
import type { CoordinatorEffects, CoordinatorResult } from '../../runtime/coordinator-shard.ts'
import { CONSUMER_PROTOCOL_TYPE } from '../classic/classic-group.ts'
import type { LeavingMember } from '../classic/classic-groups.ts'
import type { JoinResponse, SyncResponse } from '../classic/classic-member.ts'
import { failedJoin, type MemberContext, rebalanceTimeoutOf } from '../classic/joining.ts'
import { hasPartition, partitionsOf } from './assignment.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import {
  type ClassicMemberMetadata,
  type ConsumerGroupMember,
  isSameSubscription,
  MemberState,
  usesClassicProtocol,
} from './consumer-group-member.ts'
import { applyRecord } from './consumer-group-replay.ts'
import type { Membership } from './membership.ts'
import { byTopicId, downgrade, encodeAssignment } from './migration.ts'

/** From this version on a new member is given an id first, and joins with it (KIP-394). */
const KNOWN_MEMBER_ID_VERSION = 4

export class ClassicProtocol {
  readonly #membership: Membership

  constructor(membership: Membership) {
    this.#membership = membership
  }

  /**
   * JoinGroup, into a consumer group that is not empty. Throws KafkaError GROUP_MAX_SIZE_REACHED,
   * INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, INVALID_SESSION_TIMEOUT.
   */
  join(
    group: ConsumerGroup,
    request: JoinGroupRequest,
    context: MemberContext,
  ): CoordinatorResult<JoinResponse> {
    const { groupInstanceId: instanceId, sessionTimeoutMs } = request
    this.#validateSessionTimeout(sessionTimeoutMs)
    const isNew = request.memberId === ''
    const memberId = isNew ? this.#membership.newMemberId() : request.memberId
    this.#membership.requireRoom(group, memberId, instanceId)
    requireCommonProtocol(group, memberId, request)
    if (isNew && instanceId === null && context.apiVersion >= KNOWN_MEMBER_ID_VERSION) {
      return { records: [], response: failedJoin('MEMBER_ID_REQUIRED', memberId) }
    }
    const isJoining = instanceId === null || isNew
    const identity = { memberId, instanceId, isClassic: true, isJoining }
    const { before, replaced } = this.#membership.find(group, identity)
    const subscription = decodeConsumerSubscription(request.protocols[0]!.metadata)
    const { topics } = this.#membership.options
    const after = updated(before, request, subscription, context)
    const result = this.#membership.change({
      ...{ group, before, replaced, after },
      owned: byTopicId(subscription.ownedPartitions, topics),
    })
    const response = {
      errorCode: 0,
      memberId,
      generationId: result.member.memberEpoch,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: request.protocols[0]!.name,
      leader: '',
      members: [],
    }
    if (replaced !== undefined) {
      const mustRebalance = !isSameSubscription(before, after)
      const effects = this.#downgradeAfter(group, replaced, result.records, mustRebalance)
      if (effects !== undefined) return { ...effects, response }
    }
    const { groupId } = group
    this.#membership.timers.cancel('join', groupId, memberId)
    this.#membership.renewSession(groupId, memberId, sessionTimeoutMs)
    this.#limit('sync', groupId, memberId, rebalanceTimeoutOf(request))
    return { records: result.records, response }
  }

  /** The last member of the new protocol may have come back, as a static member, with the old. */
  #downgradeAfter(
    group: ConsumerGroup,
    replaced: ConsumerGroupMember,
    records: CoordinatorEffects['records'],
    mustRebalance: boolean,
  ): CoordinatorEffects | undefined {
    if (usesClassicProtocol(replaced)) return undefined
    const next = group.copy()
    for (const record of records) applyRecord(next, record)
    const members = [...next.members.values()]
    if (!this.#membership.mayDowngrade(members)) return undefined
    const effects = downgrade(next, { ...this.#membership.options, members, mustRebalance })
    return { ...effects, records: [...records, ...effects.records] }
  }

  /**
   * SyncGroup. Throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
   * INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS.
   */
  sync(group: ConsumerGroup, request: SyncGroupRequest): CoordinatorResult<SyncResponse> {
    const member = requireMember(group, request)
    const metadata = requireClassic(member)
    requireGeneration(member, request.generationId)
    requireSameProtocol(member, metadata, request)
    const isBehind = group.groupEpoch > member.memberEpoch
    // Who is giving partitions back has joined already, and finishes that first.
    if (isBehind && member.state !== MemberState.UNREVOKED_PARTITIONS) {
      this.#expectJoin(group, member)
      throw new KafkaError(
        'REBALANCE_IN_PROGRESS',
        `A new rebalance is triggered in group ${group.groupId} and member ${member.memberId} ` +
          'should rejoin to catch up.',
      )
    }
    const { groupId } = group
    const { memberId } = member
    this.#membership.timers.cancel('sync', groupId, memberId)
    this.#membership.renewSession(groupId, memberId, metadata.sessionTimeoutMs)
    const { topics } = this.#membership.options
    const subscription = metadata.supportedProtocols[0]!.metadata
    const assignment = encodeAssignment(member.assignedPartitions, subscription, topics)
    const { protocolType, protocolName } = request
    return { records: [], response: { errorCode: 0, protocolType, protocolName, assignment } }
  }

  /** Heartbeat. Throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION. */
  heartbeat(group: ConsumerGroup, request: HeartbeatRequest): { errorCode: number } {
    const member = requireMember(group, request)
    const metadata = requireClassic(member)
    requireGeneration(member, request.generationId)
    const { groupId } = group
    this.#membership.renewSession(groupId, member.memberId, metadata.sessionTimeoutMs)
    const { state, memberEpoch } = member
    const mustJoin =
      memberEpoch < group.groupEpoch ||
      state === MemberState.UNREVOKED_PARTITIONS ||
      (state === MemberState.UNRELEASED_PARTITIONS && !isWaitingForOthers(group, member))
    if (!mustJoin) return { errorCode: ErrorCode.NONE }
    this.#expectJoin(group, member)
    return { errorCode: ErrorCode.REBALANCE_IN_PROGRESS }
  }

  /** LeaveGroup. Takes members out; says of each what became of it, in order. */
  leave(group: ConsumerGroup, leaving: readonly LeavingMember[]): CoordinatorResult<number[]> {
    const members = new Set<ConsumerGroupMember>()
    const response = leaving.map(({ memberId, groupInstanceId }) => {
      try {
        // An administrator names a static member by its instance only.
        const holder = groupInstanceId === null ? undefined : group.staticMember(groupInstanceId)
        const id = memberId === '' ? (holder?.memberId ?? '') : memberId
        const member = requireMember(group, { memberId: id, groupInstanceId })
        requireClassic(member)
        members.add(member)
        return ErrorCode.NONE
      } catch (error) {
        if (error instanceof KafkaError) return error.code
        throw error
      }
    })
    if (members.size === 0) return { records: [], response }
    return { ...this.#membership.remove(group, [...members]), response }
  }

  #validateSessionTimeout(sessionTimeoutMs: number): void {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#membership.options.classicConfig
    if (sessionTimeoutMs >= minSessionTimeoutMs && sessionTimeoutMs <= maxSessionTimeoutMs) return
    throw new KafkaError('INVALID_SESSION_TIMEOUT')
  }

  /** The member is told to join again, and has the time of a rebalance for it. */
  #expectJoin({ groupId }: ConsumerGroup, { memberId, rebalanceTimeoutMs }: ConsumerGroupMember) {
    if (this.#membership.timers.isSet('join', groupId, memberId)) return
    this.#limit('join', groupId, memberId, rebalanceTimeoutMs)
  }

  #limit(what: 'join' | 'sync', groupId: string, memberId: string, timeoutMs: number): void {
    this.#membership.timers.set(what, groupId, memberId, timeoutMs, () =>
      this.#membership.fence(groupId, memberId),
    )
  }
}

function updated(
  member: ConsumerGroupMember,
  request: JoinGroupRequest,
  subscription: ConsumerSubscription,
  { clientId, clientHost }: MemberContext,
): ConsumerGroupMember {
  return {
    ...member,
    ...{ clientId, clientHost },
    instanceId: request.groupInstanceId ?? member.instanceId,
    rackId: subscription.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutOf(request),
    serverAssignor: null,
    subscribedTopicNames: subscription.topics,
    subscribedTopicRegex: null,
    classicMetadata: {
      sessionTimeoutMs: request.sessionTimeoutMs,
      supportedProtocols: request.protocols.map(({ name, metadata }) => ({ name, metadata })),
    },
  }
}

/** All members of the classic protocol must have one in common. */
function requireCommonProtocol(
  group: ConsumerGroup,
  memberId: string,
  { protocolType, protocols }: JoinGroupRequest,
): void {
  const others = [...group.members.values()].filter(usesClassicProtocol)
  const isCommon = (name: string) =>
    others.every(({ classicMetadata }) =>
      classicMetadata!.supportedProtocols.some((protocol) => protocol.name === name),
    )
  const isSupported =
    protocolType === CONSUMER_PROTOCOL_TYPE && protocols.some(({ name }) => isCommon(name))
  if (isSupported) return
  throw new KafkaError(
    'INCONSISTENT_GROUP_PROTOCOL',
    `Member ${memberId}'s protocols are not supported.`,
  )
}

function requireMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId }: { memberId: string; groupInstanceId: string | null },
): ConsumerGroupMember {
  if (groupInstanceId === null) return group.member(memberId)
  const holder = group.staticMember(groupInstanceId)
  if (holder === undefined) {
    throw new KafkaError(
      'UNKNOWN_MEMBER_ID',
      `Member with instance id ${groupInstanceId} is not a member of group ${group.groupId}.`,
    )
  }
  if (holder.memberId === memberId) return holder
  throw new KafkaError(
    'FENCED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${groupInstanceId} was fenced by member ` +
      `${holder.memberId}.`,
  )
}

function requireClassic({ classicMetadata, memberId }: ConsumerGroupMember): ClassicMemberMetadata {
  if (classicMetadata !== null) return classicMetadata
  const message = `Member ${memberId} does not use the classic protocol.`
  throw new KafkaError('UNKNOWN_MEMBER_ID', message)
}

function requireGeneration({ memberId, memberEpoch }: ConsumerGroupMember, received: number): void {
  if (received === memberEpoch) return
  throw new KafkaError(
    'ILLEGAL_GENERATION',
    `The request generation id ${received} is not equal to the member epoch ${memberEpoch} ` +
      `of member ${memberId}.`,
  )
}

function requireSameProtocol(
  { memberId }: ConsumerGroupMember,
  { supportedProtocols }: ClassicMemberMetadata,
  { protocolType, protocolName }: SyncGroupRequest,
): void {
  const expected = supportedProtocols[0]!.name
  const refuse = (what: string, received: string, known: string) =>
    new KafkaError(
      'INCONSISTENT_GROUP_PROTOCOL',
      `The protocol ${what} ${received} from member ${memberId} request is not equal to ${known}.`,
    )
  if (protocolType !== null && protocolType !== CONSUMER_PROTOCOL_TYPE) {
    throw refuse('type', protocolType, `the group protocol type ${CONSUMER_PROTOCOL_TYPE}`)
  }
  if (protocolName !== null && protocolName !== expected) {
    const known = `the protocol name ${expected} returned in the join response`
    throw refuse('name', protocolName, known)
  }
}

/** Whether all that the member still is to have is with others. */
function isWaitingForOthers(group: ConsumerGroup, member: ConsumerGroupMember): boolean {
  for (const [topicId, partition] of partitionsOf(group.target(member.memberId))) {
    if (hasPartition(member.assignedPartitions, topicId, partition)) continue
    if (group.ownerOf(topicId, partition) !== undefined) return true
  }
  return false
}
