/**
 * UpdateMetadata goes from the controller to all brokers: who is there, and what clients are to be
 * told of the partitions.
 *
 * 5 fences by the broker's epoch (KIP-380); 7 adds topic ids (KIP-516), 8 the controller of a
 * migration to KRaft (KIP-866). Older versions, which name the topic with every partition, are of
 * Kafka before 2.2. Kafka 4 no longer has the API: it is part of clusters that ZooKeeper keeps.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, int64, string, uuid } from '../schema.ts'

export const UpdateMetadata = api({
  key: 6,
  name: 'UpdateMetadata',
  versions: '5-8',
  flexible: '6+',
  request: {
    controllerId: int32(),
    /** Only while Kafka moves from ZooKeeper to KRaft. */
    isKRaftController: bool({ versions: '8+', default: false }),
    /** 0: unknown; 1: some of the partitions; 2: all. */
    type: int8({ versions: '8+', default: 0, tag: 0 }),
    controllerEpoch: int32(),
    /** -1: not known. */
    brokerEpoch: int64({ default: -1 }),
    topicStates: array({
      topicName: string(),
      topicId: uuid({ versions: '7+', ignorable: true }),
      partitionStates: array({
        partitionIndex: int32(),
        controllerEpoch: int32(),
        /** -1: none; -2: the topic is being deleted. */
        leader: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        /** The version of the partition's state in ZooKeeper. */
        zkVersion: int32(),
        replicas: array(int32()),
        offlineReplicas: array(int32()),
      }),
    }),
    liveBrokers: array({
      id: int32(),
      endpoints: array({
        port: int32(),
        host: string(),
        listener: string(),
        /** 0: PLAINTEXT; 1: SSL; 2: SASL_PLAINTEXT; 3: SASL_SSL. */
        securityProtocol: int16(),
      }),
      rack: string({ nullable: '0+' }),
    }),
  },
  response: {
    errorCode: int16(),
  },
})

export interface UpdateMetadataRequest extends RequestOf<typeof UpdateMetadata> {}
export interface UpdateMetadataResponse extends ResponseOf<typeof UpdateMetadata> {}
