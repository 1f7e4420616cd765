/** The options of kafka-configs, and what they say of whose settings are meant. */
import { lookup } from 'node:dns/promises'
import { BROKER_CONFIG } from '../../common/config/broker-config.ts'
import { CLIENT_METRICS_CONFIG } from '../../common/config/client-metrics-config.ts'
import { GROUP_CONFIG } from '../../common/config/group-config.ts'
import { TOPIC_CONFIG } from '../../common/config/topic-config.ts'
import { defineOptions, type Parsed } from '../support/options.ts'
import { ILLEGAL_ARGUMENT, ToolError } from '../support/tool.ts'

/** Kinds of things that have settings, in the order in which Kafka's tool names them. */
export const ENTITY_TYPES = [
  ...(['topics', 'clients', 'users', 'brokers', 'ips', 'client-metrics', 'groups'] as const),
  'broker-loggers' as const,
]
export type EntityType = (typeof ENTITY_TYPES)[number]

export interface Entity {
  readonly type: EntityType
  /** Empty for the defaults; undefined for all. */
  readonly name: string | undefined
}

export const CLIENT_QUOTAS = [
  'consumer_byte_rate',
  'controller_mutation_rate',
  'producer_byte_rate',
  'request_percentage',
] as const
export const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export const IP_QUOTAS = ['connection_creation_rate'] as const

function listed(type: EntityType, names: readonly string[]): string {
  return `For entity-type '${type}': \n${names.map((name) => `\t${name}\n`).join('')}`
}

const DYNAMIC_BROKER_KEYS = (
  Object.keys(BROKER_CONFIG.keys) as (keyof typeof BROKER_CONFIG.keys)[]
).filter((name) => BROKER_CONFIG.updateMode(name) !== 'read-only')

const TOPIC_KEYS = Object.entries(TOPIC_CONFIG.keys).filter(([, { internal }]) => !internal)

export const CONFIGS_OPTIONS = defineOptions({
  about:
    'This tool helps to manipulate and describe entity config for a topic, client, user, broker, ' +
    'ip, client-metrics or group',
  onUnreadable: 'throw',
  options: {
    'bootstrap-server': {
      argument: 'server to connect to',
      about: 'The broker to connect to, as host:port.',
    },
    'bootstrap-controller': {
      argument: 'controller to connect to',
      about: 'A controller to connect to, where controllers have an address of their own.',
    },
    'command-config': {
      argument: 'command config property file',
      about: 'A file with settings of the admin client.',
    },
    alter: { about: 'Changes settings.' },
    describe: { about: 'Shows settings.' },
    all: { about: 'Shows all settings, also those that nobody has changed.' },
    'entity-type': {
      type: 'String',
      about:
        'What has the settings ' +
        '(topics/clients/users/brokers/broker-loggers/ips/client-metrics/groups).',
    },
    'entity-name': { type: 'String', about: 'Its name, or the id of a broker.' },
    'entity-default': { about: 'In place of a name: the defaults of all of its type.' },
    'add-config': {
      type: 'String',
      about:
        "Settings to make, as 'k1=v1,k2=[v1,v2],k3=v3', with brackets around values that have " +
        `commas. There are:\n` +
        listed('topics', TOPIC_KEYS.map(([name]) => name).sort()) +
        listed('brokers', DYNAMIC_BROKER_KEYS.toSorted()) +
        listed('users', [...SCRAM_MECHANISMS, ...CLIENT_QUOTAS]) +
        listed('clients', CLIENT_QUOTAS) +
        listed('ips', IP_QUOTAS) +
        listed('client-metrics', Object.keys(CLIENT_METRICS_CONFIG.keys).sort()) +
        listed('groups', Object.keys(GROUP_CONFIG.keys).sort()) +
        "'users' and 'clients' can be given together, for one client of one user.",
    },
    'add-config-file': { type: 'String', about: 'A file with settings to make.' },
    'delete-config': {
      type: 'String',
      separator: ',',
      about: "Settings to take back, as 'k1,k2'.",
    },
    topic: { type: 'String', about: 'The name of a topic.' },
    client: { type: 'String', about: 'The id of a client.' },
    'client-defaults': { about: 'The defaults of all clients.' },
    user: { type: 'String', about: 'The name of a user.' },
    'user-defaults': { about: 'The defaults of all users.' },
    broker: { type: 'String', about: 'The id of a broker.' },
    'broker-defaults': { about: 'The defaults of all brokers.' },
    'broker-logger': { type: 'String', about: 'The id of a broker, for what it logs.' },
    'ip-defaults': { about: 'The defaults of all addresses.' },
    ip: { type: 'String', about: 'An address of clients.' },
    group: { type: 'String', about: 'The id of a group.' },
    'client-metrics': {
      type: 'String',
      about: 'The name of a subscription to metrics of clients.',
    },
  },
})

export type ConfigsOptions = Parsed<typeof CONFIGS_OPTIONS>

/** Options that say type and name at once. */
const NAMING = {
  topic: 'topics',
  client: 'clients',
  user: 'users',
  broker: 'brokers',
  'broker-logger': 'broker-loggers',
  ip: 'ips',
  'client-metrics': 'client-metrics',
  group: 'groups',
} as const
const DEFAULTS = {
  'client-defaults': 'clients',
  'user-defaults': 'users',
  'broker-defaults': 'brokers',
  'ip-defaults': 'ips',
} as const

const NAMING_OPTIONS = Object.keys(NAMING) as (keyof typeof NAMING)[]
const DEFAULTS_OPTIONS = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]

function illegal(message: string): ToolError {
  return new ToolError(message, ILLEGAL_ARGUMENT)
}

