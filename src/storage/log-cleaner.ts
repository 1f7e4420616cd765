/**
 * The log cleaner: compacts, in the background, the logs whose `cleanup.policy` has `compact`.
 *
 * Of all logs it takes the one whose dirty part is the largest share, if that exceeds
 * `min.cleanable.dirty.ratio` or has waited for `max.compaction.lag.ms`; when it is done, the next;
 * and when there is none, it looks again after `log.cleaner.backoff.ms`. `log.cleaner.threads` says
 * how many logs are cleaned at the same time. They share one thread here, and gain only where the
 * disk is slow; the memory for their maps is divided among them.
 *
 * A log that turns out to be damaged is left alone until the broker starts again, and the others
 * are cleaned as before. Leaders and followers are cleaned alike, each by its own broker.
 */
import type { Clock, Timer } from '../common/clock.ts'
import { DiskError } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import { CleaningAborted, type LogToClean } from './cleanable-log.ts'
import { type CleaningResult, cleanLog } from './cleaner.ts'
import type { CleanerSettings } from './cleaner-settings.ts'
import { IoThrottle } from './io-throttle.ts'
import { isCompacted } from './log-config.ts'
import type { PartitionLog } from './partition-log.ts'

/** The least that is read at once. */
const MIN_IO_BUFFER_BYTES = 4096

export interface LogCleanerOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** All logs that work. */
  readonly logs: () => readonly PartitionLog[]
  /** As they are now: asked before each cleaning. */
  readonly settings: () => CleanerSettings
}

interface Candidate {
  readonly log: PartitionLog
  readonly toClean: LogToClean
}

export class LogCleaner {
  readonly #options: LogCleanerOptions
  readonly #throttle: IoThrottle
  /** Cleanings under way. */
  readonly #running = new Map<PartitionLog, Promise<boolean>>()
  readonly #uncleanable = new WeakSet<PartitionLog>()
  #timer: Timer | undefined
  #isStopping = false

  constructor(options: LogCleanerOptions) {
    this.#options = options
    this.#throttle = new IoThrottle(options.clock, () => options.settings().ioMaxBytesPerSecond)
  }

  /** Begins to look for logs to clean, the first time after a pause. */
  start(): void {
    this.#lookLater()
  }

  /** Gives up what is under way; resolves when nothing is. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#timer?.cancel()
    await Promise.all(this.#running.values())
  }

  /** Whether a log was found to be damaged, and is not cleaned any more. */
  isUncleanable(log: PartitionLog): boolean {
    return this.#uncleanable.has(log)
  }

  /** Cleans the log that needs it most. Returns whether one was cleaned. */
  async cleanOnce(): Promise<boolean> {
    const candidate = this.#filthiest()
    return candidate !== undefined && (await this.#begin(candidate))
  }

  /** Begins as many cleanings as may run at a time. */
  #look(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#isStopping) return
    while (this.#running.size < this.#options.settings().threads) {
      const candidate = this.#filthiest()
      if (candidate === undefined) break
      // What it did not get done, for want of room or because the log changed, can wait a while.
      this.#begin(candidate).then((cleaned) => (cleaned ? this.#look() : this.#lookLater()))
    }
    if (this.#running.size === 0) this.#lookLater()
  }

  #lookLater(): void {
    if (this.#isStopping || this.#timer !== undefined) return
    const { clock, settings } = this.#options
    this.#timer = clock.schedule(settings().backoffMs, () => this.#look())
  }

  #filthiest(): Candidate | undefined {
    const { clock, logs } = this.#options
    const nowMs = clock.now()
    let best: Candidate | undefined
    for (const log of logs()) {
      if (!isCompacted(log.config) || !log.isOnline) continue
      if (this.#running.has(log) || this.#uncleanable.has(log)) continue
      const toClean = this.#assess(log, nowMs)
      if (toClean === undefined) continue
      const { cleanableRatio, isOverdue } = toClean
      if (cleanableRatio <= log.config.minCleanableDirtyRatio && !isOverdue) continue
      if (best === undefined || cleanableRatio > best.toClean.cleanableRatio)
        best = { log, toClean }
    }
    return best
  }

  #assess(log: PartitionLog, nowMs: number): LogToClean | undefined {
    try {
      return log.cleanable.assess(nowMs)
    } catch (error) {
      this.#report(log, error)
      return undefined
    }
  }

  #begin(candidate: Candidate): Promise<boolean> {
    const { log } = candidate
    const running = this.#clean(candidate).finally(() => this.#running.delete(log))
    this.#running.set(log, running)
    return running
  }

  async #clean({ log, toClean }: Candidate): Promise<boolean> {
    const { clock, logger, settings } = this.#options
    const { dedupeBufferBytes, loadFactor, ioBufferBytes, ...others } = settings()
    const threads = Math.max(others.threads, 1)
    const startedMs = clock.monotonic()
    try {
      const result = await cleanLog(log.cleanable, toClean, {
        mapBytes: Math.floor(dedupeBufferBytes / threads),
        mapLoadFactor: loadFactor,
        // Half of the memory is for reading in Kafka, where the other half is for writing.
        ioBufferBytes: Math.max(Math.floor(ioBufferBytes / threads / 2), MIN_IO_BUFFER_BYTES),
        throttle: this.#throttle,
        isStopping: () => this.#isStopping,
      })
      logger.info(describe(log, toClean, result, clock.monotonic() - startedMs))
      return true
    } catch (error) {
      this.#report(log, error)
      return false
    }
  }

  /** Says what has kept a log from being cleaned, and remembers it where that will not change. */
  #report(log: PartitionLog, error: unknown): void {
    const { logger } = this.#options
    if (error instanceof CleaningAborted || !log.isOnline) return
    if (error instanceof DiskError) {
      if (error.code === 'ENOSPC') logger.warn(`No room to clean the log ${log.name}`, error)
      else log.cleanable.core.fail(error)
      return
    }
    if (error instanceof KafkaError && error.errorName === 'KAFKA_STORAGE_ERROR') return
    logger.warn(`The log ${log.name} cannot be cleaned and is marked as uncleanable`, error)
    this.#uncleanable.add(log)
  }
}

function describe(
  log: PartitionLog,
  { firstDirtyOffset }: LogToClean,
  result: CleaningResult,
  durationMs: number,
): string {
  const { endOffset, mappedBytes, bytesRead, bytesWritten, recordsRead, recordsKept } = result
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
  return (
    `Cleaned log ${log.name} (dirty section = [${firstDirtyOffset}, ${endOffset}]) in ` +
    `${(durationMs / 1000).toFixed(1)} seconds: indexed ${mib(mappedBytes)} MB, ` +
    `${mib(bytesRead)} MB (${recordsRead} messages) became ` +
    `${mib(bytesWritten)} MB (${recordsKept} messages)`
  )
}
