/**
 * Metadata tells which brokers there are and who leads each partition.
 *
 * All topics are asked for by null, except in 0, where an empty list means all. 4 lets the client
 * forbid auto-creation; 7 adds leader epochs; 8 authorized operations (those of the cluster moved
 * to DescribeCluster after 10, KIP-700); 10 topic ids in the response; 12 asking by id (a name may
 * be null then); 13 an error for the whole response (KIP-1102: a client should bootstrap anew).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, string, uuid } from '../schema.ts'

export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  request: {
    topics: array(
      {
        topicId: uuid({ versions: '10+', ignorable: true }),
        name: string({ nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool({ versions: '4+', default: true }),
    includeClusterAuthorizedOperations: bool({ versions: '8-10' }),
    includeTopicAuthorizedOperations: bool({ versions: '8+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ versions: '1+', nullable: '1+', default: null, ignorable: true }),
    }),
    clusterId: string({ versions: '2+', nullable: '2+', default: null, ignorable: true }),
    controllerId: int32({ versions: '1+', default: -1, ignorable: true }),
    topics: array({
      errorCode: int16(),
      /** Null for an unknown topic that was asked for by id. */
      name: string({ nullable: '12+' }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      isInternal: bool({ versions: '1+', default: false, ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { versions: '5+', ignorable: true }),
      }),
      /** A bit for each operation allowed; the default means that nobody asked. */
      topicAuthorizedOperations: int32({ versions: '8+', default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: -2147483648 }),
    errorCode: int16({ versions: '13+', ignorable: true }),
  },
})

export interface MetadataRequest extends RequestOf<typeof Metadata> {}
export interface MetadataResponse extends ResponseOf<typeof Metadata> {}
