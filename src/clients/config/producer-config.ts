/** Configuration of a producer, with the defaults of Kafka 4. */
import type { Config } from '../../common/config/config.ts'
import {
  atLeast,
  between,
  boolean,
  defineConfig,
  int,
  long,
  oneOf,
  string,
} from '../../common/config/config-definition.ts'
import { ConfigError } from '../../common/config/config-value.ts'
import { COMMON_KEYS, clientId } from './common-keys.ts'

const PRODUCER_KEYS = {
  ...COMMON_KEYS,
  'client.id': clientId('samsa-producer'),
  acks: string({
    default: 'all',
    valid: oneOf('all', '-1', '0', '1'),
    doc: 'Who must have a record before it counts as sent: nobody, the leader, or all in sync.',
  }),
  'batch.size': int({
    default: 16_384,
    valid: atLeast(0),
    doc: 'How many bytes of records for one partition are sent together at most.',
  }),
  'linger.ms': long({
    default: 5,
    valid: atLeast(0),
    doc: 'How long a batch that is not full waits for more records.',
  }),
  'buffer.memory': long({
    default: 33_554_432,
    valid: atLeast(0),
    doc: 'How many bytes of records wait to be sent at most.',
  }),
  'max.block.ms': long({
    default: 60_000,
    valid: atLeast(0),
    doc: 'How long a record may wait for metadata and for room in the buffer.',
  }),
  'max.request.size': int({
    default: 1_048_576,
    valid: atLeast(0),
    doc: 'The most bytes of a request, and so of a record.',
  }),
  'delivery.timeout.ms': int({
    default: 120_000,
    valid: atLeast(0),
    doc: 'How long after it was sent a record counts as failed.',
  }),
  'max.in.flight.requests.per.connection': int({
    default: 5,
    valid: atLeast(1),
    doc: 'How many requests may be under way to one broker.',
  }),
  'compression.type': string({
    default: 'none',
    valid: oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    doc: 'How batches are compressed.',
  }),
  'compression.gzip.level': int({
    default: -1,
    valid: between(-1, 9),
    doc: 'The level of gzip; -1 is its own default.',
  }),
  'compression.zstd.level': int({
    default: 3,
    valid: between(-131_072, 22),
    doc: 'The level of zstd.',
  }),
  'enable.idempotence': boolean({
    default: true,
    doc: 'Whether each record is written once and in order though requests are tried again.',
  }),
  'transactional.id': string({
    default: null,
    doc: 'The name by which the producer is known over restarts. Makes it transactional.',
  }),
  'transaction.timeout.ms': int({
    default: 60_000,
    valid: atLeast(1),
    doc: 'After how long the broker aborts a transaction that was not ended.',
  }),
  'partitioner.ignore.keys': boolean({
    default: false,
    doc: 'Whether the default partitioner treats records with a key as those without.',
  }),
}

/** The keys of a producer. */
export type ProducerKeys = typeof PRODUCER_KEYS

export const PRODUCER_CONFIG = defineConfig(PRODUCER_KEYS, {
  check(get) {
    if (get('delivery.timeout.ms') < get('linger.ms') + get('request.timeout.ms')) {
      throw new ConfigError(
        'delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms',
      )
    }
    if (!get('enable.idempotence')) {
      if (get('transactional.id') === null) return
      throw new ConfigError('Cannot set a transactional.id without also enabling idempotence.')
    }
    if (!['all', '-1'].includes(get('acks'))) {
      throw new ConfigError(
        `Must set acks to all in order to use the idempotent producer, not to ${get('acks')}. ` +
          'Otherwise set enable.idempotence to false.',
      )
    }
    if (get('max.in.flight.requests.per.connection') > 5) {
      throw new ConfigError(
        'Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent ' +
          'producer. Otherwise set enable.idempotence to false.',
      )
    }
    if (get('retries') === 0) {
      throw new ConfigError('Must set retries to non-zero when using the idempotent producer.')
    }
  },
})

/** The level for `compression.type`; undefined where that has none. */
export function compressionLevel(config: Config<ProducerKeys>): number | undefined {
  const type = config.get('compression.type')
  if (type === 'gzip') return config.get('compression.gzip.level')
  return type === 'zstd' ? config.get('compression.zstd.level') : undefined
}
