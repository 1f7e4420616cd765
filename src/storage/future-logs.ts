/**
 * Moves of logs from one log directory to another while they are in use (KIP-113). As in Kafka, a
 * copy grows in a folder of its own beside the logs, `<topic>-<partition>.<id>-future`, until it
 * has caught up; then it takes the place of the log.
 *
 * ```
 * copying      a/t-0 in use                     b/t-0.0f3…-future behind
 * exchange     a/t-0 takes no appends           b/t-0.0f3…-future complete and durable
 *              a/t-0 read from                  b/t-0 opened
 *              a/t-0.5d2…-delete                b/t-0 in use
 * ```
 * A crash while the copy grows leaves a future folder, which is removed at the next start. One in
 * the middle of the exchange may leave two logs of a name; the longer one is the one in use, or is
 * as good (see LogManager).
 */
import { type Clock, sleep } from '../common/clock.ts'
import { type Disk, DiskError } from '../common/disk.ts'
import { KafkaError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import { garbageCollected } from '../common/slab.ts'
import { specialDirectoryName } from './file-names.ts'
import type { LogDirectory } from './log-directory.ts'
import type { PartitionLog, PartitionLogOptions } from './partition-log.ts'

/**
 * Exchanges the log of a partition for what `makeLog` makes: nothing is appended to the old one
 * from before `makeLog` is called, and the new one is in use when this resolves.
 */
export type LogExchange = (makeLog: () => Promise<PartitionLog>) => Promise<void>

/** What moves need of the log manager. */
export interface FutureLogHost {
  readonly clock: Clock
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  /** Opens a log in a directory, as `overrides` say. */
  open(
    directory: LogDirectory,
    log: { topic: string; partition: number },
    overrides: Partial<PartitionLogOptions>,
  ): Promise<PartitionLog>
  /** The log that is in use. */
  current(topic: string, partition: number): PartitionLog | undefined
  directoryOf(log: PartitionLog): LogDirectory
  /** Runs `change` when other changes of the same log have ended. */
  inTurn(log: PartitionLog, change: () => Promise<void>): Promise<void>
  /** Removes a log that is no longer in use. */
  discard(log: PartitionLog, directory: LogDirectory): Promise<void>
}

/** A copy under way. */
export interface FutureLog {
  readonly log: PartitionLog
  /** How many offsets it is behind. */
  readonly lag: number
}

interface Move {
  readonly source: PartitionLog
  readonly target: LogDirectory
  readonly exchange: LogExchange
  future: PartitionLog | undefined
  isCancelled: boolean
  ended: Promise<void>
}

const CHUNK_BYTES = 1024 * 1024
/** When no more than this was written during a round, the partition is stopped for the next one. */
const LITTLE_BYTES = CHUNK_BYTES

export class FutureLogs {
  readonly #host: FutureLogHost
  readonly #moves = new Map<string, Move>()

  constructor(host: FutureLogHost) {
    this.#host = host
  }

  /** The copies in a directory. */
  in(directory: LogDirectory): FutureLog[] {
    return [...this.#moves.values()].flatMap(({ source, target, future }) => {
      if (target !== directory || future === undefined) return []
      return [{ log: future, lag: Math.max(source.logEndOffset - future.logEndOffset, 0) }]
    })
  }

  /**
   * Begins to move a log to a directory. A move of it to another one is given up, and one to where
   * it is means just that.
   */
  async begin(source: PartitionLog, target: LogDirectory, exchange: LogExchange): Promise<void> {
    const before = this.#moves.get(source.name)
    if (before?.target === target && !before.isCancelled) return
    if (before !== undefined) {
      before.isCancelled = true
      await before.ended
    }
    if (this.#host.directoryOf(source) === target) return
    const move: Move = {
      ...{ source, target, exchange, future: undefined, isCancelled: false },
      ended: Promise.resolve(),
    }
    this.#moves.set(source.name, move)
    move.ended = this.#run(move)
  }

  /** Gives up all moves. */
  async stop(): Promise<void> {
    const moves = [...this.#moves.values()]
    for (const move of moves) move.isCancelled = true
    await Promise.all(moves.map((move) => move.ended))
  }

  async #run(move: Move): Promise<void> {
    const { logger } = this.#host
    const { source, target } = move
    try {
      const future = await this.#openFuture(move)
      move.future = future
      await this.#copy(move, future)
      await this.#host.inTurn(source, () => this.#replace(move, future))
      logger.info(`Moved the log of ${source.name} to ${target.path}`)
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof DiskError)) {
        logger.error(`The move of ${source.name} to ${target.path} has failed`, error)
      } else if (!move.isCancelled) {
        logger.warn(`The log of ${source.name} stays in ${source.logDirectory}`, error)
      }
      await this.#giveUp(move)
    } finally {
      if (this.#moves.get(source.name) === move) this.#moves.delete(source.name)
    }
  }

  async #openFuture({ source, target }: Move): Promise<PartitionLog> {
    const { topic, partition, topicId } = source
    const uniqueId = this.#host.random.bytes(16).toString('hex')
    const folder = specialDirectoryName(topic, partition, uniqueId, 'future')
    const offsets = { recoveryPoint: 0, logStartOffset: 0, highWatermark: 0 }
    const options = { ...offsets, folder, hadCleanShutdown: false }
    const future = await this.#host.open(target, source, options)
    future.topicId = topicId
    return future
  }

  /**
   * Copies what there is, then what has been written meanwhile, and so on until that is little. All
   * of it is durable in the end.
   */
  async #copy(move: Move, future: PartitionLog): Promise<void> {
    const { source } = move
    for (;;) {
      const end = source.logEndOffset
      let copiedBytes = 0
      while (future.logEndOffset < end) {
        this.#checkGoesOn(move)
        const copied = await copyChunk(source, future)
        if (copied === 0) break
        copiedBytes += copied
        // Others have a turn between two chunks, also where the log is in memory.
        await sleep(this.#host.clock, 0)
      }
      await future.flush()
      if (copiedBytes < LITTLE_BYTES) return
    }
  }

  /** Puts the copy in the place of the log. */
  async #replace(move: Move, future: PartitionLog): Promise<void> {
    this.#checkGoesOn(move)
    const { source, target } = move
    const from = this.#host.directoryOf(source)
    await move.exchange(async () => {
      while ((await copyChunk(source, future)) > 0);
      await future.close()
      const log = await this.#openInPlace(move, future)
      from.logs.delete(source.name)
      target.logs.set(source.name, log)
      move.future = undefined
      return log
    })
    // Deleted records must not come back once nothing but the copy knows of them.
    await target.writeCheckpoints()
    await this.#host.discard(source, from)
  }

  /** Gives the copy, which is closed, the name of the log, and opens it as such. */
  async #openInPlace({ source, target }: Move, future: PartitionLog): Promise<PartitionLog> {
    const { disk } = this.#host
    const place = `${target.path}/${source.name}`
    disk.rename(future.directory, place)
    try {
      await disk.syncDirectory(target.path)
      const { logStartOffset, highWatermark, logEndOffset } = source
      const offsets = { logStartOffset, highWatermark, recoveryPoint: logEndOffset }
      return await this.#host.open(target, source, { ...offsets, hadCleanShutdown: true })
    } catch (error) {
      disk.rename(place, future.directory)
      throw error
    }
  }

  async #giveUp({ future }: Move): Promise<void> {
    if (future === undefined) return
    try {
      await future.abandon()
      this.#host.disk.removeDirectory(future.directory)
    } catch (error) {
      this.#host.logger.warn(`Could not remove ${future.directory}`, error)
    }
  }

  #checkGoesOn({ source, isCancelled }: Move): void {
    if (!isCancelled && this.#host.current(source.topic, source.partition) === source) return
    throw new KafkaError('KAFKA_STORAGE_ERROR', `The move of ${source.name} was given up`)
  }
}

/** Copies what comes next, some of it. Returns how many bytes; 0 where there is no more. */
async function copyChunk(source: PartitionLog, future: PartitionLog): Promise<number> {
  const { logStartOffset, logEndOffset } = source
  // What the copy lacks may have been deleted meanwhile; it begins anew then, further on.
  const isBehind = future.logEndOffset < logStartOffset
  const from = isBehind ? logStartOffset : future.logEndOffset
  const read = await source.read(from, CHUNK_BYTES, { maxOffset: logEndOffset, minOneBatch: true })
  const records = Buffer.concat(read.chunks)
  const { firstOffset } = read
  read.release()
  if (isBehind) await future.truncateFullyAndStartAt(records.length > 0 ? firstOffset : from)
  if (records.length === 0) return 0
  const lease = garbageCollected(records)
  future.append(records, { leaderEpoch: -1, origin: 'replication', lease })
  await future.commit()
  return records.length
}
