/** What a producer can be told. */
import type { ConfigInput } from '../config/client-config.ts'
import type { ProducerKeys } from '../config/producer-config.ts'
import type { Serializer } from '../serializers.ts'
import type { Tracing } from '../tracing.ts'
import type { ProducerInterceptor } from './interceptors.ts'
import type { Partitioner } from './partitioner.ts'

/** Kafka's configuration, and what is no text: how keys and values become bytes, and so on. */
export type ProducerOptions<Key, Value> = ConfigInput<ProducerKeys> & {
  readonly keySerializer?: Serializer<Key>
  readonly valueSerializer?: Serializer<Value>
  readonly partitioner?: Partitioner
  readonly interceptors?: readonly ProducerInterceptor<Key, Value>[]
  /** Whether records carry on the trace in which they are sent; `continue` if not given. */
  readonly tracing?: Tracing
}

/** Of what is no text. */
export const OPTION_TYPES = {
  keySerializer: 'function',
  valueSerializer: 'function',
  partitioner: 'object',
  interceptors: 'list',
} as const
