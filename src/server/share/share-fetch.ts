/**
 * One ShareFetch on its way: reads from the share partitions of a session whatever can be acquired,
 * and waits for it up to `maxWaitMs`, as Fetch waits for records.
 *
 * ```
 * attempt ─► acquirable partitions ─► read the log ─► acquire ─► answer
 *    ▲              none, or fewer than minBytes ─┐
 *    └── records arrive, are released, lock expires ◄┘   (or the time is up: answer with nothing)
 * ```
 */
import type { Clock } from '../../common/clock.ts'
import { Completion } from '../../common/completion.ts'
import { ErrorCode, errorName, KafkaError } from '../../common/errors.ts'
import type { FetchedPartition, FetchPartition, FetchResult } from '../fetch-records.ts'
import type { FetchIsolation, Partition } from '../partition.ts'
import type { DelayedOperation, Purgatory } from '../purgatory/purgatory.ts'
import type { ReplicaManager } from '../replica-manager.ts'
import type { AcquiredRecords } from './acquisition.ts'
import { readableBatches, sliceBatches } from './readable-batches.ts'
import type { SharePartition } from './share-partition.ts'

export interface ShareFetchParams {
  readonly memberId: string
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly maxRecords: number
  readonly batchSize: number
  /** `maxRecords` is meant strictly (KIP-1206). */
  readonly isRecordLimit: boolean
  readonly isolation: FetchIsolation
}

/** A share partition to fetch from, with the partition that it is of. */
export interface ShareFetchPartition {
  readonly sharePartition: SharePartition
  readonly partition: Partition
}

export interface ShareFetchedPartition extends ShareFetchPartition {
  readonly error: KafkaError | undefined
  readonly records: readonly Buffer[]
  readonly acquired: readonly AcquiredRecords[]
}

export interface ShareFetchResult {
  /** Only those that there is something to say about. */
  readonly partitions: readonly ShareFetchedPartition[]
  /** Lets go of the memory of the records. To be called when they have been sent. */
  release(): void
}

export interface ShareFetchOptions {
  readonly clock: Clock
  readonly replicaManager: ReplicaManager
  /** Waiting fetches, by Partition and by SharePartition. */
  readonly purgatory: Purgatory<object>
}

const NOTHING: ShareFetchResult = { partitions: [], release() {} }

export class ShareFetchOperation implements DelayedOperation {
  readonly result = new Completion<ShareFetchResult>()
  readonly #options: ShareFetchOptions
  readonly #params: ShareFetchParams
  readonly #partitions: readonly ShareFetchPartition[]
  readonly #deadlineMs: number
  /** The last attempt gave nothing though it seemed worth while: wait for something to change. */
  #isStuck = false

  constructor(
    options: ShareFetchOptions,
    params: ShareFetchParams,
    partitions: readonly ShareFetchPartition[],
  ) {
    this.#options = options
    this.#params = params
    this.#partitions = partitions
    this.#deadlineMs = options.clock.monotonic() + params.maxWaitMs
  }

  /** Begins; `result` completes when there is something to answer, or time is up. */
  start(): void {
    const waitMs = this.#deadlineMs - this.#options.clock.monotonic()
    if (waitMs <= 0) {
      this.expire()
      return
    }
    const keys = this.#partitions.flatMap((each) => [each.partition, each.sharePartition])
    this.#options.purgatory.tryOrWait(this, keys, waitMs)
  }

