/**
 * LeaderAndIsr goes from the controller to a broker: what partitions it has replicas of, and which
 * of these it leads.
 *
 * 2 fences by the broker's epoch (KIP-380); 3 tells what a reassignment adds and removes (KIP-455);
 * 5 adds topic ids (KIP-516), 6 recovery after an unclean election (KIP-704), 7 the controller of a
 * migration to KRaft (KIP-866). Older versions, which name the topic with every partition, are of
 * Kafka before 2.2. Kafka 4 no longer has the API: it is part of clusters that ZooKeeper keeps.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, int64, string, uuid } from '../schema.ts'

export const LeaderAndIsr = api({
  key: 4,
  name: 'LeaderAndIsr',
  versions: '2-7',
  flexible: '4+',
  request: {
    controllerId: int32(),
    /** Only while Kafka moves from ZooKeeper to KRaft. */
    isKRaftController: bool({ versions: '7+', default: false }),
    controllerEpoch: int32(),
    /** -1: not known. */
    brokerEpoch: int64({ default: -1 }),
    /** 0: unknown; 1: some of the partitions; 2: all, and what is not named is to go. */
    type: int8({ versions: '5+' }),
    topicStates: array({
      topicName: string(),
      topicId: uuid({ versions: '5+', ignorable: true }),
      partitionStates: array({
        partitionIndex: int32(),
        controllerEpoch: int32(),
        /** -1: none; -2: the topic is being deleted. */
        leader: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        /** The version of the partition's state in ZooKeeper. */
        partitionEpoch: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32(), { versions: '3+', ignorable: true }),
        removingReplicas: array(int32(), { versions: '3+', ignorable: true }),
        /** The replica has never been there: a missing log is no loss. */
        isNew: bool({ default: false }),
        /** 1: recovering from an unclean election. */
        leaderRecoveryState: int8({ versions: '6+', default: 0 }),
      }),
    }),
    liveLeaders: array({ brokerId: int32(), hostName: string(), port: int32() }),
  },
  response: {
    errorCode: int16(),
    /** By name to 4, by id from 5 on. */
    partitionErrors: array(
      { topicName: string(), partitionIndex: int32(), errorCode: int16() },
      { versions: '2-4' },
    ),
    topics: array(
      { topicId: uuid(), partitionErrors: array({ partitionIndex: int32(), errorCode: int16() }) },
      { versions: '5+' },
    ),
  },
})

export interface LeaderAndIsrRequest extends RequestOf<typeof LeaderAndIsr> {}
export interface LeaderAndIsrResponse extends ResponseOf<typeof LeaderAndIsr> {}
