/** Configuration of a consumer, with the defaults of Kafka 4. */
import { type Config, ConfigSource } from '../../common/config/config.ts'
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
  type Validator,
} from '../../common/config/config-definition.ts'
import { ConfigError } from '../../common/config/config-value.ts'
import { parseOffsetReset } from '../consumer/offset-reset.ts'
import { readClientConfig } from './client-config.ts'
import { COMMON_KEYS, clientId } from './common-keys.ts'

/** The keys for what is read from brokers, whichever kind of group reads. */
export const FETCH_KEYS = {
  'fetch.min.bytes': int({
    default: 1,
    valid: atLeast(0),
    importance: 'high',
    doc: 'How many bytes a broker should have before it answers a fetch.',
  }),
  'fetch.max.bytes': int({
    default: 52_428_800,
    valid: atLeast(0),
    doc: 'The most bytes of an answer to a fetch. A first batch that is larger comes all the same.',
  }),
  'fetch.max.wait.ms': int({
    default: 500,
    valid: atLeast(0),
    importance: 'low',
    doc: 'How long a broker waits for fetch.min.bytes.',
  }),
  'max.partition.fetch.bytes': int({
    default: 1_048_576,
    valid: atLeast(0),
    importance: 'high',
    doc: 'The most bytes of one partition in an answer. A first batch that is larger still comes.',
  }),
  'max.poll.records': int({
    default: 500,
    valid: atLeast(1),
    doc: 'The most records that one poll returns.',
  }),
  'buffer.memory': long({
    default: 67_108_864,
    valid: atLeast(0),
    doc: 'About how many bytes are fetched ahead of the application; what is more is asked later.',
  }),
  'check.crcs': boolean({
    default: true,
    importance: 'low',
    doc: 'Whether checksums of record batches are computed and compared.',
  }),
  'isolation.level': string({
    default: 'read_uncommitted',
    valid: oneOf('read_committed', 'read_uncommitted'),
    doc: 'Whether records of transactions are read that are not, or not yet, committed.',
  }),
  'client.rack': string({
    default: '',
    importance: 'low',
    doc: 'Where the client is. Brokers may have it read from a replica nearby.',
  }),
}

/** The keys of the place in a group, whichever kind of group it is. */
export const GROUP_KEYS = {
  'group.id': string({
    default: null,
    valid: nonEmpty(),
    importance: 'high',
    doc: 'The group that the consumer belongs to, and in whose name it commits offsets.',
  }),
  'max.poll.interval.ms': int({
    default: 300_000,
    valid: atLeast(1),
    doc: 'How long may pass between two polls before the consumer counts as failed.',
  }),
  'allow.auto.create.topics': boolean({
    default: true,
    doc: 'Whether a topic that is subscribed to or assigned may be created by that.',
  }),
}

const CONSUMER_KEYS = {
  ...COMMON_KEYS,
  'client.id': clientId('samsa-consumer'),
  ...FETCH_KEYS,
  ...GROUP_KEYS,
  'group.instance.id': string({
    default: null,
    valid: nonEmpty(),
    doc: 'A name that a static member keeps over restarts, so that these cause no rebalance.',
  }),
  'group.protocol': string({
    default: 'classic',
    valid: oneOfIgnoringCase('classic', 'consumer'),
    importance: 'high',
    doc: 'classic: the members assign partitions; consumer: the broker does (KIP-848).',
  }),
  'group.remote.assignor': string({
    default: null,
    doc: "The broker's assignor under group.protocol=consumer; null lets it choose.",
  }),
  'session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(0),
    importance: 'high',
    doc: 'After how long without a heartbeat the broker takes a member for dead.',
  }),
  'heartbeat.interval.ms': int({
    default: 3000,
    valid: atLeast(0),
    importance: 'high',
    doc: 'How often a member tells the coordinator that it lives.',
  }),
  'partition.assignment.strategy': list({
    default: ['range', 'cooperative-sticky'],
    valid: nonEmpty(),
    doc: 'Names of assignors, the preferred one first; the group uses one that all members have.',
  }),
  'enable.auto.commit': boolean({
    default: true,
    doc: 'Whether positions are committed by themselves.',
  }),
  'auto.commit.interval.ms': int({
    default: 5000,
    valid: atLeast(0),
    importance: 'low',
    doc: 'How often positions are committed by themselves.',
  }),
  'auto.offset.reset': string({
    default: 'latest',
    valid: (name, value) => {
      parseOffsetReset(value as string, name)
    },
    doc: 'Where to begin in a partition without a committed offset, or with one that is gone.',
  }),
  'exclude.internal.topics': boolean({
    default: true,
    doc: 'Whether a pattern passes over internal topics.',
  }),
}

/** The keys of a consumer. */
export type ConsumerKeys = typeof CONSUMER_KEYS

export const CONSUMER_CONFIG = defineConfig(CONSUMER_KEYS, {
  check(get) {
    const isClassic = get('group.protocol').toLowerCase() === 'classic'
    if (isClassic && get('heartbeat.interval.ms') >= get('session.timeout.ms')) {
      throw new ConfigError('heartbeat.interval.ms must be lower than session.timeout.ms')
    }
  },
})

/** Keys that have no meaning where the broker assigns. */
const CLASSIC_ONLY = [
  'heartbeat.interval.ms',
  'session.timeout.ms',
  'partition.assignment.strategy',
] as const

/**
 * The configuration that `input` gives (see `readClientConfig`). A consumer without `group.id`
 * commits nothing by itself. Throws ConfigError for what is wrong, or does not go together.
 */
export function readConsumerConfig(input: object): Config<ConsumerKeys> {
  const config = readClientConfig(CONSUMER_CONFIG, input)
  const given = config.entries(ConfigSource.STATIC_BROKER_CONFIG)
  if (isClassicProtocol(config)) {
    if (config.get('group.remote.assignor')) refuse('group.remote.assignor', 'CLASSIC')
  } else {
    for (const name of CLASSIC_ONLY) if (given.has(name)) refuse(name, 'CONSUMER')
  }
  if (config.get('group.id') !== null) return config
  if (!given.has('enable.auto.commit')) {
    const entries = new Map([...given, ['enable.auto.commit', 'false']])
    return config.with(ConfigSource.STATIC_BROKER_CONFIG, entries)
  }
  if (config.get('enable.auto.commit')) {
    throw new ConfigError('enable.auto.commit cannot be set to true without a group.id')
  }
  return config
}

/** Whether the members of the group assign partitions, and not the broker. */
export function isClassicProtocol(config: Config<ConsumerKeys>): boolean {
  return config.get('group.protocol').toLowerCase() === 'classic'
}

function refuse(name: string, protocol: string): never {
  throw new ConfigError(`${name} cannot be set when group.protocol=${protocol}`)
}

function oneOfIgnoringCase(...allowed: string[]): Validator {
  return (name, value) => {
    if (allowed.includes((value as string).toLowerCase())) return
    const reason = `String must be one of (case insensitive): ${allowed.join(', ').toUpperCase()}`
    throw ConfigError.invalidValue(name, value, reason)
  }
}
