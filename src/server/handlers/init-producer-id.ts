/**
 * InitProducerId (versions 0-5): an id and epoch under which a producer's batches are recognised
 * when they come twice (KIP-98).
 *
 * For idempotence alone the id is a new one each time. For a transactional id it is the
 * coordinator's to say: the epoch rises, which fences older instances, and a transaction that one
 * has left open is aborted first (CONCURRENT_TRANSACTIONS: the client comes again). A producer may
 * say what it has already (3+, KIP-360). Before version 4, PRODUCER_FENCED is called
 * INVALID_PRODUCER_EPOCH.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import {
  InitProducerId,
  type InitProducerIdRequest,
} from '../../protocol/messages/init-producer-id.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import { fencedErrorCode } from '../transaction/transaction-errors.ts'

export function initProducerIdHandler({
  producerIds,
  transactionCoordinator,
}: BrokerServices): RequestHandler<typeof InitProducerId> {
  return {
    api: InitProducerId,

    async handle(request, { apiVersion }) {
      const { transactionalId, transactionTimeoutMs } = request
      try {
        const expected = expectedProducer(request)
        if (transactionalId === null) {
          const producerId = await producerIds.next()
          return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
        }
        const producer = await transactionCoordinator.initializeProducer({
          ...{ transactionalId, timeoutMs: transactionTimeoutMs, expected },
        })
        return { errorCode: ErrorCode.NONE, ...producer }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        return { errorCode: fencedErrorCode(error, apiVersion >= 4), producerEpoch: -1 }
      }
    },

    failure(_request, error) {
      return { errorCode: error.code, producerEpoch: -1 }
    },
  }
}

/** What the producer has already. Throws INVALID_REQUEST where that is only an id or an epoch. */
function expectedProducer({ producerId, producerEpoch }: InitProducerIdRequest) {
  if (producerId === -1 && producerEpoch === -1) return undefined
  if (producerId === -1 || producerEpoch === -1) throw new KafkaError('INVALID_REQUEST')
  return { producerId, producerEpoch }
}
