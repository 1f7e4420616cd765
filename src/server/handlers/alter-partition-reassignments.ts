/**
 * AlterPartitionReassignments (versions 0-1, KIP-455): gives partitions other replicas, or cancels
 * that. Version 1 can refuse what would change the number of replicas (KIP-860).
 */
import { ErrorCode, type KafkaError } from '../../common/errors.ts'
import {
  AlterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
} from '../../protocol/messages/alter-partition-reassignments.ts'
import type { BrokerServices } from '../broker-services.ts'
import { reassignPartitions } from '../controller/reassignments.ts'
import type { RequestHandler } from '../request-handler.ts'

export function alterPartitionReassignmentsHandler({
  topics,
}: BrokerServices): RequestHandler<typeof AlterPartitionReassignments> {
  return {
    api: AlterPartitionReassignments,

    async handle(request) {
      const { allowReplicationFactorChange } = request
      const wanted = request.topics.flatMap(({ name: topic, partitions }) =>
        partitions.map(({ partitionIndex, replicas }) => ({ topic, partitionIndex, replicas })),
      )
      const errors = await topics.changePartitions((view) =>
        reassignPartitions(view, wanted, allowReplicationFactorChange),
      )
      return {
        ...{ allowReplicationFactorChange, errorCode: ErrorCode.NONE, errorMessage: null },
        responses: describe(request, () => errors.shift() ?? null),
      }
    },

    failure: (request, error) => ({
      allowReplicationFactorChange: request.allowReplicationFactorChange,
      errorCode: error.code,
      errorMessage: error.message,
      responses: describe(request, () => error),
    }),
  }
}

/** The answer for each partition, in the order asked. */
function describe(request: AlterPartitionReassignmentsRequest, next: () => KafkaError | null) {
  return request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const error = next()
      return {
        partitionIndex,
        errorCode: error?.code ?? ErrorCode.NONE,
        errorMessage: error?.message ?? null,
      }
    }),
  }))
}
