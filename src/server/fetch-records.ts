/**
 * Reading for a fetch: each partition in the order asked for, until the response is full.
 *
 * The limits are soft by one batch (KIP-74): the first partition that has data gives at least one
 * whole batch, however large, so that a consumer can always go on. Reads from memory are
 * synchronous; the result is a promise only where a partition had to be read from disk.
 */
import { ErrorCode, KafkaError } from '../common/errors.ts'
import type { LogRead } from '../storage/log-read.ts'
import type { AbortedTransaction } from '../storage/transaction-index.ts'
import type { FetchIsolation, Partition } from './partition.ts'
import type { ReadBudget } from './read-budget.ts'

export interface FetchPartition {
  readonly topic: string
  readonly topicId: string
  readonly partitionIndex: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  /** The epoch of the last record the fetcher has, or -1 where it does not say (KIP-595). */
  readonly lastFetchedEpoch: number
  readonly maxBytes: number
  /** An error known before looking, such as an unknown topic id. */
  readonly errorCode: number
}

export interface FetchParams {
  readonly partitions: readonly FetchPartition[]
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly isolation: FetchIsolation
  /** The fetching follower's broker id; -1 for a consumer. */
  readonly replicaId: number
}

export interface FetchedPartition {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Null unless asked for under read_committed. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  /** Where the fetcher's log leaves the leader's; undefined where it does not. */
  readonly divergingEpoch: { epoch: number; endOffset: number } | undefined
  readonly records: readonly Buffer[]
  readonly sizeInBytes: number
}

export interface FetchResult {
  /** In the order of the request. */
  readonly partitions: readonly FetchedPartition[]
  readonly sizeInBytes: number
  /** There is something to say besides records, so that waiting for more would be wrong. */
  readonly mustAnswer: boolean
  /** Lets go of the memory of the records. To be called when they have been sent. */
  release(): void
}

/** Where fetches find partitions. */
export interface PartitionSource {
  partition(topic: string, partitionIndex: number): Partition | undefined
  /** As `partition`; throws a KafkaError where there is none. */
  partitionToRead(topic: string, partitionIndex: number): Partition
}

/** Reads what `params` asks for. Never rejects: failures are the partitions' error codes. */
export function fetchRecords(
  source: PartitionSource,
  params: FetchParams,
  budget: ReadBudget,
): FetchResult | Promise<FetchResult> {
  return new FetchPass(source, params, budget).run(0)
}

interface StartedRead {
  readonly partition: Partition
  readonly read: LogRead | Promise<LogRead>
}

class FetchPass {
  readonly #source: PartitionSource
  readonly #params: FetchParams
  readonly #fetched: FetchedPartition[] = []
  readonly #reads: LogRead[] = []
  readonly #budget: ReadBudget
  #sizeInBytes = 0
  #diskBytes = 0
  #mustAnswer = false

  constructor(source: PartitionSource, params: FetchParams, budget: ReadBudget) {
    this.#source = source
    this.#params = params
    this.#budget = budget
  }

  run(from: number): FetchResult | Promise<FetchResult> {
    const { partitions } = this.#params
    for (let i = from; i < partitions.length; i++) {
      const wanted = partitions[i]!
      try {
        const started = this.#startRead(wanted)
        if (started === undefined) continue
        const { partition, read } = started
        if (read instanceof Promise) return this.#finishAsync(partition, read, i)
        this.#add(wanted, partition, read)
      } catch (error) {
        this.#addFailure(wanted, error)
      }
    }
    return {
      partitions: this.#fetched,
      sizeInBytes: this.#sizeInBytes,
      mustAnswer: this.#mustAnswer,
      release: () => this.#release(),
    }
  }

  #release(): void {
    for (const read of this.#reads) read.release()
    this.#budget.giveBack(this.#diskBytes)
  }

