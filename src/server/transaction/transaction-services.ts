/** Puts together what a broker needs for transactions. */
import type { Clock } from '../../common/clock.ts'
import type { BrokerConfig } from '../../common/config/broker-config.ts'
import type { Logger } from '../../common/logger.ts'
import {
  TRANSACTION_STATE_TOPIC,
  TransactionCoordinator,
} from '../../coordinator/transaction/transaction-coordinator.ts'
import { coordinatorStorage } from '../coordinator-storage.ts'
import type { InternalTopics } from '../internal-topics.ts'
import type { MetadataCache } from '../metadata-cache.ts'
import type { ProducerIds } from '../producer-ids.ts'
import type { ReplicaManager } from '../replica-manager.ts'
import {
  localMarkerChannel,
  type OffsetsTransactions,
  TransactionMarkerWriter,
} from './transaction-markers.ts'
import { TransactionVerification } from './transaction-verification.ts'

/** The broker's services for transactions. */
export interface TransactionServices {
  readonly transactionCoordinator: TransactionCoordinator
  readonly transactionMarkers: TransactionMarkerWriter
  readonly transactionVerification: TransactionVerification
}

export function createTransactions(options: {
  clock: Clock
  log: Logger
  config: BrokerConfig
  metadata: MetadataCache
  replicaManager: ReplicaManager
  producerIds: ProducerIds
  internalTopics: InternalTopics
  /** Where ended transactions make committed offsets count. */
  offsets: OffsetsTransactions
}): TransactionServices {
  const { clock, log, config, metadata, replicaManager, internalTopics, offsets } = options
  const timeoutMs = () => config.get('request.timeout.ms')
  const transactionMarkers = new TransactionMarkerWriter({
    ...{ replicaManager, offsets, clock, timeoutMs },
  })
  const transactionCoordinator = new TransactionCoordinator({
    ...{ clock, log, producerIds: options.producerIds },
    storage: coordinatorStorage(replicaManager, timeoutMs),
    partitionCount: () => internalTopics.partitionCount(TRANSACTION_STATE_TOPIC),
    config: {
      maxTimeoutMs: () => config.get('transaction.max.timeout.ms'),
      expirationMs: () => config.get('transactional.id.expiration.ms'),
      abortTimedOutIntervalMs: () =>
        config.get('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
      removeExpiredIntervalMs: () =>
        config.get('transaction.remove.expired.transaction.cleanup.interval.ms'),
    },
    markers: localMarkerChannel({ writer: transactionMarkers, metadata, log }),
    coordinatorEpoch: (partition) =>
      replicaManager.partition(TRANSACTION_STATE_TOPIC, partition)?.leaderEpoch ?? -1,
  })
  const transactionVerification = new TransactionVerification({
    ...{ clock, replicaManager, coordinator: transactionCoordinator },
    retryBackoffMs: () => config.get('add.partitions.to.txn.retry.backoff.ms'),
    retryMaxMs: () => config.get('add.partitions.to.txn.retry.backoff.max.ms'),
  })
  internalTopics.add({
    name: TRANSACTION_STATE_TOPIC,
    runtime: transactionCoordinator.runtime,
    numPartitions: () => config.get('transaction.state.log.num.partitions'),
    replicationFactor: () => config.get('transaction.state.log.replication.factor'),
    configs: (replicationFactor) => ({
      'cleanup.policy': 'compact',
      'compression.type': 'uncompressed',
      'min.insync.replicas': String(
        Math.min(config.get('transaction.state.log.min.isr'), replicationFactor),
      ),
      'segment.bytes': String(config.get('transaction.state.log.segment.bytes')),
      'unclean.leader.election.enable': 'false',
    }),
  })
  return { transactionCoordinator, transactionMarkers, transactionVerification }
}
