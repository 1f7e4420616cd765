/**
 * APIs that come with a feature of the cluster (KIP-584, KIP-1022): while the feature is not in
 * force, or the broker does not serve that kind of group, requests are refused with
 * UNSUPPORTED_VERSION, though the API is advertised, as Kafka does.
 */
import { KafkaError } from '../../common/errors.ts'
import type { Api } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

type Protocol = 'consumer' | 'share'

/** Lets a handler of a group protocol see only what comes while the protocol is in force. */
export function ifInForce<A extends Api>(
  { config, features }: BrokerServices,
  protocol: Protocol,
  handler: RequestHandler<A>,
): RequestHandler<A> {
  const isInForce = () => {
    const isListed = config.get('group.coordinator.rebalance.protocols').includes(protocol)
    if (protocol === 'consumer') return isListed && features.level('group.version') >= 1
    // Kafka lists share groups only where they are to be had without their feature.
    return isListed || features.level('share.version') >= 1
  }
  return {
    ...handler,
    handle(request, context) {
      if (!isInForce()) throw new KafkaError('UNSUPPORTED_VERSION')
      return handler.handle(request, context)
    },
  }
}
