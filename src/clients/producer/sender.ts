/**
 * Takes batches out of the accumulator when they are due, sends each to its partition's leader,
 * and sends again what failed for a passing reason.
 *
 * There is no loop and no thread: `wake` has the queues looked at once at the end of the current
 * turn, and everything that may make a batch due wakes: a batch that is full, an answer, a
 * connection, the one timer. Of a partition with a batch to be sent again nothing else is under way
 * then, so that order is kept.
 */
import type { Timer } from '../../common/clock.ts'
import type { Config } from '../../common/config/config.ts'
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import type { BrokerConnection } from '../../network/broker-connection.ts'
import { Produce } from '../../protocol/messages/produce.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import type { ProducerKeys } from '../config/producer-config.ts'
import { errorForCode, TimeoutError } from '../errors.ts'
import type { ProducerObserver } from '../observability/producer-observer.ts'
import { partitionName } from '../topic-partition.ts'
import { ProduceRequestBuilder } from './produce-request.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { PartitionQueue, RecordAccumulator } from './record-accumulator.ts'
import type { Transactions } from './transactions.ts'

export interface SenderOptions {
  readonly cluster: ClusterClient
  readonly accumulator: RecordAccumulator
  readonly identity: ProducerIdentity
  readonly config: Config<ProducerKeys>
  readonly transactions: Transactions | undefined
  readonly observer: ProducerObserver
  /** A batch is done: there may be room for records that wait. */
  readonly onReleased: () => void
}

/** From 13 on requests name topics by id (KIP-516). */
const LAST_VERSION_BY_NAME = 12

export class Sender {
  readonly #options: SenderOptions
  readonly #lingerMs: number
  readonly #deliveryTimeoutMs: number
  readonly #maxInFlight: number
  readonly #maxRequestBytes: number
  readonly #acks: number
  readonly #retries: number
  /** Requests under way by broker. */
  readonly #inFlight = new Map<number, number>()
  readonly #connecting = new Set<number>()
  #isRefreshing = false
  #isAwake = false
  #isClosed = false
  #timer: { readonly timer: Timer; readonly atMs: number } | undefined
  /** When a batch that is under way may have to be given up. */
  #giveUpAtMs = Number.POSITIVE_INFINITY
  /** Records wait for memory: batches leave though they are not full. */
  isHurried = false

  constructor(options: SenderOptions) {
    this.#options = options
    const { config } = options
    this.#lingerMs = config.get('linger.ms')
    this.#deliveryTimeoutMs = config.get('delivery.timeout.ms')
    this.#maxInFlight = config.get('max.in.flight.requests.per.connection')
    this.#maxRequestBytes = config.get('max.request.size')
    this.#retries = config.get('retries')
    const acks = config.get('acks')
    this.#acks = acks === 'all' ? -1 : Number(acks)
  }

