/**
 * AddOffsetsToTxn (versions 0-4): makes a group's partition of the offsets topic part of a
 * producer's transaction. With transactions v2 TxnOffsetCommit does so by itself.
 *
 * Before version 2, PRODUCER_FENCED is called INVALID_PRODUCER_EPOCH.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { CONSUMER_OFFSETS_TOPIC } from '../../coordinator/group/group-coordinator.ts'
import { AddOffsetsToTxn } from '../../protocol/messages/add-offsets-to-txn.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { fencedErrorCode } from '../transaction/transaction-errors.ts'

export function addOffsetsToTxnHandler({
  transactionCoordinator,
  groupCoordinator,
}: BrokerServices): RequestHandler<typeof AddOffsetsToTxn> {
  return {
    api: AddOffsetsToTxn,

    async handle({ transactionalId, producerId, producerEpoch, groupId }, { apiVersion }) {
      const partitionIndex = groupCoordinator.partitionFor(groupId)
      try {
        await transactionCoordinator.addPartitions({
          ...{ transactionalId, producerId, producerEpoch, clientTransactionVersion: 0 },
          partitions: [{ topic: CONSUMER_OFFSETS_TOPIC, partitionIndex }],
        })
        return { errorCode: ErrorCode.NONE }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        return { errorCode: fencedErrorCode(error, apiVersion >= 2) }
      }
    },

    failure(_request, error) {
      return { errorCode: error.code }
    },
  }
}
