/** Settings of topics, brokers, what they log, groups and client metrics, in kafka-configs. */
import type { Admin } from '../../clients/admin/admin.ts'
import type {
  ConfigEntry,
  ConfigEntrySource,
  ConfigResourceType,
} from '../../clients/admin/configs.ts'
import { KafkaError } from '../../common/errors.ts'
import { checkTopicName } from '../../server/controller/topic-plan.ts'
import { ILLEGAL_ARGUMENT, printLine, ToolError, type ToolIo } from '../support/tool.ts'
import { type ConfigChange, invalidConfiguration, singular } from './changes.ts'
import type { EntityType } from './options.ts'

interface ResourceKind {
  readonly type: ConfigResourceType
  /** Where a value comes from that was set for the resource itself; undefined: anywhere. */
  source(name: string): ConfigEntrySource | undefined
  /** The names of all there are. */
  list(admin: Admin): Promise<string[]>
  /** Whether there is one, for who asks for it by name. */
  exists(admin: Admin, name: string): Promise<boolean>
}

async function topicNames(admin: Admin): Promise<string[]> {
  return (await admin.listTopics({ includeInternal: true })).map(({ name }) => name).sort()
}

async function brokerNames(admin: Admin): Promise<string[]> {
  return [...(await admin.describeCluster()).brokers.map(({ id }) => String(id)), '']
}

async function namesOf(admin: Admin, type: ConfigResourceType): Promise<string[]> {
  return (await admin.listConfigResources([type])).map(({ name }) => name).sort()
}

/** Groups that exist, and groups that have settings, as far as the broker tells. */
async function groupNames(admin: Admin): Promise<string[]> {
  const existing = (await admin.listGroups()).map(({ groupId }) => groupId)
  return [...new Set([...existing, ...((await configuredGroups(admin)) ?? [])])].sort()
}

async function configuredGroups(admin: Admin): Promise<string[] | undefined> {
  try {
    return await namesOf(admin, 'group')
  } catch (error) {
    const silent = ['UNSUPPORTED_VERSION', 'CLUSTER_AUTHORIZATION_FAILED']
    if (error instanceof KafkaError && silent.includes(error.errorName)) return undefined
    throw error
  }
}

const BROKERS: Omit<ResourceKind, 'type' | 'source'> = {
  list: brokerNames,
  exists: async (admin, name) => (await brokerNames(admin)).includes(name),
}

const KINDS: Partial<Record<EntityType, ResourceKind>> = {
  topics: {
    type: 'topic',
    source: () => 'DYNAMIC_TOPIC_CONFIG',
    list: topicNames,
    exists: async (admin, name) => {
      checkTopicName(name)
      return (await topicNames(admin)).includes(name)
    },
  },
  brokers: {
    type: 'broker',
    source: (name) => (name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG'),
    ...BROKERS,
  },
  'broker-loggers': { type: 'brokerLogger', source: () => undefined, ...BROKERS },
  'client-metrics': {
    type: 'clientMetrics',
    source: () => 'DYNAMIC_CLIENT_METRICS_CONFIG',
    list: (admin) => namesOf(admin, 'clientMetrics'),
    exists: async (admin, name) => (await namesOf(admin, 'clientMetrics')).includes(name),
  },
  groups: {
    type: 'group',
    source: () => 'DYNAMIC_GROUP_CONFIG',
    list: groupNames,
    exists: async (admin, name) => {
      const groups = await admin.listGroups()
      if (groups.some(({ groupId }) => groupId === name)) return true
      return (await configuredGroups(admin))?.includes(name) ?? true
    },
  },
}

/** Whether the settings of this type are looked after here, rather than by quotas.ts. */
export function isResource(type: EntityType): boolean {
  return KINDS[type] !== undefined
}

async function readConfig(
  admin: Admin,
  entity: EntityType,
  name: string,
  all: boolean,
): Promise<ConfigEntry[]> {
  const { type, source } = KINDS[entity]!
  if (type === 'topic' && name !== '') checkTopicName(name)
  const found = await admin.describeConfigs([{ type, name }], { includeSynonyms: true })
  const wanted = all ? undefined : source(name)
  return [...found.values()]
    .flat()
    .filter((entry) => wanted === undefined || entry.source === wanted)
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** Shows the settings of one, or of all of a type. */
export async function describeResources(
  admin: Admin,
  entity: EntityType,
  name: string | undefined,
  all: boolean,
  io: ToolIo,
): Promise<void> {
  const { list, exists } = KINDS[entity]!
  if (!all && name !== undefined && !(await exists(admin, name))) {
    const what = `The ${singular(entity)} '${name}'`
    printLine(io.stdout, `${what} doesn't exist and doesn't have dynamic config.`)
    return
  }
  for (const each of name === undefined ? await list(admin) : [name]) {
    const heading =
      each === ''
        ? `Default configs for ${entity} in the cluster are:`
        : `${all ? 'All' : 'Dynamic'} configs for ${singular(entity)} ${each} are:`
    printLine(io.stdout, heading)
    for (const entry of await readConfig(admin, entity, each, all)) {
      printLine(io.stdout, `  ${describeEntry(entry)}`)
    }
  }
}

function describeEntry({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const sources = synonyms.map((synonym) => `${synonym.source}:${synonym.name}=${synonym.value}`)
  return `${name}=${value} sensitive=${isSensitive} synonyms={${sources.join(', ')}}`
}

/** Changes settings. What is to be taken back must have been set. */
export async function alterResource(
  admin: Admin,
  entity: EntityType,
  name: string,
  { add, remove }: ConfigChange,
): Promise<void> {
  if (entity === 'broker-loggers' && name === '') {
    throw new ToolError(`Unsupported entity type: ${entity}`, ILLEGAL_ARGUMENT)
  }
  const before = new Set((await readConfig(admin, entity, name, false)).map((entry) => entry.name))
  const isLogger = entity === 'broker-loggers'
  const mustExist = isLogger ? [...remove, ...add.keys()] : remove
  const invalid = mustExist.filter((key) => !before.has(key))
  if (invalid.length > 0) {
    throw invalidConfiguration(`Invalid ${isLogger ? 'broker logger' : 'config'}(s): ${invalid}`)
  }
  const { type } = KINDS[entity]!
  const change = { type, name, set: Object.fromEntries(add), delete: remove }
  await admin.alterConfigs([change], { timeoutMs: 30_000 })
}
