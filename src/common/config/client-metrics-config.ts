/**
 * A subscription to metrics of clients (KIP-714): which metrics, how often, of which clients. Each
 * is a configuration resource of its own.
 */

import { KafkaError } from '../errors.ts'
import { Config, type ConfigEntries, ConfigSource } from './config.ts'
import { defineConfig, int, list } from './config-definition.ts'
import { ConfigError } from './config-value.ts'

const CLIENT_METRICS_KEYS = {
  metrics: list({
    default: [],
    doc: 'The beginnings of the names of the metrics that are wanted; * is all.',
  }),
  'interval.ms': int({
    default: 300_000,
    doc: 'How often the metrics are wanted, from 100 to 3600000 (one hour).',
  }),
  match: list({
    default: [],
    doc:
      'Of which clients, as name=pattern separated by commas; all must match. Names: ' +
      'client_instance_id, client_id, client_software_name, client_software_version, ' +
      'client_source_address, client_source_port.',
  }),
}

export const CLIENT_METRICS_CONFIG = defineConfig(CLIENT_METRICS_KEYS, { update: 'cluster-wide' })

export type ClientMetricsConfig = Config<typeof CLIENT_METRICS_CONFIG.keys>

/** What a pattern can be about, with the names of KIP-714. */
export const CLIENT_ATTRIBUTES = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
] as const
export type ClientAttribute = (typeof CLIENT_ATTRIBUTES)[number]

const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 3_600_000

/** The subscription that `entries` describe. Throws ConfigError if one is malformed. */
export function createClientMetricsConfig(entries: ConfigEntries): ClientMetricsConfig {
  return new Config(CLIENT_METRICS_CONFIG, [[ConfigSource.CLIENT_METRICS_CONFIG, entries]])
}

/** As `createClientMetricsConfig`, for what a client asks. Throws KafkaError with Kafka's texts. */
export function validateClientMetricsConfig(entries: ConfigEntries): ClientMetricsConfig {
  for (const name of entries.keys()) {
    if (CLIENT_METRICS_CONFIG.keys[name as keyof typeof CLIENT_METRICS_KEYS] !== undefined) continue
    throw new KafkaError('INVALID_REQUEST', `Unknown client metrics configuration: ${name}`)
  }
  const config = createClientMetricsConfig(entries)
  const intervalMs = config.get('interval.ms')
  if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
    throw new KafkaError(
      'INVALID_REQUEST',
      `Invalid value ${intervalMs} for interval.ms, interval must be between ` +
        `${MIN_INTERVAL_MS} and ${MAX_INTERVAL_MS} (1 hour)`,
    )
  }
  parseClientPatterns(config.get('match'))
  return config
}

/** The patterns of `match`, by what they are about. Throws ConfigError. */
export function parseClientPatterns(
  match: readonly string[],
): ReadonlyMap<ClientAttribute, RegExp> {
  const patterns = new Map<ClientAttribute, RegExp>()
  for (const text of match) {
    const [name, pattern, ...rest] = text.split('=')
    const attribute = CLIENT_ATTRIBUTES.find((known) => known === name?.trim())
    if (attribute === undefined || pattern === undefined || rest.length > 0) throw illegal(text)
    try {
      // A pattern has to match the whole value.
      patterns.set(attribute, new RegExp(`^(?:${pattern.trim()})$`))
    } catch {
      throw illegal(text)
    }
  }
  return patterns
}

function illegal(text: string): ConfigError {
  return new ConfigError(`Illegal client matching pattern: ${text}`)
}
