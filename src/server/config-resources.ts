/**
 * The things that have settings, as DescribeConfigs, AlterConfigs and IncrementalAlterConfigs name
 * them: a type and a name.
 */

import { BROKER_CONFIG } from '../common/config/broker-config.ts'
import {
  type Config,
  type ConfigDescription,
  type ConfigEntries,
  ConfigSource,
} from '../common/config/config.ts'
import type { ConfigKeys } from '../common/config/config-definition.ts'
import { ConfigError } from '../common/config/config-value.ts'
import { TOPIC_CONFIG } from '../common/config/topic-config.ts'
import { ErrorCode, KafkaError } from '../common/errors.ts'
import type { LogLevel } from '../common/logger.ts'
import type { BrokerServices } from './broker-services.ts'
import type { ConfigNodes } from './config-nodes.ts'
import { checkTopicName } from './controller/topic-plan.ts'

/** The types, with the numbers of the protocol. */
export const ResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

export interface ConfigResource {
  describe(keys: readonly string[] | null): ConfigDescription[]
  /** What has been set for the resource itself. */
  entries(): ConfigEntries
  /** The value in force, as text, of a key whose type is a list; undefined for any other key. */
  currentList(key: string): string[] | undefined
  /** Replaces what has been set. Throws ConfigError. */
  replace(entries: ConfigEntries, validateOnly: boolean): Promise<void>
}

