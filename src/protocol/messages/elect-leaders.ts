/**
 * ElectLeaders has leaders elected for some partitions, or for all (KIP-460).
 *
 * 1 adds the kind of election (0 preferred, 1 unclean) and an error for the request as a whole.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, string } from '../schema.ts'

export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexible: '2+',
  request: {
    electionType: int8({ versions: '1+' }),
    topicPartitions: array({ topic: string(), partitions: array(int32()) }, { nullable: '0+' }),
    timeoutMs: int32({ default: 60000 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '1+' }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({
        partitionId: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+' }),
      }),
    }),
  },
})

export interface ElectLeadersRequest extends RequestOf<typeof ElectLeaders> {}
export interface ElectLeadersResponse extends ResponseOf<typeof ElectLeaders> {}
