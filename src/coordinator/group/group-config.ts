import type { ConsumerGroupConfig } from './consumer/consumer-group-config.ts'
import type { ShareGroupsConfig } from './share/share-groups.ts'

/**
 * The settings of a group coordinator. Read each time they are needed: some change while it runs.
 */
export interface GroupCoordinatorConfig {
  /** `group.min.session.timeout.ms` */
  readonly minSessionTimeoutMs: number
  /** `group.max.session.timeout.ms` */
  readonly maxSessionTimeoutMs: number
  /** `group.initial.rebalance.delay.ms` */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size`: members of a classic group. */
  readonly maxGroupSize: number
  /** `offset.metadata.max.bytes` */
  readonly offsetMetadataMaxBytes: number
  /** `offsets.retention.minutes` */
  readonly offsetsRetentionMinutes: number
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number
  readonly consumer: ConsumerGroupConfig
  readonly share: ShareGroupsConfig
}
