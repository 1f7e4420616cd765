/**
 * ListConfigResources (versions 0-1, KIP-1142): names what has settings, of the types asked for, or
 * of all where none is. Groups and subscriptions to metrics exist by their settings; topics and
 * brokers by themselves. Version 0 is about subscriptions only.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import { ListConfigResources } from '../../protocol/messages/list-config-resources.ts'
import type { BrokerServices } from '../broker-services.ts'
import { ResourceType } from '../config-resources.ts'
import type { RequestHandler } from '../request-handler.ts'

/** In the order of Kafka's answer. */
const ALL_TYPES: readonly number[] = [
  ResourceType.GROUP,
  ResourceType.CLIENT_METRICS,
  ResourceType.BROKER_LOGGER,
  ResourceType.BROKER,
  ResourceType.TOPIC,
]

export function listConfigResourcesHandler({
  configs,
  metadata,
}: BrokerServices): RequestHandler<typeof ListConfigResources> {
  function namesOf(type: number): string[] {
    if (type === ResourceType.GROUP) return configs.groups.names()
    if (type === ResourceType.CLIENT_METRICS) return configs.clientMetrics.names()
    if (type === ResourceType.TOPIC) return metadata.topics().map((topic) => topic.name)
    return [...metadata.brokers.keys()].map(String)
  }

  return {
    api: ListConfigResources,

    handle({ resourceTypes }, { apiVersion }) {
      const wanted = apiVersion === 0 ? [ResourceType.CLIENT_METRICS] : resourceTypes
      if (wanted.some((type) => !ALL_TYPES.includes(type))) {
        throw new KafkaError('UNSUPPORTED_VERSION')
      }
      const types = ALL_TYPES.filter((type) => wanted.length === 0 || wanted.includes(type))
      return {
        errorCode: ErrorCode.NONE,
        configResources: types.flatMap((resourceType) =>
          namesOf(resourceType).map((resourceName) => ({ resourceName, resourceType })),
        ),
      }
    },

    failure: (_request, error) => ({ errorCode: error.code, configResources: [] }),
  }
}
