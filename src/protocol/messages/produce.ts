/**
 * Produce appends record batches to partitions. Each partition gets one batch of format 2.
 *
 * Versions 0 to 2 carried older batch formats; they are gone, but stay advertised, since librdkafka
 * and others read from that range what a broker can do. 5 gives the log's start; 7 allows zstd; 8
 * explains rejected records (KIP-467); 10 names the new leader when this broker is not it
 * (KIP-951); 11 brings TRANSACTION_ABORTABLE and 12 implicit AddPartitionsToTxn (both KIP-890, no
 * new fields); 13 names topics by id (KIP-516). With acks 0 there is no response at all.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts'

export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  advertised: '0-13',
  flexible: '9+',
  request: {
    transactionalId: string({ versions: '3+', nullable: '3+', default: null }),
    /** 0: none, 1: the leader, -1: every in-sync replica must have the records. */
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitionData: array({
        index: int32(),
        records: records({ nullable: '0+' }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string({ versions: '0-12', ignorable: true }),
      topicId: uuid({ versions: '13+', ignorable: true }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        /** -1 unless the topic uses LogAppendTime. */
        logAppendTimeMs: int64({ versions: '2+', default: -1, ignorable: true }),
        logStartOffset: int64({ versions: '5+', default: -1, ignorable: true }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: '8+', default: null }),
          },
          { versions: '8+', ignorable: true },
        ),
        errorMessage: string({ versions: '8+', nullable: '8+', default: null, ignorable: true }),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { versions: '10+', tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ versions: '1+', default: 0, ignorable: true }),
    /** Where the leaders named above are reached. */
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: '10+', default: null }),
      },
      { versions: '10+', tag: 0 },
    ),
  },
})

export interface ProduceRequest extends RequestOf<typeof Produce> {}
export interface ProduceResponse extends ResponseOf<typeof Produce> {}
