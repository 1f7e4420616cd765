/**
 * AlterUserScramCredentials sets and removes users' passwords for SCRAM (KIP-554). The passwords
 * come salted, so that the broker never sees them. A user is changed as a whole or not at all.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bytes, int8, int16, int32, string } from '../schema.ts'

export const AlterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: {
    deletions: array({
      name: string(),
      /** 1: SCRAM-SHA-256; 2: SCRAM-SHA-512. */
      mechanism: int8(),
    }),
    upsertions: array({
      name: string(),
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
    }),
  },
})

export interface AlterUserScramCredentialsRequest
  extends RequestOf<typeof AlterUserScramCredentials> {}
export interface AlterUserScramCredentialsResponse
  extends ResponseOf<typeof AlterUserScramCredentials> {}
