/**
 * The share consumer: one of many that share the records of topics, as workers share a queue
 * (KIP-932). Each record is locked for one of them; who has it says what has become of it.
 *
 * ```ts
 * await using consumer = new ShareConsumer({ bootstrapServers, groupId: 'resize-images' })
 * consumer.subscribe(['images'])
 * for await (const record of consumer) await resize(record.value)
 * ```
 * With `share.acknowledgement.mode` implicit, the next poll (or a commit) accepts all records of
 * the last poll; in `for await`, asking for the next record accepts the one before, and leaving the
 * loop, by an error or otherwise, gives back the one it was at. With explicit, each record is to be
 * acknowledged before the next poll. A lock that is not acknowledged in time (`share.record.lock.
 * duration.ms` of the group) is given to another member, and its acknowledgement then fails.
 */
import type { Config } from '../../common/config/config.ts'
import { KafkaError } from '../../common/errors.ts'
import type { CallLimits, CallOptions } from '../cluster/call-limits.ts'
import { ClusterClient } from '../cluster/cluster-client.ts'
import { type ConfigInput, checkOptions } from '../config/client-config.ts'
import { readShareConsumerConfig, type ShareConsumerKeys } from '../config/share-consumer-config.ts'
import { WakeupError } from '../consumer/errors.ts'
import type { Deserializer } from '../deserializers.ts'
import { type ClientEnvironment, systemEnvironment } from '../environment.ts'
import { ClosedError, IllegalStateError, PartialFailureError } from '../errors.ts'
import { ConsumerObserver } from '../observability/consumer-observer.ts'
import { Meter } from '../observability/measures.ts'
import type { ShareConsumerMetrics } from '../observability/metric-names.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import type { AcknowledgeType } from './acknowledgements.ts'
import { type AcquiredRecord, InFlightRecords, type SharePartition } from './in-flight-records.ts'
import type { ShareAnswer } from './share-broker.ts'
import { ShareBrokers } from './share-brokers.ts'
import { ShareBuffer } from './share-buffer.ts'
import { ShareMembership } from './share-membership.ts'
import { type ShareRecord, ShareRecords } from './share-record.ts'

/** Kafka's configuration, and how bytes become keys and values. Without: as bytes. */
export type ShareConsumerOptions<Key, Value> = ConfigInput<ShareConsumerKeys> & {
  readonly keyDeserializer?: Deserializer<Key>
  readonly valueDeserializer?: Deserializer<Value>
}

export interface SharePollOptions {
  /** How long to wait for records, in milliseconds; without it, until there are some. */
  readonly timeoutMs?: number | undefined
  /** Ends the wait: `poll` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** The offsets of one partition that have been acknowledged, or could not be. */
export interface AcknowledgedOffsets extends TopicPartition {
  /** In order. */
  readonly offsets: readonly number[]
}

/**
 * Told of each acknowledgement that went to a broker; an `error` means that the locks are lost, or
 * may be, and that the records are delivered again: INVALID_RECORD_STATE where somebody else has
 * them by now.
 */
export type AcknowledgementCommitCallback = (
  acknowledged: AcknowledgedOffsets,
  error: KafkaError | undefined,
) => void

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000

export class ShareConsumer<Key = Buffer, Value = Buffer> {
  readonly #environment: ClientEnvironment
  readonly #cluster: ClusterClient
  readonly #config: Config<ShareConsumerKeys>
  readonly #membership: ShareMembership
  readonly #brokers: ShareBrokers
  readonly #buffer: ShareBuffer<Key, Value>
  readonly #inFlight = new InFlightRecords<ShareRecord<Key, Value>>()
  readonly #observer: ConsumerObserver
  readonly #acknowledged = new Meter()
  #failedAcknowledgements = 0
  readonly #isImplicit: boolean
  /** Renewals on their way, and records whose lock has been renewed. */
  #renewals = 0
  #renewed: { partition: SharePartition; records: ShareRecord<Key, Value>[] }[] = []
  /** Records of a loop that has not come to them yet. */
  readonly #unseen = new Set<ShareRecord<Key, Value>>()
  #callback: AcknowledgementCommitCallback | undefined
  #acquisitionLockTimeoutMs: number | undefined
  #isPolling = false
  #isWokenUp = false
  #isClosed = false
  /** Something has happened since the poll under way has looked last. */
  #hasNews = false
  /** Lets the poll under way look again. */
  #wakePoll: (() => void) | undefined

