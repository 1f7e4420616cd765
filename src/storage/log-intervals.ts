/** How often what is done in the background; Infinity for never. */
export interface LogManagerIntervals {
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckMs: number
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly recoveryPointCheckpointMs: number
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly logStartOffsetCheckpointMs: number
  /** `log.flush.scheduler.interval.ms` */
  readonly flushCheckMs: number
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerExpirationCheckMs: number
}

export const DEFAULT_INTERVALS: LogManagerIntervals = {
  retentionCheckMs: 300_000,
  recoveryPointCheckpointMs: 60_000,
  logStartOffsetCheckpointMs: 60_000,
  flushCheckMs: Number.POSITIVE_INFINITY,
  producerExpirationCheckMs: 600_000,
}
