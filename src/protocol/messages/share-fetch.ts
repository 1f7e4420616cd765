/**
 * ShareFetch acquires records for a member of a share group, waiting for them up to maxWaitMs, and
 * acknowledges earlier ones on the way (KIP-932). It lives in a share session like those of Fetch:
 * a request names only partitions that are new in it, or that have acknowledgements.
 *
 * 2 can ask for no more records than maxRecords (KIP-1206) and prolong acquisition locks
 * (KIP-1222). Version 0 was of the early access in Kafka 4.0 and is no more.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import {
  api,
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts'

export const ShareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: '1-2',
  flexible: '0+',
  request: {
    groupId: string({ nullable: '0+', default: null }),
    memberId: string({ nullable: '0+' }),
    /** 0: open a session; -1: close it; else one more than in the last request. */
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff }),
    /** May be exceeded to keep batches whole, unless shareAcquireMode says otherwise. */
    maxRecords: int32(),
    /** The best number of records in a batch of acquired records. */
    batchSize: int32(),
    /** 0: whole batches; 1: never more than maxRecords. */
    shareAcquireMode: int8({ versions: '2+', default: 0, ignorable: true }),
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
    /** What is to leave the session. */
    forgottenTopicsData: array({ topicId: uuid(), partitions: array(int32()) }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', default: null }),
    /** For how long the records are the member's. */
    acquisitionLockTimeoutMs: int32(),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        acknowledgeErrorCode: int16(),
        acknowledgeErrorMessage: string({ nullable: '0+', default: null }),
        /** Only with NOT_LEADER_OR_FOLLOWER. */
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
        /** May hold records that are not acquired: see the next field. */
        records: records(),
        acquiredRecords: array({
          firstOffset: int64(),
          /** Inclusive. */
          lastOffset: int64(),
          deliveryCount: int16(),
        }),
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

export interface ShareFetchRequest extends RequestOf<typeof ShareFetch> {}
export interface ShareFetchResponse extends ResponseOf<typeof ShareFetch> {}
