/**
 * DeleteTopics deletes topics with all their records.
 *
 * To 5 topics are named in topicNames; from 6 on in topics, by name or by id (KIP-516). 5 adds an
 * error message (KIP-599).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, string, uuid, ZERO_UUID } from '../schema.ts'

export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexible: '4+',
  request: {
    topics: array(
      { name: string({ nullable: '6+', default: null }), topicId: uuid({ default: ZERO_UUID }) },
      { versions: '6+' },
    ),
    topicNames: array(string(), { versions: '0-5', ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    responses: array({
      /** Null for an unknown topic that was named by id. */
      name: string({ nullable: '6+' }),
      topicId: uuid({ versions: '6+', ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
    }),
  },
})

export interface DeleteTopicsRequest extends RequestOf<typeof DeleteTopics> {}
export interface DeleteTopicsResponse extends ResponseOf<typeof DeleteTopics> {}
