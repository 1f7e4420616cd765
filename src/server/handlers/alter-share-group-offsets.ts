/**
 * AlterShareGroupOffsets (version 0): sets where a share group without members goes on (KIP-932).
 */
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { AlterShareGroupOffsets } from '../../protocol/messages/alter-share-group-offsets.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function alterShareGroupOffsetsHandler({
  shareGroups,
}: BrokerServices): RequestHandler<typeof AlterShareGroupOffsets> {
  return {
    api: AlterShareGroupOffsets,

    async handle(request) {
      checkGroupId(request.groupId)
      return await shareGroups.alterOffsets(request)
    },

    failure(_request, { code, message }) {
      return { errorCode: code, errorMessage: message, responses: [] }
    },
  }
}
