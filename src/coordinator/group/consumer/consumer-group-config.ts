/** The settings of consumer groups. Read each time they are needed: some change while it runs. */
export interface ConsumerGroupConfig {
  /** `group.consumer.assignors`: names; the first is the default. */
  readonly assignors: readonly string[]
  /** `group.consumer.max.size` */
  readonly maxSize: number
  /** `group.consumer.migration.policy` */
  readonly migrationPolicy: string

  /** `consumer.session.timeout.ms` of the group. */
  sessionTimeoutMs(groupId: string): number

  /** `consumer.heartbeat.interval.ms` of the group. */
  heartbeatIntervalMs(groupId: string): number
}
