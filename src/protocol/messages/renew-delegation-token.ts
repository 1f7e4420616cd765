/** RenewDelegationToken has a token expire later (KIP-48). */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, bytes, int16, int32, int64 } from '../schema.ts'

export const RenewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: '1-2',
  flexible: '2+',
  request: {
    hmac: bytes(),
    /** From now; negative: `delegation.token.expiry.time.ms`. */
    renewPeriodMs: int64(),
  },
  response: {
    errorCode: int16(),
    /** In milliseconds since the epoch. */
    expiryTimestampMs: int64(),
    throttleTimeMs: int32({ default: 0 }),
  },
})

export interface RenewDelegationTokenRequest extends RequestOf<typeof RenewDelegationToken> {}
export interface RenewDelegationTokenResponse extends ResponseOf<typeof RenewDelegationToken> {}