  async #finishAsync(
    partition: Partition,
    reading: Promise<LogRead>,
    index: number,
  ): Promise<FetchResult> {
    const wanted = this.#params.partitions[index]!
    try {
      this.#add(wanted, partition, await reading)
    } catch (error) {
      this.#addFailure(wanted, error)
    }
    return this.run(index + 1)
  }

  /** Undefined where the partition is answered without reading. */
  #startRead(wanted: FetchPartition): StartedRead | undefined {
    if (wanted.errorCode !== ErrorCode.NONE) {
      this.#addError(wanted, wanted.errorCode)
      return undefined
    }
    const partition = this.#source.partitionToRead(wanted.topic, wanted.partitionIndex)
    partition.checkLeader(wanted.currentLeaderEpoch)
    const diverging = divergence(partition, wanted)
    if (diverging !== undefined) {
      this.#mustAnswer = true
      this.#fetched.push({ ...described(partition), ...NOTHING, divergingEpoch: diverging })
      return undefined
    }
    const left = this.#params.maxBytes - this.#sizeInBytes
    const room = this.#budget.limit(Math.max(Math.min(wanted.maxBytes, left), 0))
    const read = partition.log.read(wanted.fetchOffset, room, {
      maxOffset: partition.readableEnd(this.#params.isolation),
      minOneBatch: this.#sizeInBytes === 0,
    })
    return { partition, read: read instanceof Promise ? this.#withinBudget(read, room) : read }
  }

  /** Counts `room` until it is known how much has been read. */
  async #withinBudget(reading: Promise<LogRead>, room: number): Promise<LogRead> {
    this.#budget.take(room)
    try {
      const read = await reading
      this.#budget.take(read.sizeInBytes)
      this.#diskBytes += read.sizeInBytes
      return read
    } finally {
      this.#budget.giveBack(room)
    }
  }

  #add(wanted: FetchPartition, partition: Partition, read: LogRead): void {
    // While it was read, the topic may have been deleted, and another made under its name.
    if (this.#source.partition(wanted.topic, wanted.partitionIndex) !== partition) {
      read.release()
      this.#addError(wanted, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return
    }
    this.#reads.push(read)
    this.#sizeInBytes += read.sizeInBytes
    this.#fetched.push({
      ...described(partition),
      abortedTransactions:
        this.#params.isolation === 'committed'
          ? partition.log.collectAbortedTransactions(wanted.fetchOffset, read.nextOffset)
          : null,
      divergingEpoch: undefined,
      records: read.chunks,
      sizeInBytes: read.sizeInBytes,
    })
  }

  #addFailure(wanted: FetchPartition, error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    this.#addError(wanted, error.code)
  }

  #addError(wanted: FetchPartition, errorCode: number): void {
    this.#mustAnswer = true
    const partition = this.#source.partition(wanted.topic, wanted.partitionIndex)
    // With an out-of-range offset the start of the log tells the client where to go on.
    const known =
      errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && partition !== undefined
        ? described(partition)
        : UNKNOWN
    this.#fetched.push({ ...known, ...NOTHING, errorCode })
  }
}

const UNKNOWN = {
  errorCode: ErrorCode.NONE as number,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
}

const NOTHING = {
  abortedTransactions: null,
  divergingEpoch: undefined,
  records: [] as readonly Buffer[],
  sizeInBytes: 0,
}

function described(partition: Partition): typeof UNKNOWN {
  return {
    errorCode: ErrorCode.NONE,
    highWatermark: partition.highWatermark,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: partition.log.logStartOffset,
  }
}

/**
 * A fetcher names the epoch of its last record. If the leader's log has that epoch end before the
 * fetch offset, the fetcher has records that the leader does not, and must truncate (KIP-595).
 */
function divergence(
  partition: Partition,
  wanted: FetchPartition,
): { epoch: number; endOffset: number } | undefined {
  if (wanted.lastFetchedEpoch < 0) return undefined
  const end = partition.log.endOffsetForEpoch(wanted.lastFetchedEpoch)
  if (end.epoch < 0) throw new KafkaError('OFFSET_OUT_OF_RANGE')
  if (end.epoch < wanted.lastFetchedEpoch || end.endOffset < wanted.fetchOffset) return end
  return undefined
}
