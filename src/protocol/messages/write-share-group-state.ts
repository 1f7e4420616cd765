/**
 * WriteShareGroupState goes from a partition's leader to the share coordinator, with what has
 * changed in the state of a share group there (KIP-932).
 *
 * 1 adds how much is done with, for the group's lag (KIP-1226).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, int64, string, uuid } from '../schema.ts'

export const WriteShareGroupState = api({
  key: 85,
  name: 'WriteShareGroupState',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        /** -1: as before. */
        startOffset: int64(),
        /** How many offsets from startOffset on are done with; -1: unknown. */
        deliveryCompleteCount: int32({ versions: '1+', default: -1, ignorable: true }),
        stateBatches: array({
          firstOffset: int64(),
          /** Inclusive. */
          lastOffset: int64(),
          /** 0: available; 2: acknowledged; 4: archived. */
          deliveryState: int8(),
          deliveryCount: int16(),
        }),
      }),
    }),
  },
  response: {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
      }),
    }),
  },
})

export interface WriteShareGroupStateRequest extends RequestOf<typeof WriteShareGroupState> {}
export interface WriteShareGroupStateResponse extends ResponseOf<typeof WriteShareGroupState> {}
