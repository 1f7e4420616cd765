/**
 * All logs of a broker, in its log directories (`log.dirs`).
 *
 * Order of use: `claim` locks the directories and says whose they are; `load` opens the logs,
 * recovering them where the last stop was not a clean one; `start` begins the background work
 * (retention, checkpoints, expiry of producers); `close` ends in good order.
 *
 * A directory whose disk fails is taken offline with all its logs, and the others go on (KIP-112).
 */
import { type Clock, scheduleEvery, type Timer } from '../common/clock.ts'
import { type Disk, DiskError } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import type { SlabPool } from '../common/slab.ts'
import { type CleanerSettings, DEFAULT_CLEANER_SETTINGS } from './cleaner-settings.ts'
import { parseDirectoryName, partitionDirectoryName } from './file-names.ts'
import { forEach } from './for-each.ts'
import { FutureLogs, type LogExchange } from './future-logs.ts'
import { KeyedQueue } from './keyed-queue.ts'
import { LogCleaner } from './log-cleaner.ts'
import type { LogConfig } from './log-config.ts'
import type { LogContext } from './log-context.ts'
import {
  type Checkpoint,
  claimDirectories,
  type DirectoryDescription,
  type DirectoryFailure,
  type LogDirectory,
  offlineDirectory,
} from './log-directory.ts'
import { DEFAULT_INTERVALS, type LogManagerIntervals } from './log-intervals.ts'
import { establishOwner, type MetaProperties, type Owner } from './meta-properties.ts'
import { PartitionLog, type PartitionLogOptions } from './partition-log.ts'
import { setAsideStrays } from './stray-logs.ts'
import { TailCache } from './tail-cache.ts'

export type { DirectoryDescription, DirectoryFailure, LogManagerIntervals }

export interface LogManagerOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  readonly slabs: SlabPool
  /** `log.dirs` */
  readonly directories: readonly string[]
  /** The configuration of a topic, as it is now. */
  readonly configOf: (topic: string) => LogConfig
  /** 0 switches the cache of log tails off. */
  readonly tailCacheBytes: number
  readonly intervals?: Partial<LogManagerIntervals>
  /** `producer.id.expiration.ms`, as it is now. */
  readonly producerIdExpirationMs?: () => number
  /** `num.recovery.threads.per.data.dir`: how many logs are opened at once. */
  readonly recoveryConcurrency?: number
  /** What the log cleaner may use, asked before each cleaning. */
  readonly cleaner?: () => CleanerSettings
  /** `log.cleaner.enable` */
  readonly isCleanerEnabled?: boolean
  readonly onDirectoryFailure?: (failure: DirectoryFailure) => void
}

const DAY_MS = 24 * 60 * 60 * 1000
/** How many logs are closed at once. */
const CLOSE_CONCURRENCY = 16

export class LogManager {
  readonly #options: LogManagerOptions
  readonly #context: LogContext
  readonly #intervals: LogManagerIntervals
  /** Compacts logs; begins with `start`. */
  readonly cleaner: LogCleaner
  #directories: LogDirectory[] = []
  /** Directories that could not even be claimed. */
  #unusable: readonly string[] = []
  /** Creations and deletions under way, by log name. */
  readonly #changes = new KeyedQueue()
  readonly #futureLogs: FutureLogs
  #timers: Timer[] = []
  #isClosed = false

