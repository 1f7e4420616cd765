/** What the log cleaner may use, for all cleanings together. */
export interface CleanerSettings {
  /** `log.cleaner.threads` */
  readonly threads: number
  /** `log.cleaner.dedupe.buffer.size` */
  readonly dedupeBufferBytes: number
  /** `log.cleaner.io.buffer.load.factor` */
  readonly loadFactor: number
  /** `log.cleaner.io.buffer.size` */
  readonly ioBufferBytes: number
  /** `log.cleaner.io.max.bytes.per.second`, of reads and writes together; Infinity for no limit. */
  readonly ioMaxBytesPerSecond: number
  /** `log.cleaner.backoff.ms` */
  readonly backoffMs: number
}

/** Kafka's defaults. */
export const DEFAULT_CLEANER_SETTINGS: CleanerSettings = {
  threads: 1,
  dedupeBufferBytes: 128 * 1024 * 1024,
  loadFactor: 0.9,
  ioBufferBytes: 512 * 1024,
  ioMaxBytesPerSecond: Number.POSITIVE_INFINITY,
  backoffMs: 15_000,
}
