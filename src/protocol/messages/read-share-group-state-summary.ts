/**
 * ReadShareGroupStateSummary goes from a group coordinator to the share coordinator, for where a
 * share group stands in some partitions, without the single batches (KIP-932).
 *
 * 1 adds how much is done with, for the group's lag (KIP-1226).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const ReadShareGroupStateSummary = api({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({ partition: int32(), leaderEpoch: int32() }),
    }),
  },
  response: {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        startOffset: int64(),
        /** How many offsets from startOffset on are done with; -1: unknown. */
        deliveryCompleteCount: int32({ versions: '1+', default: -1, ignorable: true }),
      }),
    }),
  },
})

export interface ReadShareGroupStateSummaryRequest
  extends RequestOf<typeof ReadShareGroupStateSummary> {}
export interface ReadShareGroupStateSummaryResponse
  extends ResponseOf<typeof ReadShareGroupStateSummary> {}
