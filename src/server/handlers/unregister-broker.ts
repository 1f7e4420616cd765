/**
 * UnregisterBroker (version 0, KIP-631): makes a cluster forget a broker that will not come back.
 * Brokers here are registered only while they live, so there is never one to forget.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function unregisterBrokerHandler({
  metadata,
}: BrokerServices): RequestHandler<typeof UnregisterBroker> {
  return {
    api: UnregisterBroker,

    handle({ brokerId }) {
      if (metadata.brokers.has(brokerId)) {
        throw new KafkaError('INVALID_REQUEST', `Broker ID ${brokerId} is alive`)
      }
      const message = `Broker ID ${brokerId} is not currently registered`
      return { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED, errorMessage: message }
    },

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage },
    }),
  }
}
