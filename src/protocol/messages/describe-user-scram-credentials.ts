/** DescribeUserScramCredentials tells for which SCRAM mechanisms users have passwords (KIP-554). */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, string } from '../schema.ts'

export const DescribeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: {
    /** Null or empty: all. */
    users: array({ name: string() }, { nullable: '0+' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
      credentialInfos: array({
        /** 1: SCRAM-SHA-256; 2: SCRAM-SHA-512. */
        mechanism: int8(),
        iterations: int32(),
      }),
    }),
  },
})

export interface DescribeUserScramCredentialsRequest
  extends RequestOf<typeof DescribeUserScramCredentials> {}
export interface DescribeUserScramCredentialsResponse
  extends ResponseOf<typeof DescribeUserScramCredentials> {}
