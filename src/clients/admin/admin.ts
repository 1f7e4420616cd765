/**
 * The admin client: what can be asked of a cluster, or done to it, besides reading and writing.
 *
 * ```ts
 * await using admin = new Admin({ bootstrapServers: 'localhost:9092' })
 * await admin.createTopics([{ topic: 'orders', partitions: 3 }])
 * ```
 * Calls about several things give what became of each by its name. If some fail, the call throws a
 * PartialFailureError with the failures, by the same names, and what succeeded nonetheless. Every
 * call takes `timeoutMs` (else `default.api.timeout.ms`) and an AbortSignal, and tries again what
 * fails for a passing reason; a TimeoutError has the last such reason as its cause.
 */
import type { CallOptions } from '../cluster/call-limits.ts'
import { ClusterClient } from '../cluster/cluster-client.ts'
import { ADMIN_CONFIG } from '../config/admin-config.ts'
import { type ConfigInput, readClientConfig } from '../config/client-config.ts'
import type { CommonKeys } from '../config/common-keys.ts'
import { type ClientEnvironment, systemEnvironment } from '../environment.ts'
import type { AdminMetrics } from '../observability/metric-names.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AclFilter, AclRule } from './acls.ts'
import * as aclCalls from './acls.ts'
import type { FeatureUpdate } from './cluster.ts'
import * as clusterCalls from './cluster.ts'
import type {
  ConfigChanges,
  ConfigResource,
  ConfigResourceType,
  DescribeConfigsOptions,
} from './configs.ts'
import * as configsCalls from './configs.ts'
import type { ListGroupOffsetsOptions, OffsetToCommit } from './group-offsets.ts'
import * as groupOffsetsCalls from './group-offsets.ts'
import type { ListGroupsOptions, MemberToRemove } from './groups.ts'
import * as groupsCalls from './groups.ts'
import type { ReplicaMove } from './log-dirs.ts'
import * as logDirsCalls from './log-dirs.ts'
import type { IsolationLevel, OffsetQuery, Reassignment, ReassignOptions } from './partitions.ts'
import * as partitionsCalls from './partitions.ts'
import type { QuotaChange, QuotaFilter } from './quotas.ts'
import * as quotasCalls from './quotas.ts'
import type { ScramDeletion, ScramUpsertion } from './scram.ts'
import * as scramCalls from './scram.ts'
import type { NewPartitions, NewTopic, RecordsToDelete, ValidateOption } from './topics.ts'
import * as topicsCalls from './topics.ts'
import type { ListTransactionsOptions, TransactionToAbort } from './transactions.ts'
import * as transactionsCalls from './transactions.ts'

/** Configuration by Kafka's names or in camel case: see `COMMON_KEYS`. */
export type AdminConfig = ConfigInput<CommonKeys>

export class Admin {
  readonly #cluster: ClusterClient

