/**
 * AlterConfigs (versions 0-2): replaces all settings of topics or brokers by those given. What is
 * not given goes back to its default, which is why clients use IncrementalAlterConfigs today.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { AlterConfigs, type AlterConfigsRequest } from '../../protocol/messages/alter-configs.ts'
import type { BrokerServices } from '../broker-services.ts'
import { configResource } from '../config-resources.ts'
import type { RequestHandler } from '../request-handler.ts'

export function alterConfigsHandler(services: BrokerServices): RequestHandler<typeof AlterConfigs> {
  return {
    api: AlterConfigs,

    async handle({ resources, validateOnly }) {
      const responses = []
      for (const resource of resources) {
        const { resourceType, resourceName } = resource
        const named = { resourceType, resourceName }
        try {
          await configResource(services, resource).replace(givenEntries(resource), validateOnly)
          responses.push({ ...named, errorCode: ErrorCode.NONE, errorMessage: null })
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          responses.push({ ...named, errorCode: error.code, errorMessage: error.message })
        }
      }
      return { responses }
    },

    failure({ resources }, error) {
      const { code: errorCode, message: errorMessage } = error
      return {
        responses: resources.map(({ resourceType, resourceName }) => ({
          ...{ errorCode, errorMessage, resourceType, resourceName },
        })),
      }
    },
  }
}

function givenEntries({ configs }: AlterConfigsRequest['resources'][number]): Map<string, string> {
  const entries = new Map<string, string>()
  for (const { name, value } of configs) {
    if (value === null) {
      throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${name}`)
    }
    if (entries.has(name)) {
      throw new KafkaError('INVALID_REQUEST', `Error due to duplicate config keys : ${name}`)
    }
    entries.set(name, value)
  }
  return entries
}
