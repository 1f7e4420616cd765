/** UnregisterBroker removes the registration of a broker that will not come back (KIP-631). */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, int16, int32, string } from '../schema.ts'

export const UnregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: '0',
  flexible: '0+',
  request: { brokerId: int32() },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
  },
})

export interface UnregisterBrokerRequest extends RequestOf<typeof UnregisterBroker> {}
export interface UnregisterBrokerResponse extends ResponseOf<typeof UnregisterBroker> {}
