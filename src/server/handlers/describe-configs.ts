/**
 * DescribeConfigs (versions 1-4): the settings of topics and brokers, where each value comes from,
 * and on request the other places it could come from (synonyms) and its documentation.
 */
import type { ConfigDescription } from '../../common/config/config.ts'
import { CONFIG_TYPE_ID } from '../../common/config/config-value.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { DescribeConfigs } from '../../protocol/messages/describe-configs.ts'
import type { BrokerServices } from '../broker-services.ts'
import { configResource } from '../config-resources.ts'
import type { RequestHandler } from '../request-handler.ts'

export function describeConfigsHandler(
  services: BrokerServices,
): RequestHandler<typeof DescribeConfigs> {
  return {
    api: DescribeConfigs,

    handle({ resources, includeSynonyms, includeDocumentation }) {
      const results = resources.map((resource) => {
        const { resourceType, resourceName, configurationKeys } = resource
        const named = { resourceType, resourceName }
        try {
          const described = configResource(services, resource).describe(configurationKeys)
          return {
            ...named,
            errorCode: ErrorCode.NONE,
            errorMessage: null,
            configs: described.map((config) =>
              describe(config, includeSynonyms, includeDocumentation),
            ),
          }
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          return { ...named, errorCode: error.code, errorMessage: error.message, configs: [] }
        }
      })
      return { results }
    },

    failure({ resources }, error) {
      const { code: errorCode, message: errorMessage } = error
      return {
        results: resources.map(({ resourceType, resourceName }) => ({
          ...{ errorCode, errorMessage, resourceType, resourceName },
          configs: [],
        })),
      }
    },
  }
}

function describe(config: ConfigDescription, synonyms: boolean, documentation: boolean) {
  return {
    name: config.name,
    value: config.value,
    readOnly: config.readOnly,
    configSource: config.source,
    isSensitive: config.sensitive,
    synonyms: synonyms ? [...config.synonyms] : [],
    configType: CONFIG_TYPE_ID[config.type],
    documentation: documentation ? config.documentation : null,
  }
}
