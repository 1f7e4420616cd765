/**
 * IncrementalAlterConfigs (versions 0-1, KIP-339): sets and deletes single settings of topics,
 * brokers, their loggers, groups and subscriptions, and adds to or takes from lists.
 */
import { KafkaError } from '../../common/errors.ts'
import {
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
} from '../../protocol/messages/incremental-alter-configs.ts'
import type { BrokerServices } from '../broker-services.ts'
import {
  alterFailed,
  alterResources,
  type ConfigResource,
  ResourceType,
} from '../config-resources.ts'
import type { RequestHandler } from '../request-handler.ts'

type Change = IncrementalAlterConfigsRequest['resources'][number]['configs'][number]

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

export function incrementalAlterConfigsHandler(
  services: BrokerServices,
): RequestHandler<typeof IncrementalAlterConfigs> {
  return {
    api: IncrementalAlterConfigs,

    handle: (request) =>
      alterResources(services, request, ({ resourceType, configs }, resource) => {
        if (resourceType === ResourceType.BROKER_LOGGER) refuseForLoggers(configs)
        return changed(resource, configs)
      }),

    failure: alterFailed,
  }
}

/** A logger always has a level, and the root logger has none to fall back on. */
function refuseForLoggers(changes: readonly Change[]): void {
  for (const { name, configOperation: operation } of changes) {
    if (operation === APPEND || operation === SUBTRACT) {
      const verb = operation === APPEND ? 'APPEND' : 'SUBTRACT'
      const message = `${verb} operation is not allowed for the BROKER_LOGGER resource`
      throw new KafkaError('INVALID_REQUEST', message)
    }
    if (operation !== DELETE) continue
    if (name !== 'root') throw new KafkaError('INVALID_CONFIG', `Logger ${name} does not exist!`)
    const message = 'Removing the log level of the root logger is not allowed'
    throw new KafkaError('INVALID_REQUEST', message)
  }
}

/** The settings of a resource after the changes. */
function changed(resource: ConfigResource, changes: readonly Change[]): Map<string, string> {
  const names = changes.map((change) => change.name)
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  if (repeated.length > 0) {
    const keys = [...new Set(repeated)].join(',')
    throw new KafkaError('INVALID_REQUEST', `Error due to duplicate config keys : ${keys}`)
  }
  const entries = new Map(resource.entries())
  for (const change of changes) apply(resource, entries, change)
  return entries
}

function apply(resource: ConfigResource, entries: Map<string, string>, change: Change): void {
  const { name, configOperation: operation, value } = change
  if (operation === DELETE) {
    entries.delete(name)
    return
  }
  if (value === null) {
    throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${name}`)
  }
  if (operation === SET) {
    entries.set(name, value)
    return
  }
  if (operation !== APPEND && operation !== SUBTRACT) {
    throw new KafkaError('INVALID_REQUEST', `Unknown operation type ${operation} for key ${name}`)
  }
  const list = resource.currentList(name)
  if (list === undefined) {
    const verb = operation === APPEND ? 'APPEND to' : 'SUBTRACT from'
    throw new KafkaError(
      'INVALID_CONFIG',
      `Can't ${verb} key ${name} because its type is not LIST.`,
    )
  }
  const given = value.split(',').map((item) => item.trim())
  const next =
    operation === APPEND
      ? [...list, ...given.filter((item) => !list.includes(item))]
      : list.filter((item) => !given.includes(item))
  entries.set(name, next.join(','))
}
