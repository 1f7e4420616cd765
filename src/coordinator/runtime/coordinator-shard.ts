/**
 * What a coordinator is, one partition at a time: a state machine without I/O.
 *
 * A shard owns the state that its partition of an internal topic describes. A request is a call of
 * a method that looks at the state and returns `{ records, response }`, without changing what the
 * records describe; the runtime appends the records and passes each to `replay`, which makes the
 * change. After a restart or a move the same `replay` rebuilds the state from the log. What is in
 * no record (sessions, members that are joining) a shard may change at once; it is lost with it.
 *
 * ```
 * request -> shard.method() -> { records, response } -> append -> replay(record) … -> committed
 *                                                                         response goes out <-'
 * ```
 * If an append is refused, nothing is replayed and the request fails with the append's error: hence
 * "without changing" above. Where a state machine must change at once all the same (a classic group
 * is mostly what is in no record), it says `isApplied`, and undoes in `onFailed` what has to be.
 */
import type { Completion } from '../../common/completion.ts'
import type { KafkaError } from '../../common/errors.ts'
import type { CoordinatorRecord } from './coordinator-record.ts'

/** What becomes of a shard's partition: the result of an operation without its response. */
export interface CoordinatorEffects {
  /** Appended as one batch, all or none, unless `isDivisible`. */
  readonly records: readonly CoordinatorRecord[]
  /** Called when the records are safe (committed), before the response goes out. */
  readonly onCommitted?: () => void
  /**
   * Called when the records were refused or did not become safe; the request fails with `error`.
   */
  readonly onFailed?: (error: KafkaError) => void
  /**
   * Each record makes sense without the others, so many of them may be appended as several batches,
   * of which the last may be refused after the first were appended.
   */
  readonly isDivisible?: boolean
  /** The state has been changed as the records say: they are not replayed. */
  readonly isApplied?: boolean
}

export interface CoordinatorResult<R> extends CoordinatorEffects {
  /** A Completion is a response to come, such as one that waits for other members to join. */
  readonly response: R | Completion<R>
}

/** The producer that a record of a transaction is of. */
export interface TransactionalProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface CoordinatorShard {
  /**
   * Makes the change that a record describes. Idempotent: a compacted log may give a record whose
   * forerunners are gone, and tombstones of what never was. With `producer` the record belongs to
   * a transaction, and takes effect when that ends well.
   */
  replay(record: CoordinatorRecord, offset: number, producer?: TransactionalProducer): void

  /** A transaction of `producer` has ended in this partition. */
  replayEndOfTransaction(producer: TransactionalProducer, isCommit: boolean): void

  /** The log has been read to its end; from now on requests come. Timers begin here. */
  onLoaded(): void

  /** The partition moves away or the broker stops: ends everything that waits. */
  onUnloaded(): void
}

/** What the runtime gives a shard besides requests. */
export interface ShardContext {
  readonly partition: number
  readonly timers: ShardTimers
  /** Wall-clock time, in milliseconds since the Unix epoch. */
  now(): number
}

/**
 * Timers of a shard, by name. What a timer's callback returns is treated as a request's result: its
 * records are appended and replayed. A callback never runs once the shard is unloaded.
 */
export interface ShardTimers {
  /** Calls `callback` once after `delayMs`. A timer of the same name is replaced. */
  schedule(name: string, delayMs: number, callback: () => CoordinatorEffects | undefined): void

  cancel(name: string): void
}
