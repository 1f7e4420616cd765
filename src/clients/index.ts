/** Clients of Kafka's protocol: what an application imports as `samsa/clients`. */

export {
  formatTraceparent,
  parseTraceparent,
  processTraceContext,
  type TraceContext,
  type TraceStep,
} from '../common/trace-context.ts'
export type * from './admin/acls.ts'
export { Admin, type AdminConfig } from './admin/admin.ts'
export type * from './admin/cluster.ts'
export type * from './admin/configs.ts'
export type * from './admin/group-offsets.ts'
export type * from './admin/groups.ts'
export type * from './admin/log-dirs.ts'
export type * from './admin/partitions.ts'
export type * from './admin/quotas.ts'
export type * from './admin/scram.ts'
export type * from './admin/topics.ts'
export type * from './admin/transactions.ts'
export type { CallOptions } from './cluster/call-limits.ts'
export type { BrokerNode, PartitionMetadata, TopicMetadata } from './cluster/cluster-metadata.ts'
export {
  type CommitCallback,
  Consumer,
  type ConsumerOptions,
  type Subscription,
} from './consumer/consumer.ts'
export type { PollOptions } from './consumer/consumer-core.ts'
export type { OffsetOfTime, TimeQuery } from './consumer/consumer-queries.ts'
export {
  ConsumerRecord,
  type RecordHeader,
  type TimestampType,
} from './consumer/consumer-record.ts'
export { ConsumerRecords, type PartitionRecords } from './consumer/consumer-records.ts'
export type { ErrorDecision, RunOptions } from './consumer/consumer-run.ts'
export {
  CorruptRecordError,
  DeserializationError,
  LogTruncationError,
  NoOffsetForPartitionError,
  OffsetOutOfRangeError,
  WakeupError,
} from './consumer/errors.ts'
export type {
  AssignableTopic,
  Assignor,
  MemberAssignment,
  SubscribedMember,
} from './consumer/group/assignor.ts'
export {
  CommitFailedError,
  RebalanceInProgressError,
  RetriableCommitFailedError,
} from './consumer/group/errors.ts'
export { rangeAssignor } from './consumer/group/range-assignor.ts'
export { roundRobinAssignor } from './consumer/group/round-robin-assignor.ts'
export { CooperativeStickyAssignor, StickyAssignor } from './consumer/group/sticky-assignors.ts'
export type { ConsumerInterceptor } from './consumer/interceptors.ts'
export type { OffsetToCommit, Position } from './consumer/partition-state.ts'
export type { RebalanceListener } from './consumer/subscription-state.ts'
export * from './deserializers.ts'
export type { ClientEnvironment } from './environment.ts'
export { systemEnvironment } from './environment.ts'
export {
  ClosedError,
  ConfigError,
  IllegalStateError,
  isFatal,
  KafkaError,
  PartialFailureError,
  SerializationError,
  TimeoutError,
} from './errors.ts'
export type * from './observability/client-events.ts'
export type {
  AdminMetrics,
  ConsumerMetrics,
  ProducerMetrics,
  ShareConsumerMetrics,
} from './observability/metric-names.ts'
export { type MetricsSource, prometheusText } from './observability/prometheus.ts'
export type { ProducerInterceptor } from './producer/interceptors.ts'
export {
  DefaultPartitioner,
  type Partitioner,
  RandomPartitioner,
  RoundRobinPartitioner,
} from './producer/partitioner.ts'
export { Producer } from './producer/producer.ts'
export type { RecordMetadata, SendCallback } from './producer/producer-batch.ts'
export type { ProducerOptions } from './producer/producer-options.ts'
export type { HeaderValue, ProducerRecord, RecordHeaders } from './producer/producer-record.ts'
export type { ConsumerGroup, OffsetToSend } from './producer/transactions.ts'
export * from './serializers.ts'
export type { AcknowledgeType } from './share-consumer/acknowledgements.ts'
export {
  type AcknowledgedOffsets,
  type AcknowledgementCommitCallback,
  ShareConsumer,
  type ShareConsumerOptions,
  type SharePollOptions,
} from './share-consumer/share-consumer.ts'
export type { ShareRecord, ShareRecords } from './share-consumer/share-record.ts'
export type { TopicPartition } from './topic-partition.ts'
export { type Tracing, traceparentOf } from './tracing.ts'
