/**
 * ListOffsets finds the offset of the first record at or after a time in each partition.
 *
 * Some times below zero have a meaning of their own: -1 the end of the log, -2 its start, -3 the
 * record with the highest timestamp (7, KIP-734), -4 the start of what is on local disk (8,
 * KIP-405), -5 the end of what is in tiered storage (9, KIP-1005), -6 the first offset not yet
 * uploaded to it (11, KIP-1023). 2 adds the isolation level, 4 fences by leader epoch, 10 a time
 * limit for remote look-ups.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, int64, string } from '../schema.ts'

export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  flexible: '6+',
  request: {
    /** -1 for consumers. */
    replicaId: int32(),
    isolationLevel: int8({ versions: '2+' }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ versions: '4+', default: -1, ignorable: true }),
        timestamp: int64({ saturate: true }),
      }),
    }),
    timeoutMs: int32({ versions: '10+', ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        /** -1 where no record was found, and for the start and the end of the log. */
        timestamp: int64({ versions: '1+', default: -1 }),
        offset: int64({ versions: '1+', default: -1 }),
        leaderEpoch: int32({ versions: '4+', default: -1 }),
      }),
    }),
  },
})

export interface ListOffsetsRequest extends RequestOf<typeof ListOffsets> {}
export interface ListOffsetsResponse extends ResponseOf<typeof ListOffsets> {}
