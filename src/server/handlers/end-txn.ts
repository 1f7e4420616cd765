/**
 * EndTxn (versions 0-5): commits or aborts a producer's transaction. It is answered when the
 * outcome is certain; readers see it when the markers are written, shortly after.
 *
 * From version 5 on the producer goes on with the id and epoch in the response (KIP-890). Before
 * version 2, PRODUCER_FENCED is called INVALID_PRODUCER_EPOCH.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { TRANSACTION_V2 } from '../../coordinator/transaction/transaction-metadata.ts'
import { EndTxn } from '../../protocol/messages/end-txn.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { fencedErrorCode } from '../transaction/transaction-errors.ts'

const FIRST_V2_VERSION = 5

export function endTxnHandler({
  transactionCoordinator,
}: BrokerServices): RequestHandler<typeof EndTxn> {
  return {
    api: EndTxn,

    async handle({ transactionalId, producerId, producerEpoch, committed }, { apiVersion }) {
      try {
        const producer = await transactionCoordinator.endTransaction({
          ...{ transactionalId, producerId, producerEpoch, isCommit: committed },
          clientTransactionVersion: apiVersion >= FIRST_V2_VERSION ? TRANSACTION_V2 : 0,
        })
        return { errorCode: ErrorCode.NONE, ...producer }
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
