/**
 * DeleteTopics (versions 1-6): topics go with their data, at once: the name can be used again when
 * the answer comes. Version 6 lets clients name topics by id (KIP-516); 5 knows the error of
 * clients that change too many partitions (KIP-599).
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { DeleteTopics, type DeleteTopicsRequest } from '../../protocol/messages/delete-topics.ts'
import { type ResponseInput, ZERO_UUID } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { TopicMetadata } from '../metadata-cache.ts'
import type { Mutations } from '../quotas/quota-manager.ts'
import type { RequestHandler } from '../request-handler.ts'

type TopicResponse = ResponseInput<typeof DeleteTopics>['responses'][number]
type Wanted = DeleteTopicsRequest['topics'][number]

export function deleteTopicsHandler({
  topics,
  metadata,
  quotas,
}: BrokerServices): RequestHandler<typeof DeleteTopics> {
  function resolve({ name, topicId }: Wanted): TopicMetadata {
    if (name !== null && topicId !== ZERO_UUID) {
      throw new KafkaError('INVALID_REQUEST', 'You may not specify both topic name and topic id.')
    }
    if (name === null && topicId === ZERO_UUID) {
      throw new KafkaError('INVALID_REQUEST', 'Neither topic name nor id were specified.')
    }
    const topic = name === null ? metadata.topicById(topicId) : metadata.topic(name)
    if (topic === undefined) {
      throw new KafkaError(name === null ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
    }
    return topic
  }

  async function remove(wanted: Wanted, mutations: Mutations): Promise<TopicResponse> {
    try {
      const { name, topicId, partitions } = resolve(wanted)
      mutations.take(partitions.length)
      await topics.delete(name)
      return { name, topicId, errorCode: ErrorCode.NONE }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return failed(wanted, error)
    }
  }

  return {
    api: DeleteTopics,

    async handle(request, context) {
      const mutations = quotas.mutations(context, context.apiVersion >= 5)
      const responses: TopicResponse[] = []
      for (const wanted of wantedTopics(request)) responses.push(await remove(wanted, mutations))
      context.throttle(mutations.throttleMs())
      return { responses }
    },

    failure(request, error) {
      return { responses: wantedTopics(request).map((wanted) => failed(wanted, error)) }
    },
  }
}

function wantedTopics(request: DeleteTopicsRequest): Wanted[] {
  return [...request.topics, ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))]
}

function failed({ name, topicId }: Wanted, error: KafkaError): TopicResponse {
  return { name, topicId, errorCode: error.code, errorMessage: error.message }
}
