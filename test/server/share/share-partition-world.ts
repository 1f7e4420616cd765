/** A log, a share coordinator and a share partition over them, for tests. */

import { SimulatedClock } from '../../../sim/simulated-clock.ts'
import { KafkaError } from '../../../src/common/errors.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import type { CoordinatorResult } from '../../../src/coordinator/runtime/coordinator-shard.ts'
import { ShareCoordinatorShard } from '../../../src/coordinator/share/share-coordinator-shard.ts'
import { shareRecordCodec } from '../../../src/coordinator/share/share-records.ts'
import type { AcquiredRecords, OffsetRange } from '../../../src/server/share/acquisition.ts'
import { SharePartition } from '../../../src/server/share/share-partition.ts'
import type {
  ShareStateChange,
  ShareStatePersister,
} from '../../../src/server/share/share-state-persister.ts'

const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAQ'
export const KEY = { groupId: 'g', topicId: TOPIC, partition: 0 }
export const LOCK_MS = 1000
export const DELIVERY_LIMIT = 5

/** Keeps share state in a real shard. Writes can be made to wait, and to fail. */
export class TestPersister implements ShareStatePersister {
  #shard = newShard()
  #recordCount = 0
  /** Writes that wait to be let go. */
  readonly held: ((failure: KafkaError | undefined) => void)[] = []
  holdsWrites = false

  constructor() {
    this.apply(this.#shard.initialize(KEY, { stateEpoch: 0, startOffset: -1 }))
  }

  get state() {
    return this.#shard.summary(KEY)!
  }

  async read(_key: unknown, leaderEpoch: number) {
    return this.apply(this.#shard.read(KEY, leaderEpoch))
  }

  async write(_key: unknown, change: ShareStateChange) {
    if (this.holdsWrites) {
      const failure = await new Promise<KafkaError | undefined>((resolve) => {
        this.held.push(resolve)
      })
      if (failure !== undefined) throw failure
    }
    this.apply(this.#shard.write(KEY, change))
  }

  setStart(stateEpoch: number, startOffset: number): void {
    this.apply(this.#shard.initialize(KEY, { stateEpoch, startOffset }))
  }

  apply<R>({ records, response }: CoordinatorResult<R>): R {
    for (const record of records) {
      const { key, value } = shareRecordCodec.encode(record)
      this.#shard.replay(shareRecordCodec.decode(key, value)!, this.#recordCount++)
    }
    return response as R
  }
}

function newShard(): ShareCoordinatorShard {
  return new ShareCoordinatorShard({
    updatesPerSnapshot: () => 5,
    partitionCount: () => 1,
    now: () => 0,
  })
}

export class SharePartitionWorld {
  readonly clock = new SimulatedClock()
  readonly persister = new TestPersister()
  /** The log: its batches in order. */
  batches: OffsetRange[]
  fencedBy: KafkaError | undefined
  wakeups = 0
  maxInFlightRecords = 100
  readonly #deliveryCountLimit: number
  #leaderEpoch = 0
  #partition: SharePartition | undefined

  constructor(batches: OffsetRange[], deliveryCountLimit = DELIVERY_LIMIT) {
    this.batches = batches
    this.#deliveryCountLimit = deliveryCountLimit
  }

  get partition(): SharePartition {
    return this.#partition!
  }

  /** A new leader takes over; the old one is not told. */
  async start(): Promise<void> {
    this.#leaderEpoch += 1
    this.#partition = await SharePartition.load(
      {
        key: KEY,
        leaderEpoch: this.#leaderEpoch,
        clock: this.clock,
        log: silentLogger,
        persister: this.persister,
        maxInFlightRecords: this.maxInFlightRecords,
        deliveryCountLimit: this.#deliveryCountLimit,
        lockDurationMs: () => LOCK_MS,
        onAvailable: () => {
          this.wakeups += 1
        },
        onFenced: (error) => {
          this.fencedBy = error
        },
      },
      () => this.batches[0]?.firstOffset ?? 0,
    )
  }

  /** Reads up to `batchCount` batches from where the partition wants to go on, and acquires. */
  fetch(
    memberId: string,
    options: { maxRecords?: number; batchCount?: number; isRecordLimit?: boolean } = {},
  ): AcquiredRecords[] {
    const { partition } = this
    if (!partition.canAcquire) return []
    const fetchOffset = partition.nextFetchOffset
    const from = this.batches.findIndex((batch) => batch.lastOffset >= fetchOffset)
    if (from === -1) return []
    const batches = this.batches.slice(from, from + (options.batchCount ?? 3))
    const { maxRecords = 500, isRecordLimit = false } = options
    return partition.acquire({
      ...{ memberId, fetchOffset, batches, maxRecords, isRecordLimit },
      ...{ undeliverable: [], batchSize: maxRecords },
    })
  }

  /** Lets `ms` pass, and everything happen that is due. */
  advance(ms: number): void {
    let isOver = false
    this.clock.schedule(ms, () => {
      isOver = true
    })
    while (!isOver) this.clock.step()
  }
}

/** Lets promises settle. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Batches of the given sizes, one after the other. */
export function batchesOf(...sizes: number[]): OffsetRange[] {
  let at = 0
  return sizes.map((size) => {
    const firstOffset = at
    at += size
    return { firstOffset, lastOffset: at - 1 }
  })
}

export const unavailable = new KafkaError('COORDINATOR_NOT_AVAILABLE')
