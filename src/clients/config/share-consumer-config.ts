/** Configuration of a share consumer, with the defaults of Kafka 4. */
import type { Config } from '../../common/config/config.ts'
import { defineConfig, oneOf, string } from '../../common/config/config-definition.ts'
import { ConfigError } from '../../common/config/config-value.ts'
import { camelCase, readClientConfig } from './client-config.ts'
import { COMMON_KEYS, clientId } from './common-keys.ts'
import { FETCH_KEYS, GROUP_KEYS } from './consumer-config.ts'

const SHARE_CONSUMER_KEYS = {
  ...COMMON_KEYS,
  'client.id': clientId('samsa-share-consumer'),
  'fetch.min.bytes': FETCH_KEYS['fetch.min.bytes'],
  'fetch.max.bytes': FETCH_KEYS['fetch.max.bytes'],
  'fetch.max.wait.ms': FETCH_KEYS['fetch.max.wait.ms'],
  'max.poll.records': FETCH_KEYS['max.poll.records'],
  'check.crcs': FETCH_KEYS['check.crcs'],
  'client.rack': FETCH_KEYS['client.rack'],
  'group.id': GROUP_KEYS['group.id'],
  'max.poll.interval.ms': GROUP_KEYS['max.poll.interval.ms'],
  'allow.auto.create.topics': GROUP_KEYS['allow.auto.create.topics'],
  'share.acknowledgement.mode': string({
    default: 'implicit',
    valid: oneOf('implicit', 'explicit'),
    doc:
      'implicit: the next poll, or a commit, accepts all records of the last poll; explicit: ' +
      'each record is acknowledged by itself.',
  }),
  'share.acquire.mode': string({
    default: 'batch_optimized',
    valid: oneOf('batch_optimized', 'record_limit'),
    doc:
      'batch_optimized: whole batches, which may be more than max.poll.records; record_limit: ' +
      'never more than that.',
  }),
}

/** The keys of a share consumer. */
export type ShareConsumerKeys = typeof SHARE_CONSUMER_KEYS

export const SHARE_CONSUMER_CONFIG = defineConfig(SHARE_CONSUMER_KEYS)

/** Keys of consumers that a share group decides for all its members, or has no use for. */
export const NOT_FOR_SHARE_GROUPS: readonly string[] = [
  ...['auto.offset.reset', 'enable.auto.commit', 'group.instance.id', 'isolation.level'],
  ...['partition.assignment.strategy', 'session.timeout.ms', 'heartbeat.interval.ms'],
  ...['group.protocol', 'group.remote.assignor'],
]

/**
 * The configuration that `input` gives (see `readClientConfig`). Throws ConfigError for what is
 * wrong, for a missing `group.id`, and for keys that only other consumers have.
 */
export function readShareConsumerConfig(input: object): Config<ShareConsumerKeys> {
  for (const name of NOT_FOR_SHARE_GROUPS) {
    if (!(name in input) && !(camelCase(name) in input)) continue
    throw new ConfigError(`${name} cannot be set when using a share group.`)
  }
  const config = readClientConfig(SHARE_CONSUMER_CONFIG, input)
  if (config.get('group.id') === null) {
    throw new ConfigError('You must provide a valid group.id in the consumer configuration.')
  }
  return config
}
