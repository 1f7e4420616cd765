/**
 * The broker's configuration: every key that is honoured. A key of Kafka's that is not here is
 * accepted and has no effect, which the broker says when it starts (`brokerConfig.unknownKeys`);
 * so are those of `other-keys.ts`, but tools can read and set them. The keys about replication are
 * read and checked, and matter as soon as there is another broker.
 */
import { Config, type ConfigEntries, ConfigSource } from './config.ts'
import {
  atLeast,
  boolean,
  defineConfig,
  int,
  list,
  long,
  nonEmpty,
  oneOf,
  string,
  type UpdateMode,
  type ValueGetter,
} from './config-definition.ts'
import { ConfigError } from './config-value.ts'
import { checkGroupKeys, GROUP_KEYS } from './group-keys.ts'
import {
  type BrokerEndpoints,
  type ListenerSettings,
  parseBrokerEndpoints,
  parseConnectionOverrides,
  SECURITY_PROTOCOLS,
} from './listeners.ts'
import { LOG_KEYS } from './log-keys.ts'
import { OTHER_KEYS } from './other-keys.ts'
import { QUOTA_KEYS } from './quota-keys.ts'
import { checkShareKeys, SHARE_KEYS } from './share-keys.ts'
import { TRANSACTION_KEYS } from './transaction-keys.ts'

const MIB = 1024 * 1024
const INT_MAX = 2 ** 31 - 1

const IDENTITY = {
  'node.id': int({
    default: -1,
    valid: atLeast(-1),
    importance: 'high',
    doc: 'The number of this broker in its cluster; -1 lets the broker choose one and keep it.',
  }),
  'broker.id': int({
    default: -1,
    valid: atLeast(-1),
    importance: 'high',
    doc: 'The older name of node.id. If both are given they must be equal.',
  }),
  'broker.rack': string({
    default: null,
    doc: 'Where this broker stands. Replicas of a partition are spread over the racks.',
  }),
}

const TOPICS = {
  'auto.create.topics.enable': boolean({
    default: true,
    importance: 'high',
    doc: 'Whether a topic comes into being when a client asks for it.',
  }),
  'delete.topic.enable': boolean({
    default: true,
    importance: 'high',
    doc: 'Whether clients may delete topics.',
  }),
  'num.partitions': int({
    default: 1,
    valid: atLeast(1),
    doc: 'The number of partitions of a topic where none is asked for.',
  }),
  'default.replication.factor': int({
    default: 1,
    doc: 'The number of replicas of a topic where none is asked for.',
  }),
  'min.insync.replicas': int({
    default: 1,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How many replicas must be in sync for a write with acks=all to be accepted.',
  }),
  'unclean.leader.election.enable': boolean({
    default: false,
    importance: 'high',
    update: 'cluster-wide',
    doc: 'Whether a replica that is behind may lead if no other is left. Records may be lost then.',
  }),
}

