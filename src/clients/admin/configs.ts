/** The admin client's calls about configuration: of topics, brokers, groups, client metrics. */
import { DescribeConfigs } from '../../protocol/messages/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../protocol/messages/incremental-alter-configs.ts'
import { ListConfigResources } from '../../protocol/messages/list-config-resources.ts'
import type { ResponseOf } from '../../protocol/schema.ts'
import type { CallLimits, CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { type KafkaError, throwIfError } from '../errors.ts'
import { call, callForItems, outcome } from './admin-call.ts'
import type { ValidateOption } from './topics.ts'

/** What has a configuration, with the numbers of the protocol. */
const RESOURCE_TYPES = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const
export type ConfigResourceType = keyof typeof RESOURCE_TYPES

export interface ConfigResource {
  readonly type: ConfigResourceType
  /** A broker's id; empty for the defaults of all brokers. */
  readonly name: string
}

/** Where values come from, by the numbers of the protocol. */
const SOURCES = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
] as const
export type ConfigEntrySource = (typeof SOURCES)[number]

const VALUE_TYPES = [
  'UNKNOWN',
  'BOOLEAN',
  'STRING',
  'INT',
  'SHORT',
  'LONG',
  'DOUBLE',
  'LIST',
  'CLASS',
  'PASSWORD',
] as const

export interface ConfigEntry {
  readonly name: string
  /** Null if it is secret or not set. */
  readonly value: string | null
  readonly source: ConfigEntrySource
  readonly isSensitive: boolean
  readonly isReadOnly: boolean
  readonly type: (typeof VALUE_TYPES)[number]
  readonly documentation: string | null
  readonly synonyms: readonly {
    readonly name: string
    readonly value: string | null
    readonly source: ConfigEntrySource
  }[]
}

/** How a resource is named in results and errors: `topic orders`. */
export function resourceName({ type, name }: ConfigResource): string {
  return `${type} ${name}`
}

/** Brokers answer for themselves, any broker for the rest. */
function brokerOf({ type, name }: ConfigResource): number | undefined {
  return (type === 'broker' || type === 'brokerLogger') && name !== '' ? Number(name) : undefined
}

async function callForResources<Item extends ConfigResource, Result>(
  cluster: ClusterClient,
  limits: CallLimits,
  items: Iterable<Item>,
  attempt: (
    brokerId: number | undefined,
    items: readonly Item[],
  ) => Promise<readonly (readonly [string, Result | KafkaError])[]>,
): Promise<Map<string, Result>> {
  const named = [...items].map((item) => [resourceName(item), item] as const)
  return await callForItems(cluster, limits, named, async (pending) => {
    const byBroker = Map.groupBy(pending, brokerOf)
    const parts = [...byBroker].map(([brokerId, asked]) => attempt(brokerId, asked))
    return new Map((await Promise.all(parts)).flat())
  })
}

function typeOf(number: number): ConfigResourceType {
  const found = Object.entries(RESOURCE_TYPES).find(([, id]) => id === number)
  return (found?.[0] ?? 'topic') as ConfigResourceType
}

export interface DescribeConfigsOptions extends CallOptions {
  readonly includeSynonyms?: boolean
  readonly includeDocumentation?: boolean
}

/** See `Admin.describeConfigs`. */
export async function describeConfigs(
  cluster: ClusterClient,
  resources: Iterable<ConfigResource & { readonly keys?: readonly string[] }>,
  options: DescribeConfigsOptions,
): Promise<Map<string, ConfigEntry[]>> {
  const limits = cluster.limits(options)
  return await callForResources(cluster, limits, resources, async (brokerId, asked) => {
    const request = {
      resources: asked.map(({ type, name, keys }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configurationKeys: keys === undefined ? null : [...keys],
      })),
      includeSynonyms: options.includeSynonyms ?? false,
      includeDocumentation: options.includeDocumentation ?? false,
    }
    const { results } = await (brokerId === undefined
      ? cluster.sendToAny(DescribeConfigs, request, limits)
      : cluster.sendTo(brokerId, DescribeConfigs, request, limits))
    return results.map((result) => {
      const { errorCode, errorMessage, resourceType, resourceName: name, configs } = result
      const key = resourceName({ type: typeOf(resourceType), name })
      return [key, outcome(errorCode, errorMessage, () => configs.map(entryOf))] as const
    })
  })
}

type DescribedConfig = ResponseOf<typeof DescribeConfigs>['results'][number]['configs'][number]

function entryOf(config: DescribedConfig): ConfigEntry {
  const { name, value, isSensitive, readOnly, documentation } = config
  return {
    ...{ name, value, isSensitive, isReadOnly: readOnly, documentation },
    source: SOURCES[config.configSource] ?? 'UNKNOWN',
    type: VALUE_TYPES[config.configType] ?? 'UNKNOWN',
    synonyms: config.synonyms.map((synonym) => {
      return { ...synonym, source: SOURCES[synonym.source] ?? 'UNKNOWN' }
    }),
  }
}

export interface ConfigChanges extends ConfigResource {
  readonly set?: Readonly<Record<string, string>>
  /** Keys that get their default again. */
  readonly delete?: readonly string[]
  /** Values to add to keys that are lists. */
  readonly append?: Readonly<Record<string, string>>
  /** Values to take out of keys that are lists. */
  readonly subtract?: Readonly<Record<string, string>>
}

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

function changesOf(changes: ConfigChanges) {
  const operations = (values: Readonly<Record<string, string>> = {}, configOperation: number) =>
    Object.entries(values).map(([name, value]) => ({ name, value, configOperation }))
  return [
    ...operations(changes.set, SET),
    ...operations(changes.append, APPEND),
    ...operations(changes.subtract, SUBTRACT),
    ...(changes.delete ?? []).map((name) => ({ name, value: null, configOperation: DELETE })),
  ]
}

/** See `Admin.alterConfigs`. */
export async function alterConfigs(
  cluster: ClusterClient,
  changes: Iterable<ConfigChanges>,
  options: CallOptions & ValidateOption,
): Promise<void> {
  const limits = cluster.limits(options)
  await callForResources(cluster, limits, changes, async (brokerId, asked) => {
    const request = {
      resources: asked.map((change) => ({
        resourceType: RESOURCE_TYPES[change.type],
        resourceName: change.name,
        configs: changesOf(change),
      })),
      validateOnly: options.validateOnly ?? false,
    }
    const { responses } = await (brokerId === undefined
      ? cluster.sendToController(IncrementalAlterConfigs, request, limits)
      : cluster.sendTo(brokerId, IncrementalAlterConfigs, request, limits))
    return responses.map(({ errorCode, errorMessage, resourceType, resourceName: name }) => {
      const key = resourceName({ type: typeOf(resourceType), name })
      return [key, outcome(errorCode, errorMessage, () => true)] as const
    })
  })
}

/** See `Admin.listConfigResources`. */
export async function listConfigResources(
  cluster: ClusterClient,
  types: readonly ConfigResourceType[],
  options: CallOptions,
): Promise<ConfigResource[]> {
  const limits = cluster.limits(options)
  const request = { resourceTypes: types.map((type) => RESOURCE_TYPES[type]) }
  const send = () => cluster.sendToAny(ListConfigResources, request, limits)
  const found = await call(cluster, limits, send, ({ errorCode }) => throwIfError(errorCode))
  return found.configResources.map(({ resourceName: name, resourceType }) => {
    return { type: typeOf(resourceType), name }
  })
}
