/**
 * The share groups of one partition of `__consumer_offsets` (KIP-932): who is in them and who has
 * which partitions. Setting up and deleting the state of partitions takes the share coordinator;
 * what is asked of it and what it has done goes through here, the asking itself does not.
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import type { ShareGroupDescribe } from '../../../protocol/messages/share-group-describe.ts'
import type {
  ShareGroupHeartbeat,
  ShareGroupHeartbeatRequest,
} from '../../../protocol/messages/share-group-heartbeat.ts'
import type { ResponseInput } from '../../../protocol/schema.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type {
  CoordinatorEffects,
  CoordinatorResult,
  ShardContext,
} from '../../runtime/coordinator-shard.ts'
import { fromAssignment } from '../consumer/assignment.ts'
import type { GroupTable } from '../group.ts'
import {
  ShareGroupCurrentMemberAssignmentRecord,
  ShareGroupMemberMetadataRecord,
  ShareGroupMetadataRecord,
  ShareGroupTargetAssignmentMemberRecord,
} from '../group-records.ts'
import { metadataHash } from '../metadata-hash.ts'
import type { TopicImage } from '../topic-image.ts'
import { ShareGroup, type TopicState } from './share-group.ts'
import { decideHeartbeat } from './share-group-heartbeat.ts'
import { replayShareGroup } from './share-group-replay.ts'
import {
  partitionsToInitialize,
  type StateToInitialize,
  statePartitionsRecord,
  union,
  withDeleting,
  withInitialized,
  withInitializing,
  withoutInitializing,
  withoutTopics,
} from './share-group-state.ts'

/** Read each time, since some of it may change while the broker runs. */
export interface ShareGroupsConfig {
  /** `group.share.max.size` */
  readonly maxSize: number
  /** `group.share.initialize.retry.interval.ms` */
  readonly initializeRetryIntervalMs: number
  /** `share.session.timeout.ms` of a group. */
  sessionTimeoutMs(groupId: string): number
  /** `share.heartbeat.interval.ms` of a group. */
  heartbeatIntervalMs(groupId: string): number
}

export interface ShareGroupsOptions {
  readonly context: ShardContext
  readonly config: ShareGroupsConfig
  readonly groups: GroupTable
  readonly topics: TopicImage
}

export type ShareHeartbeatResponse = ResponseInput<typeof ShareGroupHeartbeat>
export type DescribedShareGroup = ResponseInput<typeof ShareGroupDescribe>['groups'][number]

export interface ShareHeartbeatOutcome {
  readonly response: ShareHeartbeatResponse
  /** What the share coordinator is to set up now; `initialized` tells of it. */
  readonly toInitialize: StateToInitialize | undefined
}

/** A partition of a group's state, as AlterShareGroupOffsets sets it. */
export interface OffsetToSet {
  readonly topicName: string
  readonly partition: number
  readonly startOffset: number
}

const LEAVE_EPOCH = -1
const SOON_MS = 500

export class ShareGroups {
  readonly #context: ShardContext
  readonly #config: ShareGroupsConfig
  readonly #groups: GroupTable
  readonly #topics: TopicImage

  constructor({ context, config, groups, topics }: ShareGroupsOptions) {
    this.#context = context
    this.#config = config
    this.#groups = groups
    this.#topics = topics
  }

