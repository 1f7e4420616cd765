/** Counts, and tells who listens, what becomes of a producer's batches. */
import type { DiagnosticsChannel } from '../../common/diagnostics.ts'
import type { KafkaError } from '../../common/errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ClientEvents } from './client-events.ts'
import { type ClusterObserver, eventChannel } from './cluster-observer.ts'
import { Distribution, Meter } from './measures.ts'
import type {
  MetricValues,
  PRODUCER_METRICS,
  PRODUCER_TOPIC_METRICS,
  ProducerMetrics,
} from './metric-names.ts'

/** A batch, as far as it is looked at here. */
export interface ObservedBatch {
  readonly queue: TopicPartition
  readonly recordCount: number
  readonly sizeInBytes: number
  readonly attempts: number
  readonly createdMs: number
}

type TopicCounts = {
  -readonly [Name in keyof MetricValues<typeof PRODUCER_TOPIC_METRICS>]: number
}

/** What is looked at when it is asked for. */
export interface ProducerGauges {
  readonly bufferBytes: number
  readonly usedBytes: number
  readonly waitingRecords: number
}

export class ProducerObserver {
  readonly #cluster: ClusterObserver
  readonly #channel: DiagnosticsChannel<ClientEvents['samsa:clients:produce']>
  readonly #topics = new Map<string, TopicCounts>()
  readonly #sent = new Meter()
  readonly #failed = new Meter()
  readonly #retried = new Meter()
  readonly #batchBytes = new Distribution()
  readonly #recordsPerRequest = new Distribution()
  readonly #queueTime = new Distribution()
  readonly #throttleTime = new Distribution()
  #splits = 0
  #inFlight = 0

  constructor(cluster: ClusterObserver) {
    this.#cluster = cluster
    this.#channel = eventChannel(cluster.diagnostics, 'samsa:clients:produce')
  }

  /** A request is going out. Returns when that was, for `requestAnswered`. */
  requestSent(batches: readonly ObservedBatch[]): number {
    const nowMs = this.#cluster.clock.monotonic()
    let records = 0
    for (const { queue, recordCount, sizeInBytes, attempts, createdMs } of batches) {
      records += recordCount
      this.#batchBytes.record(sizeInBytes, nowMs)
      if (attempts === 1) this.#queueTime.record(nowMs - createdMs, nowMs)
      const counts = this.#countsOf(queue.topic)
      counts['record-send-total'] += recordCount
      counts['byte-total'] += sizeInBytes
    }
    this.#sent.record(records, nowMs)
    this.#recordsPerRequest.record(records, nowMs)
    this.#inFlight += 1
    return nowMs
  }

  /** `throttleTimeMs` is what the broker said, if it did. */
  requestAnswered(
    address: { readonly host: string; readonly port: number },
    sentMs: number,
    error: KafkaError | undefined,
    throttleTimeMs = 0,
  ): void {
    this.#inFlight -= 1
    this.#throttleTime.record(throttleTimeMs, this.#cluster.clock.monotonic())
    this.#cluster.requestEnded(address, 'Produce', sentMs, error)
  }

  batchWritten(batch: ObservedBatch, baseOffset: number): void {
    this.#tell(batch, baseOffset, undefined, false)
  }

  batchFailed(batch: ObservedBatch, error: KafkaError): void {
    this.#failed.record(batch.recordCount, this.#cluster.clock.monotonic())
    this.#countsOf(batch.queue.topic)['record-error-total'] += batch.recordCount
    this.#tell(batch, -1, error, false)
  }

  batchRetried(batch: ObservedBatch, error: KafkaError): void {
    this.#retried.record(batch.recordCount, this.#cluster.clock.monotonic())
    this.#countsOf(batch.queue.topic)['record-retry-total'] += batch.recordCount
    this.#tell(batch, -1, error, true)
  }

  batchSplit(): void {
    this.#splits += 1
  }

  /** A record never came into a batch. */
  recordFailed(): void {
    this.#failed.record(1, this.#cluster.clock.monotonic())
  }

  snapshot(gauges: ProducerGauges): ProducerMetrics {
    return {
      'producer-metrics': { ...this.#cluster.values(), ...this.#values(gauges) },
      'producer-topic-metrics': Object.fromEntries(
        [...this.#topics].map(([topic, counts]) => [topic, { ...counts }]),
      ),
    }
  }

  #values({
    bufferBytes,
    usedBytes,
    waitingRecords,
  }: ProducerGauges): MetricValues<typeof PRODUCER_METRICS> {
    const nowMs = this.#cluster.clock.monotonic()
    return {
      'record-send-total': this.#sent.total,
      'record-send-rate': this.#sent.rate(nowMs),
      'record-error-total': this.#failed.total,
      'record-error-rate': this.#failed.rate(nowMs),
      'record-retry-total': this.#retried.total,
      'record-retry-rate': this.#retried.rate(nowMs),
      'batch-size-avg': this.#batchBytes.average(nowMs),
      'batch-size-max': this.#batchBytes.max(nowMs),
      'batch-split-total': this.#splits,
      'records-per-request-avg': this.#recordsPerRequest.average(nowMs),
      'record-queue-time-avg': this.#queueTime.average(nowMs),
      'record-queue-time-max': this.#queueTime.max(nowMs),
      'produce-throttle-time-avg': this.#throttleTime.average(nowMs),
      'produce-throttle-time-max': this.#throttleTime.max(nowMs),
      'requests-in-flight': this.#inFlight,
      'buffer-total-bytes': bufferBytes,
      'buffer-available-bytes': Math.max(0, bufferBytes - usedBytes),
      'waiting-records': waitingRecords,
    }
  }

  #countsOf(topic: string): TopicCounts {
    let counts = this.#topics.get(topic)
    if (counts === undefined) {
      counts = {
        ...{ 'record-send-total': 0, 'byte-total': 0 },
        ...{ 'record-error-total': 0, 'record-retry-total': 0 },
      }
      this.#topics.set(topic, counts)
    }
    return counts
  }

  #tell(
    batch: ObservedBatch,
    baseOffset: number,
    error: KafkaError | undefined,
    willRetry: boolean,
  ): void {
    if (!this.#channel.hasSubscribers) return
    const { queue, recordCount, sizeInBytes, attempts, createdMs } = batch
    this.#channel.publish({
      ...{ clientId: this.#cluster.clientId, topic: queue.topic, partition: queue.partition },
      ...{ records: recordCount, bytes: sizeInBytes, attempts, baseOffset, error, willRetry },
      durationMs: this.#cluster.clock.monotonic() - createdMs,
    })
  }
}
