/**
 * What the parts of a log have in common: where it begins and ends, what it is made of, and whether
 * its disk still works. LogAppender, LogReader and PartitionLog each see to some of it.
 */
import { DiskError } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import type { LogContext } from './log-context.ts'
import { LogFlusher } from './log-flusher.ts'
import type { LoadedLog } from './log-recovery.ts'
import type { ProducerState } from './producer-state.ts'
import { SegmentList } from './segment-list.ts'
import type { LogTail } from './tail-cache.ts'

export interface LogCoreOptions {
  readonly context: LogContext
  /** `topic-partition` */
  readonly name: string
  readonly directory: string
  readonly config: LogConfig
  readonly loaded: LoadedLog
  readonly onStorageError: (error: DiskError) => void
}

export class LogCore {
  readonly context: LogContext
  readonly name: string
  readonly directory: string
  readonly segments: SegmentList
  readonly producers: ProducerState
  readonly epochs: LeaderEpochCache
  readonly tail: LogTail
  readonly flusher: LogFlusher
  config: LogConfig
  status: 'online' | 'offline' | 'closed' = 'online'
  logStartOffset: number
  logEndOffset: number
  /** See PartitionLog. */
  highWatermark = 0
  /** The log is compacted up to here, as far as is known; goes into the cleaner's checkpoint. */
  cleanerOffset: number | undefined
  /** A truncation is under way; it takes several steps, and nothing may be changed in between. */
  isTruncating = false
  /** Counts truncations: a cold read that one has overtaken begins again. */
  generation = 0
  readonly #onStorageError: (error: DiskError) => void

  constructor({ context, name, directory, config, loaded, onStorageError }: LogCoreOptions) {
    this.context = context
    this.name = name
    this.directory = directory
    this.config = config
    this.segments = new SegmentList(context, directory, loaded.segments)
    this.producers = loaded.producerState
    this.epochs = loaded.epochs
    this.tail = context.tailCache.createTail()
    this.logStartOffset = loaded.logStartOffset
    this.logEndOffset = loaded.logEndOffset
    this.#onStorageError = onStorageError
    this.flusher = new LogFlusher({
      context,
      directory,
      segments: this.segments,
      epochs: this.epochs,
      recoveryPoint: loaded.recoveryPoint,
      logEndOffset: () => this.logEndOffset,
      onError: (error) => this.fail(error),
    })
  }

  get isOnline(): boolean {
    return this.status === 'online'
  }

  /** Throws KAFKA_STORAGE_ERROR where the log is of no use any more. */
  checkOnline(): void {
    if (this.status === 'online') return
    throw new KafkaError('KAFKA_STORAGE_ERROR', `The log of ${this.name} is ${this.status}`)
  }

  /**
   * Does what touches the disk. Its DiskErrors become KAFKA_STORAGE_ERROR, and the end of the log.
   */
  guard<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** What to throw in place of `error`. If the disk has failed, the log is offline from now on. */
  fail(error: unknown): unknown {
    if (!(error instanceof DiskError)) return error
    if (this.status === 'online') {
      this.status = 'offline'
      this.tail.clear()
      this.context.logger.error(`Storage error in the log of ${this.name}`, error)
      this.#onStorageError(error)
    }
    return new KafkaError('KAFKA_STORAGE_ERROR', `Storage error in the log of ${this.name}`, {
      cause: error,
    })
  }
}