  /** Connects when it is first used. Throws ConfigError. */
  constructor(config: AdminConfig, environment: ClientEnvironment = systemEnvironment()) {
    this.#cluster = new ClusterClient({
      config: readClientConfig(ADMIN_CONFIG, config),
      environment,
      allowAutoTopicCreation: false,
    })
  }

  /** `client.id`. */
  get clientId(): string {
    return this.#cluster.clientId
  }

  /** What has been counted and measured until now, by Kafka's names; see `prometheusText`. */
  metrics(): AdminMetrics {
    return { 'admin-client-metrics': this.#cluster.observer.values() }
  }

  /** Closes the connections. Calls that are under way fail with ClosedError. */
  close(): void {
    this.#cluster.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /**
   * Creates topics. Fails with TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_CONFIG and
   * others.
   */
  createTopics(topics: Iterable<NewTopic>, options: CallOptions & ValidateOption = {}) {
    return topicsCalls.createTopics(this.#cluster, topics, options)
  }

  /** Deletes topics with all their records. Fails with UNKNOWN_TOPIC_OR_PARTITION. */
  deleteTopics(topics: Iterable<string>, options: CallOptions = {}) {
    return topicsCalls.deleteTopics(this.#cluster, topics, options)
  }

  /** All topics, without the coordinators' own unless `includeInternal` says so. */
  listTopics(options: CallOptions & { readonly includeInternal?: boolean } = {}) {
    return topicsCalls.listTopics(this.#cluster, options)
  }

  /** Partitions, leaders and replicas of topics. Fails with UNKNOWN_TOPIC_OR_PARTITION. */
  describeTopics(topics: Iterable<string>, options: CallOptions = {}) {
    return topicsCalls.describeTopics(this.#cluster, topics, options)
  }

  /**
   * As `describeTopics`, with what KIP-966 adds, and in pages, for topics with thousands of
   * partitions. Fails with UNSUPPORTED_VERSION on brokers before Kafka 3.8.
   */
  describeTopicPartitions(
    topics: Iterable<string>,
    options: CallOptions & { readonly partitionsPerResponse?: number } = {},
  ) {
    return topicsCalls.describeTopicPartitions(this.#cluster, topics, options)
  }

  /** Gives topics more partitions. Fails with INVALID_PARTITIONS where they would not be more. */
  createPartitions(topics: Iterable<NewPartitions>, options: CallOptions & ValidateOption = {}) {
    return topicsCalls.createPartitions(this.#cluster, topics, options)
  }

  /** Deletes the records before an offset. Fails with OFFSET_OUT_OF_RANGE, POLICY_VIOLATION. */
  deleteRecords(partitions: Iterable<RecordsToDelete>, options: CallOptions = {}) {
    return topicsCalls.deleteRecords(this.#cluster, partitions, options)
  }

  /** Waits until every partition of a topic that is known has a leader. */
  waitForTopic(topic: string, options: CallOptions = {}) {
    return topicsCalls.waitForTopic(this.#cluster, topic, options)
  }

  /** The brokers, the controller and the id of the cluster. */
  describeCluster(options: CallOptions = {}) {
    return clusterCalls.describeCluster(this.#cluster, options)
  }

  /** Who votes on the metadata of the cluster (KIP-595); of Samsa, its controller. */
  describeMetadataQuorum(options: CallOptions = {}) {
    return clusterCalls.describeMetadataQuorum(this.#cluster, options)
  }

  /** The features that brokers support, and their levels in force (KIP-584). */
  describeFeatures(options: CallOptions = {}) {
    return clusterCalls.describeFeatures(this.#cluster, options)
  }

  /** Changes the levels of features. Fails with FEATURE_UPDATE_FAILED, INVALID_UPDATE_VERSION. */
  updateFeatures(
    updates: Readonly<Record<string, FeatureUpdate>>,
    options: CallOptions & ValidateOption = {},
  ) {
    return clusterCalls.updateFeatures(this.#cluster, updates, options)
  }

  /** Forgets a broker that is gone for good. Fails with BROKER_ID_NOT_REGISTERED. */
  unregisterBroker(brokerId: number, options: CallOptions = {}) {
    return clusterCalls.unregisterBroker(this.#cluster, brokerId, options)
  }

  /** The APIs that a broker serves, and their versions. */
  brokerApiVersions(brokerId: number, options: CallOptions = {}) {
    return clusterCalls.brokerApiVersions(this.#cluster, brokerId, options)
  }

  /**
   * Settings of topics, brokers and groups, by `topic orders` and so on; of `keys` only, if given.
   */
  describeConfigs(
    resources: Iterable<ConfigResource & { readonly keys?: readonly string[] }>,
    options: DescribeConfigsOptions = {},
  ) {
    return configsCalls.describeConfigs(this.#cluster, resources, options)
  }

  /** Changes some settings and leaves the others (KIP-339). Fails with INVALID_CONFIG. */
  alterConfigs(changes: Iterable<ConfigChanges>, options: CallOptions & ValidateOption = {}) {
    return configsCalls.alterConfigs(this.#cluster, changes, options)
  }

  /** What has settings of its own, of these types; of all types if there is none. */
  listConfigResources(types: readonly ConfigResourceType[], options: CallOptions = {}) {
    return configsCalls.listConfigResources(this.#cluster, types, options)
  }

  /** The groups of all brokers. */
  listGroups(options: ListGroupsOptions = {}) {
    return groupsCalls.listGroups(this.#cluster, options)
  }

  /** Classic groups with their members. Fails with GROUP_ID_NOT_FOUND. */
  describeClassicGroups(groupIds: Iterable<string>, options: CallOptions = {}) {
    return groupsCalls.describeClassicGroups(this.#cluster, groupIds, options)
  }

  /** Groups of the consumer protocol (KIP-848). Fails with GROUP_ID_NOT_FOUND for others. */
  describeConsumerGroups(groupIds: Iterable<string>, options: CallOptions = {}) {
    return groupsCalls.describeConsumerGroups(this.#cluster, groupIds, options)
  }

  /** Groups of either protocol, as far as there are any. Fails with GROUP_ID_NOT_FOUND. */
  describeGroups(groupIds: Iterable<string>, options: CallOptions = {}) {
    return groupsCalls.describeGroups(this.#cluster, groupIds, options)
  }

  /** Share groups (KIP-932). Fails with GROUP_ID_NOT_FOUND for others. */
  describeShareGroups(groupIds: Iterable<string>, options: CallOptions = {}) {
    return groupsCalls.describeShareGroups(this.#cluster, groupIds, options)
  }

  /** Deletes groups and their offsets. Fails with NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND. */
  deleteGroups(groupIds: Iterable<string>, options: CallOptions = {}) {
    return groupsCalls.deleteGroups(this.#cluster, groupIds, options)
  }

  /** Lets members leave. Fails with UNKNOWN_MEMBER_ID. */
  removeMembersFromGroup(
    groupId: string,
    members: readonly MemberToRemove[],
    options: CallOptions = {},
  ) {
    return groupsCalls.removeMembersFromGroup(this.#cluster, groupId, members, options)
  }

  /** What a group has committed; nothing for partitions without a commit. */
  listGroupOffsets(groupId: string, options: ListGroupOffsetsOptions = {}) {
    return groupOffsetsCalls.listGroupOffsets(this.#cluster, groupId, options)
  }

  /**
   * Commits in place of a group, which must be empty. Fails with UNKNOWN_MEMBER_ID if it is not.
   */
  alterGroupOffsets(groupId: string, offsets: Iterable<OffsetToCommit>, options: CallOptions = {}) {
    return groupOffsetsCalls.alterGroupOffsets(this.#cluster, groupId, offsets, options)
  }

  /** Deletes commits. Fails with GROUP_SUBSCRIBED_TO_TOPIC. */
  deleteGroupOffsets(
    groupId: string,
    partitions: Iterable<TopicPartition>,
    options: CallOptions = {},
  ) {
    return groupOffsetsCalls.deleteGroupOffsets(this.#cluster, groupId, partitions, options)
  }

  /** How far a share group has got. */
  listShareGroupOffsets(
    groupId: string,
    options: CallOptions & { readonly partitions?: readonly TopicPartition[] } = {},
  ) {
    return groupOffsetsCalls.listShareGroupOffsets(this.#cluster, groupId, options)
  }

  /** Moves a share group, which must be empty. Fails with NON_EMPTY_GROUP. */
  alterShareGroupOffsets(
    groupId: string,
    offsets: Iterable<TopicPartition & { readonly startOffset: number }>,
    options: CallOptions = {},
  ) {
    return groupOffsetsCalls.alterShareGroupOffsets(this.#cluster, groupId, offsets, options)
  }

  /** Forgets how far a share group has got in topics. Fails with NON_EMPTY_GROUP. */
  deleteShareGroupOffsets(groupId: string, topics: Iterable<string>, options: CallOptions = {}) {
    return groupOffsetsCalls.deleteShareGroupOffsets(this.#cluster, groupId, topics, options)
  }

  /** The offsets at points or times of partitions. */
  listOffsets(
    queries: Iterable<OffsetQuery>,
    options: CallOptions & { readonly isolationLevel?: IsolationLevel } = {},
  ) {
    return partitionsCalls.listOffsets(this.#cluster, queries, options)
  }

  /**
   * The producers that have written with an id of late, and their open transactions: as the leader
   * of each partition knows them, or the replica on `brokerId`.
   */
  describeProducers(
    partitions: Iterable<TopicPartition>,
    options: CallOptions & { readonly brokerId?: number } = {},
  ) {
    return partitionsCalls.describeProducers(this.#cluster, partitions, options)
  }

  /**
   * Has leaders elected, without `partitions` for all that need one, and gives the partitions that
   * have a new one. Fails with ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE.
   */
  electLeaders(
    kind: 'preferred' | 'unclean',
    partitions?: Iterable<TopicPartition>,
    options: CallOptions = {},
  ) {
    return partitionsCalls.electLeaders(this.#cluster, kind, partitions, options)
  }

  /** Moves partitions to other brokers. Fails with INVALID_REPLICA_ASSIGNMENT. */
  alterPartitionReassignments(
    reassignments: Iterable<Reassignment>,
    options: ReassignOptions = {},
  ) {
    return partitionsCalls.alterPartitionReassignments(this.#cluster, reassignments, options)
  }

  /** The moves that are under way, of these partitions or of all. */
  listPartitionReassignments(partitions?: Iterable<TopicPartition>, options: CallOptions = {}) {
    return partitionsCalls.listPartitionReassignments(this.#cluster, partitions, options)
  }

  /** The log folders of brokers, and the size in bytes of what is in them. */
  describeLogDirs(
    brokerIds: Iterable<number>,
    options: CallOptions & { readonly partitions?: readonly TopicPartition[] } = {},
  ) {
    return logDirsCalls.describeLogDirs(this.#cluster, brokerIds, options)
  }

  /** Moves replicas to other folders of their brokers. Fails with LOG_DIR_NOT_FOUND. */
  alterReplicaLogDirs(moves: Iterable<ReplicaMove>, options: CallOptions = {}) {
    return logDirsCalls.alterReplicaLogDirs(this.#cluster, moves, options)
  }

  /**
   * Quotas of those that all filters match; with `strict`, of nobody with more parts than filters.
   */
  describeClientQuotas(
    filters: readonly QuotaFilter[],
    options: CallOptions & { readonly strict?: boolean } = {},
  ) {
    return quotasCalls.describeClientQuotas(this.#cluster, filters, options)
  }

  /** Sets and removes quotas. Fails with INVALID_REQUEST. */
  alterClientQuotas(changes: Iterable<QuotaChange>, options: CallOptions & ValidateOption = {}) {
    return quotasCalls.alterClientQuotas(this.#cluster, changes, options)
  }

  /**
   * For which mechanisms users have passwords; without names, all users that have any. Fails with
   * RESOURCE_NOT_FOUND.
   */
  describeUserScramCredentials(users?: Iterable<string>, options: CallOptions = {}) {
    return scramCalls.describeUserScramCredentials(this.#cluster, users, options)
  }

  /** Sets and removes passwords. Fails with UNACCEPTABLE_CREDENTIAL, RESOURCE_NOT_FOUND. */
  alterUserScramCredentials(
    changes: Iterable<ScramUpsertion | ScramDeletion>,
    options: CallOptions = {},
  ) {
    return scramCalls.alterUserScramCredentials(this.#cluster, changes, options)
  }

  /** The transactional ids that the coordinators know. */
  listTransactions(options: ListTransactionsOptions = {}) {
    return transactionsCalls.listTransactions(this.#cluster, options)
  }

  /** State and partitions of transactions. Fails with TRANSACTIONAL_ID_NOT_FOUND. */
  describeTransactions(transactionalIds: Iterable<string>, options: CallOptions = {}) {
    return transactionsCalls.describeTransactions(this.#cluster, transactionalIds, options)
  }

  /** Ends a transaction that hangs in one partition. Fails with INVALID_PRODUCER_EPOCH. */
  abortTransaction(transaction: TransactionToAbort, options: CallOptions = {}) {
    return transactionsCalls.abortTransaction(this.#cluster, transaction, options)
  }

  /** Keeps the present producers of transactional ids from writing; aborts what they have open. */
  fenceProducers(transactionalIds: Iterable<string>, options: CallOptions = {}) {
    return transactionsCalls.fenceProducers(this.#cluster, transactionalIds, options)
  }

  /** The access rules that match. Fails with SECURITY_DISABLED. */
  describeAcls(filter: AclFilter = {}, options: CallOptions = {}) {
    return aclCalls.describeAcls(this.#cluster, filter, options)
  }

  /** Adds access rules. Fails with SECURITY_DISABLED, INVALID_REQUEST. */
  createAcls(rules: Iterable<AclRule>, options: CallOptions = {}) {
    return aclCalls.createAcls(this.#cluster, rules, options)
  }

  /** Takes away the access rules that match any filter, and gives them. */
  deleteAcls(filters: Iterable<AclFilter>, options: CallOptions = {}) {
    return aclCalls.deleteAcls(this.#cluster, filters, options)
  }
}
