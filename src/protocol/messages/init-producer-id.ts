/**
 * InitProducerId gives a producer its id and epoch, for idempotence and for transactions (KIP-98).
 *
 * A transactional id gets the same producer id each time, with the epoch raised, which fences its
 * older instances and ends the transaction they left. 3 lets a producer resume with the id it has
 * (KIP-360); 4 brings PRODUCER_FENCED, 5 TRANSACTION_ABORTABLE (KIP-890).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, int16, int32, int64, string } from '../schema.ts'

export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: '0-5',
  flexible: '2+',
  request: {
    /** Null: idempotence only. */
    transactionalId: string({ nullable: '0+' }),
    transactionTimeoutMs: int32(),
    /** What the producer has already, or -1. */
    producerId: int64({ versions: '3+', default: -1 }),
    producerEpoch: int16({ versions: '3+', default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
  },
})

export interface InitProducerIdRequest extends RequestOf<typeof InitProducerId> {}
export interface InitProducerIdResponse extends ResponseOf<typeof InitProducerId> {}
