/**
 * How a group with members goes from one protocol to the other without stopping (KIP-848, online
 * migration): a classic group of consumers becomes a consumer group when the first member of the
 * new protocol joins it, and a classic group again when the last one leaves. The others notice no
 * more than a rebalance.
 */
import { KafkaError } from '../../../common/errors.ts'
import {
  consumerProtocolVersion,
  decodeConsumerAssignment,
  decodeConsumerSubscription,
  encodeConsumerAssignment,
} from '../../../protocol/consumer-protocol.ts'
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts'
import type { CoordinatorEffects, ShardContext } from '../../runtime/coordinator-shard.ts'
import { ClassicGroup, CONSUMER_PROTOCOL_TYPE } from '../classic/classic-group.ts'
import { ClassicMember } from '../classic/classic-member.ts'
import type { ClassicRebalance } from '../classic/classic-rebalance.ts'
import type { GroupTable } from '../group.ts'
import {
  ConsumerGroupMetadataRecord,
  ConsumerGroupTargetAssignmentMetadataRecord,
} from '../group-records.ts'
import type { TopicImage } from '../topic-image.ts'
import {
  type Assignment,
  type AssignmentBuilder,
  addPartition,
  fromAssignment,
} from './assignment.ts'
import { ConsumerGroup } from './consumer-group.ts'
import {
  type ConsumerGroupMember,
  currentAssignmentRecord,
  memberMetadataRecord,
  newMember,
  usesClassicProtocol,
} from './consumer-group-member.ts'
import { targetRecord } from './target-assignment.ts'

export interface Upgraded {
  /** The group as it will be once `records` are replayed. */
  readonly group: ConsumerGroup
  readonly records: CoordinatorRecord[]
}

/**
 * The consumer group that a classic group with members becomes. Throws KafkaError
 * GROUP_ID_NOT_FOUND if it may not or cannot.
 */
export function upgrade(
  classic: ClassicGroup,
  topics: TopicImage,
  { migrationPolicy, maxSize }: { migrationPolicy: string; maxSize: number },
): Upgraded {
  const refuse = (why: string) => {
    const { groupId } = classic
    return new KafkaError(
      'GROUP_ID_NOT_FOUND',
      `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`,
    )
  }
  if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'upgrade') {
    throw refuse('online upgrade is disabled')
  }
  if (classic.protocolType !== CONSUMER_PROTOCOL_TYPE) {
    throw refuse('the group does not use the consumer embedded protocol')
  }
  if (classic.members.size > maxSize) {
    throw refuse('the group size exceeds the consumer group maximum size')
  }
  const group = new ConsumerGroup(classic.groupId)
  group.groupEpoch = classic.generationId
  group.assignmentEpoch = classic.generationId
  for (const classicMember of classic.members.values()) {
    const member = readMember(classic, classicMember, topics, refuse)
    group.setMember(member)
    group.setTarget(member.memberId, member.assignedPartitions)
  }
  return { group, records: [...classic.tombstones(), ...recordsOf(group)] }
}

/** Everything that is recorded of a group. */
function recordsOf(group: ConsumerGroup): CoordinatorRecord[] {
  const { groupId, groupEpoch, metadataHash } = group
  const members = [...group.members.values()]
  return [
    ...members.map((member) => memberMetadataRecord(groupId, member)),
    ConsumerGroupMetadataRecord.of({ groupId }, { epoch: groupEpoch, metadataHash }),
    ...members.map(({ memberId }) => targetRecord(groupId, memberId, group.target(memberId))),
    ConsumerGroupTargetAssignmentMetadataRecord.of({ groupId }, { assignmentEpoch: groupEpoch }),
    ...members.map((member) => currentAssignmentRecord(groupId, member)),
  ]
}