  tryComplete(): boolean {
    if (this.#isStuck) {
      this.#isStuck = false
      return false
    }
    if (!this.#isWorthWhile()) return false
    void this.#attempt(false)
    return true
  }

  expire(): void {
    void this.#attempt(true)
  }

  /** Whether an attempt now would give enough, or an error to report. */
  #isWorthWhile(): boolean {
    let available = 0
    for (const { sharePartition, partition } of this.#acquirable()) {
      if (partition.leadershipError(sharePartition.leaderEpoch) !== undefined) return true
      const from = sharePartition.nextFetchOffset
      const end = partition.readableEnd(this.#params.isolation)
      if (from < partition.log.logStartOffset) return true
      if (from >= end) continue
      available += partition.log.sizeBetween(from, end, this.#params.maxBytes)
      if (available >= this.#params.minBytes) return true
    }
    return false
  }

  #acquirable(): ShareFetchPartition[] {
    return this.#partitions.filter(
      ({ sharePartition }) => sharePartition.canAcquire && !sharePartition.isBeingFetched,
    )
  }

  async #attempt(isLast: boolean): Promise<void> {
    const partitions = this.#acquirable()
    if (partitions.length === 0) {
      this.#answerOrWait(NOTHING, isLast)
      return
    }
    for (const { sharePartition } of partitions) sharePartition.isBeingFetched = true
    const offsets = partitions.map(({ sharePartition }) => sharePartition.nextFetchOffset)
    const fetched = await this.#read(partitions, offsets)
    for (const { sharePartition } of partitions) sharePartition.isBeingFetched = false
    const result = this.#acquire(partitions, offsets, fetched)
    const hasMoved = partitions.some(
      ({ sharePartition }, i) => sharePartition.nextFetchOffset !== offsets[i],
    )
    if (result.partitions.length === 0) this.#isStuck = !hasMoved
    this.#answerOrWait(result, isLast)
    // Others may have passed over these partitions meanwhile.
    for (const { sharePartition } of partitions) this.#options.purgatory.check(sharePartition)
  }

  #answerOrWait(result: ShareFetchResult, isLast: boolean): void {
    if (isLast || result.partitions.length > 0) {
      this.result.complete(result)
    } else {
      result.release()
      this.start()
    }
  }

  #read(
    partitions: readonly ShareFetchPartition[],
    offsets: readonly number[],
  ): Promise<FetchResult> {
    const { maxBytes, isolation } = this.#params
    // Each gets its part, lest the first take all.
    const maxBytesEach = Math.max(1, Math.floor(maxBytes / partitions.length))
    const wanted = partitions.map(
      ({ sharePartition, partition }, i): FetchPartition => ({
        ...{ topic: partition.topic, topicId: partition.topicId },
        ...{ partitionIndex: partition.partitionIndex, fetchOffset: offsets[i]! },
        ...{ currentLeaderEpoch: sharePartition.leaderEpoch, lastFetchedEpoch: -1 },
        ...{ maxBytes: maxBytesEach, errorCode: ErrorCode.NONE },
      }),
    )
    return new Promise((resolve) => {
      this.#options.replicaManager
        .fetch({
          ...{ partitions: wanted, minBytes: 0, maxBytes, maxWaitMs: 0, isolation, replicaId: -1 },
        })
        .onComplete(resolve)
    })
  }

  #acquire(
    partitions: readonly ShareFetchPartition[],
    offsets: readonly number[],
    fetched: FetchResult,
  ): ShareFetchResult {
    const outcomes: ShareFetchedPartition[] = []
    let left = this.#params.maxRecords
    for (const [i, each] of partitions.entries()) {
      const read = fetched.partitions[i]!
      each.sharePartition.onLogStart(each.partition.log.logStartOffset)
      if (read.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) continue
      if (read.errorCode !== ErrorCode.NONE) {
        const error = new KafkaError(errorName(read.errorCode))
        outcomes.push({ ...each, error, records: [], acquired: [] })
        continue
      }
      const acquired = this.#acquireFrom(each.sharePartition, offsets[i]!, read, left)
      if (acquired.length === 0) continue
      for (const { firstOffset, lastOffset } of acquired) left -= lastOffset - firstOffset + 1
      const firstOffset = acquired[0]!.firstOffset
      const { lastOffset } = acquired.at(-1)!
      const records = sliceBatches(read.records, { firstOffset, lastOffset })
      outcomes.push({ ...each, error: undefined, records, acquired })
    }
    return { partitions: outcomes, release: () => fetched.release() }
  }

  #acquireFrom(
    sharePartition: SharePartition,
    fetchOffset: number,
    read: FetchedPartition,
    maxRecords: number,
  ): readonly AcquiredRecords[] {
    const { memberId, batchSize, isRecordLimit } = this.#params
    const { batches, undeliverable } = readableBatches(read.records, read.abortedTransactions)
    if (batches.length === 0 || maxRecords <= 0) return []
    return sharePartition.acquire({
      ...{ memberId, fetchOffset, batches, undeliverable, maxRecords, batchSize, isRecordLimit },
    })
  }
}