  /**
   * ShareGroupHeartbeat: a member joins, says that it is there, or leaves. Throws KafkaError:
   * GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, GROUP_MAX_SIZE_REACHED.
   */
  heartbeat(
    request: ShareGroupHeartbeatRequest,
    client: { readonly clientId: string; readonly clientHost: string },
  ): CoordinatorResult<ShareHeartbeatOutcome> {
    const { groupId, memberId, memberEpoch } = request
    if (memberEpoch === LEAVE_EPOCH) return this.#leave(groupId, memberId)
    const group = memberEpoch === 0 ? this.#groupOrNew(groupId) : this.#group(groupId)
    if (group.members.size >= this.#config.maxSize && !group.members.has(memberId)) {
      const most = `maximum capacity of ${this.#config.maxSize} members.`
      throw new KafkaError('GROUP_MAX_SIZE_REACHED', `The share group has reached its ${most}`)
    }
    const { records, member, groupEpoch, topicNames, isAssignmentNew } = decideHeartbeat(
      group,
      { ...request, ...client },
      this.#topics,
    )
    this.#expectHeartbeat(groupId, memberId)
    const isFull = memberEpoch === 0 || request.subscribedTopicNames !== null
    const { toInitialize, state } = this.#stateToInitialize(group, groupEpoch, topicNames)
    const response: ShareHeartbeatResponse = {
      ...{ errorCode: ErrorCode.NONE, memberId, memberEpoch: member.memberEpoch },
      heartbeatIntervalMs: this.#intervalMs(group),
      assignment:
        isFull || isAssignmentNew ? { topicPartitions: fromAssignment(member.assignment) } : null,
    }
    return { records: [...records, ...state], response: { response, toInitialize } }
  }

  /** The share coordinator has set up the state of those partitions. */
  initialized(groupId: string, topics: ReadonlyMap<string, TopicState>): CoordinatorResult<void> {
    return this.#changeState(groupId, (group) => withInitialized(group.statePartitions, topics))
  }

