/**
 * What members and administrators of classic groups ask for: JoinGroup, SyncGroup, Heartbeat,
 * LeaveGroup, DescribeGroups. One object serves all classic groups of a partition.
 *
 * A group is mostly what is in no record, so its state is changed at once; what a record says of it
 * is written when its members have their assignments, and when it is empty again.
 */
import { Completion } from '../../../common/completion.ts'
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import type { Random } from '../../../common/random.ts'
import type { DescribeGroups } from '../../../protocol/messages/describe-groups.ts'
import type { HeartbeatRequest } from '../../../protocol/messages/heartbeat.ts'
import type { JoinGroupRequest } from '../../../protocol/messages/join-group.ts'
import type { SyncGroupRequest } from '../../../protocol/messages/sync-group.ts'
import type { ResponseInput } from '../../../protocol/schema.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { CoordinatorResult, ShardContext } from '../../runtime/coordinator-shard.ts'
import type { GroupTable } from '../group.ts'
import type { GroupCoordinatorConfig } from '../group-config.ts'
import type { GroupMetadataRecord } from '../group-records.ts'
import { randomUuid } from '../member-id.ts'
import { ClassicGroup } from './classic-group.ts'
import { ClassicMember, type JoinResponse, type SyncResponse } from './classic-member.ts'
import { ClassicRebalance } from './classic-rebalance.ts'
import { joinStaticMember } from './classic-static-join.ts'
import {
  failedJoin,
  type Joining,
  type MemberContext,
  rebalanceTimeoutOf,
  updateMember,
  waiting,
} from './joining.ts'

export interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

type DescribedGroup = ResponseInput<typeof DescribeGroups>['groups'][number]
type GroupRecordValue = NonNullable<Parameters<(typeof GroupMetadataRecord)['of']>[1]>

/** From this version on a new member is given an id first, and joins with it (KIP-394). */
const KNOWN_MEMBER_ID_VERSION = 4

export class ClassicGroups {
  readonly #context: ShardContext
  readonly #config: GroupCoordinatorConfig
  readonly #groups: GroupTable
  readonly #random: Random
  readonly rebalance: ClassicRebalance

  constructor(options: {
    context: ShardContext
    config: GroupCoordinatorConfig
    groups: GroupTable
    random: Random
  }) {
    this.#context = options.context
    this.#config = options.config
    this.#groups = options.groups
    this.#random = options.random
    this.rebalance = new ClassicRebalance(options.context, options.config)
  }

  /** The group, made if there is none of this id. Throws where it is of another kind. */
  getOrCreate(groupId: string): ClassicGroup {
    const known = this.#groups.get(groupId)
    if (known instanceof ClassicGroup) return known
    if (known !== undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', notClassic(groupId))
    const group = new ClassicGroup(groupId, this.#context.now())
    this.#groups.set(group)
    return group
  }

  join(request: JoinGroupRequest, context: MemberContext): CoordinatorResult<JoinResponse> {
    const { groupId, memberId, sessionTimeoutMs } = request
    const { minSessionTimeoutMs, maxSessionTimeoutMs, maxGroupSize } = this.#config
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return refuseJoin('INVALID_SESSION_TIMEOUT', memberId)
    }
    if (memberId !== '' && this.#groups.get(groupId) === undefined) {
      return refuseJoin('UNKNOWN_MEMBER_ID', memberId)
    }
    const group = this.getOrCreate(groupId)
    if (!hasRoomFor(group, memberId, maxGroupSize)) {
      group.pendingJoins.delete(memberId)
      return refuseJoin('GROUP_MAX_SIZE_REACHED', '')
    }
    // The request's bytes are a view of memory that is used again.
    const protocols = request.protocols.map(({ name, metadata }) => ({
      name,
      metadata: Buffer.from(metadata),
    }))
    const joining = { request, context, protocols, response: new Completion<JoinResponse>() }
    const result =
      memberId === '' ? this.#joinAsNew(group, joining) : this.#joinAgain(group, joining)
    // The last that a rebalance waited for may have come.
    const completed = this.rebalance.completeIfAllJoined(group)
    return { ...result, records: [...result.records, ...completed] }
  }

  #joinAsNew(group: ClassicGroup, joining: Joining): CoordinatorResult<JoinResponse> {
    const { request, context, protocols } = joining
    const { groupInstanceId, protocolType, sessionTimeoutMs } = request
    if (!group.supportsProtocols(protocolType, protocols)) {
      return refuseJoin('INCONSISTENT_GROUP_PROTOCOL', '')
    }
    const memberId = `${groupInstanceId ?? context.clientId}-${randomUuid(this.#random)}`
    const predecessor = group.staticMemberId(groupInstanceId)
    if (predecessor !== undefined) {
      return joinStaticMember(this.rebalance, group, predecessor, memberId, joining)
    }
    if (groupInstanceId === null && context.apiVersion >= KNOWN_MEMBER_ID_VERSION) {
      this.rebalance.awaitJoin(group, memberId, sessionTimeoutMs)
      return refuseJoin('MEMBER_ID_REQUIRED', memberId)
    }
    return this.#addMember(group, memberId, joining)
  }

