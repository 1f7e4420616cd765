/**
 * SaslHandshake chooses a SASL mechanism, or is told which there are.
 *
 * After 0 the tokens follow as bare frames, after 1 inside SaslAuthenticate (KIP-152).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, string } from '../schema.ts'

export const SaslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: array(string()),
  },
})

export interface SaslHandshakeRequest extends RequestOf<typeof SaslHandshake> {}
export interface SaslHandshakeResponse extends ResponseOf<typeof SaslHandshake> {}
