/**
 * DeleteShareGroupOffsets (version 0): a share group without members forgets how far it has got in
 * topics (KIP-932).
 */
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { DeleteShareGroupOffsets } from '../../protocol/messages/delete-share-group-offsets.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function deleteShareGroupOffsetsHandler({
  shareGroups,
}: BrokerServices): RequestHandler<typeof DeleteShareGroupOffsets> {
  return {
    api: DeleteShareGroupOffsets,

    async handle(request) {
      checkGroupId(request.groupId)
      return await shareGroups.deleteOffsets(request)
    },

    failure(_request, { code, message }) {
      return { errorCode: code, errorMessage: message, responses: [] }
    },
  }
}
