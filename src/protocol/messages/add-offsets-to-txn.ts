/**
 * AddOffsetsToTxn makes a group's offsets part of a producer's transaction, before TxnOffsetCommit
 * (KIP-98).
 *
 * 4 brings TRANSACTION_ABORTABLE (KIP-890).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, int16, int32, int64, string } from '../schema.ts'

export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: '0-4',
  flexible: '3+',
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
  },
})

export interface AddOffsetsToTxnRequest extends RequestOf<typeof AddOffsetsToTxn> {}
export interface AddOffsetsToTxnResponse extends ResponseOf<typeof AddOffsetsToTxn> {}