/** Finds a resource. Throws KafkaError for one that does not exist or is not served. */
export function configResource(
  services: BrokerServices,
  resource: { resourceType: number; resourceName: string },
): ConfigResource {
  const { resourceType: type, resourceName: name } = resource
  switch (type) {
    case ResourceType.TOPIC:
      return topicResource(services, name)
    case ResourceType.BROKER:
      return brokerResource(services, name)
    case ResourceType.BROKER_LOGGER:
      return loggerResource(services, name)
    case ResourceType.CLIENT_METRICS:
      if (name === '') throw invalid('Client metrics subscription name must not be empty')
      return nodeResource(services.configs.clientMetrics, name)
    case ResourceType.GROUP:
      if (name === '') throw invalid('Group name must not be empty')
      return nodeResource(services.configs.groups, name)
    default:
      throw invalid(`Unknown resource type ${type}`)
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}

/** What the responses of both requests that alter settings say of one resource. */
interface AlterOutcome {
  errorCode: number
  errorMessage: string | null
  resourceType: number
  resourceName: string
}

/**
 * Gives each resource the settings that `entriesOf` makes of what is asked for it, or with
 * `validateOnly` says whether it could. What fails for one resource does not concern the others.
 */
export async function alterResources<R extends { resourceType: number; resourceName: string }>(
  services: BrokerServices,
  request: { resources: readonly R[]; validateOnly: boolean },
  entriesOf: (asked: R, resource: ConfigResource) => ConfigEntries,
): Promise<{ responses: AlterOutcome[] }> {
  const responses: AlterOutcome[] = []
  for (const asked of request.resources) {
    try {
      const resource = configResource(services, asked)
      await resource.replace(entriesOf(asked, resource), request.validateOnly)
      responses.push(outcome(asked, ErrorCode.NONE, null))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      responses.push(outcome(asked, error.code, error.message))
    }
  }
  return { responses }
}

/** As `alterResources`, for a request that has failed as a whole. */
export function alterFailed(
  { resources }: { resources: readonly { resourceType: number; resourceName: string }[] },
  { code, message }: KafkaError,
): { responses: AlterOutcome[] } {
  return { responses: resources.map((asked) => outcome(asked, code, message)) }
}

function outcome(
  { resourceType, resourceName }: { resourceType: number; resourceName: string },
  errorCode: number,
  errorMessage: string | null,
): AlterOutcome {
  return { errorCode, errorMessage, resourceType, resourceName }
}

function topicResource({ configs, metadata }: BrokerServices, name: string): ConfigResource {
  checkTopicName(name)
  if (metadata.topic(name) === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  return {
    describe: (keys) => configs.topic(name).describe(keys ?? undefined),
    entries: () => configs.topicEntries(name),
    currentList: (key) => listValue(configs.topic(name), TOPIC_CONFIG.keys, key),
    replace: (entries, validateOnly) => configs.setTopic(name, entries, validateOnly),
  }
}

function brokerResource({ configs, brokerId }: BrokerServices, name: string): ConfigResource {
  const forAll = name === ''
  if (!forAll) checkBrokerId(name, brokerId, `${brokerId} or empty string,`)
  const source = forAll
    ? ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
    : ConfigSource.DYNAMIC_BROKER_CONFIG
  return {
    describe(keys) {
      if (!forAll) return configs.broker.describe(keys ?? undefined)
      const set = [...configs.brokerEntries(source).keys()]
      return configs.broker.describe(set.filter((key) => keys?.includes(key) ?? true))
    },
    entries: () => configs.brokerEntries(source),
    currentList: (key) => listValue(configs.broker, BROKER_CONFIG.keys, key),
    async replace(entries, validateOnly) {
      try {
        await configs.setBroker(source, entries, validateOnly)
      } catch (error) {
        // For brokers, unlike topics, Kafka calls the request invalid, not the configuration.
        if (error instanceof ConfigError) throw invalid(error.message)
        throw error
      }
    },
  }
}

/** The one logger there is, under the name that it has in Java. */
const ROOT_LOGGER = 'root'

/** What can be said of a logger; a level that is not told apart is the one next to it. */
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: 'debug',
  ERROR: 'error',
  FATAL: 'error',
  INFO: 'info',
  TRACE: 'debug',
  WARN: 'warn',
}

function loggerResource({ log, brokerId }: BrokerServices, name: string): ConfigResource {
  if (name === '') throw invalid('Broker id must not be empty')
  checkBrokerId(name, brokerId, `${brokerId}`)
  const entries = () => new Map([[ROOT_LOGGER, (log.level ?? 'info').toUpperCase()]])
  return {
    describe: (keys) =>
      [...entries()]
        .filter(([key]) => keys?.includes(key) ?? true)
        .map(([key, value]) => ({
          ...{ name: key, value, source: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG },
          ...{ type: 'UNKNOWN', sensitive: false, readOnly: false, documentation: '' },
          synonyms: [],
        })),
    entries,
    currentList: () => undefined,
    async replace(next, validateOnly) {
      for (const [logger, value] of next) {
        if (logger !== ROOT_LOGGER) throw new ConfigError(`Logger ${logger} does not exist!`)
        const level = LOG_LEVELS[value]
        if (level === undefined) {
          throw new ConfigError(
            `Cannot set the log level of ${logger} to ${value} as it is not a supported log ` +
              `level. Valid log levels are ${Object.keys(LOG_LEVELS).join(', ')}`,
          )
        }
        if (!validateOnly && log.level !== undefined) log.level = level
      }
    },
  }
}

/** A thing that exists by its settings. */
function nodeResource<Keys extends ConfigKeys>(
  nodes: ConfigNodes<Config<Keys>>,
  name: string,
): ConfigResource {
  return {
    // Kafka names one place that the value could come from: where it does come from.
    describe: (keys) =>
      nodes
        .get(name)
        .describe(keys ?? undefined)
        .map((config) => ({ ...config, synonyms: config.synonyms.slice(0, 1) })),
    entries: () => nodes.entries(name),
    currentList: (key) => listValue(nodes.get(name), nodes.get(name).definition.keys, key),
    replace: (entries, validateOnly) => nodes.set(name, entries, validateOnly),
  }
}

function checkBrokerId(name: string, brokerId: number, expected: string): void {
  if (!/^[+-]?\d+$/.test(name)) throw invalid(`Broker id must be an integer, but it is: ${name}`)
  if (Number(name) !== brokerId) {
    throw invalid(`Unexpected broker id, expected ${expected} but received ${name}`)
  }
}

function listValue(
  config: { get(key: never): unknown },
  keys: Readonly<Record<string, { type: string }>>,
  key: string,
): string[] | undefined {
  if (keys[key]?.type !== 'LIST') return undefined
  return [...((config.get(key as never) as readonly string[] | null) ?? [])]
}
