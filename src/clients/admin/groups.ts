/** The admin client's calls about groups: classic, consumer (KIP-848) and share (KIP-932). */
import { decodeConsumerAssignment } from '../../protocol/consumer-protocol.ts'
import { ConsumerGroupDescribe } from '../../protocol/messages/consumer-group-describe.ts'
import { DeleteGroups } from '../../protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../../protocol/messages/describe-groups.ts'
import { LeaveGroup } from '../../protocol/messages/leave-group.ts'
import { ListGroups } from '../../protocol/messages/list-groups.ts'
import { ShareGroupDescribe } from '../../protocol/messages/share-group-describe.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/schema.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import type { CoordinatorNode } from '../cluster/coordinators.ts'
import { KafkaError, PartialFailureError, throwIfError } from '../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { collect } from './admin-call.ts'

export interface GroupListing {
  readonly groupId: string
  /** `consumer`, or what else the members said when they joined; `share`. */
  readonly protocolType: string
  /** `Stable`, `Empty` and so on; empty where brokers do not say. */
  readonly state: string
  /** `Classic`, `Consumer`, `Share`; empty where brokers do not say. */
  readonly type: string
}

export interface ListGroupsOptions extends CallOptions {
  /** Only groups in these states. */
  readonly states?: readonly string[]
  /** Only groups of these types. */
  readonly types?: readonly string[]
}

/** See `Admin.listGroups`. */
export async function listGroups(
  cluster: ClusterClient,
  options: ListGroupsOptions,
): Promise<GroupListing[]> {
  const limits = cluster.limits(options)
  const request = {
    statesFilter: [...(options.states ?? [])],
    typesFilter: [...(options.types ?? [])],
  }
  // Each broker knows the groups that it coordinates.
  await cluster.retry(limits, () => cluster.refresh(limits))
  const parts = [...cluster.metadata.brokers.keys()].map((brokerId) =>
    cluster.retry(limits, async () => {
      const response = await cluster.sendTo(brokerId, ListGroups, request, limits)
      throwIfError(response.errorCode)
      return response.groups
    }),
  )
  return (await Promise.all(parts)).flat().map(({ groupState, groupType, ...group }) => {
    return { ...group, state: groupState, type: groupType }
  })
}

export interface GroupMember {
  readonly memberId: string
  /** `group.instance.id` of a static member. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
  readonly assignment: readonly TopicPartition[]
  /** What it is to have when the rebalance is done; undefined in classic and share groups. */
  readonly targetAssignment: readonly TopicPartition[] | undefined
  /** Undefined in classic groups. */
  readonly memberEpoch: number | undefined
  readonly subscribedTopics: readonly string[] | undefined
  /**
   * Whether a member of a consumer group speaks the protocol of such groups rather than the classic
   * one (KIP-1099); undefined where brokers do not say, and in other groups.
   */
  readonly isUpgraded: boolean | undefined
}

export interface GroupDescription {
  readonly groupId: string
  readonly type: 'classic' | 'consumer' | 'share'
  /** `consumer`, or what else the members of a classic group said when they joined; `share`. */
  readonly protocolType: string
  readonly state: string
  /** Empty while there is none. */
  readonly assignor: string
  /** Undefined in classic groups. */
  readonly groupEpoch: number | undefined
  readonly assignmentEpoch: number | undefined
  readonly members: readonly GroupMember[]
  /** The broker that coordinates it. */
  readonly coordinator: CoordinatorNode
}

/** Asks a group's coordinator until it answers with something else than a passing error. */
async function askCoordinator<A extends Api, Part extends { errorCode: number }>(
  cluster: ClusterClient,
  groupId: string,
  api: A,
  request: RequestInput<A>,
  options: CallOptions,
  partOf: (response: ResponseOf<A>) => Part & { errorMessage?: string | null },
): Promise<Part & { readonly coordinator: CoordinatorNode }> {
  const limits = cluster.limits(options)
  return await cluster.retry(limits, async () => {
    const errorOf = (response: ResponseOf<A>) => partOf(response).errorCode
    const to = ['group', groupId] as const
    const part = partOf(await cluster.sendToCoordinator(to, api, request, limits, { errorOf }))
    throwIfError(part.errorCode, part.errorMessage)
    const nobody = { id: -1, host: '', port: -1 }
    return { ...part, coordinator: cluster.coordinators.get(...to) ?? nobody }
  })
}

function named(groupIds: Iterable<string>): [string, string][] {
  return [...groupIds].map((groupId) => [groupId, groupId])
}

/** See `Admin.describeClassicGroups`. */
export function describeClassicGroups(
  cluster: ClusterClient,
  groupIds: Iterable<string>,
  options: CallOptions,
): Promise<Map<string, GroupDescription>> {
  return collect(named(groupIds), async (groupId) => {
    const request = { groups: [groupId], includeAuthorizedOperations: false }
    const partOf = (response: ResponseOf<typeof DescribeGroups>) => response.groups[0]!
    const found = await askCoordinator(cluster, groupId, DescribeGroups, request, options, partOf)
    const isConsumer = found.protocolType === 'consumer'
    return {
      ...{ groupId, type: 'classic', state: found.groupState, assignor: found.protocolData },
      ...{ protocolType: found.protocolType, coordinator: found.coordinator },
      ...{ groupEpoch: undefined, assignmentEpoch: undefined },
      members: found.members.map((member) => ({
        memberId: member.memberId,
        instanceId: member.groupInstanceId,
        clientId: member.clientId,
        host: member.clientHost,
        assignment: isConsumer ? classicAssignment(member.memberAssignment) : [],
        ...{ targetAssignment: undefined, memberEpoch: undefined, subscribedTopics: undefined },
        isUpgraded: undefined,
      })),
    }
  })
}

