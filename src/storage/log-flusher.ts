/**
 * Makes a log durable, and knows how far it is.
 *
 * A flush syncs whatever has been written since the last one: segment files, the indexes of rolled
 * segments, the folder's names, leader epochs. Flushes asked for while one is under way share the
 * next. Only when all that has succeeded does the recovery point move.
 *
 * What goes into the recovery-point checkpoint is a little less, `checkpointPoint`: the beginning
 * of the first segment whose indexes may not be durable. Recovery reads that segment anyway, and
 * so can never meet an index that it takes for sound though half of it was lost.
 */
import type { Timer } from '../common/clock.ts'
import type { DiskFile } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import { CoalescedTask } from './coalesced-task.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogContext } from './log-context.ts'
import type { LogSegment } from './log-segment.ts'
import type { SegmentList } from './segment-list.ts'

export interface FlusherOptions {
  readonly context: LogContext
  readonly directory: string
  readonly segments: SegmentList
  readonly epochs: LeaderEpochCache
  readonly recoveryPoint: number
  /** Where what has been written ends. */
  readonly logEndOffset: () => number
  /** A sync has failed; returns the error that callers get. */
  readonly onError: (error: unknown) => unknown
}

export class LogFlusher {
  readonly #options: FlusherOptions
  readonly #task = new CoalescedTask(() => this.#flush())
  /** Rolled segments that have not been synced since. */
  readonly #unsynced = new Set<LogSegment>()
  /** Other files that have been written; closed when they have been synced. */
  #files: DiskFile[] = []
  #namesChanged = true
  #parentSynced = false
  #recoveryPoint: number
  #target = 0
  /** Counts truncations: a flush that one has overtaken begins again. */
  #generation = 0
  #timer: Timer | undefined
  #stopped = false

  constructor(options: FlusherOptions) {
    this.#options = options
    this.#recoveryPoint = options.recoveryPoint
  }

  /** Everything below is durable. */
  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  /** What the recovery-point checkpoint may say. */
  get checkpointPoint(): number {
    let point = Math.min(this.#recoveryPoint, this.#options.segments.active.baseOffset)
    for (const segment of this.#unsynced) point = Math.min(point, segment.baseOffset)
    return point
  }

  /** `segment` has been rolled. */
  noteRolled(segment: LogSegment): void {
    this.#unsynced.add(segment)
    this.#namesChanged = true
  }

  /** `file`, of the log's folder, has been written; the flusher closes it. */
  noteFile(file: DiskFile): void {
    this.#files.push(file)
    this.#namesChanged = true
  }

  noteNames(): void {
    this.#namesChanged = true
  }

  /** Segments are being removed: there is nothing to make durable about them. */
  forget(segments: readonly LogSegment[]): void {
    for (const segment of segments) this.#unsynced.delete(segment)
    this.#namesChanged = true
  }

  /** The log has been cut to end at `offset`. */
  lower(offset: number): void {
    this.#generation += 1
    this.#recoveryPoint = Math.min(this.#recoveryPoint, offset)
    this.#target = Math.min(this.#target, offset)
    this.#unsynced.delete(this.#options.segments.active)
  }

  /** The log begins at `offset` now; what was before needs no recovery. */
  raise(offset: number): void {
    this.#recoveryPoint = Math.max(this.#recoveryPoint, offset)
  }

  /**
   * Resolves when everything below `upTo` that has been written is durable. Rejects if the log was
   * closed or failed before that: somebody may be about to acknowledge it.
   */
  async flush(upTo: number): Promise<void> {
    const pending = this.#unsynced.size > 0 || this.#files.length > 0
    if (upTo <= this.#recoveryPoint && (!pending || this.#stopped)) return
    this.#target = Math.max(this.#target, upTo)
    await this.#task.run()
  }

  /** Flushes `delayMs` from now, unless that is arranged for already. */
  flushLater(delayMs: number): void {
    if (this.#timer !== undefined || this.#stopped) return
    this.#timer = this.#options.context.clock.schedule(delayMs, () => {
      this.#timer = undefined
      this.flushInBackground(this.#options.logEndOffset())
    })
  }

  /** As `flush`; a failure has been reported by the time anybody could notice. */
  flushInBackground(upTo: number): void {
    this.flush(upTo).catch(() => {})
  }

  /** No flush begins any more; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#task.idle()
    for (const file of this.#files) file.close()
    this.#files = []
  }

  async #flush(): Promise<void> {
    try {
      let generation: number
      do {
        if (this.#stopped) throw this.#tooLate()
        generation = this.#generation
        await this.#syncOnce()
      } while (generation !== this.#generation)
    } catch (error) {
      throw this.#stopped ? this.#tooLate() : this.#options.onError(error)
    }
  }

  #tooLate(): KafkaError {
    const { directory } = this.#options
    return new KafkaError('KAFKA_STORAGE_ERROR', `${directory} was closed before it was flushed`)
  }

  async #syncOnce(): Promise<void> {
    const { context, directory, segments, epochs, logEndOffset } = this.#options
    const generation = this.#generation
    const target = Math.min(this.#target, logEndOffset())
    const { active } = segments
    const rolled = [...this.#unsynced]
    const files = this.#files
    this.#files = []
    if (epochs.isDirty) await epochs.persisted()
    for (const segment of rolled) await segment.sync()
    if (target > active.baseOffset) await active.sync()
    for (const file of files) {
      await file.sync()
      file.close()
    }
    if (this.#namesChanged) {
      this.#namesChanged = false
      await context.disk.syncDirectory(directory)
    }
    if (!this.#parentSynced) {
      this.#parentSynced = true
      await context.disk.syncDirectory(directory.slice(0, directory.lastIndexOf('/')))
    }
    if (generation !== this.#generation) return
    for (const segment of rolled) {
      if (this.#unsynced.delete(segment)) segment.close()
    }
    this.#recoveryPoint = Math.max(this.#recoveryPoint, target)
  }
}
