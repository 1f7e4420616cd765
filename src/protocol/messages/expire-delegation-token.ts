/** ExpireDelegationToken has a token expire sooner (KIP-48). */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, bytes, int16, int32, int64 } from '../schema.ts'

export const ExpireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: '1-2',
  flexible: '2+',
  request: {
    hmac: bytes(),
    /** From now; negative: at once. */
    expiryTimePeriodMs: int64(),
  },
  response: {
    errorCode: int16(),
    /** In milliseconds since the epoch. */
    expiryTimestampMs: int64(),
    throttleTimeMs: int32({ default: 0 }),
  },
})

export interface ExpireDelegationTokenRequest extends RequestOf<typeof ExpireDelegationToken> {}
export interface ExpireDelegationTokenResponse extends ResponseOf<typeof ExpireDelegationToken> {}
