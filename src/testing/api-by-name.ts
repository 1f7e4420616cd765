/** The APIs that a broker serves, by the names under which tests speak of them. */
import { AddOffsetsToTxn } from '../protocol/messages/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../protocol/messages/add-partitions-to-txn.ts'
import { AlterClientQuotas } from '../protocol/messages/alter-client-quotas.ts'
import { AlterConfigs } from '../protocol/messages/alter-configs.ts'
import { AlterPartitionReassignments } from '../protocol/messages/alter-partition-reassignments.ts'
import { AlterReplicaLogDirs } from '../protocol/messages/alter-replica-log-dirs.ts'
import { AlterShareGroupOffsets } from '../protocol/messages/alter-share-group-offsets.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { ConsumerGroupDescribe } from '../protocol/messages/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../protocol/messages/consumer-group-heartbeat.ts'
import { CreateAcls } from '../protocol/messages/create-acls.ts'
import { CreatePartitions } from '../protocol/messages/create-partitions.ts'
import { CreateTopics } from '../protocol/messages/create-topics.ts'
import { DeleteAcls } from '../protocol/messages/delete-acls.ts'
import { DeleteGroups } from '../protocol/messages/delete-groups.ts'
import { DeleteRecords } from '../protocol/messages/delete-records.ts'
import { DeleteShareGroupOffsets } from '../protocol/messages/delete-share-group-offsets.ts'
import { DeleteShareGroupState } from '../protocol/messages/delete-share-group-state.ts'
import { DeleteTopics } from '../protocol/messages/delete-topics.ts'
import { DescribeAcls } from '../protocol/messages/describe-acls.ts'
import { DescribeClientQuotas } from '../protocol/messages/describe-client-quotas.ts'
import { DescribeCluster } from '../protocol/messages/describe-cluster.ts'
import { DescribeConfigs } from '../protocol/messages/describe-configs.ts'
import { DescribeGroups } from '../protocol/messages/describe-groups.ts'
import { DescribeLogDirs } from '../protocol/messages/describe-log-dirs.ts'
import { DescribeProducers } from '../protocol/messages/describe-producers.ts'
import { DescribeQuorum } from '../protocol/messages/describe-quorum.ts'
import { DescribeShareGroupOffsets } from '../protocol/messages/describe-share-group-offsets.ts'
import { DescribeTopicPartitions } from '../protocol/messages/describe-topic-partitions.ts'
import { DescribeTransactions } from '../protocol/messages/describe-transactions.ts'
import { DescribeUserScramCredentials } from '../protocol/messages/describe-user-scram-credentials.ts'
import { ElectLeaders } from '../protocol/messages/elect-leaders.ts'
import { EndTxn } from '../protocol/messages/end-txn.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import { FindCoordinator } from '../protocol/messages/find-coordinator.ts'
import { GetTelemetrySubscriptions } from '../protocol/messages/get-telemetry-subscriptions.ts'
import { Heartbeat } from '../protocol/messages/heartbeat.ts'
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts'
import { InitProducerId } from '../protocol/messages/init-producer-id.ts'
import { InitializeShareGroupState } from '../protocol/messages/initialize-share-group-state.ts'
import { JoinGroup } from '../protocol/messages/join-group.ts'
import { LeaveGroup } from '../protocol/messages/leave-group.ts'
import { ListConfigResources } from '../protocol/messages/list-config-resources.ts'
import { ListGroups } from '../protocol/messages/list-groups.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import { ListPartitionReassignments } from '../protocol/messages/list-partition-reassignments.ts'
import { ListTransactions } from '../protocol/messages/list-transactions.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import { OffsetCommit } from '../protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../protocol/messages/offset-fetch.ts'
import { OffsetForLeaderEpoch } from '../protocol/messages/offset-for-leader-epoch.ts'
import { Produce } from '../protocol/messages/produce.ts'
import { PushTelemetry } from '../protocol/messages/push-telemetry.ts'
import { ReadShareGroupState } from '../protocol/messages/read-share-group-state.ts'
import { ReadShareGroupStateSummary } from '../protocol/messages/read-share-group-state-summary.ts'
import { ShareAcknowledge } from '../protocol/messages/share-acknowledge.ts'
import { ShareFetch } from '../protocol/messages/share-fetch.ts'
import { ShareGroupDescribe } from '../protocol/messages/share-group-describe.ts'
import { ShareGroupHeartbeat } from '../protocol/messages/share-group-heartbeat.ts'
import { SyncGroup } from '../protocol/messages/sync-group.ts'
import { TxnOffsetCommit } from '../protocol/messages/txn-offset-commit.ts'
import { UnregisterBroker } from '../protocol/messages/unregister-broker.ts'
import { UpdateFeatures } from '../protocol/messages/update-features.ts'
import { WriteShareGroupState } from '../protocol/messages/write-share-group-state.ts'
import { WriteTxnMarkers } from '../protocol/messages/write-txn-markers.ts'
import type { RequestOf, ResponseInput } from '../protocol/schema.ts'

export const API_BY_NAME = {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  AlterClientQuotas,
  AlterConfigs,
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  AlterShareGroupOffsets,
  ApiVersions,
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  CreateAcls,
  CreatePartitions,
  CreateTopics,
  DeleteAcls,
  DeleteGroups,
  DeleteRecords,
  DeleteShareGroupOffsets,
  DeleteShareGroupState,
  DeleteTopics,
  DescribeAcls,
  DescribeClientQuotas,
  DescribeCluster,
  DescribeConfigs,
  DescribeGroups,
  DescribeLogDirs,
  DescribeProducers,
  DescribeQuorum,
  DescribeShareGroupOffsets,
  DescribeTopicPartitions,
  DescribeTransactions,
  DescribeUserScramCredentials,
  ElectLeaders,
  EndTxn,
  Fetch,
  FindCoordinator,
  GetTelemetrySubscriptions,
  Heartbeat,
  IncrementalAlterConfigs,
  InitProducerId,
  InitializeShareGroupState,
  JoinGroup,
  LeaveGroup,
  ListConfigResources,
  ListGroups,
  ListOffsets,
  ListPartitionReassignments,
  ListTransactions,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  PushTelemetry,
  ReadShareGroupState,
  ReadShareGroupStateSummary,
  ShareAcknowledge,
  ShareFetch,
  ShareGroupDescribe,
  ShareGroupHeartbeat,
  SyncGroup,
  TxnOffsetCommit,
  UnregisterBroker,
  UpdateFeatures,
  WriteShareGroupState,
  WriteTxnMarkers,
}

/** `Produce`, `Fetch`, `JoinGroup` and so on: see docs/apis.md. */
export type ApiName = keyof typeof API_BY_NAME

/** A request as a broker has decoded it: every field is there. */
export type RequestTo<Name extends ApiName> = RequestOf<(typeof API_BY_NAME)[Name]>

/** A response as a broker would write it: what has a default may be left out. */
export type ResponseFrom<Name extends ApiName> = ResponseInput<(typeof API_BY_NAME)[Name]>
