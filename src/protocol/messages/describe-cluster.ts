/**
 * DescribeCluster names the cluster, its controller and its brokers (KIP-700).
 *
 * 1 says whether brokers (endpointType 1) or controllers (2) are meant (KIP-919); 2 can include
 * brokers that are fenced (KIP-1073).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: '0-2',
  flexible: '0+',
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ versions: '1+', default: 1 }),
    includeFencedBrokers: bool({ versions: '2+' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', default: null }),
    endpointType: int8({ versions: '1+', default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: '0+', default: null }),
      isFenced: bool({ versions: '2+' }),
    }),
    /** A bit for each operation allowed; the default means that nobody asked. */
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
})

export interface DescribeClusterRequest extends RequestOf<typeof DescribeCluster> {}
export interface DescribeClusterResponse extends ResponseOf<typeof DescribeCluster> {}
