/** PushTelemetry brings metrics of a client, in the format of OpenTelemetry (KIP-714). */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, bool, bytes, int8, int16, int32, uuid } from '../schema.ts'

export const PushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: '0',
  flexible: '0+',
  request: {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  response: { throttleTimeMs: int32({ default: 0 }), errorCode: int16() },
})

export interface PushTelemetryRequest extends RequestOf<typeof PushTelemetry> {}
export interface PushTelemetryResponse extends ResponseOf<typeof PushTelemetry> {}
