/** Interceptors: what an application hangs into every send, in a chain. */
import type { Logger } from '../../common/logger.ts'
import type { KafkaError } from '../errors.ts'
import type { RecordMetadata } from './producer-batch.ts'
import type { ProducerRecord } from './producer-record.ts'

/** Whatever an interceptor throws is logged, and breaks no send. */
export interface ProducerInterceptor<Key = unknown, Value = unknown> {
  /** Sees each record before it is serialized, and may give another in its place. */
  onSend?(record: ProducerRecord<Key, Value>): ProducerRecord<Key, Value>
  /** Told what became of each record. */
  onAcknowledgement?(metadata: RecordMetadata | undefined, error: KafkaError | undefined): void
  close?(): void
}

export class InterceptorChain<Key, Value> {
  readonly #interceptors: readonly ProducerInterceptor<Key, Value>[]
  readonly #log: Logger

  constructor(interceptors: readonly ProducerInterceptor<Key, Value>[], log: Logger) {
    this.#interceptors = interceptors
    this.#log = log
  }

  get isEmpty(): boolean {
    return this.#interceptors.length === 0
  }

  /** The record as the last interceptor gives it; one that throws counts as absent. */
  onSend(record: ProducerRecord<Key, Value>): ProducerRecord<Key, Value> {
    let current = record
    for (const interceptor of this.#interceptors) {
      this.#guard('onSend', () => {
        current = interceptor.onSend?.(current) ?? current
      })
    }
    return current
  }

  onAcknowledgement(metadata: RecordMetadata | undefined, error: KafkaError | undefined): void {
    for (const interceptor of this.#interceptors) {
      this.#guard('onAcknowledgement', () => interceptor.onAcknowledgement?.(metadata, error))
    }
  }

  close(): void {
    for (const interceptor of this.#interceptors) this.#guard('close', () => interceptor.close?.())
  }

  #guard(what: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#log.warn(`an interceptor has thrown in ${what}`, error)
    }
  }
}
