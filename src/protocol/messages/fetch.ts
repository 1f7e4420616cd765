/**
 * Fetch reads record batches from partitions, and waits for them up to maxWaitMs. Consumers and
 * followers use the same request: a follower says who it is in replicaId (to 14) or replicaState.
 *
 * Since 3 partitions are answered in the order of the request; 7 brings fetch sessions (KIP-227); 9
 * fences by leader epoch (KIP-320); 11 fetches from followers (KIP-392); 12 detects divergence by
 * the epoch fetched last (KIP-595); 13 names topics by id (KIP-516); 15 moves the follower's
 * identity to a tagged field and adds its epoch (KIP-903); 16 names new leaders (KIP-951); 17 adds
 * the follower's directory (KIP-853); 18 the follower's known high watermark (KIP-1166).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import {
  api,
  array,
  bigint64,
  int8,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts'

export const Fetch = api({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  flexible: '12+',
  request: {
    clusterId: string({
      versions: '12+',
      nullable: '12+',
      default: null,
      ignorable: true,
      tag: 0,
    }),
    /** -1 for consumers. */
    replicaId: int32({ versions: '0-14', default: -1 }),
    replicaState: struct(
      { replicaId: int32({ default: -1 }), replicaEpoch: int64({ default: -1 }) },
      { versions: '15+', tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ versions: '3+', default: 0x7fffffff, ignorable: true }),
    /** 0: read_uncommitted, 1: read_committed. */
    isolationLevel: int8({ versions: '4+', default: 0, ignorable: true }),
    sessionId: int32({ versions: '7+', default: 0, ignorable: true }),
    /** -1: no session; 0: a new one; else the epoch within the session. */
    sessionEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
    topics: array({
      topic: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitions: array({
        partition: int32(),
        /** -1: do not check. */
        currentLeaderEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
        fetchOffset: int64(),
        /** -1: do not check. */
        lastFetchedEpoch: int32({ versions: '12+', default: -1 }),
        /** Of a follower's log; -1 from consumers. */
        logStartOffset: int64({ versions: '5+', default: -1, ignorable: true }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ versions: '17+', ignorable: true, tag: 0 }),
        /** Long.MAX_VALUE: the follower does not want to be told early. */
        highWatermark: bigint64({
          versions: '18+',
          default: 0x7fff_ffff_ffff_ffffn,
          ignorable: true,
          tag: 1,
        }),
      }),
    }),
    /** What an incremental fetch takes out of its session. */
    forgottenTopicsData: array(
      {
        topic: string({ versions: '7-12', ignorable: true }),
        topicId: uuid({ versions: '13+', ignorable: true }),
        partitions: array(int32()),
      },
      { versions: '7+' },
    ),
    rackId: string({ versions: '11+', default: '', ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16({ versions: '7+', ignorable: true }),
    sessionId: int32({ versions: '7+', default: 0 }),
    responses: array({
      topic: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ versions: '4+', default: -1, ignorable: true }),
        logStartOffset: int64({ versions: '5+', default: -1, ignorable: true }),
        /** Where the follower's log has left the leader's: it truncates to this and asks again. */
        divergingEpoch: struct(
          { epoch: int32({ default: -1 }), endOffset: int64({ default: -1 }) },
          { versions: '12+', tag: 0 },
        ),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { versions: '12+', tag: 1 },
        ),
        snapshotId: struct(
          { endOffset: int64({ default: -1 }), epoch: int32({ default: -1 }) },
          { versions: '12+', tag: 2 },
        ),
        /** Null unless read_committed was asked for. */
        abortedTransactions: array(
          { producerId: int64(), firstOffset: int64() },
          { versions: '4+', nullable: '4+', ignorable: true },
        ),
        preferredReadReplica: int32({ versions: '11+', default: -1 }),
        records: records({ nullable: '0+' }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: '16+', default: null }),
      },
      { versions: '16+', tag: 0 },
    ),
  },
})

export interface FetchRequest extends RequestOf<typeof Fetch> {}
export interface FetchResponse extends ResponseOf<typeof Fetch> {}
