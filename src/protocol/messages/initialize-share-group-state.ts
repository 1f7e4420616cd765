/**
 * InitializeShareGroupState goes from a group coordinator to the share coordinator, which starts to
 * keep the state of a share group in some partitions (KIP-932).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const InitializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        stateEpoch: int32(),
        /** -1: not yet known. */
        startOffset: int64(),
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

export interface InitializeShareGroupStateRequest
  extends RequestOf<typeof InitializeShareGroupState> {}
export interface InitializeShareGroupStateResponse
  extends ResponseOf<typeof InitializeShareGroupState> {}