  constructor(options: LogManagerOptions) {
    this.#options = options
    this.#intervals = { ...DEFAULT_INTERVALS, ...options.intervals }
    const { clock, disk, random, logger, slabs } = options
    this.#context = {
      clock,
      disk,
      random,
      logger,
      slabs,
      tailCache: new TailCache({ maxBytes: options.tailCacheBytes, slabs }),
      producerIdExpirationMs: options.producerIdExpirationMs ?? (() => DAY_MS),
    }
    const settings = options.cleaner ?? (() => DEFAULT_CLEANER_SETTINGS)
    this.cleaner = new LogCleaner({ clock, logger, logs: () => this.logs(), settings })
    this.#futureLogs = new FutureLogs({
      ...{ clock, disk, random, logger },
      open: (directory, { topic, partition }, overrides) =>
        this.#open(directory, topic, partition, false, overrides),
      current: (topic, partition) => this.get(topic, partition),
      directoryOf: (log) => this.#directoryOf(log),
      inTurn: ({ name }, change) => this.#changes.run(name, change),
      discard: (log, directory) => this.#discard(log, directory),
    })
  }

  /**
   * Makes the directories that are missing and locks all. Returns what their `meta.properties` say,
   * for directories that have one. Throws a DiskError LOCKED where another broker has one of them,
   * and an Error where none can be used. One that fails otherwise is offline from the start.
   */
  async claim(): Promise<ReadonlyMap<string, MetaProperties>> {
    const { disk, logger, directories } = this.#options
    const claimed = await claimDirectories({ disk, logger }, directories)
    this.#directories = [...claimed.directories]
    this.#unusable = claimed.unusable
    return claimed.properties
  }

  /**
   * Opens all logs. Throws a ConfigError where a directory belongs to another broker or cluster; a
   * directory that fails is taken offline. `topicIds` are the ids of the topics that there are: a
   * folder of another id is not theirs.
   */
  async load(owner: Owner, topicIds: ReadonlyMap<string, string> = new Map()): Promise<void> {
    const { disk, random } = this.#options
    for (const { path } of this.#directories) await establishOwner(disk, random, path, owner)
    await Promise.all(
      this.#directories.map((directory) => this.#loadDirectory(directory, topicIds)),
    )
    if (this.#online().length === 0) throw new Error('All log directories have failed')
  }

  async #loadDirectory(
    directory: LogDirectory,
    topicIds: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { disk, logger } = this.#options
    try {
      const hadCleanShutdown = await directory.takeCleanShutdownMarker()
      const isClean = directory.loadCheckpoints(logger) && hadCleanShutdown
      await setAsideStrays(this.#options, directory.path, topicIds)
      const names: string[] = []
      for (const name of disk.list(directory.path)) {
        const { kind } = parseDirectoryName(name)
        if (kind === 'partition' && disk.stat(`${directory.path}/${name}`)?.isDirectory) {
          names.push(name)
        }
        if (kind === 'delete' || kind === 'future') {
          this.#removeLater(`${directory.path}/${name}`, 0)
        }
      }
      directory.isLoaded = true
      directory.isComplete = true
      const concurrency = Math.max(1, this.#options.recoveryConcurrency ?? 4)
      await forEach(names, concurrency, (name) => this.#loadLog(directory, name, isClean))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#failDirectory(directory, error)
    }
  }

  async #loadLog(directory: LogDirectory, name: string, isClean: boolean): Promise<void> {
    if (!directory.isOnline) return
    const { logger } = this.#options
    const parsed = parseDirectoryName(name)
    if (parsed.kind !== 'partition') throw new Error(`${name} is no partition's folder`)
    const { topic, partition } = parsed
    try {
      const log = await this.#open(directory, topic, partition, isClean)
      if (await this.#isTheOne(log)) directory.logs.set(name, log)
    } catch (error) {
      if (error instanceof DiskError) throw error
      logger.error(`The log ${directory.path}/${name} cannot be opened and is left out`, error)
      directory.leaveOut(name)
    }
  }

  #open(
    directory: LogDirectory,
    topic: string,
    partition: number,
    hadCleanShutdown: boolean,
    overrides: Partial<PartitionLogOptions> = {},
  ): Promise<PartitionLog> {
    const name = partitionDirectoryName(topic, partition)
    return PartitionLog.open(this.#context, {
      topic,
      partition,
      logDirectory: directory.path,
      config: this.#options.configOf(topic),
      hadCleanShutdown,
      recoveryPoint: directory.recoveryPoints.get(name) ?? 0,
      logStartOffset: directory.logStartOffsets.get(name) ?? 0,
      highWatermark: directory.highWatermarks.get(name) ?? 0,
      cleanerOffset: directory.cleanerOffsets.get(name),
      writeCheckpoints: () => directory.writeCheckpoints(),
      onStorageError: (_log, error) => this.#failDirectory(directory, error),
      ...overrides,
    })
  }

  /**
   * Whether a log is the one of its name to be used. A crash at the end of a move leaves two, of
   * which the shorter one has nothing that the other lacks; it is set aside.
   */
  async #isTheOne(log: PartitionLog): Promise<boolean> {
    const other = this.get(log.topic, log.partition)
    if (other === undefined) return true
    const isLonger = log.logEndOffset > other.logEndOffset
    if (isLonger) this.#directoryOf(other).logs.delete(other.name)
    const path = await (isLonger ? other : log).delete('stray')
    this.#options.logger.error(`Of two logs ${log.name}, the shorter one is set aside as ${path}`)
    return isLonger
  }

  #directoryOf(log: PartitionLog): LogDirectory {
    return this.#directories.find(({ path }) => path === log.logDirectory)!
  }

  /** Begins the background work. */
  start(): void {
    if (this.#options.isCleanerEnabled !== false) this.cleaner.start()
    this.#every(this.#intervals.retentionCheckMs, () => this.cleanUp())
    this.#every(this.#intervals.recoveryPointCheckpointMs, () => this.checkpointRecoveryPoints())
    this.#every(this.#intervals.logStartOffsetCheckpointMs, () => this.checkpointLogStartOffsets())
    this.#every(this.#intervals.flushCheckMs, () => this.#flushAll())
    this.#every(this.#intervals.producerExpirationCheckMs, async () => {
      for (const log of this.logs()) log.removeExpiredProducers()
    })
  }

  #every(periodMs: number, task: () => Promise<void>): void {
    if (periodMs === Number.POSITIVE_INFINITY) return
    const run = () => {
      task().catch((error) => this.#options.logger.error('A background task has failed', error))
    }
    this.#timers.push(scheduleEvery(this.#options.clock, periodMs, run))
  }

  /** The log of a partition, or undefined where there is none, or none that works. */
  get(topic: string, partition: number): PartitionLog | undefined {
    const name = partitionDirectoryName(topic, partition)
    for (const directory of this.#directories) {
      const log = directory.logs.get(name)
      if (log !== undefined) return log
    }
    return undefined
  }

  /** All logs that work. */
  logs(): PartitionLog[] {
    return this.#directories.flatMap((directory) => [...directory.logs.values()])
  }

  directories(): DirectoryDescription[] {
    return [
      ...this.#directories.map((directory) => directory.describe(this.#futureLogs.in(directory))),
      ...this.#unusable.map(offlineDirectory),
    ]
  }

  /**
   * The log of a partition of the topic with this id, made where it is missing. A log that is there
   * under the same name, but of another topic id, is of a topic that was deleted: it goes first.
   *
   * A partition that is not new may have its log in a directory that is offline. Another log must
   * not be begun for it then, which would hide the old one for good: KAFKA_STORAGE_ERROR.
   */
  getOrCreate(
    topic: string,
    partition: number,
    topicId: string,
    isNew = true,
  ): Promise<PartitionLog> {
    return this.#changes.run(partitionDirectoryName(topic, partition), async () => {
      const existing = this.get(topic, partition)
      if (existing !== undefined && (existing.topicId ?? topicId) === topicId) {
        existing.topicId = topicId
        return existing
      }
      if (existing !== undefined) await this.#delete(existing)
      if (!isNew && this.directories().some(({ isOnline }) => !isOnline)) {
        const name = partitionDirectoryName(topic, partition)
        const reason = `Cannot create ${name} while a log directory that may have it is offline`
        throw new KafkaError('KAFKA_STORAGE_ERROR', reason)
      }
      const load = ({ logs, creations }: LogDirectory) => logs.size + creations
      const [directory] = this.#online().sort((a, b) => load(a) - load(b))
      if (directory === undefined) {
        throw new KafkaError('KAFKA_STORAGE_ERROR', 'No log directory is online')
      }
      return this.#create(directory, topic, partition, topicId)
    })
  }

  async #create(
    directory: LogDirectory,
    topic: string,
    partition: number,
    topicId: string,
  ): Promise<PartitionLog> {
    directory.creations += 1
    try {
      const log = await this.#open(directory, topic, partition, false)
      directory.logs.set(log.name, log)
      log.topicId = topicId
      return log
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#failDirectory(directory, error)
      throw new KafkaError('KAFKA_STORAGE_ERROR', `Cannot create ${topic}-${partition}`, {
        cause: error,
      })
    } finally {
      directory.creations -= 1
    }
  }

  /** Deletes a partition's log. Its files go after `file.delete.delay.ms`, its name at once. */
  delete(topic: string, partition: number): Promise<void> {
    return this.#changes.run(partitionDirectoryName(topic, partition), async () => {
      const log = this.get(topic, partition)
      if (log !== undefined) await this.#delete(log)
    })
  }

  /**
   * Begins to move a partition's log to the log directory `path`; `exchange` is asked at the end.
   * Throws LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR or UNKNOWN_TOPIC_OR_PARTITION.
   */
  async move(topic: string, partition: number, path: string, exchange: LogExchange): Promise<void> {
    if (!this.#options.directories.includes(path)) throw new KafkaError('LOG_DIR_NOT_FOUND')
    const log = this.get(topic, partition)
    if (log === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    const target = this.#online().find((directory) => directory.path === path)
    if (target === undefined) throw new KafkaError('KAFKA_STORAGE_ERROR')
    await this.#futureLogs.begin(log, target, exchange)
  }

  async #delete(log: PartitionLog): Promise<void> {
    const directory = this.#directoryOf(log)
    directory.logs.delete(log.name)
    await this.#discard(log, directory)
  }

  /** Removes a log that is not among those of its directory any more. */
  async #discard(log: PartitionLog, directory: LogDirectory): Promise<void> {
    try {
      const path = await log.delete()
      this.#removeLater(path, log.config.fileDeleteDelayMs)
      await this.#options.disk.syncDirectory(directory.path)
      // A later log of the same name must not find the offsets of this one.
      await directory.writeCheckpoints()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#failDirectory(directory, error)
      throw new KafkaError('KAFKA_STORAGE_ERROR', `Cannot delete ${log.name}`, { cause: error })
    }
  }

  #removeLater(path: string, delayMs: number): void {
    const { clock, disk, logger } = this.#options
    const timer = clock.schedule(delayMs, () => {
      if (this.#isClosed) return
      try {
        disk.removeDirectory(path)
      } catch (error) {
        logger.warn(`Could not remove the deleted log ${path}`, error)
      }
    })
    this.#timers.push(timer)
  }

  /** Applies retention, and removes what is below the log start offsets. */
  async cleanUp(): Promise<void> {
    for (const directory of this.#online()) {
      const logs = [...directory.logs.values()]
      for (const log of logs) this.#attempt(log, () => log.applyRetention())
      await this.#checkpoint(directory, () => directory.logStartOffsets.write())
      for (const log of logs) {
        if (directory.logs.get(log.name) === log) this.#attempt(log, () => log.removeOldSegments())
      }
    }
  }

  /** One log's failure does not keep the others from being cleaned; it has been reported. */
  #attempt(log: PartitionLog, action: () => unknown): void {
    try {
      if (log.isOnline) action()
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }

  async #flushAll(): Promise<void> {
    for (const log of this.logs()) {
      if (log.isOnline && log.config.flushMs !== Number.POSITIVE_INFINITY) {
        await log.flush().catch(() => {})
      }
    }
  }

  checkpointRecoveryPoints(): Promise<void> {
    return this.#checkpointAll((directory) => directory.recoveryPoints)
  }

  checkpointLogStartOffsets(): Promise<void> {
    return this.#checkpointAll((directory) => directory.logStartOffsets)
  }

  checkpointHighWatermarks(): Promise<void> {
    return this.#checkpointAll((directory) => directory.highWatermarks)
  }

  async #checkpointAll(pick: (directory: LogDirectory) => Checkpoint): Promise<void> {
    for (const directory of this.#online()) {
      await this.#checkpoint(directory, () => pick(directory).write())
    }
  }

  async #checkpoint(directory: LogDirectory, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#failDirectory(directory, error)
    }
  }

  /** The logs of `topic` take over its configuration as it is now. */
  updateConfig(topic: string): void {
    const config = this.#options.configOf(topic)
    for (const log of this.logs()) if (log.topic === topic) log.config = config
  }

  /** Closes all logs in good order, and says so in each directory where it has succeeded. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
    await this.cleaner.stop()
    await this.#futureLogs.stop()
    await this.#changes.idle()
    for (const directory of this.#online()) {
      await this.#checkpoint(directory, () => this.#closeDirectory(directory))
    }
    for (const directory of this.#directories) {
      if (directory.isOnline) await directory.release()
    }
    this.#directories = []
    this.#context.tailCache.clear()
  }

  async #closeDirectory(directory: LogDirectory): Promise<void> {
    const logs = [...directory.logs.values()]
    await forEach(logs, CLOSE_CONCURRENCY, (log) => this.#closeLog(directory, log))
    if (!directory.isOnline || !directory.isLoaded) return
    await directory.writeCheckpoints()
    if (directory.isComplete) await directory.writeCleanShutdownMarker()
  }

  /** A log that fails to close leaves its directory to recovery. */
  async #closeLog(directory: LogDirectory, log: PartitionLog): Promise<void> {
    try {
      await log.close()
    } catch (error) {
      directory.isComplete = false
      if (!(error instanceof KafkaError)) {
        this.#options.logger.error(`Could not close ${log.directory}`, error)
      }
    }
  }

  #online(): LogDirectory[] {
    return this.#directories.filter((directory) => directory.isOnline)
  }

  #failDirectory(directory: LogDirectory, error: unknown): void {
    if (!directory.isOnline) return
    directory.isOnline = false
    const logs = [...directory.logs.values()]
    directory.logs.clear()
    const remaining = this.#online().length
    this.#options.logger.error(
      `The log directory ${directory.path} has failed; ${logs.length} logs in it are offline`,
      error,
    )
    Promise.all(logs.map((log) => log.abandon()))
      .then(() => directory.release())
      .catch((failure) => this.#options.logger.error('Could not close a failed log', failure))
    const { onDirectoryFailure } = this.#options
    onDirectoryFailure?.({ path: directory.path, error, logs, remaining })
  }
}
