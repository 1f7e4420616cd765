/**
 * The coordinators of a broker and the topics they live in, put together: what they need of the
 * broker, and which settings are theirs.
 */
import type { Clock } from '../common/clock.ts'
import type { BrokerConfig } from '../common/config/broker-config.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import type { GroupCoordinatorConfig } from '../coordinator/group/group-config.ts'
import { CONSUMER_OFFSETS_TOPIC, GroupCoordinator } from '../coordinator/group/group-coordinator.ts'
import type { TopicImage } from '../coordinator/group/topic-image.ts'
import type { ConfigRepository } from './config-repository.ts'
import { coordinatorStorage } from './coordinator-storage.ts'
import { InternalTopics } from './internal-topics.ts'
import type { MetadataCache } from './metadata-cache.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { ReplicaManager } from './replica-manager.ts'
import { createShareServices, type ShareServices } from './share/share-services.ts'
import type { TopicAdmin } from './topic-admin.ts'
import { topicImage } from './topic-image.ts'
import { createTransactions, type TransactionServices } from './transaction/transaction-services.ts'

export interface Coordinators extends TransactionServices, ShareServices {
  readonly internalTopics: InternalTopics
  readonly groupCoordinator: GroupCoordinator
}

export interface CoordinatorsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly config: BrokerConfig
  readonly configs: ConfigRepository
  readonly replicaManager: ReplicaManager
  readonly metadata: MetadataCache
  readonly topics: TopicAdmin
  readonly producerIds: ProducerIds
}

export function createCoordinators(options: CoordinatorsOptions): Coordinators {
  const internalTopics = new InternalTopics(options)
  const image = topicImage(options.metadata)
  const groupCoordinator = createGroupCoordinator(options, internalTopics, image)
  options.metadata.onUpdate(({ topics = [], deletedTopics = [] }) => {
    const changed = [...topics.map((topic) => topic.name), ...deletedTopics]
    if (changed.length > 0) groupCoordinator.onTopicChange(changed)
    if (deletedTopics.length > 0) groupCoordinator.onTopicsDeleted(new Set(deletedTopics))
  })
  const transactions = createTransactions({
    ...{ ...options, internalTopics, offsets: groupCoordinator },
  })
  const share = createShareServices({
    ...{ ...options, internalTopics, groups: groupCoordinator, topics: image },
  })
  return { internalTopics, groupCoordinator, ...transactions, ...share }
}

function createGroupCoordinator(
  options: CoordinatorsOptions,
  internalTopics: InternalTopics,
  topics: TopicImage,
): GroupCoordinator {
  const { clock, random, log, config, configs, replicaManager } = options
  const name = CONSUMER_OFFSETS_TOPIC
  const commitTimeoutMs = () => config.get('offsets.commit.timeout.ms')
  const coordinator = new GroupCoordinator({
    ...{ clock, random, log },
    storage: coordinatorStorage(replicaManager, commitTimeoutMs),
    config: groupConfig(config, configs),
    topics,
    partitionCount: () => internalTopics.partitionCount(name),
  })
  internalTopics.add({
    name,
    runtime: coordinator.runtime,
    numPartitions: () => config.get('offsets.topic.num.partitions'),
    replicationFactor: () => config.get('offsets.topic.replication.factor'),
    configs: () => ({
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': String(config.get('offsets.topic.segment.bytes')),
    }),
  })
  return coordinator
}

function groupConfig(config: BrokerConfig, configs: ConfigRepository): GroupCoordinatorConfig {
  const { groups } = configs
  const settings = config.view({
    minSessionTimeoutMs: 'group.min.session.timeout.ms',
    maxSessionTimeoutMs: 'group.max.session.timeout.ms',
    initialRebalanceDelayMs: 'group.initial.rebalance.delay.ms',
    maxGroupSize: 'group.max.size',
    offsetMetadataMaxBytes: 'offset.metadata.max.bytes',
    offsetsRetentionMinutes: 'offsets.retention.minutes',
    offsetsRetentionCheckIntervalMs: 'offsets.retention.check.interval.ms',
  })
  const consumer = config.view({
    assignors: 'group.consumer.assignors',
    maxSize: 'group.consumer.max.size',
    migrationPolicy: 'group.consumer.migration.policy',
  })
  const share = config.view({
    maxSize: 'group.share.max.size',
    initializeRetryIntervalMs: 'group.share.initialize.retry.interval.ms',
  })
  return Object.assign(settings, {
    consumer: Object.assign(consumer, {
      sessionTimeoutMs: (groupId: string) => groups.get(groupId).get('consumer.session.timeout.ms'),
      heartbeatIntervalMs: (groupId: string) =>
        groups.get(groupId).get('consumer.heartbeat.interval.ms'),
    }),
    share: Object.assign(share, {
      sessionTimeoutMs: (groupId: string) => groups.get(groupId).get('share.session.timeout.ms'),
      heartbeatIntervalMs: (groupId: string) =>
        groups.get(groupId).get('share.heartbeat.interval.ms'),
    }),
  })
}
