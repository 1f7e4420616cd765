/**
 * JoinGroup (versions 0-9): enters a classic group, or stays in it over a rebalance. The answer
 * waits until all members have joined. See ClassicGroups for what happens when.
 */
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { JoinGroup } from '../../protocol/messages/join-group.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { memberContext } from './member-context.ts'

/** Before it a response names some protocol, be it an empty one. */
const NULLABLE_PROTOCOL_VERSION = 7

export function joinGroupHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof JoinGroup> {
  return {
    api: JoinGroup,
    isDetached: true,

    async handle(request, context) {
      checkGroupId(request.groupId)
      const response = await groupCoordinator.write(request.groupId, (shard) =>
        shard.join(request, memberContext(context)),
      )
      return forVersion(response, context.apiVersion)
    },

    failure({ memberId }, error) {
      return { errorCode: error.code, memberId, protocolName: '', leader: '', members: [] }
    },
  }
}

function forVersion(
  response: ResponseInput<typeof JoinGroup>,
  apiVersion: number,
): ResponseInput<typeof JoinGroup> {
  if (apiVersion >= NULLABLE_PROTOCOL_VERSION || response.protocolName !== null) return response
  return { ...response, protocolName: '' }
}
