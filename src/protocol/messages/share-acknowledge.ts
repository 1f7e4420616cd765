/**
 * ShareAcknowledge acknowledges records that ShareFetch has acquired, in its share session
 * (KIP-932).
 *
 * 2 can prolong acquisition locks (KIP-1222). Version 0 was of the early access in Kafka 4.0 and is
 * no more.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, int64, string, struct, uuid } from '../schema.ts'

export const ShareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: '1-2',
  flexible: '0+',
  request: {
    groupId: string({ nullable: '0+', default: null }),
    memberId: string({ nullable: '0+' }),
    /** -1: close the session; else one more than in the last request. */
    shareSessionEpoch: int32(),
    /** Whether there are acknowledgements of type 4 among those below. */
    isRenewAck: bool({ versions: '2+', default: false }),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        acknowledgementBatches: array({
          firstOffset: int64(),
          /** Inclusive. */
          lastOffset: int64(),
          /**
           * One for all, or one for each offset. 0: gap; 1: accept; 2: release; 3: reject; 4:
           * renew.
           */
          acknowledgeTypes: array(int8()),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', default: null }),
    /** For how long renewed records are the member's. */
    acquisitionLockTimeoutMs: int32({ versions: '2+', ignorable: true }),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        /** Only with NOT_LEADER_OR_FOLLOWER. */
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: '0+', default: null }),
    }),
  },
})

export interface ShareAcknowledgeRequest extends RequestOf<typeof ShareAcknowledge> {}
export interface ShareAcknowledgeResponse extends ResponseOf<typeof ShareAcknowledge> {}
