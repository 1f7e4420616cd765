/**
 * ControlledShutdown goes from a broker that is about to stop to the controller, which moves its
 * leaders elsewhere.
 *
 * 2 fences by the broker's epoch (KIP-380). Version 0 has a header of its own and is of Kafka
 * before 0.9. Kafka 4 no longer has the API: it is part of clusters that ZooKeeper keeps.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, string } from '../schema.ts'

export const ControlledShutdown = api({
  key: 7,
  name: 'ControlledShutdown',
  versions: '1-3',
  flexible: '3+',
  request: {
    brokerId: int32(),
    /** -1: not known. */
    brokerEpoch: int64({ versions: '2+', default: -1, ignorable: true }),
  },
  response: {
    errorCode: int16(),
    /** What it still leads. */
    remainingPartitions: array({ topicName: string(), partitionIndex: int32() }),
  },
})

export interface ControlledShutdownRequest extends RequestOf<typeof ControlledShutdown> {}
export interface ControlledShutdownResponse extends ResponseOf<typeof ControlledShutdown> {}
