/**
 * One of the broker's log directories: its lock, its checkpoints, and whether it still works.
 *
 * The checkpoints are read when the directory is opened, and from then on written from the logs.
 * Each is replaced as a whole, never by two writers at once.
 */
import { type Disk, DiskError, type DiskLock, readWholeFile, replaceFile } from '../common/disk.ts'
import type { Logger } from '../common/logger.ts'
import { readOffsetCheckpoint, writeOffsetCheckpoint } from './checkpoint-file.ts'
import { CoalescedTask } from './coalesced-task.ts'
import {
  CLEAN_SHUTDOWN_MARKER,
  CLEANER_OFFSET_CHECKPOINT,
  HIGH_WATERMARK_CHECKPOINT,
  LOCK_FILE,
  LOG_START_OFFSET_CHECKPOINT,
  RECOVERY_POINT_CHECKPOINT,
} from './file-names.ts'
import type { FutureLog } from './future-logs.ts'
import { type MetaProperties, readMetaProperties } from './meta-properties.ts'
import type { PartitionLog } from './partition-log.ts'

/** A directory has failed; its logs are offline. */
export interface DirectoryFailure {
  readonly path: string
  readonly error: unknown
  readonly logs: readonly PartitionLog[]
  /** How many directories are left. A broker without any must stop. */
  readonly remaining: number
}

/** What is known of a directory, for DescribeLogDirs. */
export interface DirectoryDescription {
  readonly path: string
  readonly isOnline: boolean
  readonly logs: readonly PartitionLog[]
  /** Copies of logs that are being moved here. */
  readonly futureLogs: readonly FutureLog[]
  /** Undefined where it is offline. */
  readonly space: { totalBytes: number; usableBytes: number } | undefined
}

/** One checkpoint file. */
export class Checkpoint {
  readonly #disk: Disk
  readonly #path: string
  readonly #task: CoalescedTask
  #offsets = new Map<string, number>()
  /** Logs that are there but could not be opened: what the file says of them stays. */
  readonly #kept = new Set<string>()

  /** `current` gives what is to be written, when it is written. */
  constructor(disk: Disk, path: string, current: () => Map<string, number>) {
    this.#disk = disk
    this.#path = path
    this.#task = new CoalescedTask(async () => {
      const offsets = current()
      for (const name of this.#kept) {
        const offset = this.#offsets.get(name)
        if (offset !== undefined) offsets.set(name, offset)
      }
      if (isEqual(offsets, this.#offsets)) return
      await writeOffsetCheckpoint(disk, path, offsets)
      this.#offsets = offsets
    })
  }

  /** Takes over what the file says. Returns false where that is unreadable, and so nothing. */
  load(logger: Logger): boolean {
    try {
      this.#offsets = readOffsetCheckpoint(this.#disk, this.#path)
      return true
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'MalformedCheckpointError') throw error
      logger.error('A checkpoint is unreadable and counts as missing', error)
      return false
    }
  }

  /** What the file says. */
  get(name: string): number | undefined {
    return this.#offsets.get(name)
  }

  /** Keeps what the file says of a log that is not among the current ones. */
  keep(name: string): void {
    this.#kept.add(name)
  }

  /** Resolves when the file has what the logs say now. */
  write(): Promise<void> {
    return this.#task.run()
  }

  idle(): Promise<void> {
    return this.#task.idle()
  }
}

export class LogDirectory {
  readonly path: string
  readonly recoveryPoints: Checkpoint
  readonly logStartOffsets: Checkpoint
  readonly highWatermarks: Checkpoint
  readonly cleanerOffsets: Checkpoint
  readonly logs = new Map<string, PartitionLog>()
  readonly #disk: Disk
  readonly #lock: DiskLock
  isOnline = true
  /** How many logs are being created in it. */
  creations = 0
  /** Its checkpoints have been read, and so may be written. */
  isLoaded = false
  /** Every log in it is open: only then may it be said to have been closed in good order. */
  isComplete = false

  private constructor(disk: Disk, path: string, lock: DiskLock) {
    this.#disk = disk
    this.path = path
    this.#lock = lock
    const checkpoint = (name: string, offsetOf: (log: PartitionLog) => number | undefined) =>
      new Checkpoint(disk, `${path}/${name}`, () => {
        const offsets = new Map<string, number>()
        for (const log of this.logs.values()) {
          const offset = offsetOf(log)
          if (offset !== undefined) offsets.set(log.name, offset)
        }
        return offsets
      })
    this.recoveryPoints = checkpoint(RECOVERY_POINT_CHECKPOINT, (log) => log.checkpointPoint)
    this.highWatermarks = checkpoint(HIGH_WATERMARK_CHECKPOINT, (log) => log.highWatermark)
    this.cleanerOffsets = checkpoint(
      CLEANER_OFFSET_CHECKPOINT,
      (log) => log.cleanable.cleanerOffset,
    )
    // As Kafka, only where records were deleted or have expired.
    this.logStartOffsets = checkpoint(LOG_START_OFFSET_CHECKPOINT, ({ logStartOffset }) =>
      logStartOffset > 0 ? logStartOffset : undefined,
    )
  }

