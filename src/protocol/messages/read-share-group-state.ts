/**
 * ReadShareGroupState goes from a partition's leader to the share coordinator, for how far a share
 * group has got there (KIP-932). It fences leaders of earlier epochs.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, int64, string, uuid } from '../schema.ts'

export const ReadShareGroupState = api({
  key: 84,
  name: 'ReadShareGroupState',
  versions: '0',
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
        /** -1: not yet known. */
        startOffset: int64(),
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
})

export interface ReadShareGroupStateRequest extends RequestOf<typeof ReadShareGroupState> {}
export interface ReadShareGroupStateResponse extends ResponseOf<typeof ReadShareGroupState> {}
