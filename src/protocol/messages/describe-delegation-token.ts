/**
 * DescribeDelegationToken lists the tokens of owners, as far as who asks may see them (KIP-48).
 *
 * 3 tells owner and requester of a token apart (KIP-373).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bytes, int16, int32, int64, string } from '../schema.ts'

export const DescribeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: '1-3',
  flexible: '2+',
  request: {
    /** Null: all. */
    owners: array({ principalType: string(), principalName: string() }, { nullable: '0+' }),
  },
  response: {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string({ versions: '3+' }),
      tokenRequesterPrincipalName: string({ versions: '3+' }),
      /** In milliseconds since the epoch, as are the next two. */
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({ principalType: string(), principalName: string() }),
    }),
    throttleTimeMs: int32({ default: 0 }),
  },
})

export interface DescribeDelegationTokenRequest extends RequestOf<typeof DescribeDelegationToken> {}
export interface DescribeDelegationTokenResponse
  extends ResponseOf<typeof DescribeDelegationToken> {}