const NETWORK = {
  listeners: list({
    default: ['PLAINTEXT://:9092'],
    valid: nonEmpty(),
    importance: 'high',
    update: 'per-broker',
    doc:
      'The addresses to listen on, as NAME://host:port separated by commas. An empty host or ' +
      '0.0.0.0 is every interface. A NAME that is not a security protocol needs ' +
      'listener.security.protocol.map.',
  }),
  'advertised.listeners': list({
    default: null,
    valid: nonEmpty(),
    importance: 'high',
    doc: 'The addresses that clients are told to connect to, where they differ from listeners.',
  }),
  'listener.security.protocol.map': string({
    default: SECURITY_PROTOCOLS.map((protocol) => `${protocol}:${protocol}`).join(','),
    importance: 'low',
    update: 'per-broker',
    doc: 'The security protocol of each listener, as NAME:PROTOCOL separated by commas.',
  }),
  'inter.broker.listener.name': string({
    default: null,
    doc:
      'The listener by which brokers talk to each other. ' +
      'If not set, the one named as security.inter.broker.protocol.',
  }),
  'security.inter.broker.protocol': string({
    default: 'PLAINTEXT',
    valid: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
    doc: 'The security protocol by which brokers talk to each other.',
  }),
  'controller.listener.names': list({
    default: [],
    importance: 'high',
    doc: 'Listeners that are left out: those of KRaft controllers, which do not exist here.',
  }),
  'socket.request.max.bytes': int({
    default: 100 * MIB,
    valid: atLeast(1),
    importance: 'high',
    doc: 'The largest request that is accepted.',
  }),
  'socket.listen.backlog.size': int({
    default: 50,
    valid: atLeast(1),
    doc: 'How many connections may wait to be accepted.',
  }),
  'max.connections': int({
    default: INT_MAX,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'The greatest number of connections; more wait to be accepted.',
  }),
  'max.connections.per.ip': int({
    default: INT_MAX,
    valid: atLeast(0),
    update: 'cluster-wide',
    doc: 'The greatest number of connections from one address; more are closed.',
  }),
  'max.connections.per.ip.overrides': string({
    default: '',
    update: 'cluster-wide',
    doc: 'Other limits for single addresses or host names, as host:100,127.0.0.1:200.',
  }),
  'connections.max.idle.ms': long({
    default: 600_000,
    doc: 'How long a connection may be idle before it is closed; below 0 means for ever.',
  }),
  'request.timeout.ms': int({
    default: 30_000,
    importance: 'high',
    doc: 'How long the broker waits for the answer to a request of its own.',
  }),
}

const FETCHING = {
  'fetch.max.bytes': int({
    default: 55 * MIB,
    valid: atLeast(1024),
    doc: 'The most bytes that one fetch returns, whatever the client asks for.',
  }),
  'max.incremental.fetch.session.cache.slots': int({
    default: 1000,
    valid: atLeast(0),
    doc: 'How many incremental fetch sessions are kept.',
  }),
}

const REPLICATION = {
  'num.replica.fetchers': int({
    default: 1,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'How many connections to each other broker replicate from it.',
  }),
  'replica.lag.time.max.ms': long({
    default: 30_000,
    importance: 'high',
    doc: 'How long a follower may be behind before it leaves the set of in-sync replicas.',
  }),
  'replica.fetch.min.bytes': int({
    default: 1,
    importance: 'high',
    doc: 'The bytes that a follower waits for, at most replica.fetch.wait.max.ms long.',
  }),
  'replica.fetch.wait.max.ms': int({
    default: 500,
    importance: 'high',
    doc: 'How long a fetch of a follower waits for data.',
  }),
  'replica.fetch.max.bytes': int({
    default: MIB,
    valid: atLeast(0),
    doc: 'The bytes that a follower fetches of one partition at a time, and at least one batch.',
  }),
  'replica.fetch.response.max.bytes': int({
    default: 10 * MIB,
    valid: atLeast(0),
    doc: 'The bytes that a follower fetches at a time, and at least one batch.',
  }),
  'replica.fetch.backoff.ms': int({
    default: 1000,
    valid: atLeast(0),
    doc: 'How long a follower waits after a failed fetch.',
  }),
  'replica.socket.timeout.ms': int({
    default: 30_000,
    importance: 'high',
    doc: 'How long a follower waits for an answer of its leader.',
  }),
  'replica.socket.receive.buffer.bytes': int({
    default: 65536,
    importance: 'high',
    doc: 'The receive buffer of the sockets that replicate (SO_RCVBUF).',
  }),
  'replica.high.watermark.checkpoint.interval.ms': long({
    default: 5000,
    importance: 'high',
    doc: 'How often high watermarks are written to the disk.',
  }),
}

const TELEMETRY = {
  'telemetry.max.bytes': int({
    default: MIB,
    valid: atLeast(1),
    importance: 'low',
    doc: 'The largest push of metrics that a client may send, as it is after decompression.',
  }),
}

const BROKER_KEYS = {
  ...IDENTITY,
  ...NETWORK,
  ...TOPICS,
  ...LOG_KEYS,
  ...FETCHING,
  ...REPLICATION,
  ...GROUP_KEYS,
  ...TRANSACTION_KEYS,
  ...SHARE_KEYS,
  ...QUOTA_KEYS,
  ...TELEMETRY,
  ...OTHER_KEYS,
}

