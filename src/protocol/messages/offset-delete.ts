/**
 * OffsetDelete deletes a group's offsets of partitions whose topics it is not subscribed to
 * (KIP-496).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, string } from '../schema.ts'

export const OffsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  flexible: 'none',
  request: {
    groupId: string(),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32() }) }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
})

export interface OffsetDeleteRequest extends RequestOf<typeof OffsetDelete> {}
export interface OffsetDeleteResponse extends ResponseOf<typeof OffsetDelete> {}
