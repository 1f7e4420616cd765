/** Interceptors: what an application hangs into every poll and commit, in a chain. */
import type { Logger } from '../../common/logger.ts'
import type { ConsumerRecords } from './consumer-records.ts'
import type { OffsetToCommit } from './partition-state.ts'

/** Whatever an interceptor throws is logged, and breaks neither a poll nor a commit. */
export interface ConsumerInterceptor<Key = unknown, Value = unknown> {
  /** Sees records before the application does, and may give others in their place. */
  onConsume?(records: ConsumerRecords<Key, Value>): ConsumerRecords<Key, Value>
  /** Told of offsets that have been committed. */
  onCommit?(offsets: readonly OffsetToCommit[]): void
  close?(): void
}

export class ConsumerInterceptors<Key, Value> {
  readonly #interceptors: readonly ConsumerInterceptor<Key, Value>[]
  readonly #log: Logger

  constructor(interceptors: readonly ConsumerInterceptor<Key, Value>[], log: Logger) {
    this.#interceptors = interceptors
    this.#log = log
  }

  get isEmpty(): boolean {
    return this.#interceptors.length === 0
  }

  /** The records as the last interceptor gives them; one that throws counts as absent. */
  onConsume(records: ConsumerRecords<Key, Value>): ConsumerRecords<Key, Value> {
    let current = records
    for (const interceptor of this.#interceptors) {
      this.#guard('onConsume', () => {
        current = interceptor.onConsume?.(current) ?? current
      })
    }
    return current
  }

  onCommit(offsets: readonly OffsetToCommit[]): void {
    for (const interceptor of this.#interceptors) {
      this.#guard('onCommit', () => interceptor.onCommit?.(offsets))
    }
  }

  close(): void {
    for (const interceptor of this.#interceptors) this.#guard('close', () => interceptor.close?.())
  }

  #guard(method: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#log.warn(`an interceptor has thrown in ${method}`, error)
    }
  }
}
