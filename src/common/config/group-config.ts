/**
 * A group's own configuration (KIP-848, KIP-932), over that of the broker, which gives the defaults
 * and the limits. A group may have one before it has members.
 */
import type { BrokerConfig } from './broker-config.ts'
import { Config, type ConfigEntries, ConfigSource } from './config.ts'
import {
  atLeast,
  defineConfig,
  int,
  oneOf,
  string,
  type Validator,
  type ValueGetter,
} from './config-definition.ts'
import { ConfigError } from './config-value.ts'

const CONSUMER = {
  'consumer.session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(1),
    brokerDefault: 'group.consumer.session.timeout.ms',
    doc: 'After how long without a heartbeat a member of a consumer group counts as gone.',
  }),
  'consumer.heartbeat.interval.ms': int({
    default: 5000,
    valid: atLeast(1),
    brokerDefault: 'group.consumer.heartbeat.interval.ms',
    doc: 'How often members of a consumer group are told to send a heartbeat.',
  }),
}

const SHARE = {
  'share.session.timeout.ms': int({
    default: 45_000,
    valid: atLeast(1),
    brokerDefault: 'group.share.session.timeout.ms',
    doc: 'After how long without a heartbeat a member of a share group counts as gone.',
  }),
  'share.heartbeat.interval.ms': int({
    default: 5000,
    valid: atLeast(1),
    brokerDefault: 'group.share.heartbeat.interval.ms',
    doc: 'How often members of a share group are told to send a heartbeat.',
  }),
  'share.record.lock.duration.ms': int({
    default: 30_000,
    valid: atLeast(1000),
    brokerDefault: 'group.share.record.lock.duration.ms',
    doc: 'How long a record belongs to the member it was delivered to.',
  }),
  'share.auto.offset.reset': string({
    default: 'latest',
    valid: offsetReset,
    doc:
      'Where a share group begins that has no position yet: earliest, latest, or as long ago as ' +
      'by_duration:<PnDTnHnMn.nS> says.',
  }),
  'share.isolation.level': string({
    default: 'read_uncommitted',
    valid: oneOf('read_committed', 'read_uncommitted'),
    doc: 'Whether a share group is given the records of open and aborted transactions.',
  }),
}

const GROUP_CONFIG_KEYS = { ...CONSUMER, ...SHARE }

export const GROUP_CONFIG = defineConfig(GROUP_CONFIG_KEYS, { update: 'cluster-wide' })

export type GroupConfig = Config<typeof GROUP_CONFIG.keys>

/** The configuration of a group that has set `entries`. Throws ConfigError if one is malformed. */
export function createGroupConfig(broker: BrokerConfig, entries: ConfigEntries): GroupConfig {
  return new Config(GROUP_CONFIG, [[ConfigSource.GROUP_CONFIG, entries]], broker)
}

/**
 * As `createGroupConfig`, for what a client asks: unknown keys are refused, and what is outside the
 * broker's limits. What was set under other limits stays in force.
 */
export function validateGroupConfig(broker: BrokerConfig, entries: ConfigEntries): GroupConfig {
  for (const name of entries.keys()) {
    if (GROUP_CONFIG.keys[name as keyof typeof GROUP_CONFIG_KEYS] === undefined) {
      throw new ConfigError(`Unknown group config name: ${name}`)
    }
  }
  const config = createGroupConfig(broker, entries)
  const get: ValueGetter<typeof GROUP_CONFIG_KEYS> = (name) => config.get(name)
  for (const kind of ['consumer', 'share'] as const) {
    checkLimits(broker, `${kind}.heartbeat.interval.ms`, get(`${kind}.heartbeat.interval.ms`))
    checkLimits(broker, `${kind}.session.timeout.ms`, get(`${kind}.session.timeout.ms`))
    if (get(`${kind}.session.timeout.ms`) <= get(`${kind}.heartbeat.interval.ms`)) {
      throw new ConfigError(
        `${kind}.session.timeout.ms must be greater than ${kind}.heartbeat.interval.ms`,
      )
    }
  }
  const lock = 'share.record.lock.duration.ms'
  checkLimits(broker, lock, get(lock))
  return config
}

/** The limits of `consumer.x` are `group.consumer.min.x` and `group.consumer.max.x`. */
function checkLimits(broker: BrokerConfig, name: string, value: number): void {
  const dot = name.indexOf('.')
  const limit = (which: 'min' | 'max') =>
    `group.${name.slice(0, dot)}.${which}.${name.slice(dot + 1)}`
  const at = (key: string) => broker.get(key as 'group.consumer.min.session.timeout.ms')
  if (value < at(limit('min'))) {
    throw new ConfigError(`${name} must be greater than or equal to ${limit('min')}`)
  }
  if (value > at(limit('max'))) {
    throw new ConfigError(`${name} must be less than or equal to ${limit('max')}`)
  }
}

/** `P`, then days, then after `T` hours, minutes and seconds: what java.time.Duration reads. */
const DURATION = /^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d{0,9})?S)?)?$/i

function isOffsetReset(text: string): boolean {
  if (text === 'earliest' || text === 'latest') return true
  return text.startsWith('by_duration:') && DURATION.test(text.slice('by_duration:'.length))
}

const offsetResetText =
  "The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."

function offsetReset(...[name, value]: Parameters<Validator>): void {
  if (isOffsetReset(value as string)) return
  const reason = `Invalid value \`${value}\` for configuration ${name}. ${offsetResetText}`
  throw ConfigError.invalidValue(name, value, reason)
}
