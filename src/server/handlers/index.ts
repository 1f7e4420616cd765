/** Every API this broker serves. What is not here is not advertised, and closes the connection. */
import type { BrokerServices } from '../broker-services.ts'
import type { AnyRequestHandler } from '../request-handler.ts'
import { addOffsetsToTxnHandler } from './add-offsets-to-txn.ts'
import { addPartitionsToTxnHandler } from './add-partitions-to-txn.ts'
import { alterClientQuotasHandler } from './alter-client-quotas.ts'
import { alterConfigsHandler } from './alter-configs.ts'
import { alterPartitionReassignmentsHandler } from './alter-partition-reassignments.ts'
import { alterReplicaLogDirsHandler } from './alter-replica-log-dirs.ts'
import { alterShareGroupOffsetsHandler } from './alter-share-group-offsets.ts'
import { apiVersionsHandler } from './api-versions.ts'
import { consumerGroupDescribeHandler } from './consumer-group-describe.ts'
import { consumerGroupHeartbeatHandler } from './consumer-group-heartbeat.ts'
import { createAclsHandler } from './create-acls.ts'
import { createPartitionsHandler } from './create-partitions.ts'
import { createTopicsHandler } from './create-topics.ts'
import { deleteAclsHandler } from './delete-acls.ts'
import { deleteGroupsHandler } from './delete-groups.ts'
import { deleteRecordsHandler } from './delete-records.ts'
import { deleteShareGroupOffsetsHandler } from './delete-share-group-offsets.ts'
import { deleteTopicsHandler } from './delete-topics.ts'
import { describeAclsHandler } from './describe-acls.ts'
import { describeClientQuotasHandler } from './describe-client-quotas.ts'
import { describeClusterHandler } from './describe-cluster.ts'
import { describeConfigsHandler } from './describe-configs.ts'
import { describeGroupsHandler } from './describe-groups.ts'
import { describeLogDirsHandler } from './describe-log-dirs.ts'
import { describeProducersHandler } from './describe-producers.ts'
import { describeQuorumHandler } from './describe-quorum.ts'
import { describeShareGroupOffsetsHandler } from './describe-share-group-offsets.ts'
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts'
import { describeTransactionsHandler } from './describe-transactions.ts'
import { describeUserScramCredentialsHandler } from './describe-user-scram-credentials.ts'
import { electLeadersHandler } from './elect-leaders.ts'
import { endTxnHandler } from './end-txn.ts'
import { ifInForce } from './feature-gate.ts'
import { fetchHandler } from './fetch.ts'
import { findCoordinatorHandler } from './find-coordinator.ts'
import { getTelemetrySubscriptionsHandler } from './get-telemetry-subscriptions.ts'
import { heartbeatHandler } from './heartbeat.ts'
import { incrementalAlterConfigsHandler } from './incremental-alter-configs.ts'
import { initProducerIdHandler } from './init-producer-id.ts'
import { joinGroupHandler } from './join-group.ts'
import { leaveGroupHandler } from './leave-group.ts'
import { listConfigResourcesHandler } from './list-config-resources.ts'
import { listGroupsHandler } from './list-groups.ts'
import { listOffsetsHandler } from './list-offsets.ts'
import { listPartitionReassignmentsHandler } from './list-partition-reassignments.ts'
import { listTransactionsHandler } from './list-transactions.ts'
import { metadataHandler } from './metadata.ts'
import { offsetCommitHandler } from './offset-commit.ts'
import { offsetDeleteHandler } from './offset-delete.ts'
import { offsetFetchHandler } from './offset-fetch.ts'
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch.ts'
import { produceHandler } from './produce.ts'
import { pushTelemetryHandler } from './push-telemetry.ts'
import { shareAcknowledgeHandler } from './share-acknowledge.ts'
import { shareFetchHandler } from './share-fetch.ts'
import { shareGroupDescribeHandler } from './share-group-describe.ts'
import { shareGroupHeartbeatHandler } from './share-group-heartbeat.ts'
import { shareGroupStateHandlers } from './share-group-state.ts'
import { syncGroupHandler } from './sync-group.ts'
import { txnOffsetCommitHandler } from './txn-offset-commit.ts'
import { unregisterBrokerHandler } from './unregister-broker.ts'
import { updateFeaturesHandler } from './update-features.ts'
import { writeTxnMarkersHandler } from './write-txn-markers.ts'

export function createHandlers(services: BrokerServices): AnyRequestHandler[] {
  const handlers: AnyRequestHandler[] = [
    produceHandler(services),
    fetchHandler(services),
    listOffsetsHandler(services),
    metadataHandler(services),
    offsetCommitHandler(services),
    offsetFetchHandler(services),
    findCoordinatorHandler(services),
    joinGroupHandler(services),
    heartbeatHandler(services),
    leaveGroupHandler(services),
    syncGroupHandler(services),
    describeGroupsHandler(services),
    listGroupsHandler(services),
    createTopicsHandler(services),
    deleteTopicsHandler(services),
    deleteRecordsHandler(services),
    initProducerIdHandler(services),
    offsetForLeaderEpochHandler(services),
    addPartitionsToTxnHandler(services),
    addOffsetsToTxnHandler(services),
    endTxnHandler(services),
    writeTxnMarkersHandler(services),
    txnOffsetCommitHandler(services),
    describeAclsHandler(),
    createAclsHandler(),
    deleteAclsHandler(),
    describeConfigsHandler(services),
    alterConfigsHandler(services),
    describeLogDirsHandler(services),
    createPartitionsHandler(services),
    deleteGroupsHandler(services),
    offsetDeleteHandler(services),
    incrementalAlterConfigsHandler(services),
    describeClientQuotasHandler(services),
    alterClientQuotasHandler(services),
    describeClusterHandler(services),
    describeTopicPartitionsHandler(services),
    describeProducersHandler(services),
    describeTransactionsHandler(services),
    listTransactionsHandler(services),
    ifInForce(services, 'consumer', consumerGroupHeartbeatHandler(services)),
    ifInForce(services, 'consumer', consumerGroupDescribeHandler(services)),
    listConfigResourcesHandler(services),
    ifInForce(services, 'share', shareGroupHeartbeatHandler(services)),
    ifInForce(services, 'share', shareGroupDescribeHandler(services)),
    ifInForce(services, 'share', shareFetchHandler(services)),
    ifInForce(services, 'share', shareAcknowledgeHandler(services)),
    ...shareGroupStateHandlers(services),
    ifInForce(services, 'share', describeShareGroupOffsetsHandler(services)),
    ifInForce(services, 'share', alterShareGroupOffsetsHandler(services)),
    ifInForce(services, 'share', deleteShareGroupOffsetsHandler(services)),
    electLeadersHandler(services),
    describeUserScramCredentialsHandler(),
    alterReplicaLogDirsHandler(services),
    alterPartitionReassignmentsHandler(services),
    listPartitionReassignmentsHandler(services),
    updateFeaturesHandler(services),
    describeQuorumHandler(services),
    unregisterBrokerHandler(services),
  ]
  const { telemetry } = services
  if (telemetry !== undefined) {
    handlers.push(getTelemetrySubscriptionsHandler(services, telemetry))
    handlers.push(pushTelemetryHandler(services, telemetry))
  }
  handlers.push(apiVersionsHandler(handlers, services))
  return handlers
}