/** What the leader of a classic group gave a member; nothing while it has not. */
function classicAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  return decodeConsumerAssignment(bytes).assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

interface AssignedTopics {
  readonly topicPartitions: readonly { topicName: string; partitions: readonly number[] }[]
}

function flatten({ topicPartitions }: AssignedTopics): TopicPartition[] {
  return topicPartitions.flatMap(({ topicName, partitions }) =>
    partitions.map((partition) => ({ topic: topicName, partition })),
  )
}

/** What brokers say of a group to whose members they assign partitions. */
interface AssignedGroup<Member> {
  readonly groupState: string
  readonly assignorName: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly members: readonly Member[]
  readonly coordinator: CoordinatorNode
}

interface AssignedMember {
  readonly memberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly memberEpoch: number
  readonly subscribedTopicNames: readonly string[]
  readonly assignment: AssignedTopics
}

/** `rest` is what the members of groups of this type have besides. */
function assignedGroup<Member extends AssignedMember>(
  type: 'consumer' | 'share',
  groupId: string,
  found: AssignedGroup<Member>,
  rest: (member: Member) => Pick<GroupMember, 'instanceId' | 'targetAssignment' | 'isUpgraded'>,
): GroupDescription {
  const { groupState: state, assignorName: assignor, groupEpoch, assignmentEpoch } = found
  return {
    ...{ groupId, type, state, assignor, groupEpoch, assignmentEpoch },
    ...{ protocolType: type, coordinator: found.coordinator },
    members: found.members.map((member) => {
      const { memberId, clientId, memberEpoch, clientHost: host } = member
      return {
        ...{ memberId, clientId, memberEpoch, host },
        assignment: flatten(member.assignment),
        subscribedTopics: member.subscribedTopicNames,
        ...rest(member),
      }
    }),
  }
}

/** See `Admin.describeConsumerGroups`. */
export function describeConsumerGroups(
  cluster: ClusterClient,
  groupIds: Iterable<string>,
  options: CallOptions,
): Promise<Map<string, GroupDescription>> {
  return collect(named(groupIds), async (groupId) => {
    const request = { groupIds: [groupId], includeAuthorizedOperations: false }
    const partOf = (response: ResponseOf<typeof ConsumerGroupDescribe>) => response.groups[0]!
    const api = ConsumerGroupDescribe
    const found = await askCoordinator(cluster, groupId, api, request, options, partOf)
    return assignedGroup('consumer', groupId, found, (member) => ({
      instanceId: member.instanceId,
      targetAssignment: flatten(member.targetAssignment),
      isUpgraded: member.memberType < 0 ? undefined : member.memberType === 1,
    }))
  })
}

/** See `Admin.describeGroups`. */
export function describeGroups(
  cluster: ClusterClient,
  groupIds: Iterable<string>,
  options: CallOptions,
): Promise<Map<string, GroupDescription>> {
  return collect(named(groupIds), async (groupId) => {
    const only = (all: ReadonlyMap<string, GroupDescription>) => all.get(groupId)!
    try {
      return only(await orCause(describeConsumerGroups(cluster, [groupId], options)))
    } catch (error) {
      const isOther = error instanceof KafkaError && NOT_OF_KIP_848.includes(error.errorName)
      if (!isOther) throw error
    }
    return only(await orCause(describeClassicGroups(cluster, [groupId], options)))
  })
}

/** How brokers answer to a question about a group of another type, or do not know such groups. */
const NOT_OF_KIP_848: readonly string[] = ['GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION']

/** The outcome of a call about one thing: its failure is that of the thing. */
async function orCause<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (error) {
    throw error instanceof PartialFailureError ? [...error.failures.values()][0]! : error
  }
}

/** See `Admin.describeShareGroups`. */
export function describeShareGroups(
  cluster: ClusterClient,
  groupIds: Iterable<string>,
  options: CallOptions,
): Promise<Map<string, GroupDescription>> {
  return collect(named(groupIds), async (groupId) => {
    const request = { groupIds: [groupId], includeAuthorizedOperations: false }
    const partOf = (response: ResponseOf<typeof ShareGroupDescribe>) => response.groups[0]!
    const api = ShareGroupDescribe
    const found = await askCoordinator(cluster, groupId, api, request, options, partOf)
    const nothing = { instanceId: null, targetAssignment: undefined, isUpgraded: undefined }
    return assignedGroup('share', groupId, found, () => nothing)
  })
}

/** See `Admin.deleteGroups`. */
export async function deleteGroups(
  cluster: ClusterClient,
  groupIds: Iterable<string>,
  options: CallOptions,
): Promise<void> {
  await collect(named(groupIds), async (groupId) => {
    const request = { groupsNames: [groupId] }
    const partOf = (response: ResponseOf<typeof DeleteGroups>) => response.results[0]!
    return await askCoordinator(cluster, groupId, DeleteGroups, request, options, partOf)
  })
}

export interface MemberToRemove {
  readonly memberId?: string
  /** `group.instance.id` of a static member. */
  readonly instanceId?: string
}

/** See `Admin.removeMembersFromGroup`. */
export async function removeMembersFromGroup(
  cluster: ClusterClient,
  groupId: string,
  members: readonly MemberToRemove[],
  options: CallOptions,
): Promise<void> {
  const asked = members.map(({ memberId = '', instanceId = null }) => {
    return { memberId, groupInstanceId: instanceId, reason: 'removed by an administrator' }
  })
  const request = { groupId, members: asked }
  const partOf = (response: ResponseOf<typeof LeaveGroup>) => response
  const found = await askCoordinator(cluster, groupId, LeaveGroup, request, options, partOf)
  for (const { errorCode } of found.members) throwIfError(errorCode)
}
