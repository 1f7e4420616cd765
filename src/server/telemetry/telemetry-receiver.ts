/** Where metrics that clients push go (KIP-714). */
import type { Logger } from '../../common/logger.ts'

/** One push of one client. */
export interface TelemetryPush {
  readonly clientInstanceId: string
  readonly clientId: string | null
  /** The client says good-bye with it. */
  readonly isTerminating: boolean
  /** MetricsData of OpenTelemetry, in protobuf, not compressed. Only valid during the call. */
  readonly metrics: Buffer
}

export interface TelemetryReceiver {
  /** Takes over a push. What it throws is logged, and the client told INVALID_RECORD. */
  receive(push: TelemetryPush): void
}

/** The receiver that `metric.reporters` can name: a line in the broker's log for each push. */
export const LOGGING_RECEIVER = 'client-telemetry-log'

export function loggingReceiver(log: Logger): TelemetryReceiver {
  return {
    receive({ clientInstanceId, clientId, isTerminating, metrics }) {
      const last = isTerminating ? ', the last ones' : ''
      const who = `client ${clientId ?? ''} (instance ${clientInstanceId})`
      log.info(`Received ${metrics.length} bytes of metrics from ${who}${last}`)
    },
  }
}
