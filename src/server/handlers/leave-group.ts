/**
 * LeaveGroup (versions 0-5): takes members out of a classic group at once. Up to version 2 it is
 * one member, and its error that of the response; later several, static ones by their instance id
 * (KIP-345), each with an error of its own.
 */
import { ErrorCode } from '../../common/errors.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { LeaveGroup } from '../../protocol/messages/leave-group.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

const BATCHED_VERSION = 3

export function leaveGroupHandler({
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof LeaveGroup> {
  return {
    api: LeaveGroup,

    async handle(request, { apiVersion }) {
      checkGroupId(request.groupId)
      const isBatched = apiVersion >= BATCHED_VERSION
      const leaving = isBatched
        ? request.members
        : [{ memberId: request.memberId, groupInstanceId: null }]
      const errorCodes = await groupCoordinator.write(request.groupId, (shard) =>
        shard.leave(request.groupId, leaving),
      )
      if (!isBatched) return { errorCode: errorCodes[0]!, members: [] }
      const members = leaving.map(({ memberId, groupInstanceId }, i) => ({
        memberId,
        groupInstanceId,
        errorCode: errorCodes[i]!,
      }))
      return { errorCode: ErrorCode.NONE, members }
    },

    failure(_request, error) {
      return { errorCode: error.code, members: [] }
    },
  }
}
