/** GetTelemetrySubscriptions (version 0, KIP-714): which metrics are wanted of a client. */
import { CompressionType } from '../../common/compression/compression.ts'
import { ErrorCode } from '../../common/errors.ts'
import { GetTelemetrySubscriptions } from '../../protocol/messages/get-telemetry-subscriptions.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'
import type { ClientTelemetry } from '../telemetry/client-telemetry.ts'
import { telemetryClient } from '../telemetry/telemetry-client.ts'

/** In the order in which clients are to prefer them. */
const { zstd, lz4, gzip, snappy } = CompressionType

export function getTelemetrySubscriptionsHandler(
  services: BrokerServices,
  telemetry: ClientTelemetry,
): RequestHandler<typeof GetTelemetrySubscriptions> {
  return {
    api: GetTelemetrySubscriptions,

    handle({ clientInstanceId }, context) {
      const client = telemetryClient(services, context)
      const { instanceId, subscription } = telemetry.subscribe(clientInstanceId, client)
      return {
        errorCode: ErrorCode.NONE,
        clientInstanceId: instanceId,
        subscriptionId: subscription.id,
        acceptedCompressionTypes: [zstd, lz4, gzip, snappy],
        pushIntervalMs: subscription.intervalMs,
        telemetryMaxBytes: telemetry.maxBytes,
        deltaTemporality: true,
        requestedMetrics: [...subscription.metrics],
      }
    },

    failure: (_request, { code: errorCode }) => ({
      ...{ errorCode, clientInstanceId: ZERO_UUID, subscriptionId: 0 },
      ...{ acceptedCompressionTypes: [], pushIntervalMs: 0, telemetryMaxBytes: 0 },
      ...{ deltaTemporality: false, requestedMetrics: [] },
    }),
  }
}
