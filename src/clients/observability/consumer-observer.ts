/**
 * Counts, and tells who listens, what a consumer fetches, commits and is assigned. A share consumer
 * has the same, with acknowledgements in place of commits.
 */
import type { DiagnosticsChannel } from '../../common/diagnostics.ts'
import type { KafkaError } from '../../common/errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ClientEvents, RebalanceEvent } from './client-events.ts'
import { type ClusterObserver, eventChannel } from './cluster-observer.ts'
import { Distribution, Meter } from './measures.ts'
import type {
  COORDINATOR_METRICS,
  ConsumerMetrics,
  FETCH_METRICS,
  MetricValues,
  SHARE_COORDINATOR_METRICS,
  ShareConsumerMetrics,
} from './metric-names.ts'

/** An answer to Fetch or ShareFetch, as far as it is looked at here. */
interface ObservedAnswer {
  readonly throttleTimeMs: number
  readonly responses: readonly {
    readonly partitions: readonly { readonly records: Uint8Array | readonly Uint8Array[] | null }[]
  }[]
}

/** What is looked at when it is asked for: of each partition that is assigned. */
export interface PartitionGauges extends TopicPartition {
  /** NaN where it is not known. */
  readonly lag: number
  readonly lead: number
}

export class ConsumerObserver {
  readonly #cluster: ClusterObserver
  readonly #groupId: string
  readonly #fetchChannel: DiagnosticsChannel<ClientEvents['samsa:clients:fetch']>
  readonly #rebalanceChannel: DiagnosticsChannel<ClientEvents['samsa:clients:rebalance']>
  readonly #commitChannel: DiagnosticsChannel<ClientEvents['samsa:clients:commit']>
  readonly #records = new Meter()
  readonly #bytes = new Meter()
  readonly #fetches = new Meter()
  readonly #fetchLatency = new Distribution()
  readonly #fetchBytes = new Distribution()
  readonly #throttleTime = new Distribution()
  readonly #heartbeats = new Meter()
  readonly #commits = new Meter()
  readonly #commitLatency = new Distribution()
  #fetchedBytes = 0
  #failedCommits = 0
  #rebalances = 0
  #lostPartitions = 0
  /** On the monotonic clock. */
  #heartbeatMs = Number.NaN
  #rebalanceMs = Number.NaN

  constructor(cluster: ClusterObserver, groupId: string) {
    this.#cluster = cluster
    this.#groupId = groupId
    const { diagnostics } = cluster
    this.#fetchChannel = eventChannel(diagnostics, 'samsa:clients:fetch')
    this.#rebalanceChannel = eventChannel(diagnostics, 'samsa:clients:rebalance')
    this.#commitChannel = eventChannel(diagnostics, 'samsa:clients:commit')
  }

  /** The time on the monotonic clock, for the methods that ask when something began. */
  get nowMs(): number {
    return this.#cluster.clock.monotonic()
  }

  /** The application was given records, of about so many bytes. */
  consumed(records: number, bytes: number): void {
    const { nowMs } = this
    this.#records.record(records, nowMs)
    this.#bytes.record(bytes, nowMs)
  }

