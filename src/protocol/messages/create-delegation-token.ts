/**
 * CreateDelegationToken makes a token with which others can log in as its owner (KIP-48).
 *
 * 3 can make it for another owner (KIP-373).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bytes, int16, int32, int64, string } from '../schema.ts'

export const CreateDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: '1-3',
  flexible: '2+',
  request: {
    /** Null: the owner is who asks. */
    ownerPrincipalType: string({ versions: '3+', nullable: '3+' }),
    ownerPrincipalName: string({ versions: '3+', nullable: '3+' }),
    renewers: array({ principalType: string(), principalName: string() }),
    /** -1: as long as the broker allows. */
    maxLifetimeMs: int64(),
  },
  response: {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string({ versions: '3+' }),
    tokenRequesterPrincipalName: string({ versions: '3+' }),
    /** In milliseconds since the epoch, as are the next two. */
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    /** When it expires in spite of all renewals. */
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32({ default: 0 }),
  },
})

export interface CreateDelegationTokenRequest extends RequestOf<typeof CreateDelegationToken> {}
export interface CreateDelegationTokenResponse extends ResponseOf<typeof CreateDelegationToken> {}