function readTypes(options: ConfigsOptions): string[] {
  return [
    ...options.values('entity-type'),
    ...NAMING_OPTIONS.filter(options.has).map((name) => NAMING[name]),
    ...DEFAULTS_OPTIONS.filter(options.has).map((name) => DEFAULTS[name]),
  ]
}

function readNames(options: ConfigsOptions): string[] {
  const names = options.values('entity-name').values()
  return [
    ...options.order
      .filter((name) => name === 'entity-name' || name === 'entity-default')
      .map((name) => (name === 'entity-name' ? names.next().value! : '')),
    ...NAMING_OPTIONS.filter(options.has).map((name) => options.required(name)),
    ...DEFAULTS_OPTIONS.filter(options.has).map(() => ''),
  ]
}

export interface ConfigsCommand {
  readonly options: ConfigsOptions
  readonly action: 'alter' | 'describe'
  /** One, or a user and a client. */
  readonly types: readonly EntityType[]
  /** As far as they were given: a name, or empty for the defaults. */
  readonly names: readonly string[]
}

/** Reads the command line. Throws ToolExit, or ToolError, for one that makes no sense. */
export async function readCommand(args: readonly string[]): Promise<ConfigsCommand> {
  const options = CONFIGS_OPTIONS.parse(args)
  if (options.has('alter') === options.has('describe')) {
    throw options.usage('Command must include exactly one action: --describe, --alter')
  }
  options.checkInvalid('describe', ['add-config', 'delete-config'])
  const types = readTypes(options)
  checkTypes(types, options)
  const names = readNames(options)
  await checkNames(types, names, options)
  const action = options.has('alter') ? 'alter' : 'describe'
  if (action === 'alter') checkAlter(types, names, options)
  else checkDescribe(types, names, options)
  return { options, action, types, names }
}

function checkTypes(
  types: readonly string[],
  options: ConfigsOptions,
): asserts types is EntityType[] {
  const duplicates = types.filter((type, index) => types.indexOf(type) !== index)
  if (duplicates.length > 0) throw illegal(`Duplicate entity type(s) specified: ${duplicates}`)
  if (!options.has('bootstrap-server') && !options.has('bootstrap-controller')) {
    throw illegal('Either --bootstrap-server or --bootstrap-controller must be specified.')
  }
  for (const type of types) {
    if ((ENTITY_TYPES as readonly string[]).includes(type)) continue
    throw illegal(
      `Invalid entity type ${type}, the entity type must be one of ${ENTITY_TYPES.join(', ')} ` +
        'with a --bootstrap-server or --bootstrap-controller argument',
    )
  }
  if (types.length === 0) throw illegal('At least one entity type must be specified')
  const isPair = types.length === 2 && types.includes('users') && types.includes('clients')
  if (types.length > 1 && !isPair) {
    throw illegal("Only 'users' and 'clients' entity types may be specified together")
  }
  const isGeneral = (['entity-name', 'entity-type', 'entity-default'] as const).some(options.has)
  if (isGeneral && [...NAMING_OPTIONS, ...DEFAULTS_OPTIONS].some(options.has)) {
    throw illegal(
      '--entity-{type,name,default} should not be used in conjunction with specific entity flags',
    )
  }
}

async function checkNames(
  types: readonly EntityType[],
  names: readonly string[],
  options: ConfigsOptions,
): Promise<void> {
  if (options.has('bootstrap-server') && options.has('bootstrap-controller')) {
    throw illegal('Only one of --bootstrap-server or --bootstrap-controller can be specified')
  }
  const [type] = types
  for (const name of names.filter((given) => given !== '')) {
    if (type === 'brokers' || type === 'broker-loggers') {
      if (/^[+-]?\d+$/.test(name)) continue
      throw illegal(
        `The entity name for ${type} must be a valid integer broker id, but it is: ${name}`,
      )
    }
    if (type === 'ips') {
      const address = await lookup(name).catch(() => undefined)
      if (address !== undefined) continue
      throw illegal(
        `The entity name for ${type} must be a valid IP or resolvable host, but it is: ${name}`,
      )
    }
  }
}

/** Types that have defaults. */
const WITH_DEFAULTS: readonly EntityType[] = ['users', 'clients', 'brokers', 'ips']

function checkDescribe(
  types: readonly EntityType[],
  names: readonly string[],
  options: ConfigsOptions,
): void {
  if (!types.some((type) => WITH_DEFAULTS.includes(type)) && options.has('entity-default')) {
    throw illegal(`--entity-default must not be specified with --describe of ${types}`)
  }
  if (types.includes('broker-loggers') && !names.some((name) => name !== '')) {
    throw illegal(`An entity name must be specified with --describe of ${types}`)
  }
}

function checkAlter(
  types: readonly EntityType[],
  names: readonly string[],
  options: ConfigsOptions,
): void {
  if (types.some((type) => WITH_DEFAULTS.includes(type))) {
    if (names.length === 0) {
      throw illegal(
        'An entity-name or default entity must be specified with --alter of users, clients, ' +
          'brokers or ips',
      )
    }
  } else if (!names.some((name) => name !== '')) {
    throw illegal(`An entity name must be specified with --alter of ${types}`)
  }
  if (options.has('add-config') && options.has('add-config-file')) {
    throw illegal('Only one of --add-config or --add-config-file must be specified')
  }
  const sources = ['add-config', 'add-config-file', 'delete-config'] as const
  if (sources.some(options.has)) return
  throw illegal(
    'At least one of --add-config, --add-config-file, or --delete-config must be specified with ' +
      '--alter',
  )
}
