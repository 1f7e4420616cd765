/**
 * AlterConfigs (versions 0-2): replaces all settings of a topic, broker, group or subscription by
 * those given. What is not given goes back to its default, which is why clients use
 * IncrementalAlterConfigs today.
 */
import { KafkaError } from '../../common/errors.ts'
import { AlterConfigs, type AlterConfigsRequest } from '../../protocol/messages/alter-configs.ts'
import type { BrokerServices } from '../broker-services.ts'
import { alterFailed, alterResources, ResourceType } from '../config-resources.ts'
import type { RequestHandler } from '../request-handler.ts'

export function alterConfigsHandler(services: BrokerServices): RequestHandler<typeof AlterConfigs> {
  return {
    api: AlterConfigs,

    handle: (request) => alterResources(services, request, givenEntries),

    failure: alterFailed,
  }
}

function givenEntries({
  resourceType,
  configs,
}: AlterConfigsRequest['resources'][number]): Map<string, string> {
  const entries = new Map<string, string>()
  if (resourceType === ResourceType.BROKER_LOGGER) {
    throw new KafkaError('INVALID_REQUEST', `Unknown resource type ${resourceType}`)
  }
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
