/**
 * The producer: sends records, in batches, to the leaders of their partitions.
 *
 * ```ts
 * await using producer = new Producer({ bootstrapServers: 'localhost:9092' })
 * const { offset } = await producer.send({ topic: 'orders', key: 'k', value: 'v' })  // awaited
 * producer.send({ topic: 'orders', value: 'v' }, (error, metadata) => {})            // called back
 * producer.post({ topic: 'orders', value: 'v' })                                     // neither
 * ```
 * Nothing blocks: a record for which there is no metadata or no room yet waits, for at most
 * `max.block.ms`, and those sent after it wait behind it. `post` tells whether that is so, and
 * `ready` when it is over, so that whoever sends without awaiting can hold back.
 */
import type { Timer } from '../../common/clock.ts'
import type { CompressionType } from '../../common/compression/compression.ts'
import { KafkaError } from '../../common/errors.ts'
import { processTraceContext } from '../../common/trace-context.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import { ClusterClient } from '../cluster/cluster-client.ts'
import type { PartitionMetadata, TopicMetadata } from '../cluster/cluster-metadata.ts'
import { checkOptions, readClientConfig } from '../config/client-config.ts'
import { compressionLevel, PRODUCER_CONFIG } from '../config/producer-config.ts'
import { type ClientEnvironment, systemEnvironment } from '../environment.ts'
import { ClosedError, IllegalStateError, SerializationError, TimeoutError } from '../errors.ts'
import type { ProducerMetrics } from '../observability/metric-names.ts'
import { ProducerObserver } from '../observability/producer-observer.ts'
import { plainSerializer, type Serializer } from '../serializers.ts'
import { ProducerTracing } from '../tracing.ts'
import { Conditions } from './conditions.ts'
import { InterceptorChain } from './interceptors.ts'
import { DefaultPartitioner, type Partitioner } from './partitioner.ts'
import {
  type RecordMetadata,
  type SendCallback,
  type SerializedRecord,
  sizeBound,
} from './producer-batch.ts'
import { ProducerIdentity } from './producer-identity.ts'
import { OPTION_TYPES, type ProducerOptions } from './producer-options.ts'
import { headerList, type ProducerRecord } from './producer-record.ts'
import { type PartitionQueue, RecordAccumulator } from './record-accumulator.ts'
import { Sender } from './sender.ts'
import { type ConsumerGroup, type OffsetToSend, Transactions } from './transactions.ts'

/** A record that waits for metadata or for room. */
interface WaitingRecord {
  readonly topic: string
  readonly partition: number | undefined
  readonly record: SerializedRecord
  /** On the monotonic clock. */
  readonly deadlineMs: number
}

export class Producer<Key = string | Uint8Array, Value = string | Uint8Array> {
  readonly #environment: ClientEnvironment
  readonly #cluster: ClusterClient
  readonly #accumulator: RecordAccumulator
  readonly #sender: Sender
  readonly #observer: ProducerObserver
  readonly #tracing: ProducerTracing
  readonly #transactions: Transactions | undefined
  readonly #partitioner: Partitioner
  readonly #interceptors: InterceptorChain<Key, Value>
  readonly #keySerializer: Serializer<Key>
  readonly #valueSerializer: Serializer<Value>
  readonly #maxBlockMs: number
  readonly #maxRequestBytes: number
  /** Records that wait for the metadata of their topic. */
  readonly #withoutMetadata = new Map<string, WaitingRecord[]>()
  /** Records that wait for room, and those behind them. */
  #withoutRoom: WaitingRecord[] = []
  #roomTimer: Timer | undefined
  /** Who waits for something to be done: looked at whenever something is. */
  readonly #conditions = new Conditions()
  #isClosing = false