  #joinAgain(group: ClassicGroup, joining: Joining): CoordinatorResult<JoinResponse> {
    const { request, protocols } = joining
    const { memberId, groupInstanceId, protocolType } = request
    if (!group.supportsProtocols(protocolType, protocols)) {
      return refuseJoin('INCONSISTENT_GROUP_PROTOCOL', memberId)
    }
    if (group.pendingJoins.has(memberId)) return this.#addMember(group, memberId, joining)
    const member = group.validateMember(memberId, groupInstanceId)
    switch (group.state) {
      case 'PreparingRebalance':
        return this.#updateMember(group, member, joining)
      case 'CompletingRebalance':
        // It has not got the answer to its last JoinGroup, or its subscription has changed.
        if (member.matches(protocols)) return answer(group.joinResponse(memberId))
        return this.#updateMember(group, member, joining)
      case 'Stable': {
        // The leader joins again to have the partitions assigned anew.
        const isChange = group.isLeader(memberId) || !member.matches(protocols)
        if (isChange) return this.#updateMember(group, member, joining)
        return answer<JoinResponse>({ ...group.joinResponse(memberId), members: [] })
      }
      default:
        return refuseJoin('UNKNOWN_MEMBER_ID', memberId)
    }
  }

  #addMember(
    group: ClassicGroup,
    memberId: string,
    joining: Joining,
  ): CoordinatorResult<JoinResponse> {
    const { request, context, protocols, response } = joining
    const member = new ClassicMember({
      ...{ memberId, protocols },
      groupInstanceId: request.groupInstanceId,
      clientId: context.clientId,
      clientHost: context.clientHost,
      rebalanceTimeoutMs: rebalanceTimeoutOf(request),
      sessionTimeoutMs: request.sessionTimeoutMs,
    })
    member.isNew = true
    member.awaitingJoin = response
    if (group.isInitialRebalance) group.newMemberAdded = true
    group.add(member, request.protocolType)
    this.rebalance.renewSession(group, member)
    return waiting(response, this.rebalance.prepareOrComplete(group))
  }

  #updateMember(
    group: ClassicGroup,
    member: ClassicMember,
    joining: Joining,
  ): CoordinatorResult<JoinResponse> {
    updateMember(member, joining)
    return waiting(joining.response, this.rebalance.prepareOrComplete(group))
  }

  sync(request: SyncGroupRequest): CoordinatorResult<SyncResponse> {
    const { groupId, memberId, groupInstanceId, generationId } = request
    const group = this.#existing(groupId)
    const member = group.validateMember(memberId, groupInstanceId)
    if (generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION')
    const { protocolType, protocolName } = group
    if (
      (request.protocolType !== null && request.protocolType !== protocolType) ||
      (request.protocolName !== null && request.protocolName !== protocolName)
    ) {
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    }
    if (group.isIn('PreparingRebalance')) throw new KafkaError('REBALANCE_IN_PROGRESS')
    if (!group.isIn('CompletingRebalance', 'Stable')) throw new KafkaError('UNKNOWN_MEMBER_ID')
    this.rebalance.noteSync(group, memberId)
    if (group.isIn('Stable')) {
      this.rebalance.renewSession(group, member)
      const { assignment } = member
      const { NONE: errorCode } = ErrorCode
      return answer<SyncResponse>({ errorCode, protocolType, protocolName, assignment })
    }
    const response = new Completion<SyncResponse>()
    member.awaitingSync = response
    if (!group.isLeader(memberId)) return waiting(response, [])
    return this.#settleGeneration(group, request, response)
  }

  /** The leader has handed in the assignments: they hold once they are safe. */
  #settleGeneration(
    group: ClassicGroup,
    request: SyncGroupRequest,
    response: Completion<SyncResponse>,
  ): CoordinatorResult<SyncResponse> {
    const assignments = new Map<string, Buffer>()
    for (const memberId of group.members.keys()) assignments.set(memberId, Buffer.alloc(0))
    for (const { memberId, assignment } of request.assignments) {
      if (assignments.has(memberId)) assignments.set(memberId, Buffer.from(assignment))
    }
    const { generationId } = group
    const isStillOn = () => group.isIn('CompletingRebalance') && group.generationId === generationId
    return {
      records: [group.toRecord(assignments)],
      response,
      isApplied: true,
      onCommitted: () => {
        if (!isStillOn()) return
        for (const [memberId, assignment] of assignments) {
          const member = group.members.get(memberId)
          if (member !== undefined) member.assignment = assignment
        }
        group.transitionTo('Stable', this.#context.now())
        this.rebalance.propagateAssignments(group)
      },
      onFailed: (error) => {
        if (!isStillOn()) return
        this.rebalance.resetAssignments(group, error.code)
        this.rebalance.prepare(group)
      },
    }
  }

  heartbeat(request: HeartbeatRequest): { errorCode: number } {
    const { groupId, memberId, groupInstanceId, generationId } = request
    const group = this.#existing(groupId)
    const member = group.validateMember(memberId, groupInstanceId)
    if (generationId !== group.generationId) throw new KafkaError('ILLEGAL_GENERATION')
    if (group.isIn('Empty', 'Dead')) throw new KafkaError('UNKNOWN_MEMBER_ID')
    this.rebalance.renewSession(group, member)
    const isRebalancing = group.isIn('PreparingRebalance')
    return { errorCode: isRebalancing ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE }
  }

  /** A commit of a member shows that it lives, as a heartbeat does. */
  noteCommit(group: ClassicGroup, memberId: string): void {
    const member = group.members.get(memberId)
    const isServing = group.isIn('Stable', 'PreparingRebalance')
    if (member !== undefined && isServing) this.rebalance.renewSession(group, member)
  }

  /** Takes members out; says of each what became of it, in order. */
  leave(groupId: string, leaving: readonly LeavingMember[]): CoordinatorResult<number[]> {
    const group = this.#groups.get(groupId)
    if (!(group instanceof ClassicGroup)) {
      const errorCodes = leaving.map(() => ErrorCode.UNKNOWN_MEMBER_ID)
      return { records: [], response: errorCodes }
    }
    const records: CoordinatorRecord[] = []
    const response = leaving.map((member) => this.#leaveOne(group, member, records))
    return { records, response, isApplied: true }
  }

  #leaveOne(
    group: ClassicGroup,
    { memberId, groupInstanceId }: LeavingMember,
    records: CoordinatorRecord[],
  ): number {
    if (memberId !== '' && group.pendingJoins.delete(memberId)) {
      this.rebalance.endSession(group, memberId)
      records.push(...this.rebalance.completeIfAllJoined(group))
      return ErrorCode.NONE
    }
    try {
      // An administrator names a static member by its instance only.
      const id = memberId === '' ? (group.staticMemberId(groupInstanceId) ?? '') : memberId
      const member = group.validateMember(id, groupInstanceId)
      records.push(...this.rebalance.removeMember(group, member))
      return ErrorCode.NONE
    } catch (error) {
      if (error instanceof KafkaError) return error.code
      throw error
    }
  }

  describe(groupId: string): DescribedGroup {
    const group = this.#groups.get(groupId)
    if (!(group instanceof ClassicGroup)) {
      const errorMessage = group === undefined ? `Group ${groupId} not found.` : notClassic(groupId)
      const names = { groupId, groupState: 'Dead', protocolType: '', protocolData: '' }
      return { ...names, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage, members: [] }
    }
    const isStable = group.isIn('Stable')
    const protocolName = group.protocolName ?? ''
    const nothing = Buffer.alloc(0)
    return {
      errorCode: ErrorCode.NONE,
      groupId,
      groupState: group.state,
      protocolType: group.protocolType,
      protocolData: isStable ? protocolName : '',
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? member.metadata(protocolName) : nothing,
        memberAssignment: isStable ? member.assignment : nothing,
      })),
    }
  }

  /** Rebuilds a group from its record; null: there is none any more. */
  replay(groupId: string, value: GroupRecordValue | null): void {
    if (value === null) {
      if (this.#groups.get(groupId) instanceof ClassicGroup) this.#groups.delete(groupId)
      return
    }
    const timestamp = value.currentStateTimestamp ?? -1
    const group = new ClassicGroup(groupId, timestamp === -1 ? 0 : timestamp)
    group.protocolType = value.protocolType
    group.protocolName = value.protocol
    group.generationId = value.generation
    for (const member of value.members) group.add(readMember(member, value), value.protocolType)
    group.leaderId = value.leader
    group.updateSubscribedTopics()
    if (group.members.size > 0) group.transitionTo('Stable', group.stateTimestamp)
    this.#groups.set(group)
  }

  /** The log is read: sessions begin, and groups that are larger than allowed rebalance. */
  onLoaded(): void {
    for (const group of this.#groups.values()) {
      if (!(group instanceof ClassicGroup)) continue
      for (const member of group.members.values()) this.rebalance.renewSession(group, member)
      if (group.members.size > this.#config.maxGroupSize) this.rebalance.prepare(group)
    }
  }

  onUnloaded(): void {
    for (const group of this.#groups.values()) {
      if (group instanceof ClassicGroup) this.rebalance.dissolve(group, ErrorCode.NOT_COORDINATOR)
    }
  }

  #existing(groupId: string): ClassicGroup {
    const group = this.#groups.get(groupId)
    if (group instanceof ClassicGroup) return group
    throw new KafkaError('UNKNOWN_MEMBER_ID')
  }
}

