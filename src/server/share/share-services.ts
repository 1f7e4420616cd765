/** Puts together what a broker needs for share groups. */
import type { Clock } from '../../common/clock.ts'
import type { BrokerConfig } from '../../common/config/broker-config.ts'
import type { Logger } from '../../common/logger.ts'
import type { GroupCoordinator } from '../../coordinator/group/group-coordinator.ts'
import { ShareGroupCoordinator } from '../../coordinator/group/share/share-group-coordinator.ts'
import type { TopicImage } from '../../coordinator/group/topic-image.ts'
import { ShareCoordinator } from '../../coordinator/share/share-coordinator.ts'
import { SHARE_GROUP_STATE_TOPIC } from '../../coordinator/share/share-records.ts'
import type { ConfigRepository } from '../config-repository.ts'
import { coordinatorStorage } from '../coordinator-storage.ts'
import type { InternalTopics } from '../internal-topics.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { ReplicaManager } from '../replica-manager.ts'
import { SharePartitionManager } from './share-partition-manager.ts'
import type { ShareStatePersister } from './share-state-persister.ts'

/** The broker's services for share groups. */
export interface ShareServices {
  readonly shareCoordinator: ShareCoordinator
  readonly shareGroups: ShareGroupCoordinator
  readonly sharePartitions: SharePartitionManager
}

export interface ShareServicesOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly config: BrokerConfig
  readonly configs: ConfigRepository
  readonly metadata: MetadataCache
  readonly replicaManager: ReplicaManager
  readonly internalTopics: InternalTopics
  readonly groups: GroupCoordinator
  readonly topics: TopicImage
}

export function createShareServices(options: ShareServicesOptions): ShareServices {
  const { log, replicaManager, internalTopics, groups, topics } = options
  const shareCoordinator = createShareCoordinator(options)
  const shareGroups = new ShareGroupCoordinator({
    ...{ log, groups, topics, states: shareCoordinator },
    ensureStateTopic: async () => void (await internalTopics.leaderOf(SHARE_GROUP_STATE_TOPIC, 0)),
    latestOffset: (topic, index) => {
      const partition = replicaManager.partitionToRead(topic, index)
      partition.checkLeader(-1)
      return partition.highWatermark
    },
  })
  const sharePartitions = createSharePartitions(options, shareCoordinator)
  return { shareCoordinator, shareGroups, sharePartitions }
}

function createShareCoordinator(options: ShareServicesOptions): ShareCoordinator {
  const { clock, log, config, metadata, replicaManager, internalTopics } = options
  const name = SHARE_GROUP_STATE_TOPIC
  const timeoutMs = () => config.get('share.coordinator.write.timeout.ms')
  const coordinator = new ShareCoordinator({
    ...{ clock, log, storage: coordinatorStorage(replicaManager, timeoutMs) },
    partitionCount: () => internalTopics.partitionCount(name),
    topicPartitionCount: (topicId) => metadata.topicById(topicId)?.partitions.length,
    deleteRecordsBefore: (partition, offset) => {
      replicaManager.partition(name, partition)?.deleteRecords(offset)
    },
    config: config.view({
      updatesPerSnapshot: 'share.coordinator.snapshot.update.records.per.snapshot',
      coldSnapshotIntervalMs: 'share.coordinator.cold.partition.snapshot.interval.ms',
      pruneIntervalMs: 'share.coordinator.state.topic.prune.interval.ms',
    }),
  })
  internalTopics.add({
    name,
    runtime: coordinator.runtime,
    numPartitions: () => config.get('share.coordinator.state.topic.num.partitions'),
    replicationFactor: () => config.get('share.coordinator.state.topic.replication.factor'),
    configs: (replicationFactor) => ({
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'segment.bytes': String(config.get('share.coordinator.state.topic.segment.bytes')),
      'min.insync.replicas': String(
        Math.min(replicationFactor, config.get('share.coordinator.state.topic.min.isr')),
      ),
      // What is no longer needed is deleted by the coordinator, who knows.
      'retention.ms': '-1',
    }),
  })
  metadata.onUpdate(({ deletedTopics = [] }) => {
    if (deletedTopics.length > 0) coordinator.onTopicsDeleted()
  })
  return coordinator
}

function createSharePartitions(
  options: ShareServicesOptions,
  persister: ShareStatePersister,
): SharePartitionManager {
  const { clock, log, config, configs, metadata, replicaManager } = options
  const limits = config.view({
    maxInFlightRecords: 'group.share.partition.max.record.locks',
    deliveryCountLimit: 'group.share.delivery.count.limit',
    maxSessions: 'group.share.max.share.sessions',
  })
  return new SharePartitionManager({
    ...{ clock, log, replicaManager, persister },
    topicName: (topicId) => metadata.topicName(topicId),
    config: Object.assign(limits, {
      lockDurationMs: (groupId: string) =>
        configs.groups.get(groupId).get('share.record.lock.duration.ms'),
      autoOffsetReset: (groupId: string) =>
        configs.groups.get(groupId).get('share.auto.offset.reset'),
    }),
  })
}
