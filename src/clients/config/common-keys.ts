/** Configuration keys that all clients have, with the defaults of Kafka 4. */
import {
  atLeast,
  int,
  list,
  long,
  nonEmpty,
  string,
  type ValueOf,
} from '../../common/config/config-definition.ts'

/** `client.id`, with a default that tells what kind of client it is. */
export function clientId(fallback: string) {
  return string({ default: fallback, doc: 'A name for the client in logs and quotas of brokers.' })
}

export const COMMON_KEYS = {
  'bootstrap.servers': list({
    valid: nonEmpty(),
    importance: 'high',
    doc: 'Some brokers of the cluster, as host:port. The others are learned from them.',
  }),
  'client.id': clientId('samsa-admin'),
  'metadata.max.age.ms': long({
    default: 300_000,
    valid: atLeast(0),
    doc: 'After how long what is known of topics and leaders is asked again.',
  }),
  'request.timeout.ms': int({
    default: 30_000,
    valid: atLeast(0),
    doc: 'How long a broker may take to answer one request.',
  }),
  'default.api.timeout.ms': int({
    default: 60_000,
    valid: atLeast(0),
    doc: 'How long a call may take with all its retries, if it does not say so itself.',
  }),
  retries: int({
    default: 0x7fff_ffff,
    valid: atLeast(0),
    doc: 'How often a request that failed for a passing reason is made again.',
  }),
  'retry.backoff.ms': long({
    default: 100,
    valid: atLeast(0),
    doc: 'How long to wait before the first retry. Each further wait is twice as long.',
  }),
  'retry.backoff.max.ms': long({
    default: 1000,
    valid: atLeast(0),
    doc: 'The longest wait before a retry.',
  }),
  'reconnect.backoff.ms': long({
    default: 50,
    valid: atLeast(0),
    doc: 'How long to wait before connecting again to a broker that could not be reached.',
  }),
  'reconnect.backoff.max.ms': long({
    default: 1000,
    valid: atLeast(0),
    doc: 'The longest wait before connecting again.',
  }),
  'socket.connection.setup.timeout.ms': long({
    default: 10_000,
    valid: atLeast(0),
    doc: 'How long a connection to a broker may take to be made.',
  }),
}

/** The keys that all clients have. */
export type CommonKeys = typeof COMMON_KEYS

/** The configuration of any client, as far as it is common to all. */
export interface CommonConfig {
  get<Name extends keyof CommonKeys & string>(name: Name): ValueOf<CommonKeys[Name]>
}
