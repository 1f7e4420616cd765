/**
 * The things that have settings, as DescribeConfigs, AlterConfigs and IncrementalAlterConfigs name
 * them: a type and a name. Topics and brokers are served; the others are refused by their names.
 */

import { BROKER_CONFIG } from '../common/config/broker-config.ts'
import {
  type ConfigDescription,
  type ConfigEntries,
  ConfigSource,
} from '../common/config/config.ts'
import { TOPIC_CONFIG } from '../common/config/topic-config.ts'
import { ErrorCode, KafkaError } from '../common/errors.ts'
import type { BrokerServices } from './broker-services.ts'
import { checkTopicName } from './controller/topic-plan.ts'

const TYPE_TOPIC = 2
const TYPE_BROKER = 4
const TYPE_NAMES: Readonly<Record<number, string>> = {
  8: 'BROKER_LOGGER',
  16: 'CLIENT_METRICS',
  32: 'GROUP',
}

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
  if (type === TYPE_TOPIC) return topicResource(services, name)
  if (type === TYPE_BROKER) return brokerResource(services, name)
  throw new KafkaError('INVALID_REQUEST', `Unsupported resource type: ${TYPE_NAMES[type] ?? type}`)
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
  if (!forAll && name !== String(brokerId)) {
    throw new KafkaError(
      'INVALID_REQUEST',
      `Unexpected broker id, expected ${brokerId} or empty string, but received ${name}`,
    )
  }
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
    replace: (entries, validateOnly) => configs.setBroker(source, entries, validateOnly),
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
