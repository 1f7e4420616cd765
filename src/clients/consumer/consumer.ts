/**
 * The consumer: reads records of topics, alone or as a member of a group.
 *
 * ```ts
 * await using consumer = new Consumer({ bootstrapServers: 'localhost:9092', groupId: 'billing' })
 * consumer.subscribe('orders')
 * for await (const record of consumer) bill(record.value)                     // one by one
 * for await (const records of consumer.batches()) billAll(records)            // as they come
 * const records = await consumer.poll({ timeoutMs: 1000 })                    // as in Java
 * await consumer.run({ eachRecord: (record) => bill(record), concurrency: 8 }) // called back
 * ```
 * Records are fetched ahead, into bounded memory, while the application works. Heartbeats go out in
 * the background, but on the same event loop: a program that blocks it for longer than the session
 * timeout loses its partitions.
 */
import { listTopics } from '../admin/topics.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { PartitionMetadata } from '../cluster/cluster-metadata.ts'
import { type ConfigInput, checkOptions } from '../config/client-config.ts'
import {
  type ConsumerKeys,
  isClassicProtocol,
  readConsumerConfig,
} from '../config/consumer-config.ts'
import type { Deserializer } from '../deserializers.ts'
import { type ClientEnvironment, systemEnvironment } from '../environment.ts'
import { ClosedError, IllegalStateError, type KafkaError, TimeoutError } from '../errors.ts'
import type { ConsumerMetrics } from '../observability/metric-names.ts'
import type { ConsumerGroup } from '../producer/transactions.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { ConsumerCore, type PollOptions } from './consumer-core.ts'
import { ConsumerIteration } from './consumer-iteration.ts'
import {
  endsOf,
  type OffsetOfTime,
  offsetsForTimes,
  type QueryOptions,
  type TimeQuery,
} from './consumer-queries.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { ConsumerRecords } from './consumer-records.ts'
import { ConsumerRun, type RunOptions } from './consumer-run.ts'
import type { Assignor } from './group/assignor.ts'
import { createGroupMembership } from './group/group-membership.ts'
import { type ConsumerInterceptor, ConsumerInterceptors } from './interceptors.ts'
import type { OffsetToCommit, PartitionState, Position } from './partition-state.ts'
import type { RebalanceListener } from './subscription-state.ts'

/** Kafka's configuration, and what is no text: how bytes become keys and values, and so on. */
export type ConsumerOptions<Key, Value> = ConfigInput<ConsumerKeys> & {
  /** Without it keys are Buffers. */
  readonly keyDeserializer?: Deserializer<Key>
  /** Without it values are Buffers. */
  readonly valueDeserializer?: Deserializer<Value>
  readonly interceptors?: readonly ConsumerInterceptor<Key, Value>[]
  /** Assignors of one's own, which `partition.assignment.strategy` may name. */
  readonly assignors?: readonly Assignor[]
}

/** What to subscribe to: names, a pattern for the client to match, or one for the broker. */
export type Subscription = string | readonly string[] | RegExp | { readonly re2: string }

/** Told what became of offsets that were committed without waiting. */
export type CommitCallback = (
  error: KafkaError | undefined,
  offsets: readonly OffsetToCommit[],
) => void

const CLOSE_TIMEOUT_MS = 30_000
const OPTION_TYPES = {
  keyDeserializer: 'function',
  valueDeserializer: 'function',
  interceptors: 'list',
  assignors: 'list',
} as const

