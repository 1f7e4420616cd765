/** What a subscription's patterns are matched against, of the client that sends a request. */
import type { BrokerServices } from '../broker-services.ts'
import type { RequestContext } from '../request-handler.ts'
import type { TelemetryClient } from './client-telemetry.ts'

export function telemetryClient(
  { clientSoftware }: BrokerServices,
  { connection, clientId }: RequestContext,
): TelemetryClient {
  const software = clientSoftware.get(connection)
  return {
    attributes: {
      client_id: clientId ?? '',
      client_software_name: software?.name ?? '',
      client_software_version: software?.version ?? '',
      client_source_address: connection.remoteHost,
      client_source_port: String(connection.remotePort),
    },
  }
}