  /** Looks for batches that are due, at the end of this turn. */
  wake(): void {
    if (this.#isAwake || this.#isClosed) return
    this.#isAwake = true
    queueMicrotask(() => this.#drain())
  }

  /** A batch was begun: it is due when it has lingered, unless it is full before. */
  batchBegun(): void {
    if (this.#lingerMs === 0) this.wake()
    else this.#arm(this.#nowMs + this.#lingerMs)
  }

  /** Fails all that is not under way. */
  drop(error: KafkaError): void {
    for (const queue of [...this.#options.accumulator.waiting]) {
      for (const batch of [...queue.batches]) this.#finish(batch, error)
    }
  }

  /** Sends nothing any more; all that waits or is under way fails with `error`. */
  close(error: KafkaError): void {
    this.#isClosed = true
    this.#timer?.timer.cancel()
    for (const { batches, inFlight } of this.#options.accumulator.queues()) {
      for (const batch of [...inFlight, ...batches]) this.#finish(batch, error)
    }
  }

  get #nowMs(): number {
    return this.#options.cluster.environment.clock.monotonic()
  }

  #arm(atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY) return
    if (this.#timer !== undefined) {
      if (this.#timer.atMs <= atMs) return
      this.#timer.timer.cancel()
    }
    const { clock } = this.#options.cluster.environment
    const timer = clock.schedule(Math.max(0, atMs - clock.monotonic()), () => {
      this.#timer = undefined
      this.wake()
    })
    this.#timer = { atMs, timer }
  }

  #drain(): void {
    this.#isAwake = false
    if (this.#isClosed) return
    const nowMs = this.#nowMs
    const { accumulator, identity, transactions } = this.#options
    if (transactions?.error !== undefined) this.drop(transactions.error)
    if (nowMs >= this.#giveUpAtMs) this.#giveUp(nowMs)
    let nextMs = this.#giveUpAtMs
    for (const queue of accumulator.waiting) nextMs = Math.min(nextMs, this.#expire(queue, nowMs))
    if (accumulator.waiting.size > 0 && identity.isReady((error) => this.#identified(error))) {
      const due = new Map<number, PartitionQueue[]>()
      for (const queue of accumulator.waiting) {
        const atMs = this.#dueAt(queue)
        // A timer may be a fraction of a millisecond early.
        if (atMs > nowMs + 0.5) nextMs = Math.min(nextMs, atMs)
        else this.#assign(queue, due)
      }
      for (const [nodeId, queues] of due) this.#sendTo(nodeId, queues)
    }
    this.#arm(nextMs)
  }

  /** Fails what has waited too long; returns when that is so of the next batch. */
  #expire(queue: PartitionQueue, nowMs: number): number {
    for (const batch of [...queue.batches]) {
      const atMs = batch.createdMs + this.#deliveryTimeoutMs
      if (atMs > nowMs) return atMs
      this.#fail(batch, this.#expired(batch))
    }
    return Number.POSITIVE_INFINITY
  }

  /**
   * Tells those who wait for batches that have been under way too long. Whether they were written
   * is not known; until the request ends they keep their memory and their place in the order.
   */
  #giveUp(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const { inFlight } of this.#options.accumulator.queues()) {
      for (const batch of inFlight) {
        const atMs = batch.createdMs + this.#deliveryTimeoutMs
        if (batch.isComplete) continue
        if (atMs > nowMs) {
          nextMs = Math.min(nextMs, atMs)
          continue
        }
        const error = this.#expired(batch)
        this.#options.identity.noteGivenUp(error)
        this.#complete(batch, error)
      }
    }
    this.#giveUpAtMs = nextMs
    this.#options.onReleased()
  }

  #expired({ queue, recordCount }: ProducerBatch): TimeoutError {
    const name = partitionName(queue)
    const text = `Expiring ${recordCount} record(s) for ${name}: not delivered within `
    return new TimeoutError(`${text}${this.#deliveryTimeoutMs} ms`)
  }

  /** When the first batch of a queue may be sent, on the monotonic clock. */
  #dueAt(queue: PartitionQueue): number {
    const batch = queue.batches[0]!
    const isAlone = queue.inFlight.size === 0
    const isFirst = this.#options.identity.needsOrder(batch)
    const needsOrder = batch.attempts > 0 || this.#maxInFlight === 1 || isFirst
    if (needsOrder && !isAlone) return Number.POSITIVE_INFINITY
    if (!this.#options.identity.admits(batch)) return Number.POSITIVE_INFINITY
    if (this.#options.transactions?.admits(queue) === false) return Number.POSITIVE_INFINITY
    if (batch.isSealed || this.isHurried) return batch.notBeforeMs
    return batch.createdMs + this.#lingerMs
  }

  #identified(error: KafkaError | undefined): void {
    if (error === undefined || error.retriable) {
      this.wake()
      return
    }
    for (const queue of [...this.#options.accumulator.waiting]) {
      for (const batch of [...queue.batches]) this.#fail(batch, error)
    }
  }

  /** Adds a queue to those of its leader; without one, metadata are asked for. */
  #assign(queue: PartitionQueue, due: Map<number, PartitionQueue[]>): void {
    const { cluster } = this.#options
    const topic = cluster.cachedTopic(queue.topic)
    const leaderId = topic?.partitions[queue.partition]?.leaderId ?? -1
    if (leaderId < 0 || !cluster.metadata.brokers.has(leaderId)) {
      this.#refresh()
      return
    }
    const queues = due.get(leaderId)
    if (queues === undefined) due.set(leaderId, [queue])
    else queues.push(queue)
  }

  #refresh(): void {
    if (this.#isRefreshing) return
    this.#isRefreshing = true
    const { cluster } = this.#options
    const done = () => {
      // What it brought is of use at once; another refresh must wait its turn.
      this.wake()
      this.#again(() => {
        this.#isRefreshing = false
      })
    }
    cluster.refresh(cluster.limits()).then(done, done)
  }