function refuseJoin(
  error: ConstructorParameters<typeof KafkaError>[0],
  memberId: string,
): CoordinatorResult<JoinResponse> {
  return answer(failedJoin(error, memberId))
}

function answer<R>(response: R): CoordinatorResult<R> {
  return { records: [], response }
}

function hasRoomFor(group: ClassicGroup, memberId: string, maxSize: number): boolean {
  switch (group.state) {
    case 'PreparingRebalance':
      // Those of the last generation who come first may stay.
      return (
        group.members.get(memberId)?.awaitingJoin !== undefined || group.waitingForJoin < maxSize
      )
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(memberId) || group.members.size < maxSize
    default:
      return true
  }
}

function notClassic(groupId: string): string {
  return `Group ${groupId} is not a classic group.`
}

function readMember(
  member: GroupRecordValue['members'][number],
  { protocol }: GroupRecordValue,
): ClassicMember {
  const { memberId, clientId, clientHost, sessionTimeout } = member
  const rebalanceTimeout = member.rebalanceTimeout ?? -1
  return new ClassicMember({
    ...{ memberId, clientId, clientHost },
    groupInstanceId: member.groupInstanceId ?? null,
    rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
    sessionTimeoutMs: sessionTimeout,
    protocols: [{ name: protocol ?? '', metadata: Buffer.from(member.subscription) }],
    assignment: Buffer.from(member.assignment),
  })
}