  /** Makes the directory if it is missing and takes its lock. Throws DiskError: LOCKED or worse. */
  static async claim(disk: Disk, path: string): Promise<LogDirectory> {
    await makeDurableDirectory(disk, path)
    return new LogDirectory(disk, path, disk.lock(`${path}/${LOCK_FILE}`))
  }

  /**
   * Whether the last broker here has closed everything in good order. The marker is gone when this
   * resolves, before anything else is written: if we crash, it was not.
   */
  async takeCleanShutdownMarker(): Promise<boolean> {
    const marker = `${this.path}/${CLEAN_SHUTDOWN_MARKER}`
    if (readWholeFile(this.#disk, marker) === undefined) return false
    this.#disk.remove(marker)
    await this.#disk.syncDirectory(this.path)
    return true
  }

  writeCleanShutdownMarker(): Promise<void> {
    const marker = `${this.path}/${CLEAN_SHUTDOWN_MARKER}`
    return replaceFile(this.#disk, marker, Buffer.from('{"version":0,"brokerEpoch":-1}'))
  }

  /**
   * Takes over what the checkpoints say. Returns false where one of those is unreadable without
   * which the logs must be recovered.
   */
  loadCheckpoints(logger: Logger): boolean {
    // Without the cleaner's, logs count as dirty, and that is all.
    this.cleanerOffsets.load(logger)
    const needed = [this.recoveryPoints, this.logStartOffsets, this.highWatermarks]
    return needed.map((checkpoint) => checkpoint.load(logger)).every(Boolean)
  }

  /** Brings all checkpoints up to date, one after the other. */
  async writeCheckpoints(): Promise<void> {
    for (const checkpoint of this.#checkpoints()) await checkpoint.write()
  }

  #checkpoints(): readonly Checkpoint[] {
    return [this.recoveryPoints, this.logStartOffsets, this.highWatermarks, this.cleanerOffsets]
  }

  /** Leaves out a log that cannot be opened, without forgetting what the checkpoints say of it. */
  leaveOut(name: string): void {
    this.isComplete = false
    for (const checkpoint of this.#checkpoints()) checkpoint.keep(name)
  }

  /** What there is to tell of it; `futureLogs` are the copies in it. */
  describe(futureLogs: readonly FutureLog[]): DirectoryDescription {
    const { path, isOnline } = this
    if (!isOnline) return offlineDirectory(path)
    const space = this.#disk.space(path)
    return { path, isOnline, logs: [...this.logs.values()], futureLogs, space }
  }

  /** Waits for checkpoints under way, whatever comes of them, and gives up the lock. */
  async release(): Promise<void> {
    for (const checkpoint of this.#checkpoints()) await checkpoint.idle()
    this.#lock.release()
  }
}

/** A directory of which no more is known than that it does not work. */
export function offlineDirectory(path: string): DirectoryDescription {
  return { path, isOnline: false, logs: [], futureLogs: [], space: undefined }
}

export interface ClaimedDirectories {
  readonly directories: readonly LogDirectory[]
  /** Those that have failed. */
  readonly unusable: readonly string[]
  /** What the `meta.properties` say, of those that have one. */
  readonly properties: ReadonlyMap<string, MetaProperties>
}

/**
 * Claims all of `paths`, or none. Throws a DiskError LOCKED where another broker has one of them,
 * and the error of the last where none can be used.
 */
export async function claimDirectories(
  { disk, logger }: { disk: Disk; logger: Logger },
  paths: readonly string[],
): Promise<ClaimedDirectories> {
  const directories = new Map<string, LogDirectory>()
  const unusable: string[] = []
  const properties = new Map<string, MetaProperties>()
  try {
    for (const path of paths) {
      try {
        directories.set(path, await LogDirectory.claim(disk, path))
        const found = readMetaProperties(disk, path)
        if (found !== undefined) properties.set(path, found)
      } catch (error) {
        if (!(error instanceof DiskError) || error.code === 'LOCKED') throw error
        logger.error(`The log directory ${path} cannot be used`, error)
        unusable.push(path)
        directories.delete(path)
        if (unusable.length === paths.length) throw error
      }
    }
  } catch (error) {
    for (const directory of directories.values()) await directory.release()
    throw error
  }
  return { directories: [...directories.values()], unusable, properties }
}

/**
 * Makes a directory and those above it that are missing, so that a power cut does not undo it. The
 * name of one that is there already may not be durable either: its maker may have been killed.
 */
async function makeDurableDirectory(disk: Disk, path: string): Promise<void> {
  const parents: string[] = []
  let level = path
  do {
    const slash = level.lastIndexOf('/')
    level = slash > 0 ? level.slice(0, slash) : slash === 0 ? '/' : '.'
    parents.unshift(level)
  } while (disk.stat(level) === undefined)
  disk.makeDirectory(path)
  for (const parent of parents) {
    try {
      await disk.syncDirectory(parent)
    } catch (error) {
      // A folder that we may pass through, but not open, is not one that we have changed.
      if (!(error instanceof DiskError && error.code === 'EACCES')) throw error
    }
  }
}

function isEqual(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (b.get(key) !== value) return false
  return true
}
