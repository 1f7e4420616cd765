/**
 * ShareGroupHeartbeat (version 1): joins a share group (KIP-932), stays in it, leaves it, and
 * learns from the answers which partitions to fetch from. See ShareGroups.
 */
import { KafkaError } from '../../common/errors.ts'
import {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
} from '../../protocol/messages/share-group-heartbeat.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { memberContext } from './member-context.ts'

export function shareGroupHeartbeatHandler({
  shareGroups,
}: BrokerServices): RequestHandler<typeof ShareGroupHeartbeat> {
  return {
    api: ShareGroupHeartbeat,

    async handle(request, context) {
      check(request)
      return await shareGroups.heartbeat(request, memberContext(context))
    },

    failure(_request, { code, message }) {
      return { errorCode: code, errorMessage: message, memberEpoch: 0, heartbeatIntervalMs: 0 }
    },
  }
}

function check(request: ShareGroupHeartbeatRequest): void {
  const invalid = (message: string) => new KafkaError('INVALID_REQUEST', message)
  const { memberId, groupId, rackId, memberEpoch, subscribedTopicNames } = request
  if (memberId.trim() === '') throw invalid("MemberId can't be empty.")
  if (groupId.trim() === '') throw invalid("GroupId can't be empty.")
  if (rackId?.trim() === '') throw invalid("RackId can't be empty.")
  if (memberEpoch < -1) throw invalid('MemberEpoch is invalid.')
  if (memberEpoch === 0 && (subscribedTopicNames ?? []).length === 0) {
    throw invalid('SubscribedTopicNames must be set in first request.')
  }
}