  fetched(nodeId: number, startMs: number, answer: ObservedAnswer | KafkaError): void {
    const { nowMs } = this
    const isAnswer = 'responses' in answer
    let bytes = 0
    let partitions = 0
    for (const response of isAnswer ? answer.responses : []) {
      partitions += response.partitions.length
      for (const { records } of response.partitions) bytes += sizeOf(records)
    }
    if (isAnswer) {
      this.#fetches.record(1, nowMs)
      this.#fetchLatency.record(nowMs - startMs, nowMs)
      this.#fetchBytes.record(bytes, nowMs)
      this.#fetchedBytes += bytes
      this.#throttleTime.record(answer.throttleTimeMs, nowMs)
    }
    if (!this.#fetchChannel.hasSubscribers) return
    const error = isAnswer ? undefined : answer
    const { clientId } = this.#cluster
    const durationMs = nowMs - startMs
    this.#fetchChannel.publish({ clientId, nodeId, partitions, bytes, durationMs, error })
  }

  heartbeat(): void {
    this.#heartbeatMs = this.nowMs
    this.#heartbeats.record(1, this.#heartbeatMs)
  }

  /** Partitions have come or gone. */
  rebalanced(kind: RebalanceEvent['kind'], partitions: readonly TopicPartition[]): void {
    this.#rebalances += 1
    this.#rebalanceMs = this.nowMs
    if (kind === 'lost') this.#lostPartitions += partitions.length
    if (!this.#rebalanceChannel.hasSubscribers) return
    const { clientId } = this.#cluster
    this.#rebalanceChannel.publish({ clientId, groupId: this.#groupId, kind, partitions })
  }

  /** Offsets of `count` partitions were committed, or `count` records acknowledged. */
  committed(count: number, startMs: number, error: KafkaError | undefined): void {
    const { nowMs } = this
    const durationMs = nowMs - startMs
    this.#commits.record(error === undefined ? 1 : 0, nowMs)
    if (error === undefined) this.#commitLatency.record(durationMs, nowMs)
    else this.#failedCommits += 1
    if (!this.#commitChannel.hasSubscribers) return
    const { clientId } = this.#cluster
    this.#commitChannel.publish({ clientId, groupId: this.#groupId, count, durationMs, error })
  }

  snapshot(gauges: {
    readonly partitions: readonly PartitionGauges[]
    readonly bufferedBytes: number
  }): ConsumerMetrics {
    const { partitions, bufferedBytes } = gauges
    const byName = partitions.map(({ topic, partition, lag, lead }) => {
      return [`${topic}-${partition}`, { 'records-lag': lag, 'records-lead': lead }] as const
    })
    const lags = partitions.map(({ lag }) => lag).filter((lag) => !Number.isNaN(lag))
    const maxLag = lags.length === 0 ? Number.NaN : Math.max(...lags)
    return {
      'consumer-metrics': this.#cluster.values(),
      'consumer-fetch-manager-metrics': this.#fetchValues(maxLag, bufferedBytes),
      'consumer-fetch-manager-partition-metrics': Object.fromEntries(byName),
      'consumer-coordinator-metrics': this.#coordinatorValues(partitions.length),
    }
  }

  #fetchValues(maxLag: number, bufferedBytes: number): MetricValues<typeof FETCH_METRICS> {
    const { nowMs } = this
    return {
      'records-consumed-total': this.#records.total,
      'records-consumed-rate': this.#records.rate(nowMs),
      'bytes-consumed-total': this.#bytes.total,
      'bytes-consumed-rate': this.#bytes.rate(nowMs),
      'fetch-total': this.#fetches.total,
      'fetch-rate': this.#fetches.rate(nowMs),
      'fetch-latency-avg': this.#fetchLatency.average(nowMs),
      'fetch-latency-max': this.#fetchLatency.max(nowMs),
      'fetch-size-avg': this.#fetchBytes.average(nowMs),
      'fetch-size-max': this.#fetchBytes.max(nowMs),
      'fetch-throttle-time-avg': this.#throttleTime.average(nowMs),
      'fetch-throttle-time-max': this.#throttleTime.max(nowMs),
      'records-lag-max': maxLag,
      'buffered-bytes': bufferedBytes,
    }
  }

  #coordinatorValues(assigned: number): MetricValues<typeof COORDINATOR_METRICS> {
    const { nowMs } = this
    return {
      ...this.#membershipValues(assigned),
      'commit-total': this.#commits.total,
      'commit-rate': this.#commits.rate(nowMs),
      'commit-latency-avg': this.#commitLatency.average(nowMs),
      'commit-latency-max': this.#commitLatency.max(nowMs),
      'failed-commit-total': this.#failedCommits,
      'partitions-lost-total': this.#lostPartitions,
    }
  }

  #membershipValues(assigned: number): MetricValues<typeof SHARE_COORDINATOR_METRICS> {
    const { nowMs } = this
    return {
      'assigned-partitions': assigned,
      'heartbeat-total': this.#heartbeats.total,
      'heartbeat-rate': this.#heartbeats.rate(nowMs),
      'last-heartbeat-seconds-ago': secondsSince(this.#heartbeatMs, nowMs),
      'rebalance-total': this.#rebalances,
      'last-rebalance-seconds-ago': secondsSince(this.#rebalanceMs, nowMs),
    }
  }

  /** For a share consumer, with acknowledgements as it has counted them. */
  shareSnapshot(gauges: {
    readonly assignedPartitions: number
    readonly acknowledged: Meter
    readonly failedAcknowledgements: number
  }): ShareConsumerMetrics {
    const { nowMs } = this
    const { assignedPartitions, acknowledged, failedAcknowledgements } = gauges
    return {
      'consumer-metrics': this.#cluster.values(),
      'consumer-share-fetch-manager-metrics': {
        'records-consumed-total': this.#records.total,
        'records-consumed-rate': this.#records.rate(nowMs),
        'bytes-consumed-total': this.#fetchedBytes,
        'fetch-total': this.#fetches.total,
        'fetch-latency-avg': this.#fetchLatency.average(nowMs),
        'fetch-latency-max': this.#fetchLatency.max(nowMs),
        'acknowledgements-send-total': acknowledged.total,
        'acknowledgements-send-rate': acknowledged.rate(nowMs),
        'acknowledgements-error-total': failedAcknowledgements,
      },
      'consumer-share-coordinator-metrics': this.#membershipValues(assignedPartitions),
    }
  }
}

function sizeOf(records: Uint8Array | readonly Uint8Array[] | null): number {
  if (records === null) return 0
  if (records instanceof Uint8Array) return records.length
  let size = 0
  for (const { length } of records) size += length
  return size
}

function secondsSince(atMs: number, nowMs: number): number {
  return Number.isNaN(atMs) ? -1 : Math.floor((nowMs - atMs) / 1000)
}