  /** Connects when it is first used. Throws ConfigError. */
  constructor(
    options: ProducerOptions<Key, Value>,
    environment: ClientEnvironment = systemEnvironment(),
  ) {
    const { keySerializer, valueSerializer, partitioner, interceptors, tracing, ...settings } =
      options
    checkOptions(options, OPTION_TYPES)
    const config = readClientConfig(PRODUCER_CONFIG, settings)
    this.#environment = environment
    const { trace = processTraceContext, random } = environment
    this.#tracing = new ProducerTracing(trace, random, tracing ?? 'continue')
    this.#keySerializer = keySerializer ?? (plainSerializer as Serializer<unknown>)
    this.#valueSerializer = valueSerializer ?? (plainSerializer as Serializer<unknown>)
    this.#interceptors = new InterceptorChain(interceptors ?? [], environment.log)
    const ignoreKeys = config.get('partitioner.ignore.keys')
    this.#partitioner = partitioner ?? new DefaultPartitioner(environment.random, { ignoreKeys })
    this.#maxBlockMs = config.get('max.block.ms')
    this.#maxRequestBytes = config.get('max.request.size')
    // `retries` is about records. For their partitions it waits as long as `max.block.ms` allows.
    const cluster = new ClusterClient({
      ...{ config, environment, allowAutoTopicCreation: true },
      retries: Number.POSITIVE_INFINITY,
    })
    this.#cluster = cluster
    const accumulator = new RecordAccumulator({
      batchBytes: config.get('batch.size'),
      maxBytes: config.get('buffer.memory'),
      compression: config.get('compression.type') as CompressionType,
      compressionLevel: compressionLevel(config),
    })
    this.#accumulator = accumulator
    const identity = new ProducerIdentity(cluster, accumulator, config.get('enable.idempotence'))
    const transactionalId = config.get('transactional.id')
    if (transactionalId !== null) {
      const timeoutMs = config.get('transaction.timeout.ms')
      const wake = () => this.#sender.wake()
      const options = { cluster, identity, transactionalId, timeoutMs, wake }
      this.#transactions = new Transactions(options)
    }
    const observer = new ProducerObserver(cluster.observer)
    this.#observer = observer
    const parts = { cluster, accumulator, identity, config, observer }
    const transactions = this.#transactions
    this.#sender = new Sender({ ...parts, transactions, onReleased: () => this.#released() })
  }

