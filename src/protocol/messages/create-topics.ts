/**
 * CreateTopics creates topics, each with a number of partitions and a replication factor (-1 for
 * the broker's defaults, since 4) or with an assignment of replicas by hand.
 *
 * 5 answers with the topic's configs and size (KIP-525); 6 may answer THROTTLING_QUOTA_EXCEEDED
 * (KIP-599); 7 answers with the topic's id (KIP-516).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, string, uuid } from '../schema.ts'

export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexible: '5+',
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({ partitionIndex: int32(), brokerIds: array(int32()) }, { default: [] }),
      configs: array({ name: string(), value: string({ nullable: '0+' }) }, { default: [] }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool({ versions: '1+', default: false }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array({
      name: string(),
      topicId: uuid({ versions: '7+', ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ versions: '1+', nullable: '0+', ignorable: true }),
      /** Why `configs` is null: the client may create but not describe. */
      topicConfigErrorCode: int16({ versions: '5+', ignorable: true, tag: 0 }),
      numPartitions: int32({ versions: '5+', default: -1, ignorable: true }),
      replicationFactor: int16({ versions: '5+', default: -1, ignorable: true }),
      configs: array(
        {
          name: string(),
          value: string({ nullable: '5+' }),
          readOnly: bool(),
          configSource: int8({ default: -1, ignorable: true }),
          isSensitive: bool(),
        },
        { versions: '5+', nullable: '5+', ignorable: true },
      ),
    }),
  },
})

export interface CreateTopicsRequest extends RequestOf<typeof CreateTopics> {}
export interface CreateTopicsResponse extends ResponseOf<typeof CreateTopics> {}
