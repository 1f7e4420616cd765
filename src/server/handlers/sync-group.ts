/**
 * SyncGroup (versions 0-5): the leader of a classic group hands in everybody's assignment; each
 * member is answered with its own as soon as they are safe.
 */
import { KafkaError } from '../../common/errors.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { SyncGroup } from '../../protocol/messages/sync-group.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

/** From this version on the protocol must be named (KIP-559). */
const PROTOCOL_VERSION = 5

export function syncGroupHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof SyncGroup> {
  return {
    api: SyncGroup,
    isDetached: true,

    async handle(request, { apiVersion }) {
      checkGroupId(request.groupId)
      const { groupId, protocolType, protocolName } = request
      const isNamed = protocolType !== null && protocolName !== null
      if (apiVersion >= PROTOCOL_VERSION && !isNamed) {
        throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
      }
      return await groupCoordinator.write(groupId, (shard) => shard.sync(request))
    },

    failure(_request, error) {
      return { errorCode: error.code, assignment: Buffer.alloc(0) }
    },
  }
}
