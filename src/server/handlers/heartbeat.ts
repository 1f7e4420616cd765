/**
 * Heartbeat (versions 0-4): keeps a member in its classic group, and tells it of a rebalance.
 *
 * While the coordinator loads there is nothing to tell: the member is told that all is well, since
 * clients take an error for a reason to look for another coordinator.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { Heartbeat } from '../../protocol/messages/heartbeat.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function heartbeatHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof Heartbeat> {
  return {
    api: Heartbeat,

    async handle(request) {
      checkGroupId(request.groupId)
      try {
        return await groupCoordinator.write(request.groupId, (shard) => shard.heartbeat(request))
      } catch (error) {
        const isLoading =
          error instanceof KafkaError && error.errorName === 'COORDINATOR_LOAD_IN_PROGRESS'
        if (isLoading) return { errorCode: ErrorCode.NONE }
        throw error
      }
    },

    failure(_request, error) {
      return { errorCode: error.code }
    },
  }
}