export class Consumer<Key = Buffer, Value = Buffer>
  implements AsyncIterable<ConsumerRecord<Key, Value>>
{
  readonly #core: ConsumerCore<Key, Value>
  readonly #commits = new Set<Promise<void>>()
  #closing: Promise<void> | undefined

  /** Connects when it is first used. Throws ConfigError. */
  constructor(
    options: ConsumerOptions<Key, Value>,
    environment: ClientEnvironment = systemEnvironment(),
  ) {
    const { keyDeserializer, valueDeserializer, interceptors, assignors, ...settings } = options
    checkOptions(options, OPTION_TYPES)
    this.#core = new ConsumerCore({
      config: readConsumerConfig(settings),
      ...{ environment, keyDeserializer, valueDeserializer },
      interceptors: new ConsumerInterceptors(interceptors ?? [], environment.log),
      assignors: assignors ?? [],
      join: createGroupMembership,
    })
  }

  /**
   * Reads topics as a member of the group, which assigns partitions at the following polls. Takes
   * the place of an earlier subscription. Throws INVALID_GROUP_ID without a group, and
   * IllegalStateError after `assign`.
   */
  subscribe(to: Subscription, listener?: RebalanceListener): void {
    this.#checkOpen()
    const { subscription, membership, config } = this.#core
    if (to instanceof RegExp) {
      subscription.subscribeToPattern(to, listener)
    } else if (typeof to === 'object' && 're2' in to) {
      if (isClassicProtocol(config)) {
        throw new IllegalStateError('Only group.protocol=consumer has the broker match patterns')
      }
      subscription.subscribeToRe2(to.re2, listener)
    } else {
      const topics = typeof to === 'string' ? [to] : to
      if (topics.some((topic) => topic.trim() === '')) throw new TypeError('A topic has no name')
      subscription.subscribe(topics, listener)
    }
    membership.subscriptionChanged()
  }

  /** Leaves the group, if it is in one, and gives up all partitions. */
  async unsubscribe(options: CallOptions = {}): Promise<void> {
    await this.#core.call(options, async (limits) => {
      await this.#core.leave(limits)
      this.#core.subscription.unsubscribe()
    })
  }

  /**
   * Reads these partitions, of the application's own choice, instead of those before; none is the
   * same as `unsubscribe`. Positions of partitions that stay are kept. Throws IllegalStateError
   * while the consumer is subscribed.
   */
  assign(partitions: Iterable<TopicPartition>): void {
    this.#checkOpen()
    const { subscription, config, hasGroup } = this.#core
    if (hasGroup && config.get('enable.auto.commit') && subscription.states.length > 0) {
      this.commitAsync(subscription.consumedOffsets())
    }
    subscription.assignFromUser(partitions)
    if (subscription.states.length === 0) subscription.unsubscribe()
    this.#core.latch.ring()
  }

  /** The partitions that are read at present. */
  assignment(): TopicPartition[] {
    return this.#core.subscription.assigned()
  }

  /** The topics subscribed to; of a pattern, those that match it. */
  subscription(): string[] {
    return [...this.#core.subscription.topics]
  }

  /**
   * Records, as soon as there are some; with `timeoutMs` none if there are none by then, and with a
   * `timeoutMs` of 0 those that are here already. They count as consumed when they are returned.
   * Rejects with WakeupError, CorruptRecordError, NoOffsetForPartitionError, OffsetOutOfRangeError,
   * LogTruncationError, what a rebalance listener throws, and other KafkaErrors.
   */
  async poll(options: PollOptions = {}): Promise<ConsumerRecords<Key, Value>> {
    const batches = await this.#core.next(options)
    for (const batch of batches) batch.consumedAll()
    return new ConsumerRecords(batches)
  }

  /** Records one by one, until the consumer is closed. See ConsumerIteration. */
  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<Key, Value>, undefined> {
    return new ConsumerIteration(this.#core)
  }

  /**
   * Records as they come, until the consumer is closed. They count as consumed when the next ones
   * are asked for.
   */
  async *batches(
    options: Omit<PollOptions, 'timeoutMs'> = {},
  ): AsyncGenerator<ConsumerRecords<Key, Value>, undefined> {
    for (;;) {
      try {
        const batches = await this.#core.next(options)
        for (const batch of batches) batch.deliveredAll()
        this.#core.hold(batches.map(({ state }) => state))
        yield new ConsumerRecords(batches)
      } catch (error) {
        if (error instanceof ClosedError && this.#core.isStopped) return undefined
        throw error
      }
    }
  }

  /**
   * Calls back for each record, or for each batch, in the order of each partition and for at most
   * `concurrency` partitions at once. What is committed by itself has been worked on. Resolves when
   * the consumer is closed or the signal is aborted, after callbacks under way; rejects with what a
   * callback throws, unless `onError` says otherwise.
   */
  async run(options: RunOptions<Key, Value>): Promise<void> {
    await new ConsumerRun(this.#core, options).run()
  }

  /**
   * Commits offsets; without any given, of all that has been delivered. Rejects with
   * CommitFailedError where the partitions are no longer the consumer's.
   */
  async commitSync(offsets?: Iterable<OffsetToCommit>, options: CallOptions = {}): Promise<void> {
    const { membership, subscription } = this.#core
    const all = offsets === undefined ? subscription.deliveredOffsets() : [...offsets]
    await this.#core.call(options, async (limits) => {
      // Callbacks of earlier commits come before this returns.
      await limits.wait(Promise.all(this.#commits))
      if (all.length > 0) await membership.commit(all, limits)
    })
  }

  /** Commits without waiting, in one attempt; a failure is logged if nobody is told. */
  commitAsync(offsets?: Iterable<OffsetToCommit>, callback?: CommitCallback): void {
    this.#checkOpen()
    const { membership, subscription, cluster, environment } = this.#core
    const all = offsets === undefined ? subscription.deliveredOffsets() : [...offsets]
    const tell = (error: KafkaError | undefined) => {
      if (callback !== undefined) callback(error, all)
      else if (error !== undefined) environment.log.warn('offsets could not be committed', error)
    }
    const commit = membership.commitOnce(all, cluster.limits()).then(() => tell(undefined), tell)
    const done = commit.catch((error) => {
      environment.log.error('a callback of commitAsync has thrown', error)
    })
    this.#commits.add(done)
    void done.finally(() => this.#commits.delete(done))
  }

  /** What the group has committed, by `topic-partition`; undefined where there is nothing. */
  async committed(
    partitions: Iterable<TopicPartition>,
    options: CallOptions = {},
  ): Promise<ReadonlyMap<string, OffsetToCommit | undefined>> {
    const { membership } = this.#core
    return await this.#core.call(options, (limits) => membership.committed([...partitions], limits))
  }

  /** The offset of the next record of an assigned partition. Finds it if need be. */
  async position(partition: TopicPartition, options: CallOptions = {}): Promise<number> {
    const state = this.#core.subscription.partition(partition)
    if (state.hasPosition) return state.deliveredOffset
    return await this.#core.call(options, async (limits) => {
      await this.#core.until(limits, () => state.hasPosition || state.isDropped)
      if (state.isDropped) throw new IllegalStateError(`${state.name} is not assigned any more`)
      return state.deliveredOffset
    })
  }

  /** Goes on at an offset. With a `leaderEpoch` it is seen whether the log still has it. */
  seek(partition: TopicPartition, to: number | (Partial<Position> & { offset: number })): void {
    const { offset, leaderEpoch = -1 } = typeof to === 'number' ? { offset: to } : to
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new RangeError(`The offset ${offset} is not a whole number from 0 on`)
    }
    this.#core.subscription.partition(partition).seek({ offset, leaderEpoch })
    this.#core.latch.ring()
  }

  /** Goes on at the first record; of all partitions if none is given. */
  seekToBeginning(partitions?: Iterable<TopicPartition>): void {
    for (const state of this.#states(partitions)) state.reset({ kind: 'earliest' })
    this.#core.latch.ring()
  }

  /** Goes on after the last record; of all partitions if none is given. */
  seekToEnd(partitions?: Iterable<TopicPartition>): void {
    for (const state of this.#states(partitions)) state.reset({ kind: 'latest' })
    this.#core.latch.ring()
  }

  /** Returns no records of these partitions until `resume`. They stay assigned. */
  pause(partitions: Iterable<TopicPartition>): void {
    for (const state of this.#states(partitions)) state.isPaused = true
  }

  resume(partitions: Iterable<TopicPartition>): void {
    for (const state of this.#states(partitions)) state.isPaused = false
    this.#core.latch.ring()
  }

  paused(): TopicPartition[] {
    return this.#core.subscription.states
      .filter(({ isPaused }) => isPaused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** How many records are left before the end, as far as it is known from fetching. */
  currentLag(partition: TopicPartition): number | undefined {
    return this.#core.subscription.partition(partition).lag(this.#core.isReadCommitted)
  }

  /** `client.id`. */
  get clientId(): string {
    return this.#core.cluster.clientId
  }

  /** What has been counted and measured until now, by Kafka's names; see `prometheusText`. */
  metrics(): ConsumerMetrics {
    const { subscription, isReadCommitted, bufferedBytes, observer } = this.#core
    const partitions = subscription.states.map((state) => {
      const { topic, partition, logStartOffset, offset } = state
      const lag = state.lag(isReadCommitted) ?? Number.NaN
      const lead = logStartOffset < 0 || !state.hasPosition ? Number.NaN : offset - logStartOffset
      return { topic, partition, lag, lead }
    })
    return observer.snapshot({ partitions, bufferedBytes })
  }

  async partitionsFor(
    topic: string,
    options: CallOptions = {},
  ): Promise<readonly PartitionMetadata[]> {
    const { cluster } = this.#core
    return await this.#core.call(options, async (limits) => {
      const found = await cluster.retry(limits, () => cluster.topic(topic, limits))
      return found.partitions
    })
  }

  /** All topics that one may see, with their partitions. */
  async listTopics(options: CallOptions = {}): Promise<Map<string, readonly PartitionMetadata[]>> {
    const { cluster } = this.#core
    return await this.#query(options, async (limited) => {
      const topics = await listTopics(cluster, { ...limited, includeInternal: true })
      return new Map(topics.map(({ name, partitions }) => [name, partitions]))
    })
  }

  /**
   * The first record of a time (milliseconds since the epoch) or later, by `topic-partition`;
   * undefined where there is none.
   */
  async offsetsForTimes(
    queries: Iterable<TimeQuery>,
    options: CallOptions = {},
  ): Promise<Map<string, OffsetOfTime | undefined>> {
    const { cluster } = this.#core
    return await this.#query(options, (limited) => offsetsForTimes(cluster, queries, limited))
  }

  /** The first offset of each partition, by `topic-partition`. */
  async beginningOffsets(
    partitions: Iterable<TopicPartition>,
    options: CallOptions = {},
  ): Promise<Map<string, number>> {
    const { cluster } = this.#core
    return await this.#query(options, (limited) => endsOf(cluster, partitions, 'earliest', limited))
  }

  /** The offset after the last record that can be read, by `topic-partition`. */
  async endOffsets(
    partitions: Iterable<TopicPartition>,
    options: CallOptions = {},
  ): Promise<Map<string, number>> {
    const { cluster } = this.#core
    return await this.#query(options, (limited) => endsOf(cluster, partitions, 'latest', limited))
  }

  /** The consumer's place in its group, for `Producer.sendOffsetsToTransaction`. */
  groupMetadata(): ConsumerGroup {
    return this.#core.membership.groupMetadata
  }

  /** Has the group rebalance at the next poll. */
  enforceRebalance(reason = 'rebalance enforced by user'): void {
    this.#core.membership.enforceRebalance(reason)
  }

  /** Ends the call under way with WakeupError; if there is none, the next one. */
  wakeup(): void {
    this.#core.wakeup()
  }

  /**
   * Awaits callbacks under way, commits if that goes by itself, leaves the group and closes the
   * connections, all in `timeoutMs` (30 seconds) at most. Rejects with what a listener throws.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS)
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    const { environment, cluster } = this.#core
    const limits = cluster.limits({ timeoutMs })
    const steps = [
      () => limits.wait(this.#core.drain()),
      () => this.#core.stop(),
      () => limits.wait(Promise.all(this.#commits)),
      () => this.#core.leave(limits),
    ]
    let failure: { readonly error: unknown } | undefined
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        if (!(error instanceof TimeoutError)) failure ??= { error }
        else environment.log.warn('the consumer was closed before all was done', error)
      }
    }
    this.#core.close()
    if (failure !== undefined) throw failure.error
  }

  /** Runs a call of the admin client's kind within the limits of this one. */
  async #query<Result>(
    options: CallOptions,
    run: (options: QueryOptions) => Promise<Result>,
  ): Promise<Result> {
    const { isReadCommitted } = this.#core
    return await this.#core.call(options, async ({ timeoutMs, signal }) => {
      return await run({ timeoutMs, signal, isReadCommitted })
    })
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('The consumer is closed')
  }

  #states(partitions: Iterable<TopicPartition> | undefined): readonly PartitionState[] {
    const { subscription } = this.#core
    const wanted = partitions === undefined ? [] : [...partitions]
    if (wanted.length === 0 && partitions === undefined) return subscription.states
    return wanted.map((partition) => subscription.partition(partition))
  }
}
