/**
 * CreateTopics (versions 2-7): each topic is created, or refused, by itself. When the answer comes,
 * the topic can be used: there is no time in which its leader is unknown. Version 5 answers with
 * what was created and its configuration (KIP-525), 7 with the topic id; 6 knows the error of
 * clients that change too many partitions (KIP-599).
 */
import type { ConfigDescription } from '../../common/config/config.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { CreateTopics, type CreateTopicsRequest } from '../../protocol/messages/create-topics.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { Mutations } from '../quotas/quota-manager.ts'
import type { RequestHandler } from '../request-handler.ts'

type TopicResponse = ResponseInput<typeof CreateTopics>['topics'][number]
type TopicRequest = CreateTopicsRequest['topics'][number]

export function createTopicsHandler({
  topics,
  quotas,
  config,
}: BrokerServices): RequestHandler<typeof CreateTopics> {
  async function create(
    topic: TopicRequest,
    validateOnly: boolean,
    mutations: Mutations,
  ): Promise<TopicResponse> {
    const { name, numPartitions, replicationFactor, assignments } = topic
    const asked = assignments.length > 0 ? assignments.length : numPartitions
    mutations.take(asked > 0 ? asked : config.get('num.partitions'))
    const configs = givenConfigs(topic)
    const created = await topics.create(
      { name, numPartitions, replicationFactor, assignments, configs },
      validateOnly,
    )
    return {
      name,
      ...(validateOnly ? {} : { topicId: created.topicId }),
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      numPartitions: created.numPartitions,
      replicationFactor: created.replicationFactor,
      configs: created.config.describe().map(describeConfig),
    }
  }

  return {
    api: CreateTopics,

    async handle(request, context) {
      const mutations = quotas.mutations(context, context.apiVersion >= 6)
      const names = request.topics.map((topic) => topic.name)
      const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index))
      const responses: TopicResponse[] = []
      for (const topic of request.topics) {
        if (repeated.has(topic.name)) continue
        try {
          responses.push(await create(topic, request.validateOnly, mutations))
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          responses.push(failed(topic.name, error))
        }
      }
      for (const name of repeated) {
        responses.push(failed(name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')))
      }
      context.throttle(mutations.throttleMs())
      return { topics: responses }
    },

    failure(request, error) {
      return { topics: request.topics.map(({ name }) => failed(name, error)) }
    },
  }
}

function givenConfigs(topic: TopicRequest): Map<string, string> {
  const configs = new Map<string, string>()
  for (const { name, value } of topic.configs) {
    if (value === null) {
      throw new KafkaError('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
    }
    configs.set(name, value)
  }
  return configs
}

function describeConfig(config: ConfigDescription) {
  const { name, value, readOnly, source, sensitive } = config
  return { name, value, readOnly, configSource: source, isSensitive: sensitive }
}

function failed(name: string, error: KafkaError): TopicResponse {
  return { name, errorCode: error.code, errorMessage: error.message, configs: null }
}
