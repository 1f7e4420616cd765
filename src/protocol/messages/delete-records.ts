/**
 * DeleteRecords moves the start of partitions' logs forward: what lies before `offset` is gone.
 *
 * An offset of -1 means the high watermark. The versions differ in encoding only.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string } from '../schema.ts'

export const DeleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexible: '2+',
  request: {
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), offset: int64() }),
    }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        /** The lowest log start offset among the live replicas; -1 with an error. */
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
})

export interface DeleteRecordsRequest extends RequestOf<typeof DeleteRecords> {}
export interface DeleteRecordsResponse extends ResponseOf<typeof DeleteRecords> {}
