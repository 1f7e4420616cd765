/**
 * EndTxn commits or aborts a producer's transaction (KIP-98).
 *
 * 5 raises the producer's epoch with every transaction and answers with the new one (KIP-890).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, bool, int16, int32, int64, string } from '../schema.ts'

export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    /** False: abort. */
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ versions: '5+', default: -1, ignorable: true }),
    producerEpoch: int16({ versions: '5+', default: -1, ignorable: true }),
  },
})

export interface EndTxnRequest extends RequestOf<typeof EndTxn> {}
export interface EndTxnResponse extends ResponseOf<typeof EndTxn> {}
