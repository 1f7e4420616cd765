/**
 * SaslAuthenticate carries one token of a SASL exchange in each direction (KIP-152).
 *
 * 1 tells after how long the client must authenticate again (KIP-368).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, bytes, int16, int64, string } from '../schema.ts'

export const SaslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexible: '2+',
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    authBytes: bytes(),
    /** 0: it need not. */
    sessionLifetimeMs: int64({ versions: '1+', default: 0, ignorable: true }),
  },
})

export interface SaslAuthenticateRequest extends RequestOf<typeof SaslAuthenticate> {}
export interface SaslAuthenticateResponse extends ResponseOf<typeof SaslAuthenticate> {}
