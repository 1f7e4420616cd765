/**
 * ShareAcknowledge (versions 1-2): says of records that a member of a share group was given what
 * has become of them (KIP-932). It can close the member's session on the way. Version 2 can renew
 * locks (KIP-1222).
 */
import { ErrorCode } from '../../common/errors.ts'
import { ShareAcknowledge } from '../../protocol/messages/share-acknowledge.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { FINAL_EPOCH } from '../share/share-sessions.ts'
import { acknowledgeAll, checkShareMember, currentLeader } from './share-requests.ts'

type TopicResponse = ResponseInput<typeof ShareAcknowledge>['responses'][number]

export function shareAcknowledgeHandler(
  services: BrokerServices,
): RequestHandler<typeof ShareAcknowledge> {
  const { sharePartitions } = services
  return {
    api: ShareAcknowledge,

    async handle(asked, { apiVersion }) {
      const request = checkShareMember(asked)
      const { groupId, memberId, shareSessionEpoch } = request
      sharePartitions.sessions.acknowledge(groupId, memberId, shareSessionEpoch)
      const mayRenew = apiVersion >= 2 && request.isRenewAck
      const acknowledged = await acknowledgeAll(services, request, mayRenew)
      if (shareSessionEpoch === FINAL_EPOCH) sharePartitions.sessions.close(groupId, memberId)
      const responses = request.topics.map(
        ({ topicId, partitions }): TopicResponse => ({
          topicId,
          partitions: partitions.map(({ partitionIndex }) => {
            const of = { topicId, partition: partitionIndex }
            const { error } =
              acknowledged.find(
                (each) => each.topicId === topicId && each.partition === partitionIndex,
              ) ?? {}
            return {
              ...{ partitionIndex, currentLeader: currentLeader(services, of, error) },
              ...{ errorCode: error?.code ?? ErrorCode.NONE, errorMessage: error?.message ?? null },
            }
          }),
        }),
      )
      const acquisitionLockTimeoutMs = sharePartitions.lockDurationMs(groupId)
      return { errorCode: ErrorCode.NONE, acquisitionLockTimeoutMs, responses, nodeEndpoints: [] }
    },

    failure(_request, { code, message }) {
      return { errorCode: code, errorMessage: message, responses: [], nodeEndpoints: [] }
    },
  }
}
