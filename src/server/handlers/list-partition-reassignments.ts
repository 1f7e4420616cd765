/** ListPartitionReassignments (version 0, KIP-455): the partitions whose replicas are changing. */
import { ErrorCode } from '../../common/errors.ts'
import { ListPartitionReassignments } from '../../protocol/messages/list-partition-reassignments.ts'
import type { BrokerServices } from '../broker-services.ts'
import { isReassigning } from '../controller/reassignments.ts'
import type { RequestHandler } from '../request-handler.ts'

export function listPartitionReassignmentsHandler({
  topics,
}: BrokerServices): RequestHandler<typeof ListPartitionReassignments> {
  return {
    api: ListPartitionReassignments,

    async handle(request) {
      // Asked of the controller, who alone knows for sure, and nothing is changed.
      const changing = await topics.changePartitions((view) => ({
        changes: [],
        outcome: (request.topics?.map(({ name }) => name) ?? view.topicNames()).flatMap((name) => {
          const asked = request.topics?.find((topic) => topic.name === name)?.partitionIndexes
          const partitions = (view.partitions(name) ?? [])
            .map(({ assignment }, partitionIndex) => ({ partitionIndex, ...assignment }))
            .filter(({ partitionIndex }) => asked?.includes(partitionIndex) ?? true)
            .filter(isReassigning)
          return partitions.length > 0 ? [{ name, partitions }] : []
        }),
      }))
      return { errorCode: ErrorCode.NONE, errorMessage: null, topics: changing }
    },

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage, topics: [] },
    }),
  }
}
