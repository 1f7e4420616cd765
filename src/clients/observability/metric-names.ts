/**
 * The metrics of clients, by Kafka's names and in its groups, with what each one says. Totals count
 * from the beginning; rates, averages and maxima are of the last half to whole minute.
 */

/** Of every client: connections and requests. In `producer-metrics`, `consumer-metrics`, … */
export const CONNECTION_METRICS = {
  'connection-count': 'Connections that are open.',
  'connection-creation-total': 'Connections that have been made.',
  'connection-creation-rate': 'Connections made in a second.',
  'connection-close-total': 'Connections that have ended.',
  'connection-close-rate': 'Connections that end in a second.',
  'request-total': 'Requests that have been answered, or have failed.',
  'request-rate': 'Requests in a second.',
  'request-latency-avg': 'How long requests take, in milliseconds.',
  'request-latency-max': 'The longest that a request has taken, in milliseconds.',
  'failed-request-total': 'Requests without an answer.',
  'retry-total': 'Calls that were made again after a passing failure.',
} as const

/** `producer-metrics`, besides those of every client. */
export const PRODUCER_METRICS = {
  'record-send-total': 'Records sent.',
  'record-send-rate': 'Records sent in a second.',
  'record-error-total': 'Records that could not be sent.',
  'record-error-rate': 'Records that cannot be sent in a second.',
  'record-retry-total': 'Records sent again.',
  'record-retry-rate': 'Records sent again in a second.',
  'batch-size-avg': 'Bytes of a batch, as sent.',
  'batch-size-max': 'Bytes of the largest batch, as sent.',
  'batch-split-total': 'Batches that were too large for the broker, and have been split.',
  'records-per-request-avg': 'Records in a request.',
  'record-queue-time-avg': 'How long batches wait to be sent, in milliseconds.',
  'record-queue-time-max': 'The longest that a batch has waited to be sent, in milliseconds.',
  'produce-throttle-time-avg': 'How long brokers make a request wait for a quota, in milliseconds.',
  'produce-throttle-time-max': 'The longest that a quota made a request wait, in milliseconds.',
  'requests-in-flight': 'Requests with records that wait for their answer.',
  'buffer-total-bytes': 'buffer.memory.',
  'buffer-available-bytes': 'Of that, what is not in use.',
  'waiting-records': 'Records that wait for room or for metadata.',
} as const

/** `producer-topic-metrics`, for each topic. */
export const PRODUCER_TOPIC_METRICS = {
  'record-send-total': 'Records sent.',
  'byte-total': 'Bytes of batches, as sent.',
  'record-error-total': 'Records that could not be sent.',
  'record-retry-total': 'Records sent again.',
} as const

/** `consumer-fetch-manager-metrics`. */
export const FETCH_METRICS = {
  'records-consumed-total': 'Records given to the application.',
  'records-consumed-rate': 'Records given to the application in a second.',
  'bytes-consumed-total': 'Bytes of batches given to the application, as fetched.',
  'bytes-consumed-rate': 'Bytes given to the application in a second.',
  'fetch-total': 'Fetches that have been answered.',
  'fetch-rate': 'Fetches in a second.',
  'fetch-latency-avg': 'How long fetches take, waiting for records included, in milliseconds.',
  'fetch-latency-max': 'The longest that a fetch has taken, in milliseconds.',
  'fetch-size-avg': 'Bytes of records that a fetch brings.',
  'fetch-size-max': 'The most bytes of records that a fetch has brought.',
  'fetch-throttle-time-avg': 'How long brokers make a fetch wait for a quota, in milliseconds.',
  'fetch-throttle-time-max': 'The longest that a quota made a fetch wait, in milliseconds.',
  'records-lag-max': 'How many records the partition furthest behind has left to read, at present.',
  'buffered-bytes': 'Bytes fetched ahead of the application.',
} as const

/** `consumer-fetch-manager-metrics`, for each partition that is assigned. */
export const FETCH_PARTITION_METRICS = {
  'records-lag': 'How many records are left to read.',
  'records-lead': 'How many records the position is from the beginning of the log.',
} as const

/** `consumer-coordinator-metrics`. */
export const COORDINATOR_METRICS = {
  'assigned-partitions': 'Partitions that are assigned at present.',
  'heartbeat-total': 'Heartbeats that have been answered.',
  'heartbeat-rate': 'Heartbeats in a second.',
  'last-heartbeat-seconds-ago': 'Seconds since a heartbeat was answered; -1 before the first.',
  'commit-total': 'Commits of offsets.',
  'commit-rate': 'Commits in a second.',
  'commit-latency-avg': 'How long commits take, in milliseconds.',
  'commit-latency-max': 'The longest that a commit has taken, in milliseconds.',
  'failed-commit-total': 'Commits that have failed.',
  'rebalance-total': 'Changes of what is assigned.',
  'last-rebalance-seconds-ago': 'Seconds since what is assigned has changed; -1 before that.',
  'partitions-lost-total': 'Partitions that were lost, and not given away in order.',
} as const

