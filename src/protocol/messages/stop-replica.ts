/**
 * StopReplica goes from the controller to a broker, which gives up replicas, with their logs or
 * without.
 *
 * 1 fences by the broker's epoch (KIP-380), 3 by the leader's epoch of each partition (KIP-570); 4
 * adds the controller of a migration to KRaft (KIP-866). Version 0, which names the topic with
 * every partition, is of Kafka before 2.2. Kafka 4 no longer has the API: it is part of clusters
 * that ZooKeeper keeps.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const StopReplica = api({
  key: 5,
  name: 'StopReplica',
  versions: '1-4',
  flexible: '2+',
  request: {
    controllerId: int32(),
    /** Only while Kafka moves from ZooKeeper to KRaft. */
    isKRaftController: bool({ versions: '4+', default: false }),
    controllerEpoch: int32(),
    /** -1: not known. */
    brokerEpoch: int64({ default: -1 }),
    /** From 3 on each partition says it for itself. */
    deletePartitions: bool({ versions: '1-2' }),
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { versions: '1-2' }),
    topicStates: array(
      {
        topicName: string(),
        partitionStates: array({
          partitionIndex: int32(),
          /** -1: not known; -2: the topic is being deleted. */
          leaderEpoch: int32({ default: -1 }),
          deletePartition: bool(),
        }),
      },
      { versions: '3+' },
    ),
  },
  response: {
    errorCode: int16(),
    partitionErrors: array({ topicName: string(), partitionIndex: int32(), errorCode: int16() }),
  },
})

export interface StopReplicaRequest extends RequestOf<typeof StopReplica> {}
export interface StopReplicaResponse extends ResponseOf<typeof StopReplica> {}
