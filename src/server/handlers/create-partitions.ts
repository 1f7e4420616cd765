/** CreatePartitions (versions 0-3): adds partitions to topics, until each has `count`. */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { RequestHandler } from '../request-handler.ts'

export function createPartitionsHandler({
  topics,
}: BrokerServices): RequestHandler<typeof CreatePartitions> {
  return {
    api: CreatePartitions,

    async handle(request) {
      const results = []
      const names = request.topics.map((topic) => topic.name)
      for (const { name, count, assignments } of request.topics) {
        try {
          if (names.indexOf(name) !== names.lastIndexOf(name)) {
            throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
          }
          const lists = assignments?.map(({ brokerIds }) => brokerIds) ?? null
          await topics.createPartitions(name, { count, assignments: lists }, request.validateOnly)
          results.push({ name, errorCode: ErrorCode.NONE })
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          results.push({ name, errorCode: error.code, errorMessage: error.message })
        }
      }
      return { results }
    },

    failure(request, error) {
      const { code: errorCode, message: errorMessage } = error
      return { results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })) }
    },
  }
}
