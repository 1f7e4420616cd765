/**
 * AlterPartitionReassignments gives partitions other replicas, or with null cancels what is under
 * way (KIP-455).
 *
 * 1 can refuse changes of the replication factor (KIP-860).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, string } from '../schema.ts'

export const AlterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: '0-1',
  flexible: '0+',
  request: {
    timeoutMs: int32({ default: 60000 }),
    allowReplicationFactorChange: bool({ versions: '1+', default: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32(), { nullable: '0+', default: null }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    allowReplicationFactorChange: bool({ versions: '1+', default: true, ignorable: true }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    responses: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+' }),
      }),
    }),
  },
})

export interface AlterPartitionReassignmentsRequest
  extends RequestOf<typeof AlterPartitionReassignments> {}
export interface AlterPartitionReassignmentsResponse
  extends ResponseOf<typeof AlterPartitionReassignments> {}
