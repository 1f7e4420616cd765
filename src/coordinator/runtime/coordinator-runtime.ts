/**
 * Runs the shards of one internal topic: loads them from their partitions, appends what they decide
 * and answers when it is safe. See coordinator-shard.ts for the contract.
 *
 * Everything happens within the event that asks for it: a write is decided, appended and replayed
 * before `write` returns, so the next request already sees it; only the answer waits for the
 * commit. So does the answer to a read: until all that was written before it is committed, it might
 * tell of something that a failover takes back.
 *
 * An append that is refused changes nothing. One that was accepted and then fails (the disk, or the
 * partition has moved) leaves nobody knowing what is in the log: the shard is unloaded, and its
 * next leader rebuilds it.
 */
import type { Clock, Timer } from '../../common/clock.ts'
import { Completion } from '../../common/completion.ts'
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import {
  buildEndTransactionBatch,
  type RecordBatchOptions,
  RecordBatchWriter,
} from '../../protocol/records/record-batch-writer.ts'
import { CoordinatorLoader } from './coordinator-loader.ts'
import type { CoordinatorRecord, CoordinatorRecordCodec } from './coordinator-record.ts'
import type {
  CoordinatorEffects,
  CoordinatorResult,
  CoordinatorShard,
  ShardContext,
  ShardTimers,
  TransactionalProducer,
} from './coordinator-shard.ts'
import type { CoordinatorStorage } from './coordinator-storage.ts'

export interface CoordinatorRuntimeOptions<S extends CoordinatorShard> {
  readonly topic: string
  readonly codec: CoordinatorRecordCodec
  readonly clock: Clock
  readonly log: Logger
  readonly storage: CoordinatorStorage
  readonly createShard: (context: ShardContext) => S
}

/** Half of the least that a topic takes by default, so that one more record always fits. */
const MODEST_BATCH_BYTES = 512 * 1024

/** A partition that this broker leads. */
interface Hosted<S> {
  readonly partition: number
  readonly shard: S
  readonly timers: Timers
  isLoaded: boolean
  isUnloaded: boolean
  /** The newest append that is not committed yet. */
  uncommitted: Promise<void> | undefined
}

export class CoordinatorRuntime<S extends CoordinatorShard> {
  readonly #options: CoordinatorRuntimeOptions<S>
  readonly #hosted = new Map<number, Hosted<S>>()

  constructor(options: CoordinatorRuntimeOptions<S>) {
    this.#options = options
  }