/** A member of a classic group keeps its subscription and what it was last assigned. */
function readMember(
  classic: ClassicGroup,
  member: ClassicMember,
  topics: TopicImage,
  refuse: (why: string) => KafkaError,
): ConsumerGroupMember {
  try {
    const metadata = member.metadata(classic.protocolName ?? member.protocols[0]?.name ?? '')
    const subscription = decodeConsumerSubscription(metadata)
    // Nothing at all: it has not been assigned anything yet.
    const isAssigned = member.assignment.length > 0
    const assignment = isAssigned ? decodeConsumerAssignment(member.assignment) : undefined
    if ((assignment?.userData?.length ?? 0) > 0) {
      throw refuse(
        'an unsupported custom assignor is in use. Please refer to the documentation or switch ' +
          'to a default assignor before re-attempting the upgrade',
      )
    }
    return {
      ...newMember(member.memberId),
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      subscribedTopicNames: subscription.topics,
      classicMetadata: {
        sessionTimeoutMs: member.sessionTimeoutMs,
        supportedProtocols: member.protocols,
      },
      memberEpoch: classic.generationId,
      previousMemberEpoch: classic.generationId,
      assignedPartitions: byTopicId(assignment?.assignedPartitions ?? [], topics),
    }
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName === 'GROUP_ID_NOT_FOUND') throw error
    throw refuse('the embedded consumer protocol is malformed')
  }
}

/** What the classic protocol says by topic names. Topics that are gone are left out. */
export function byTopicId(
  partitionsByName: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  topics: TopicImage,
): Assignment {
  const assignment: AssignmentBuilder = new Map()
  for (const { topic, partitions } of partitionsByName) {
    const topicId = topics.topicId(topic)
    if (topicId === undefined) continue
    for (const partition of partitions) addPartition(assignment, topicId, partition)
  }
  return assignment
}

/** An assignment as the classic protocol has it, in the version of the member's subscription. */
export function encodeAssignment(
  assignment: Assignment,
  metadata: Buffer,
  topics: TopicImage,
): Buffer {
  const assignedPartitions = fromAssignment(assignment).flatMap(({ topicId, partitions }) => {
    const topic = topics.topicName(topicId)
    return topic === undefined ? [] : [{ topic, partitions }]
  })
  const version = Math.min(consumerProtocolVersion(metadata), 3)
  return encodeConsumerAssignment({ assignedPartitions }, version)
}

/** Whether a consumer group of these members may become a classic group. */
export function mayDowngrade(
  members: readonly ConsumerGroupMember[],
  { migrationPolicy, maxSize }: { migrationPolicy: string; maxSize: number },
): boolean {
  if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'downgrade') return false
  if (members.length === 0 || members.length > maxSize) return false
  return members.every(usesClassicProtocol)
}

export interface DowngradeOptions {
  readonly context: ShardContext
  readonly groups: GroupTable
  readonly topics: TopicImage
  readonly rebalance: ClassicRebalance
  /** Who stays. */
  readonly members: readonly ConsumerGroupMember[]
  /** The others have to share what those had who leave. */
  readonly mustRebalance: boolean
}

/** Makes the group a classic group of some of its members. */
export function downgrade(group: ConsumerGroup, options: DowngradeOptions): CoordinatorEffects {
  const { context, groups, topics, rebalance, members, mustRebalance } = options
  const { groupId } = group
  const classic = new ClassicGroup(groupId, context.now())
  classic.generationId = group.groupEpoch
  for (const member of members) classic.add(toClassic(member), CONSUMER_PROTOCOL_TYPE)
  classic.protocolName = classic.selectProtocol()
  const assignments = new Map<string, Buffer>()
  for (const member of classic.members.values()) {
    const { memberId } = member
    const metadata = member.metadata(classic.protocolName)
    assignments.set(memberId, encodeAssignment(group.target(memberId), metadata, topics))
  }
  const onCommitted = () => {
    // The one that the record was replayed to.
    const successor = groups.get(groupId)
    if (!(successor instanceof ClassicGroup)) return
    for (const member of successor.members.values()) rebalance.renewSession(successor, member)
    if (!mustRebalance) return
    context.timers.schedule(`downgrade ${groupId}`, 0, () => {
      if (groups.get(groupId) !== successor || !successor.isIn('Stable')) return undefined
      return { records: rebalance.prepare(successor), isApplied: true }
    })
  }
  return { records: [...group.tombstones(), classic.toRecord(assignments)], onCommitted }
}

function toClassic(member: ConsumerGroupMember): ClassicMember {
  const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
  const { sessionTimeoutMs, supportedProtocols } = member.classicMetadata!
  return new ClassicMember({
    ...{ memberId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs },
    groupInstanceId: instanceId,
    protocols: supportedProtocols,
  })
}