  /** Connects when it is first used. Throws ConfigError. */
  constructor(
    options: ShareConsumerOptions<Key, Value>,
    environment: ClientEnvironment = systemEnvironment(),
  ) {
    const { keyDeserializer, valueDeserializer, ...settings } = options
    checkOptions(options, { keyDeserializer: 'function', valueDeserializer: 'function' })
    const config = readShareConsumerConfig(settings)
    this.#config = config
    this.#environment = environment
    this.#isImplicit = config.get('share.acknowledgement.mode') === 'implicit'
    const allowAutoTopicCreation = config.get('allow.auto.create.topics')
    const cluster = new ClusterClient({ config, environment, allowAutoTopicCreation })
    this.#cluster = cluster
    const groupId = config.get('group.id')!
    const memberId = environment.random.bytes(16).toString('base64url')
    const wake = () => this.#wake()
    const observer = new ConsumerObserver(cluster.observer, groupId)
    this.#observer = observer
    this.#membership = new ShareMembership({
      ...{ cluster, groupId, memberId, rack: config.get('client.rack'), onChange: wake },
      observer,
      maxPollIntervalMs: config.get('max.poll.interval.ms'),
    })
    this.#brokers = new ShareBrokers({
      ...{ cluster, groupId, memberId, membership: this.#membership, observer, wake },
      limits: {
        maxWaitMs: config.get('fetch.max.wait.ms'),
        minBytes: config.get('fetch.min.bytes'),
        maxBytes: config.get('fetch.max.bytes'),
        maxRecords: config.get('max.poll.records'),
        isRecordLimit: config.get('share.acquire.mode') === 'record_limit',
      },
      onFetched: (answer) => this.#fetched(answer),
    })
    this.#buffer = new ShareBuffer({
      ...{ keyDeserializer, valueDeserializer, environment },
      checkCrcs: config.get('check.crcs'),
    })
  }

  /** Shares the records of these topics with the other members; in place of earlier topics. */
  subscribe(topics: string | readonly string[]): void {
    this.#checkOpen()
    const names = typeof topics === 'string' ? [topics] : topics
    if (names.length === 0 || names.some((name) => name.trim() === '')) {
      throw new TypeError('Expected names of topics to subscribe to; see unsubscribe')
    }
    this.#membership.subscribe(names)
  }

  /** The topics subscribed to. */
  subscription(): string[] {
    return [...this.#membership.topics]
  }

  /** Leaves the group. What was not acknowledged is delivered again, to others. */
  async unsubscribe(options: CallOptions = {}): Promise<void> {
    this.#checkOpen()
    const limits = this.#cluster.limits(options)
    this.#membership.unsubscribe()
    await this.#giveBack(limits)
    await this.#membership.leave(limits)
  }

  /**
   * Waits for records, and returns those that have been locked for this consumer; none after
   * `timeoutMs`. Sends the acknowledgements of the last poll on the way.
   *
   * Rejects with IllegalStateError without a subscription, while another poll is under way, and, in
   * explicit mode, if a record of the last poll has not been acknowledged; with WakeupError after
   * `wakeup`; with ClosedError after `close`; with KafkaError where the group cannot be joined.
   */
  async poll(options: SharePollOptions = {}): Promise<ShareRecords<Key, Value>> {
    this.#checkOpen()
    if (this.#membership.topics.length === 0) {
      throw new IllegalStateError('Consumer is not subscribed to any topics.')
    }
    if (this.#isPolling) throw new IllegalStateError('Another poll is under way')
    if (this.#isImplicit) this.#inFlight.acknowledgeRest('accept', this.#unseen)
    if (!this.#inFlight.isSettled) {
      throw new IllegalStateError(
        'All records must be acknowledged in explicit acknowledgement mode.',
      )
    }
    this.#isPolling = true
    try {
      return await this.#poll(options)
    } finally {
      this.#isPolling = false
    }
  }

  /** The records, one by one, until the consumer is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ShareRecord<Key, Value>, void, void> {
    while (!this.#isClosed) {
      const records = await this.poll().catch((error) => {
        if (this.#isClosed && error instanceof ClosedError) return undefined
        throw error
      })
      if (records === undefined) return
      for (const record of records) this.#unseen.add(record)
      let isDone = false
      try {
        for (const record of records) {
          this.#unseen.delete(record)
          yield record
          if (this.#isImplicit) this.#inFlight.settle(record, 'accept')
        }
        isDone = true
      } finally {
        // Of a loop that has been left early, others may do the rest.
        if (!isDone) for (const record of records) this.#inFlight.settle(record, 'release')
        this.#unseen.clear()
      }
    }
  }

  /**
   * Says what has become of a record of the last poll; sent with the next poll or commit. Only in
   * explicit mode. Throws IllegalStateError for a record that is not held.
   */
  acknowledge(record: AcquiredRecord, type: AcknowledgeType = 'accept'): void {
    this.#checkOpen()
    if (this.#isImplicit) {
      throw new IllegalStateError('Implicit acknowledgement of delivery is being used.')
    }
    this.#inFlight.acknowledge(record, type)
  }

  /**
   * Sends the acknowledgements, in implicit mode of all records of the last poll, and waits until
   * they are recorded. Returns what has been acknowledged. Rejects with PartialFailureError, by the
   * names of partitions, where that could not be done: those records are delivered again.
   */
  async commitSync(options: CallOptions = {}): Promise<AcknowledgedOffsets[]> {
    this.#checkOpen()
    if (this.#isImplicit) this.#inFlight.acknowledgeRest('accept', this.#unseen)
    const done = this.#send()
    const outcomes = await this.#cluster.limits(options).wait(Promise.all(done))
    const failures = new Map<string, KafkaError>()
    const results = new Map<string, AcknowledgedOffsets>()
    for (const { acknowledged, error } of outcomes) {
      const name = partitionName(acknowledged)
      if (error === undefined) results.set(name, acknowledged)
      else failures.set(name, error)
    }
    if (failures.size > 0) throw new PartialFailureError(failures, results)
    return [...results.values()]
  }

  /** As `commitSync`, without waiting: failures are told to the commit callback only. */
  commitAsync(): void {
    this.#checkOpen()
    if (this.#isImplicit) this.#inFlight.acknowledgeRest('accept', this.#unseen)
    this.#send()
  }

  /** Has `callback` told of acknowledgements from now on; undefined ends that. */
  setAcknowledgementCommitCallback(callback: AcknowledgementCommitCallback | undefined): void {
    this.#callback = callback
  }

  /** For how long the records of the last poll are locked, in milliseconds, once that is known. */
  get acquisitionLockTimeoutMs(): number | undefined {
    return this.#acquisitionLockTimeoutMs
  }

  /** `client.id`. */
  get clientId(): string {
    return this.#cluster.clientId
  }

  /** What has been counted and measured until now, by Kafka's names; see `prometheusText`. */
  metrics(): ShareConsumerMetrics {
    return this.#observer.shareSnapshot({
      assignedPartitions: this.#membership.assignment.length,
      acknowledged: this.#acknowledged,
      failedAcknowledgements: this.#failedAcknowledgements,
    })
  }

  /** The poll under way, or the next one, rejects with WakeupError. */
  wakeup(): void {
    this.#isWokenUp = true
    this.#wake()
  }

  /**
   * Sends what has been acknowledged, gives back all other records and leaves the group: for at
   * most `timeoutMs` (30 s). A poll under way rejects with ClosedError.
   */
  async close({ timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#wake()
    const limits = this.#cluster.limits({ timeoutMs })
    try {
      this.#brokers.close()
      await this.#giveBack(limits)
      await this.#membership.leave(limits)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#environment.log.warn('could not leave the share group', error)
    } finally {
      this.#membership.close()
      this.#cluster.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #poll({ timeoutMs, signal }: SharePollOptions): Promise<ShareRecords<Key, Value>> {
    const { clock } = this.#environment
    const endMs = clock.monotonic() + (timeoutMs ?? Number.POSITIVE_INFINITY)
    for (;;) {
      signal?.throwIfAborted()
      this.#queueAcknowledgements()
      this.#hasNews = false
      this.#throwIfInterrupted()
      this.#membership.poll()
      const records = this.#take()
      // What is acknowledged goes out at once; records are asked for only if there are none.
      const wantsRecords = records.count === 0 && this.#renewals === 0
      this.#brokers.pump(wantsRecords)
      const leftMs = endMs - clock.monotonic()
      if (records.count > 0 || leftMs <= 0) return records
      await this.#waitForNews(leftMs, signal)
    }
  }

  /** Sends what has been acknowledged, and gives back all else. */
  async #giveBack(limits: CallLimits): Promise<void> {
    this.#queueAcknowledgements()
    await this.#brokers.release(limits)
    this.#inFlight.clear()
    this.#buffer.clear()
    this.#renewed = []
  }

  #throwIfInterrupted(): void {
    if (this.#isClosed) throw new ClosedError('The share consumer is closed')
    if (this.#isWokenUp) {
      this.#isWokenUp = false
      throw new WakeupError()
    }
    const error = this.#membership.error ?? this.#brokers.takeError()
    if (error !== undefined) throw error
  }

  /** Gives the application what there is: records that it has renewed, or else new ones. */
  #take(): ShareRecords<Key, Value> {
    const taken = this.#renewed.splice(0)
    if (taken.length === 0) taken.push(...this.#buffer.take(this.#config.get('max.poll.records')))
    for (const { partition, records, codes } of taken as Taken<Key, Value>[]) {
      this.#inFlight.add(partition, records, codes)
      this.#observer.consumed(records.length, 0)
    }
    return new ShareRecords(taken.flatMap(({ records }) => records))
  }

  #fetched(answer: ShareAnswer): void {
    this.#acquisitionLockTimeoutMs = answer.response.acquisitionLockTimeoutMs
    this.#buffer.add(answer)
  }

  /** Sends what has been acknowledged. */
  #send(): Promise<Outcome>[] {
    const done = this.#queueAcknowledgements()
    this.#brokers.pump(false)
    return done
  }

  #queueAcknowledgements(): Promise<Outcome>[] {
    return this.#inFlight.take().map(({ partition, codes, renewing }) => {
      this.#renewals += renewing.length
      const offsets = [...codes.keys()].sort((a, b) => a - b)
      const { topic, topicId } = partition
      const acknowledged = { topic, partition: partition.partition, offsets }
      const startMs = this.#observer.nowMs
      return new Promise((resolve) => {
        const done = (error: KafkaError | undefined) => {
          this.#observer.committed(offsets.length, startMs, error)
          if (error === undefined) this.#acknowledged.record(offsets.length, this.#observer.nowMs)
          else this.#failedAcknowledgements += offsets.length
          if (renewing.length > 0) this.#renewedOrNot(partition, renewing, error)
          this.#tell(acknowledged, error)
          resolve({ acknowledged, error })
        }
        const pending = { topicId, partition: partition.partition, codes, done }
        this.#brokers.acknowledge(partition.nodeId, pending)
      })
    })
  }

  #renewedOrNot(
    partition: SharePartition,
    records: readonly ShareRecord<Key, Value>[],
    error: KafkaError | undefined,
  ): void {
    this.#renewals -= records.length
    if (error === undefined) this.#renewed.push({ partition, records: [...records] })
    this.#wake()
  }

  #tell(acknowledged: AcknowledgedOffsets, error: KafkaError | undefined): void {
    try {
      this.#callback?.(acknowledged, error)
    } catch (thrown) {
      this.#environment.log.error('the acknowledgement commit callback has thrown', thrown)
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError('The share consumer is closed')
  }

  #wake(): void {
    this.#hasNews = true
    this.#wakePoll?.()
  }

  #waitForNews(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#hasNews) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#environment.clock.schedule(timeoutMs, () => end())
      const end = () => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        this.#wakePoll = undefined
        resolve()
      }
      this.#wakePoll = end
      signal?.addEventListener('abort', end)
    })
  }
}

interface Taken<Key, Value> {
  readonly partition: SharePartition
  readonly records: ShareRecord<Key, Value>[]
  /** Said already, of offsets that the application does not see. */
  readonly codes?: ReadonlyMap<number, number>
}

interface Outcome {
  readonly acknowledged: AcknowledgedOffsets
  readonly error: KafkaError | undefined
}
