/** PushTelemetry (version 0, KIP-714): a client's metrics, for which it has been asked. */
import { ErrorCode } from '../../common/errors.ts'
import { PushTelemetry } from '../../protocol/messages/push-telemetry.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import type { ClientTelemetry } from '../telemetry/client-telemetry.ts'
import { telemetryClient } from '../telemetry/telemetry-client.ts'

export function pushTelemetryHandler(
  services: BrokerServices,
  telemetry: ClientTelemetry,
): RequestHandler<typeof PushTelemetry> {
  return {
    api: PushTelemetry,

    handle(request, context) {
      const { clientInstanceId: instanceId, terminating: isTerminating } = request
      const { subscriptionId, compressionType, metrics } = request
      const push = { instanceId, subscriptionId, isTerminating, compressionType, metrics }
      telemetry.push(push, telemetryClient(services, context))
      return { errorCode: ErrorCode.NONE }
    },

    failure: (_request, { code: errorCode }) => ({ errorCode }),
  }
}
