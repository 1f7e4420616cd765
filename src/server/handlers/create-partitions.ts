/**
 * CreatePartitions (versions 0-3): adds partitions to topics, until each has `count`. Version 3
 * knows the error of clients that change too many partitions (KIP-599).
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function createPartitionsHandler({
  topics,
  metadata,
  quotas,
}: BrokerServices): RequestHandler<typeof CreatePartitions> {
  return {
    api: CreatePartitions,

    async handle(request, context) {
      const mutations = quotas.mutations(context, context.apiVersion >= 3)
      const results = []
      const names = request.topics.map((topic) => topic.name)
      for (const { name, count, assignments } of request.topics) {
        try {
          if (names.indexOf(name) !== names.lastIndexOf(name)) {
            throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
          }
          const added = count - (metadata.topic(name)?.partitions.length ?? count)
          if (added > 0) mutations.take(added)
          const lists = assignments?.map(({ brokerIds }) => brokerIds) ?? null
          await topics.createPartitions(name, { count, assignments: lists }, request.validateOnly)
          results.push({ name, errorCode: ErrorCode.NONE })
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          results.push({ name, errorCode: error.code, errorMessage: error.message })
        }
      }
      context.throttle(mutations.throttleMs())
      return { results }
    },

    failure(request, error) {
      const { code: errorCode, message: errorMessage } = error
      return { results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })) }
    },
  }
}
