/**
 * DescribeQuorum tells who votes on the cluster's metadata, and how far each has come (KIP-595).
 *
 * 1 adds when each last fetched and was level (KIP-836); 2 error texts, folders and the addresses
 * of the voters (KIP-853).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string, uint16, uuid } from '../schema.ts'

const replicaState = {
  replicaId: int32(),
  replicaDirectoryId: uuid({ versions: '2+' }),
  logEndOffset: int64(),
  lastFetchTimestamp: int64({ versions: '1+', ignorable: true, default: -1 }),
  lastCaughtUpTimestamp: int64({ versions: '1+', ignorable: true, default: -1 }),
}

export const DescribeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: '0-2',
  flexible: '0+',
  request: {
    topics: array({ topicName: string(), partitions: array({ partitionIndex: int32() }) }),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ versions: '2+', nullable: '2+', ignorable: true }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ versions: '2+', nullable: '2+', ignorable: true }),
        leaderId: int32(),
        leaderEpoch: int32(),
        highWatermark: int64(),
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array(
      {
        nodeId: int32(),
        listeners: array({ name: string(), host: string(), port: uint16() }),
      },
      { versions: '2+' },
    ),
  },
})

export interface DescribeQuorumRequest extends RequestOf<typeof DescribeQuorum> {}
export interface DescribeQuorumResponse extends ResponseOf<typeof DescribeQuorum> {}
