/**
 * ConsumerGroupHeartbeat (versions 0-1): joins a consumer group of KIP-848, stays in it, leaves it,
 * and learns from the answers which partitions to read. See ConsumerGroups.
 */
import { ConsumerGroupHeartbeat } from '../../protocol/messages/consumer-group-heartbeat.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { memberContext } from './member-context.ts'

export function consumerGroupHeartbeatHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof ConsumerGroupHeartbeat> {
  return {
    api: ConsumerGroupHeartbeat,

    async handle(request, context) {
      return await groupCoordinator.write(request.groupId, ({ consumer }) =>
        consumer.heartbeat(request, memberContext(context)),
      )
    },

    failure(_request, { code, message }) {
      return { errorCode: code, errorMessage: message, memberEpoch: 0, heartbeatIntervalMs: 0 }
    },
  }
}