  /**
   * Sends a record. The promise resolves when the record has been written as `acks` asks for, and
   * rejects with KafkaError if it never will be: SerializationError, MESSAGE_TOO_LARGE,
   * TimeoutError after `delivery.timeout.ms` or `max.block.ms`, or what the broker said.
   */
  send(record: ProducerRecord<Key, Value>): Promise<RecordMetadata>
  /** As above; instead of by a promise the outcome is told by `callback`, once. */
  send(record: ProducerRecord<Key, Value>, callback: SendCallback): void
  send(
    record: ProducerRecord<Key, Value>,
    callback?: SendCallback,
  ): Promise<RecordMetadata> | undefined {
    if (callback !== undefined) {
      this.#enqueue(record, callback)
      return undefined
    }
    return new Promise((resolve, reject) => {
      this.#enqueue(record, (error, metadata) => {
        if (error === undefined) resolve(metadata!)
        else reject(error)
      })
    })
  }

  /**
   * Sends a record and forgets it: a failure is only logged. Returns false when records wait for
   * room or metadata; whoever sends much should then await `ready`.
   */
  post(record: ProducerRecord<Key, Value>): boolean {
    this.#enqueue(record, undefined)
    return this.#isReady
  }

  /**
   * Sends records with one promise for all, which gives their places in the same order. It rejects
   * with the first failure, when all are done.
   */
  sendBatch(records: readonly ProducerRecord<Key, Value>[]): Promise<RecordMetadata[]> {
    return new Promise((resolve, reject) => {
      const results = new Array<RecordMetadata>(records.length)
      let left = records.length
      let failure: KafkaError | undefined
      if (left === 0) resolve(results)
      for (const [index, record] of records.entries()) {
        this.#enqueue(record, (error, metadata) => {
          if (error === undefined) results[index] = metadata!
          else failure ??= error
          left -= 1
          if (left > 0) return
          if (failure === undefined) resolve(results)
          else reject(failure)
        })
      }
    })
  }

  /** Resolves as soon as no record waits for room or metadata. */
  ready(): Promise<void> {
    return this.#conditions.until(() => this.#isReady)
  }

  /** Sends at once what has been sent until now, and resolves when all of it is done. */
  async flush(options: CallOptions = {}): Promise<void> {
    const limits = this.#cluster.limits({ timeoutMs: Number.POSITIVE_INFINITY, ...options })
    await limits.wait(this.#flush())
  }

  /** `client.id`. */
  get clientId(): string {
    return this.#cluster.clientId
  }

  /** What has been counted and measured until now, by Kafka's names; see `prometheusText`. */
  metrics(): ProducerMetrics {
    let waitingRecords = this.#withoutRoom.length
    for (const { length } of this.#withoutMetadata.values()) waitingRecords += length
    const { maxBytes: bufferBytes, usedBytes } = this.#accumulator
    return this.#observer.snapshot({ bufferBytes, usedBytes, waitingRecords })
  }

  /** The partitions of a topic. Rejects with KafkaError. */
  async partitionsFor(
    topic: string,
    options: CallOptions = {},
  ): Promise<readonly PartitionMetadata[]> {
    const limits = this.#cluster.limits({ timeoutMs: this.#maxBlockMs, ...options })
    const found = await this.#cluster.retry(limits, () => this.#cluster.topic(topic, limits))
    return found.partitions
  }

  /**
   * Gets the producer's epoch, which fences older producers of the same `transactional.id` and ends
   * what they left open. Called once, before all others. Rejects with KafkaError.
   */
  async initTransactions(options: CallOptions = {}): Promise<void> {
    await this.#transactional().init(options)
  }

  /** What is sent from now on belongs to a transaction. Throws IllegalStateError if one is open. */
  beginTransaction(): void {
    this.#transactional().begin()
  }

  /**
   * Commits offsets of a consumer group with the transaction. `group` is the group's id, or the
   * consumer's place in the group, which then is checked by the broker.
   */
  async sendOffsetsToTransaction(
    offsets: Iterable<OffsetToSend>,
    group: string | ConsumerGroup,
    options: CallOptions = {},
  ): Promise<void> {
    const member = typeof group === 'string' ? { groupId: group } : group
    await this.#transactional().sendOffsets(offsets, member, options)
  }

  /**
   * Sends what is left and commits. If it rejects with an error that is not fatal (see `isFatal`),
   * the transaction can and must be aborted.
   */
  async commitTransaction(options: CallOptions = {}): Promise<void> {
    const transactions = this.#transactional()
    await this.flush(options)
    await transactions.end(true, options)
  }

  /** Gives up what is not sent, and has what was sent not be seen by read_committed consumers. */
  async abortTransaction(options: CallOptions = {}): Promise<void> {
    const transactions = this.#transactional()
    const error = new KafkaError('TRANSACTION_ABORTABLE', 'The transaction was aborted')
    transactions.startAbort()
    for (const { record } of this.#withoutRoom.splice(0)) this.#fail(record.done, error)
    for (const topic of [...this.#withoutMetadata.keys()]) this.#failWaiting(topic, error)
    this.#sender.drop(error)
    await this.flush(options)
    await transactions.end(false, options)
  }

  /**
   * Waits until all records are done, for at most `timeoutMs` (for ever, if it is not given); what
   * is not done then fails with ClosedError. A transaction that is open is aborted. Closes the
   * connections.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    try {
      const limits = this.#cluster.limits({ timeoutMs: Number.POSITIVE_INFINITY, ...options })
      await this.flush({ timeoutMs: limits.remainingMs })
      if (this.#transactions?.isUnderWay)
        await this.abortTransaction({ timeoutMs: limits.remainingMs })
    } catch (error) {
      // The coordinator aborts what was left open, as soon as it has timed out.
      if (!(error instanceof KafkaError)) throw error
      if (!(error instanceof TimeoutError)) this.#logFailure(error)
    } finally {
      const error = new ClosedError('The producer was closed before the record was sent')
      for (const topic of [...this.#withoutMetadata.keys()]) this.#failWaiting(topic, error)
      for (const { record } of this.#withoutRoom.splice(0)) this.#fail(record.done, error)
      this.#roomTimer?.cancel()
      this.#sender.close(error)
      this.#cluster.close()
      this.#interceptors.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #transactional(): Transactions {
    if (this.#transactions !== undefined) return this.#transactions
    throw new IllegalStateError('The producer has no transactional.id')
  }

  get #isReady(): boolean {
    return this.#withoutRoom.length === 0 && this.#withoutMetadata.size === 0
  }

  #enqueue(given: ProducerRecord<Key, Value>, callback: SendCallback | undefined): void {
    let record = given
    let done = callback
    if (!this.#interceptors.isEmpty) {
      record = this.#interceptors.onSend(given)
      done = (error, metadata) => {
        this.#interceptors.onAcknowledgement(metadata, error)
        if (callback !== undefined) callback(error, metadata)
        else if (error !== undefined) this.#logFailure(error)
      }
    }
    this.#transactions?.checkSend()
    if (this.#isClosing) {
      this.#fail(done, new ClosedError('The producer is closed'))
      return
    }
    const serialized = this.#serialize(record, done)
    if (serialized === undefined) return
    const { topic, partition } = record
    const metadata = this.#cluster.cachedTopic(topic)
    const mayPlace = metadata !== undefined && this.#isReady
    if (mayPlace && this.#place(metadata, partition, serialized)) return
    const deadlineMs = this.#environment.clock.monotonic() + this.#maxBlockMs
    const waiting = { topic, partition, record: serialized, deadlineMs }
    if (metadata === undefined) this.#awaitMetadata(waiting)
    else this.#awaitRoom(waiting)
  }

  #serialize(
    { topic, key, value, headers, timestamp }: ProducerRecord<Key, Value>,
    done: SendCallback | undefined,
  ): SerializedRecord | undefined {
    let record: SerializedRecord
    try {
      record = {
        key: key === null || key === undefined ? null : this.#keySerializer(key, topic),
        value: value === null || value === undefined ? null : this.#valueSerializer(value, topic),
        headers: this.#tracing.mark(headerList(headers)),
        timestamp: timestamp ?? this.#environment.clock.now(),
        done,
      }
    } catch (cause) {
      const text = `A record for ${topic} could not be serialized: ${(cause as Error).message}`
      this.#fail(done, new SerializationError(text, { cause }))
      return undefined
    }
    const size = sizeBound(record)
    if (size <= this.#maxRequestBytes) return record
    const text = `A record of ${size} bytes is larger than max.request.size`
    this.#fail(done, new KafkaError('MESSAGE_TOO_LARGE', `${text} (${this.#maxRequestBytes})`))
    return undefined
  }

  /** Puts a record into a batch. False if there is no room. */
  #place(topic: TopicMetadata, given: number | undefined, record: SerializedRecord): boolean {
    const partition = given ?? this.#partitioner.partition(topic, record.key, record.value)
    if (topic.partitions[partition] === undefined) {
      const text = `Topic ${topic.name} has no partition ${partition}`
      this.#fail(record.done, new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', text))
      return true
    }
    const { clock } = this.#environment
    const result = this.#accumulator.append(topic.name, partition, record, clock)
    if (result === 'appended') return true
    if (result === 'no memory') return false
    this.#sender.batchBegun()
    if (result === 'filled a batch') {
      if (given === undefined) this.#partitioner.onNewBatch?.(topic.name, partition)
      this.#sender.wake()
    }
    return true
  }

  #awaitMetadata(waiting: WaitingRecord): void {
    const { topic } = waiting
    const others = this.#withoutMetadata.get(topic)
    if (others !== undefined) {
      others.push(waiting)
      return
    }
    this.#withoutMetadata.set(topic, [waiting])
    const limits = this.#cluster.limits({ timeoutMs: this.#maxBlockMs })
    this.#cluster
      .retry(limits, () => this.#cluster.topic(topic, limits))
      .then(
        () => {
          const records = this.#withoutMetadata.get(topic) ?? []
          this.#withoutMetadata.delete(topic)
          for (const record of records) this.#awaitRoom(record)
          this.#placeWaiting()
        },
        (error) => {
          const text = `Topic ${topic} not present in metadata after ${this.#maxBlockMs} ms.`
          const isTimeout = error instanceof TimeoutError
          this.#failWaiting(topic, isTimeout ? new TimeoutError(text, { cause: error }) : error)
        },
      )
  }

  #awaitRoom(waiting: WaitingRecord): void {
    this.#withoutRoom.push(waiting)
    this.#sender.isHurried = true
    this.#sender.wake()
    this.#watchRoom()
  }

  /** Lets the record that has waited longest for room fail when its time is up. */
  #watchRoom(): void {
    const first = this.#withoutRoom[0]
    if (first === undefined || this.#roomTimer !== undefined) return
    const { clock } = this.#environment
    const delayMs = Math.max(1, first.deadlineMs - clock.monotonic())
    this.#roomTimer = clock.schedule(delayMs, () => {
      this.#roomTimer = undefined
      const nowMs = clock.monotonic()
      while (this.#withoutRoom.length > 0 && this.#withoutRoom[0]!.deadlineMs <= nowMs) {
        const { record } = this.#withoutRoom.shift()!
        const text = `No room in buffer.memory within max.block.ms (${this.#maxBlockMs} ms)`
        this.#fail(record.done, new TimeoutError(text))
      }
      this.#placeWaiting()
      this.#watchRoom()
    })
  }

  #placeWaiting(): void {
    let placed = 0
    while (placed < this.#withoutRoom.length) {
      const { topic, partition, record } = this.#withoutRoom[placed]!
      const metadata = this.#cluster.cachedTopic(topic)
      // A topic that has been deleted meanwhile will not come back by waiting for room.
      if (metadata === undefined) {
        this.#fail(record.done, new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'))
      } else if (!this.#place(metadata, partition, record)) {
        break
      }
      placed += 1
    }
    if (placed > 0) this.#withoutRoom.splice(0, placed)
    this.#sender.isHurried = this.#withoutRoom.length > 0
    this.#conditions.look()
  }

  #released(): void {
    if (this.#withoutRoom.length > 0) this.#placeWaiting()
    else this.#conditions.look()
  }

  #failWaiting(topic: string, error: KafkaError): void {
    const records = this.#withoutMetadata.get(topic) ?? []
    this.#withoutMetadata.delete(topic)
    for (const { record } of records) this.#fail(record.done, error)
    this.#conditions.look()
  }

  #fail(done: SendCallback | undefined, error: KafkaError): void {
    this.#observer.recordFailed()
    if (done === undefined) {
      this.#logFailure(error)
      return
    }
    // Callbacks never run within `send`, where the caller does not expect them.
    queueMicrotask(() => {
      try {
        done(error, undefined)
      } catch (thrown) {
        this.#environment.log.error('a callback of send has thrown', thrown)
      }
    })
  }

  #logFailure(error: KafkaError): void {
    this.#environment.log.warn('a record could not be sent', error)
  }

  async #flush(): Promise<void> {
    await this.ready()
    const upTo = new Map<PartitionQueue, number>()
    for (const queue of this.#accumulator.queues()) {
      upTo.set(queue, queue.nextOrder)
      for (const batch of queue.batches) batch.isSealed = true
    }
    this.#sender.wake()
    await this.#conditions.until(() => {
      for (const [queue, order] of upTo) {
        if (queue.batches.some((batch) => batch.order < order)) return false
        for (const batch of queue.inFlight) {
          if (batch.order < order && !batch.isComplete) return false
        }
      }
      return true
    })
  }
}