export const BROKER_CONFIG = defineConfig(BROKER_KEYS, {
  check(get) {
    if (get('node.id') !== get('broker.id')) {
      throw new ConfigError('You must set `node.id` to the same value as `broker.id`.')
    }
    checkLimits(get)
    checkGroupKeys(get)
    checkShareKeys(get)
    parseBrokerEndpoints(listenerSettings(get))
    const overrides = parseConnectionOverrides(get('max.connections.per.ip.overrides'))
    if (get('max.connections.per.ip') === 0 && overrides.size === 0) {
      throw new ConfigError(
        'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides ' +
          'property is set.',
      )
    }
  },
})

export type BrokerConfig = Config<typeof BROKER_CONFIG.keys>

type Get = ValueGetter<typeof BROKER_KEYS>

function checkLimits(get: Get): void {
  const demand = (holds: boolean, message: string) => {
    if (!holds) throw new ConfigError(message)
  }
  const retentionMs = get('log.retention.ms')
  demand(get('log.roll.ms') >= 1, 'log.roll.ms must be greater than or equal to 1')
  demand(get('log.roll.jitter.ms') >= 0, 'log.roll.jitter.ms must be greater than or equal to 0')
  demand(
    retentionMs >= 1 || retentionMs === -1,
    'log.retention.ms must be unlimited (-1) or, greater than or equal to 1',
  )
  demand(
    get('log.cleaner.dedupe.buffer.size') / get('log.cleaner.threads') > MIB,
    'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
  )
  demand(
    get('replica.fetch.wait.max.ms') <= get('replica.socket.timeout.ms'),
    'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms',
  )
  demand(
    get('replica.fetch.wait.max.ms') <= get('replica.lag.time.max.ms'),
    'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms',
  )
}

function listenerSettings(get: Get): ListenerSettings {
  return {
    listeners: get('listeners'),
    advertisedListeners: get('advertised.listeners'),
    securityProtocolMap: get('listener.security.protocol.map'),
    interBrokerListenerName: get('inter.broker.listener.name'),
    securityInterBrokerProtocol: get('security.inter.broker.protocol'),
    controllerListenerNames: get('controller.listener.names'),
  }
}

/** Where the broker listens, and what it tells its clients. */
export function brokerEndpoints(config: BrokerConfig): BrokerEndpoints {
  return parseBrokerEndpoints(listenerSettings((name) => config.get(name)))
}

/**
 * The configuration that server.properties (with what overrides it) gives.
 * Throws ConfigError if a value is invalid.
 */
export function createBrokerConfig(entries: ConfigEntries): BrokerConfig {
  const complete = new Map(entries)
  const id = entries.get('node.id') ?? entries.get('broker.id')
  if (id !== undefined) {
    if (!complete.has('node.id')) complete.set('node.id', id)
    if (!complete.has('broker.id')) complete.set('broker.id', id)
  }
  return new Config(BROKER_CONFIG, [[ConfigSource.STATIC_BROKER_CONFIG, complete]])
}

/**
 * Throws ConfigError if a key of `entries` cannot be changed while brokers run, or not for all
 * brokers at once where that is asked. Unknown keys pass, as in Kafka: plug-ins have keys too.
 */
export function checkDynamicUpdate(
  entries: ConfigEntries,
  scope: 'per-broker' | 'cluster-wide',
): void {
  const known = [...entries.keys()].filter((name) => BROKER_CONFIG.keys[name as BrokerKey])
  const inMode = (mode: UpdateMode) =>
    known.filter((name) => BROKER_CONFIG.updateMode(name as BrokerKey) === mode)
  const readOnly = inMode('read-only')
  if (readOnly.length > 0) {
    throw new ConfigError(`Cannot update these configs dynamically: Set(${readOnly.join(', ')})`)
  }
  const perBroker = inMode('per-broker')
  if (scope === 'cluster-wide' && perBroker.length > 0) {
    throw new ConfigError(
      'Cannot update these configs at default cluster level, broker id must be specified: ' +
        `Set(${perBroker.join(', ')})`,
    )
  }
}

type BrokerKey = keyof typeof BROKER_KEYS