  /** After a while, calls `reset` and looks again. */
  #again(reset: () => void): void {
    const { cluster } = this.#options
    cluster.environment.clock.schedule(cluster.backoff.delayMs(0), () => {
      reset()
      this.wake()
    })
  }

  #sendTo(nodeId: number, queues: readonly PartitionQueue[]): void {
    if ((this.#inFlight.get(nodeId) ?? 0) >= this.#maxInFlight) return
    const connection = this.#options.cluster.openConnection(nodeId)
    if (connection === undefined) {
      this.#connect(nodeId)
      return
    }
    const { accumulator } = this.#options
    const batches: ProducerBatch[] = []
    let bytes = 0
    for (const queue of queues) {
      const size = queue.batches[0]!.sizeInBytes
      if (batches.length > 0 && bytes + size > this.#maxRequestBytes) break
      bytes += size
      batches.push(accumulator.take(queue))
    }
    this.#send(nodeId, connection, batches)
    // There may be more: other queues, or further batches of these.
    if (accumulator.waiting.size > 0) this.wake()
  }

  #connect(nodeId: number): void {
    if (this.#connecting.has(nodeId)) return
    this.#connecting.add(nodeId)
    const { cluster } = this.#options
    cluster.connectionTo(nodeId, cluster.limits()).then(
      () => {
        this.#connecting.delete(nodeId)
        this.wake()
      },
      () => {
        this.#refresh()
        this.#again(() => this.#connecting.delete(nodeId))
      },
    )
  }

  #send(nodeId: number, connection: BrokerConnection, batches: readonly ProducerBatch[]): void {
    const { cluster, identity, config, transactions } = this.#options
    const builder = new ProduceRequestBuilder(cluster.metadata)
    for (const batch of batches) {
      batch.attempts += 1
      builder.add(batch, this.#options.accumulator.finish(batch, identity.mark(batch)))
      this.#giveUpAtMs = Math.min(this.#giveUpAtMs, batch.createdMs + this.#deliveryTimeoutMs)
    }
    this.#arm(this.#giveUpAtMs)
    const timeoutMs = config.get('request.timeout.ms')
    const transactionalId = transactions?.transactionalId ?? null
    const topicData = builder.topicData()
    const request = { transactionalId, acks: this.#acks, timeoutMs, topicData }
    const sentMs = this.#options.observer.requestSent(batches)
    if (this.#acks === 0) {
      this.#post(connection, request, batches, sentMs)
      return
    }
    this.#inFlight.set(nodeId, (this.#inFlight.get(nodeId) ?? 0) + 1)
    const byName = builder.hasTopicIds ? Produce.versions.max : LAST_VERSION_BY_NAME
    const maxVersion = Math.min(byName, transactions?.maxProduceVersion ?? byName)
    const options = { maxVersion }
    connection.request(Produce, request, options, (error, response) => {
      this.#inFlight.set(nodeId, this.#inFlight.get(nodeId)! - 1)
      const { observer } = this.#options
      observer.requestAnswered(connection, sentMs, error, response?.throttleTimeMs)
      if (this.#isClosed) return
      if (error !== undefined) {
        for (const batch of batches) this.#failed(batch, error)
      } else {
        for (const batch of batches) this.#answered(batch, builder.find(response!, batch))
      }
      this.wake()
    })
  }

  /** Nobody will answer: a batch is done when its bytes have left. */
  #post(
    connection: BrokerConnection,
    request: Parameters<typeof connection.post<typeof Produce>>[1],
    batches: readonly ProducerBatch[],
    sentMs: number,
  ): void {
    const done = () => {
      this.#options.observer.requestAnswered(connection, sentMs, undefined)
      for (const batch of batches) if (!this.#isClosed) this.#finish(batch, undefined)
      this.wake()
    }
    try {
      connection.post(Produce, request, done)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#options.observer.requestAnswered(connection, sentMs, error)
      for (const batch of batches) this.#failed(batch, error)
    }
  }

  #answered(batch: ProducerBatch, answer: ReturnType<ProduceRequestBuilder['find']>): void {
    const { cluster, accumulator } = this.#options
    if (answer === undefined) {
      this.#failed(batch, new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker gave no answer'))
      return
    }
    const { errorCode, errorMessage, baseOffset, logAppendTimeMs, currentLeader } = answer
    const { topic, partition } = batch.queue
    if (errorCode === ErrorCode.NONE) {
      batch.queue.isEstablished = true
      this.#finish(batch, undefined, baseOffset, logAppendTimeMs)
    } else if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      // Written before; the broker no longer knows where.
      this.#finish(batch, undefined)
    } else if (errorCode === ErrorCode.MESSAGE_TOO_LARGE && batch.recordCount > 1) {
      accumulator.split(batch)
      this.#options.observer.batchSplit()
    } else {
      if (currentLeader.leaderId >= 0) {
        cluster.noteLeader(topic, partition, currentLeader.leaderId, currentLeader.leaderEpoch)
      }
      this.#failed(batch, errorForCode(errorCode, errorMessage))
    }
  }

  /** A batch came back with an error: it is sent again, or fails. */
  #failed(batch: ProducerBatch, error: KafkaError): void {
    const { cluster, accumulator, identity } = this.#options
    const nowMs = this.#nowMs
    const isExpired = batch.createdMs + this.#deliveryTimeoutMs <= nowMs
    const mayResend = !isExpired && batch.attempts <= this.#retries
    if (mayResend && (error.retriable || identity.mayResend(batch, error.code))) {
      batch.notBeforeMs = nowMs + cluster.backoff.delayMs(batch.attempts - 1)
      accumulator.putBack(batch)
      this.#options.observer.batchRetried(batch, error)
      // Until the batch goes out again, it may be known where to.
      this.#refresh()
    } else {
      this.#fail(batch, error)
    }
  }

  #fail(batch: ProducerBatch, error: KafkaError): void {
    this.#options.identity.noteFailed(batch, error)
    this.#finish(batch, error)
  }

  #finish(
    batch: ProducerBatch,
    error: KafkaError | undefined,
    baseOffset = -1,
    logAppendTimeMs = -1,
  ): void {
    this.#options.accumulator.release(batch)
    this.#complete(batch, error, baseOffset, logAppendTimeMs)
    this.#options.onReleased()
  }

  #complete(
    batch: ProducerBatch,
    error: KafkaError | undefined,
    baseOffset = -1,
    logAppendTimeMs = -1,
  ): void {
    const { cluster, observer } = this.#options
    const { log } = cluster.environment
    if (error === undefined) observer.batchWritten(batch, baseOffset)
    else if (!batch.isComplete) observer.batchFailed(batch, error)
    batch.complete(error, baseOffset, logAppendTimeMs, (thrown) =>
      log.error('a callback of send has thrown', thrown),
    )
  }
}