  /** Rebuilds the shard of a partition that this broker now leads. Resolves when it serves. */
  async load(partition: number): Promise<void> {
    this.unload(partition)
    const { clock, codec, log, topic, storage } = this.#options
    const timers: Timers = new Timers(clock, (result) => this.#onTimer(hosted, result))
    const shard = this.#options.createShard({ partition, timers, now: () => clock.now() })
    const state = { isLoaded: false, isUnloaded: false, uncommitted: undefined }
    const hosted: Hosted<S> = { partition, shard, timers, ...state }
    this.#hosted.set(partition, hosted)
    const startedAt = clock.monotonic()
    const loader = new CoordinatorLoader(shard, codec, log)
    try {
      for await (const chunks of storage.read(topic, partition)) {
        if (hosted.isUnloaded) return
        for (const chunk of chunks) loader.replay(chunk)
      }
    } catch (error) {
      this.#unload(hosted)
      log.error(`could not load ${topic}-${partition}`, error)
      return
    }
    if (hosted.isUnloaded) return
    hosted.isLoaded = true
    shard.onLoaded()
    if (loader.replayedRecords > 0) {
      const tookMs = Math.round(clock.monotonic() - startedAt)
      const count = loader.replayedRecords
      log.info(`loaded ${count} records of ${topic}-${partition} in ${tookMs} ms`)
    }
  }

  /** Gives a partition up. Its requests are answered NOT_COORDINATOR from now on. */
  unload(partition: number): void {
    const hosted = this.#hosted.get(partition)
    if (hosted !== undefined) this.#unload(hosted)
  }

  unloadAll(): void {
    for (const hosted of [...this.#hosted.values()]) this.#unload(hosted)
  }

  isLoaded(partition: number): boolean {
    return this.#hosted.get(partition)?.isLoaded === true
  }

  /**
   * Lets the shard decide, appends its records and answers when they are committed. Rejects with
   * KafkaError: the shard's own, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS,
   * COORDINATOR_NOT_AVAILABLE.
   */
  async write<R>(partition: number, operation: (shard: S) => CoordinatorResult<R>): Promise<R> {
    const hosted = this.#require(partition)
    return await this.#apply(hosted, operation(hosted.shard))
  }

  /** As `write`, with records that take effect when the producer's transaction commits. */
  async writeTransactional<R>(
    partition: number,
    producer: TransactionalProducer,
    operation: (shard: S) => CoordinatorResult<R>,
  ): Promise<R> {
    const hosted = this.#require(partition)
    return await this.#apply(hosted, operation(hosted.shard), producer)
  }

  /** Ends a producer's transaction in this partition. Resolves when the marker is committed. */
  async endTransaction(
    partition: number,
    producer: TransactionalProducer & { readonly coordinatorEpoch: number },
    isCommit: boolean,
  ): Promise<void> {
    const hosted = this.#require(partition)
    const { producerId, producerEpoch, coordinatorEpoch } = producer
    const marker = { commit: isCommit, coordinatorEpoch }
    const now = this.#options.clock.now()
    const batch = buildEndTransactionBatch(marker, { producerId, producerEpoch }, now)
    const { committed } = this.#append(hosted, batch)
    hosted.shard.replayEndOfTransaction({ producerId, producerEpoch }, isCommit)
    await committed
  }

  /**
   * Lets the shard answer from its state, and waits until that is committed. Rejects as `write`.
   */
  async read<R>(partition: number, operation: (shard: S) => R): Promise<R> {
    const hosted = this.#require(partition)
    const response = operation(hosted.shard)
    if (hosted.uncommitted !== undefined) await hosted.uncommitted
    return response
  }

  /** Reads every shard that is loaded, and calls it with its partition. */
  async readAll<R>(operation: (shard: S, partition: number) => R): Promise<R[]> {
    const loaded = [...this.#hosted.values()].filter((hosted) => hosted.isLoaded)
    const reads = loaded.map(({ partition }) =>
      this.read(partition, (shard) => operation(shard, partition)),
    )
    return await Promise.all(reads)
  }

  /** Tells every loaded shard of something. What a call returns is appended and replayed. */
  tellAll(operation: (shard: S) => CoordinatorEffects | undefined): void {
    for (const hosted of [...this.#hosted.values()]) {
      if (hosted.isLoaded) this.#onTimer(hosted, () => operation(hosted.shard))
    }
  }

  /** Whether some shard is being loaded. */
  get isLoading(): boolean {
    return [...this.#hosted.values()].some((hosted) => !hosted.isLoaded)
  }

  #require(partition: number): Hosted<S> {
    const hosted = this.#hosted.get(partition)
    if (hosted === undefined) throw new KafkaError('NOT_COORDINATOR')
    if (!hosted.isLoaded) throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
    return hosted
  }

  async #apply<R>(
    hosted: Hosted<S>,
    result: CoordinatorResult<R>,
    producer?: TransactionalProducer,
  ): Promise<R> {
    await this.#settle(hosted, result, producer)
    const { response } = result
    if (!(response instanceof Completion)) return response
    return await new Promise((resolve) => response.onComplete(resolve))
  }

  /** Appends and replays at once; resolves when it is committed. */
  async #settle(
    hosted: Hosted<S>,
    effects: CoordinatorEffects,
    producer?: TransactionalProducer,
  ): Promise<void> {
    try {
      const committed = this.#appendRecords(hosted, effects, producer)
      if (committed !== undefined) await committed
      // An answer without records may still tell of records that are on their way.
      else if (hosted.uncommitted !== undefined) await hosted.uncommitted
    } catch (error) {
      if (error instanceof KafkaError) effects.onFailed?.(error)
      throw error
    }
    effects.onCommitted?.()
  }

  #appendRecords(
    hosted: Hosted<S>,
    { records, isApplied, isDivisible }: CoordinatorEffects,
    producer: TransactionalProducer | undefined,
  ): Promise<unknown> | undefined {
    if (records.length === 0) return undefined
    const options = producer === undefined ? {} : { ...producer, transactional: true }
    const commits: Promise<void>[] = []
    let appended = 0
    for (const { batch, count } of this.#encode(records, options, isDivisible === true)) {
      const { baseOffset, committed } = this.#append(hosted, batch)
      commits.push(committed)
      for (let i = 0; i < count && isApplied !== true; i++) {
        hosted.shard.replay(records[appended + i]!, baseOffset + i, producer)
      }
      appended += count
    }
    return commits.length === 1 ? commits[0] : Promise.all(commits)
  }

  /** One batch, or, where the records may be divided, as many as keep each of a modest size. */
  *#encode(
    records: readonly CoordinatorRecord[],
    options: RecordBatchOptions,
    isDivisible: boolean,
  ): Generator<{ batch: Buffer; count: number }> {
    const { codec, clock } = this.#options
    const timestamp = clock.now()
    let writer = new RecordBatchWriter(options)
    for (const record of records) {
      if (isDivisible && writer.sizeInBytes > MODEST_BATCH_BYTES) {
        yield { batch: writer.finish(), count: writer.recordCount }
        writer = new RecordBatchWriter(options)
      }
      writer.append({ timestamp, ...codec.encode(record) })
    }
    yield { batch: writer.finish(), count: writer.recordCount }
  }

  #append(hosted: Hosted<S>, batch: Buffer): { baseOffset: number; committed: Promise<void> } {
    try {
      const { topic, storage } = this.#options
      const staged = storage.append(topic, hosted.partition, batch)
      const committed = staged.committed.catch((error: unknown) => {
        if (!isLate(error)) this.#unload(hosted)
        throw asCoordinatorError(error)
      })
      hosted.uncommitted = committed
      const settle = () => {
        if (hosted.uncommitted === committed) hosted.uncommitted = undefined
      }
      committed.then(settle, settle)
      return { baseOffset: staged.baseOffset, committed }
    } catch (error) {
      throw asCoordinatorError(error)
    }
  }