/** `consumer-share-fetch-manager-metrics`. */
export const SHARE_METRICS = {
  'records-consumed-total': 'Records given to the application.',
  'records-consumed-rate': 'Records given to the application in a second.',
  'bytes-consumed-total': 'Bytes of batches that have been fetched.',
  'fetch-total': 'Fetches that have been answered.',
  'fetch-latency-avg': 'How long fetches take, waiting for records included, in milliseconds.',
  'fetch-latency-max': 'The longest that a fetch has taken, in milliseconds.',
  'acknowledgements-send-total': 'Offsets that have been acknowledged.',
  'acknowledgements-send-rate': 'Offsets acknowledged in a second.',
  'acknowledgements-error-total': 'Offsets whose acknowledgement has failed.',
} as const

/** `consumer-share-coordinator-metrics`. */
export const SHARE_COORDINATOR_METRICS = {
  'assigned-partitions': COORDINATOR_METRICS['assigned-partitions'],
  'heartbeat-total': COORDINATOR_METRICS['heartbeat-total'],
  'heartbeat-rate': COORDINATOR_METRICS['heartbeat-rate'],
  'last-heartbeat-seconds-ago': COORDINATOR_METRICS['last-heartbeat-seconds-ago'],
  'rebalance-total': COORDINATOR_METRICS['rebalance-total'],
  'last-rebalance-seconds-ago': COORDINATOR_METRICS['last-rebalance-seconds-ago'],
} as const

/** The values of a table of names, at one moment. */
export type MetricValues<Table> = { readonly [Name in keyof Table]: number }

type ConnectionValues = MetricValues<typeof CONNECTION_METRICS>

/** What `Producer.metrics` gives. */
export interface ProducerMetrics {
  readonly 'producer-metrics': MetricValues<typeof PRODUCER_METRICS> & ConnectionValues
  /** By topic. */
  readonly 'producer-topic-metrics': Readonly<
    Record<string, MetricValues<typeof PRODUCER_TOPIC_METRICS>>
  >
}

/** What `Consumer.metrics` gives. */
export interface ConsumerMetrics {
  readonly 'consumer-metrics': ConnectionValues
  readonly 'consumer-fetch-manager-metrics': MetricValues<typeof FETCH_METRICS>
  /** By name of the partition. */
  readonly 'consumer-fetch-manager-partition-metrics': Readonly<
    Record<string, MetricValues<typeof FETCH_PARTITION_METRICS>>
  >
  readonly 'consumer-coordinator-metrics': MetricValues<typeof COORDINATOR_METRICS>
}

/** What `ShareConsumer.metrics` gives. */
export interface ShareConsumerMetrics {
  readonly 'consumer-metrics': ConnectionValues
  readonly 'consumer-share-fetch-manager-metrics': MetricValues<typeof SHARE_METRICS>
  readonly 'consumer-share-coordinator-metrics': MetricValues<typeof SHARE_COORDINATOR_METRICS>
}

/** What `Admin.metrics` gives. */
export interface AdminMetrics {
  readonly 'admin-client-metrics': ConnectionValues
}

export interface MetricGroup {
  /** Names, with what each metric says. */
  readonly tables: readonly object[]
  /** For what there are values apart. */
  readonly label?: 'topic' | 'partition'
  /** Kafka's name of the group, where it has those with and without a label in one. */
  readonly group?: string
}

/** Every group. */
export const METRIC_GROUPS: Readonly<Record<string, MetricGroup>> = {
  'producer-metrics': { tables: [CONNECTION_METRICS, PRODUCER_METRICS] },
  'producer-topic-metrics': { tables: [PRODUCER_TOPIC_METRICS], label: 'topic' },
  'consumer-metrics': { tables: [CONNECTION_METRICS] },
  'consumer-fetch-manager-metrics': { tables: [FETCH_METRICS] },
  'consumer-fetch-manager-partition-metrics': {
    tables: [FETCH_PARTITION_METRICS],
    label: 'partition',
    group: 'consumer-fetch-manager-metrics',
  },
  'consumer-coordinator-metrics': { tables: [COORDINATOR_METRICS] },
  'consumer-share-fetch-manager-metrics': { tables: [SHARE_METRICS] },
  'consumer-share-coordinator-metrics': { tables: [SHARE_COORDINATOR_METRICS] },
  'admin-client-metrics': { tables: [CONNECTION_METRICS] },
}