  /** It has failed to: with a later heartbeat it will be asked again. */
  notInitialized(
    groupId: string,
    topics: ReadonlyMap<string, TopicState>,
  ): CoordinatorResult<void> {
    const group = this.#groups.get(groupId)
    if (group instanceof ShareGroup) {
      for (const topicId of topics.keys()) group.initializingSinceMs.delete(topicId)
    }
    return this.#changeState(groupId, ({ statePartitions }) =>
      withoutInitializing(statePartitions, topics),
    )
  }

  /** ShareGroupDescribe of one group. Throws GROUP_ID_NOT_FOUND. */
  describe(groupId: string): DescribedShareGroup {
    const group = this.#group(groupId)
    const members = [...group.members.values()].map((member) => {
      const { memberId, rackId, memberEpoch, clientId, clientHost } = member
      const topicPartitions = fromAssignment(member.assignment).map(({ topicId, partitions }) => ({
        ...{ topicId, partitions },
        topicName: this.#topics.topicName(topicId) ?? '<UNKNOWN>',
      }))
      return {
        ...{ memberId, rackId, memberEpoch, clientId, clientHost, assignment: { topicPartitions } },
        subscribedTopicNames: member.subscribedTopicNames,
      }
    })
    const { stateName: groupState, groupEpoch, assignmentEpoch } = group
    const assignorName = 'simple'
    const errorCode = ErrorCode.NONE
    return { errorCode, groupId, groupState, groupEpoch, assignmentEpoch, assignorName, members }
  }

  /** The partitions that the group has state of, by topic id; none for an unknown group. */
  initializedPartitions(groupId: string): ReadonlyMap<string, TopicState> {
    const group = this.#groups.get(groupId)
    return group instanceof ShareGroup ? group.statePartitions.initialized : new Map()
  }

  /**
   * AlterShareGroupOffsets: a group without members shall begin elsewhere. Partitions must exist.
   * Throws NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND (not a share group).
   */
  setOffsets(
    groupId: string,
    offsets: readonly OffsetToSet[],
  ): CoordinatorResult<StateToInitialize> {
    const group = this.#groupOrNew(groupId)
    group.validateDelete()
    const topics = new Map<string, { topicName: string; partitions: Set<number> }>()
    const partitions = offsets.map(({ topicName, partition, startOffset }) => {
      const topicId = this.#topics.topicId(topicName)!
      const known = topics.get(topicId)?.partitions ?? new Set()
      topics.set(topicId, { topicName, partitions: known.add(partition) })
      return { topicId, partition, startOffset }
    })
    const records = [
      ...(this.#groups.get(groupId) === undefined ? [epochRecord(group, 0)] : []),
      statePartitionsRecord(groupId, withInitializing(group.statePartitions, topics)),
    ]
    return { records, response: { groupId, stateEpoch: group.groupEpoch, partitions } }
  }

  /**
   * DeleteShareGroupOffsets, before the share coordinator deletes: of the topics named, those with
   * state, and which. Throws GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.
   */
  beginToDeleteOffsets(
    groupId: string,
    topicIds: readonly string[],
  ): CoordinatorResult<ReadonlyMap<string, TopicState>> {
    const group = this.#group(groupId)
    group.validateDelete()
    const { initialized, initializing, deleting } = group.statePartitions
    const known = union(initialized, initializing)
    const found = new Map<string, TopicState>()
    for (const topicId of topicIds) {
      const state = known.get(topicId) ?? this.#wholeTopic(topicId, deleting.get(topicId))
      if (state !== undefined) found.set(topicId, state)
    }
    const names = new Map([...found].map(([topicId, { topicName }]) => [topicId, topicName]))
    const records =
      found.size === 0
        ? []
        : [statePartitionsRecord(groupId, withDeleting(group.statePartitions, names))]
    return { records, response: found }
  }

  /** The share coordinator has deleted the state of the topics. */
  offsetsDeleted(groupId: string, topicIds: ReadonlySet<string>): CoordinatorResult<void> {
    return this.#changeState(groupId, ({ statePartitions }) =>
      withoutTopics(statePartitions, topicIds),
    )
  }

  /**
   * DeleteGroups, before the share coordinator deletes: whatever state there may be; nothing where
   * there is no such share group. Throws NON_EMPTY_GROUP.
   */
  beginToDelete(groupId: string): CoordinatorResult<ReadonlyMap<string, TopicState>> {
    const group = this.#groups.get(groupId)
    if (!(group instanceof ShareGroup)) return { records: [], response: new Map() }
    group.validateDelete()
    const { initialized, initializing, deleting } = group.statePartitions
    const topicIds = new Set([...initialized.keys(), ...initializing.keys(), ...deleting.keys()])
    return this.beginToDeleteOffsets(groupId, [...topicIds])
  }

  /** Topics were deleted: there is no state of theirs any more. */
  onTopicsDeleted(names: ReadonlySet<string>): CoordinatorEffects {
    const records: CoordinatorRecord[] = []
    for (const group of this.#groups.values()) {
      if (!(group instanceof ShareGroup)) continue
      const { initializing, initialized, deleting } = group.statePartitions
      const gone = new Set<string>()
      const check = (topicId: string, name: string) => {
        if (names.has(name) && this.#topics.topicId(name) !== topicId) gone.add(topicId)
      }
      for (const [topicId, { topicName }] of initializing) check(topicId, topicName)
      for (const [topicId, { topicName }] of initialized) check(topicId, topicName)
      for (const [topicId, topicName] of deleting) check(topicId, topicName)
      if (gone.size === 0) continue
      const state = withoutTopics(group.statePartitions, gone)
      records.push(statePartitionsRecord(group.groupId, state))
    }
    return { records }
  }

  /** Topics have come, gone or grown: groups look again with the next heartbeat. */
  onTopicChange(names: readonly string[]): void {
    for (const group of this.#groups.values()) {
      if (!(group instanceof ShareGroup)) continue
      group.mustRefreshMetadata ||= names.some((name) => group.isSubscribedTo(name))
    }
  }

  /** Makes the change that a record of types 10 to 15 describes; false for any other record. */
  replay(record: CoordinatorRecord): boolean {
    return replayShareGroup(this.#groups, record)
  }

  /** Members have their whole session timeout to find the new coordinator. */
  onLoaded(): void {
    for (const group of this.#groups.values()) {
      if (!(group instanceof ShareGroup)) continue
      for (const memberId of group.members.keys()) this.#expectHeartbeat(group.groupId, memberId)
    }
  }

  #leave(groupId: string, memberId: string): CoordinatorResult<ShareHeartbeatOutcome> {
    const group = this.#group(groupId)
    group.member(memberId)
    this.#context.timers.cancel(timerOf(groupId, memberId))
    const response = { errorCode: ErrorCode.NONE, memberId, memberEpoch: LEAVE_EPOCH }
    return {
      records: this.#withoutMember(group, memberId),
      response: { response: { ...response, heartbeatIntervalMs: 0 }, toInitialize: undefined },
    }
  }

  /**
   * Members come back soon while state is being set up for another: then there is more for them.
   */
  #intervalMs({ groupId, statePartitions }: ShareGroup): number {
    const intervalMs = this.#config.heartbeatIntervalMs(groupId)
    return statePartitions.initializing.size === 0 ? intervalMs : Math.min(intervalMs, SOON_MS)
  }

  #expectHeartbeat(groupId: string, memberId: string): void {
    const timeoutMs = this.#config.sessionTimeoutMs(groupId)
    this.#context.timers.schedule(timerOf(groupId, memberId), timeoutMs, () => {
      const group = this.#groups.get(groupId)
      if (!(group instanceof ShareGroup) || !group.members.has(memberId)) return undefined
      return { records: this.#withoutMember(group, memberId) }
    })
  }

  #withoutMember(group: ShareGroup, memberId: string): CoordinatorRecord[] {
    const key = { groupId: group.groupId, memberId }
    const others = new Set<string>()
    for (const member of group.members.values()) {
      if (member.memberId === memberId) continue
      for (const name of member.subscribedTopicNames) others.add(name)
    }
    return [
      ShareGroupCurrentMemberAssignmentRecord.of(key, null),
      ShareGroupTargetAssignmentMemberRecord.of(key, null),
      ShareGroupMemberMetadataRecord.of(key, null),
      epochRecord(group, group.groupEpoch + 1, metadataHash(others, this.#topics)),
    ]
  }

  #stateToInitialize(group: ShareGroup, stateEpoch: number, topicNames: Iterable<string>) {
    const { groupId } = group
    const topics = partitionsToInitialize(group, topicNames, this.#topics, {
      nowMs: this.#context.now(),
      retryIntervalMs: this.#config.initializeRetryIntervalMs,
    })
    if (topics.size === 0) return { toInitialize: undefined, state: [] }
    for (const topicId of topics.keys()) {
      group.initializingSinceMs.set(topicId, this.#context.now())
    }
    const partitions = [...topics].flatMap(([topicId, state]) =>
      [...state.partitions].map((partition) => ({ topicId, partition, startOffset: -1 })),
    )
    return {
      toInitialize: { groupId, stateEpoch, partitions },
      state: [statePartitionsRecord(groupId, withInitializing(group.statePartitions, topics))],
    }
  }

  /** What a topic might have state of, where nobody has taken down what it has. */
  #wholeTopic(topicId: string, topicName: string | undefined): TopicState | undefined {
    const count = topicName === undefined ? undefined : this.#topics.partitionCount(topicName)
    if (topicName === undefined || this.#topics.topicId(topicName) !== topicId) return undefined
    return { topicName, partitions: new Set(Array.from({ length: count ?? 0 }, (_, i) => i)) }
  }

  #changeState(
    groupId: string,
    change: (group: ShareGroup) => ShareGroup['statePartitions'],
  ): CoordinatorResult<void> {
    const group = this.#groups.get(groupId)
    if (!(group instanceof ShareGroup)) return { records: [], response: undefined }
    return { records: [statePartitionsRecord(groupId, change(group))], response: undefined }
  }

  #group(groupId: string): ShareGroup {
    const group = this.#groups.get(groupId)
    if (group instanceof ShareGroup) return group
    throw new KafkaError(
      'GROUP_ID_NOT_FOUND',
      group === undefined
        ? `Group ${groupId} not found.`
        : `Group ${groupId} is not a share group.`,
    )
  }

  #groupOrNew(groupId: string): ShareGroup {
    return this.#groups.get(groupId) === undefined ? new ShareGroup(groupId) : this.#group(groupId)
  }
}

function epochRecord(group: ShareGroup, epoch: number, hash = group.metadataHash) {
  return ShareGroupMetadataRecord.of({ groupId: group.groupId }, { epoch, metadataHash: hash })
}

function timerOf(groupId: string, memberId: string): string {
  return `share session ${groupId} ${memberId}`
}