  #onTimer(hosted: Hosted<S>, callback: () => CoordinatorEffects | undefined): void {
    if (hosted.isUnloaded) return
    const { log, topic } = this.#options
    const failed = (error: unknown) => {
      log.warn(`a timed operation of ${topic}-${hosted.partition} failed`, error)
    }
    try {
      const effects = callback()
      if (effects !== undefined) this.#settle(hosted, effects).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #unload(hosted: Hosted<S>): void {
    if (hosted.isUnloaded) return
    hosted.isUnloaded = true
    hosted.timers.cancelAll()
    if (this.#hosted.get(hosted.partition) === hosted) this.#hosted.delete(hosted.partition)
    if (hosted.isLoaded) hosted.shard.onUnloaded()
  }
}

class Timers implements ShardTimers {
  readonly #clock: Clock
  readonly #run: (callback: () => CoordinatorEffects | undefined) => void
  readonly #timers = new Map<string, Timer>()

  constructor(clock: Clock, run: (callback: () => CoordinatorEffects | undefined) => void) {
    this.#clock = clock
    this.#run = run
  }

  schedule(name: string, delayMs: number, callback: () => CoordinatorEffects | undefined): void {
    this.cancel(name)
    const timer = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(name)
      this.#run(callback)
    })
    this.#timers.set(name, timer)
  }

  cancel(name: string): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}

function isLate(error: unknown): boolean {
  return error instanceof KafkaError && error.errorName === 'REQUEST_TIMED_OUT'
}

/** How clients of a coordinator see that its partition cannot be written. */
function asCoordinatorError(error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error
  switch (error.errorName) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
    case 'REQUEST_TIMED_OUT':
      return new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message)
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return new KafkaError('NOT_COORDINATOR', error.message)
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return new KafkaError('UNKNOWN_SERVER_ERROR', error.message)
    default:
      return error
  }
}
