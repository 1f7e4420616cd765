/**
 * CreatePartitions raises the number of partitions of topics (KIP-195).
 *
 * `count` is the new total; assignments, if there are any, name the replicas of the new ones only.
 * 3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, string } from '../schema.ts'

export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexible: '2+',
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array({ brokerIds: array(int32()) }, { nullable: '0+', default: null }),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: '0+', default: null }),
    }),
  },
})

export interface CreatePartitionsRequest extends RequestOf<typeof CreatePartitions> {}
export interface CreatePartitionsResponse extends ResponseOf<typeof CreatePartitions> {}
