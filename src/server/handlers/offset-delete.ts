/**
 * OffsetDelete (version 0): deletes a group's offsets of topics that its members do not read
 * (KIP-496).
 */
import { ErrorCode } from '../../common/errors.ts'
import { checkGroupId } from '../../coordinator/group/group-coordinator.ts'
import { OffsetDelete } from '../../protocol/messages/offset-delete.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function offsetDeleteHandler({
  groupCoordinator,
  metadata,
}: BrokerServices): RequestHandler<typeof OffsetDelete> {
  return {
    api: OffsetDelete,

    async handle(request) {
      const { groupId } = request
      checkGroupId(groupId)
      const deleted = await groupCoordinator.write(groupId, ({ offsets }) =>
        offsets.delete(groupId, request.topics),
      )
      const topics = deleted.map(({ name, partitions }) => {
        const count = metadata.topic(name)?.partitions.length ?? 0
        return {
          name,
          partitions: partitions.map(({ partitionIndex, errorCode }) => ({
            partitionIndex,
            errorCode: partitionIndex < count ? errorCode : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
          })),
        }
      })
      return { errorCode: ErrorCode.NONE, topics }
    },

    failure(_request, error) {
      return { errorCode: error.code, topics: [] }
    },
  }
}
