/** What is wrong with a ConsumerGroupHeartbeat by itself, in Kafka's words. */
import { KafkaError } from '../../../common/errors.ts'
import type { ConsumerGroupHeartbeat } from '../../../protocol/messages/consumer-group-heartbeat.ts'
import type { RequestOf } from '../../../protocol/schema.ts'
import { isWithin, toAssignment } from './assignment.ts'
import type { PartitionAssignor } from './assignors/partition-assignor.ts'
import {
  type ConsumerGroupMember,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  STATIC_LEAVE_EPOCH,
} from './consumer-group-member.ts'

export type HeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>

/** From this version on members choose their own ids (KIP-1082). */
const OWN_MEMBER_ID_VERSION = 1

/** Throws KafkaError INVALID_REQUEST or UNSUPPORTED_ASSIGNOR. */
export function validateHeartbeat(
  request: HeartbeatRequest,
  apiVersion: number,
  assignors: readonly PartitionAssignor[],
): void {
  const { memberEpoch, serverAssignor } = request
  const isMember = memberEpoch > 0 || memberEpoch === LEAVE_EPOCH
  if (apiVersion >= OWN_MEMBER_ID_VERSION || isMember) refuseEmpty(request.memberId, 'MemberId')
  refuseEmpty(request.groupId, 'GroupId')
  refuseEmpty(request.instanceId, 'InstanceId')
  refuseEmpty(request.rackId, 'RackId')
  if (memberEpoch === JOIN_EPOCH) validateJoin(request)
  else if (memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null) {
    throw invalid("InstanceId can't be null.")
  } else if (memberEpoch < STATIC_LEAVE_EPOCH) throw invalid('MemberEpoch is invalid.')
  if (serverAssignor === null || assignors.some(({ name }) => name === serverAssignor)) return
  const supported = assignors.map(({ name }) => name).join(', ')
  throw new KafkaError(
    'UNSUPPORTED_ASSIGNOR',
    `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`,
  )
}

/** No topics and an empty pattern are fine: a member may wait for its subscription. */
function validateJoin(request: HeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1) {
    throw invalid('RebalanceTimeoutMs must be provided in first request.')
  }
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    throw invalid('TopicPartitions must be empty when (re-)joining.')
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalid(
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
  }
}

function refuseEmpty(value: string | null, name: string): void {
  if (value !== null && value.trim() === '') throw invalid(`${name} can't be empty.`)
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}

/**
 * Throws KafkaError FENCED_MEMBER_EPOCH for an epoch that is not the member's. The one before is
 * fine from a member that has missed an answer, as long as it has nothing that it should not have.
 */
export function validateMemberEpoch(
  member: ConsumerGroupMember,
  { memberEpoch: received, topicPartitions }: HeartbeatRequest,
): void {
  const { memberEpoch: known, previousMemberEpoch, assignedPartitions } = member
  if (received === JOIN_EPOCH || received === known) return
  const hasMissedAnswer =
    received < known &&
    received === previousMemberEpoch &&
    topicPartitions !== null &&
    isWithin(toAssignment(topicPartitions), assignedPartitions)
  if (hasMissedAnswer) return
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${received > known ? 'greater' : 'smaller'} member epoch ` +
      `(${received}) than the one known by the group coordinator (${known}). ` +
      'The member must abandon all its partitions and rejoin.',
  )
}
