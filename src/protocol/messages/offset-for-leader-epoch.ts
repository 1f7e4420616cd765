/**
 * OffsetForLeaderEpoch tells where a leader epoch ended in the leader's log: the log's end for the
 * current epoch, else the first offset of the next.
 *
 * Followers and consumers compare it with what they have, to see where the logs part (KIP-101,
 * KIP-279, KIP-320). 3 adds replicaId.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string } from '../schema.ts'

export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexible: '4+',
  request: {
    /** -1 for consumers, -2 from before 3. */
    replicaId: int32({ versions: '3+', default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        /** -1: do not check. */
        currentLeaderEpoch: int32({ versions: '2+', default: -1, ignorable: true }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        /** The largest epoch in the log that is not above the one asked for. */
        leaderEpoch: int32({ versions: '1+', default: -1, ignorable: true }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
})

export interface OffsetForLeaderEpochRequest extends RequestOf<typeof OffsetForLeaderEpoch> {}
export interface OffsetForLeaderEpochResponse extends ResponseOf<typeof OffsetForLeaderEpoch> {}
