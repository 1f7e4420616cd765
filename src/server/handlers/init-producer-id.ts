/**
 * InitProducerId (versions 0-5): an id under which a producer's batches are recognised when they
 * come twice (KIP-98). A producer that already has an id and epoch, and lost track of its sequence
 * numbers, gets a new id, which starts at epoch 0 (KIP-360).
 *
 * Transactional producers need a transaction coordinator, which this broker does not have yet: they
 * are told that it is not available.
 */
import { ErrorCode } from '../../common/errors.ts'
import { InitProducerId } from '../../protocol/messages/init-producer-id.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function initProducerIdHandler({
  producerIds,
}: BrokerServices): RequestHandler<typeof InitProducerId> {
  return {
    api: InitProducerId,

    async handle({ transactionalId }) {
      if (transactionalId === '') {
        return { errorCode: ErrorCode.INVALID_REQUEST, producerEpoch: -1 }
      }
      if (transactionalId !== null) {
        return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, producerEpoch: -1 }
      }
      const producerId = await producerIds.next()
      return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
    },

    failure(_request, error) {
      return { errorCode: error.code, producerEpoch: -1 }
    },
  }
}
