/**
 * A partition's log as tests make it up, with all that a log may have: compressed batches, holes
 * that compaction has left, transactions that were committed, aborted or are open, and markers.
 */
import fc from 'fast-check'
import type { CompressionType } from '../../../src/common/compression/compression.ts'
import {
  assignOffsetAndEpoch,
  CRC_AT,
  computeBatchCrc,
  LAST_OFFSET_DELTA_AT,
  writeInt32,
} from '../../../src/protocol/records/record-batch.ts'
import {
  buildEndTransactionBatch,
  RecordBatchWriter,
} from '../../../src/protocol/records/record-batch-writer.ts'

/** What happens next to the log. */
export type LogStep =
  | {
      readonly kind: 'batch'
      /** 0: no transaction. */
      readonly producerId: number
      readonly compression: CompressionType
      /** For each offset of the batch, whether its record is still there. */
      readonly isThere: readonly boolean[]
      readonly hasLogAppendTime: boolean
    }
  | { readonly kind: 'end'; readonly producerId: number; readonly commit: boolean }
  /** Compaction has removed batches whole. */
  | { readonly kind: 'hole'; readonly offsets: number }

export interface ModelRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string
  readonly timestamp: number
}

interface ModelBatch {
  readonly bytes: Buffer
  readonly lastOffset: number
  readonly producerId: number
  readonly records: readonly ModelRecord[]
}

interface Transaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Of its marker. */
  lastOffset: number
  isAborted: boolean
}

const batchStep = fc.record({
  kind: fc.constant('batch' as const),
  producerId: fc.constantFrom(0, 1, 1, 2),
  compression: fc.constantFrom<CompressionType>('none', 'none', 'gzip', 'lz4', 'snappy', 'zstd'),
  isThere: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  hasLogAppendTime: fc.boolean(),
})
const endStep = fc.record({
  kind: fc.constant('end' as const),
  producerId: fc.constantFrom(1, 1, 2),
  commit: fc.boolean(),
})
const holeStep = fc.record({ kind: fc.constant('hole' as const), offsets: fc.nat({ max: 5 }) })

/** Histories of a log. */
export const logSteps: fc.Arbitrary<LogStep[]> = fc.array(
  fc.oneof({ weight: 6, arbitrary: batchStep }, { weight: 4, arbitrary: endStep }, holeStep),
  { maxLength: 40, size: 'max' },
)

export class LogModel {
  readonly #batches: ModelBatch[] = []
  readonly #transactions: Transaction[] = []
  readonly #open = new Map<number, Transaction>()
  readonly leaderEpoch: number
  endOffset = 0

  constructor(steps: readonly LogStep[], leaderEpoch = 0) {
    this.leaderEpoch = leaderEpoch
    for (const step of steps) this.#apply(step)
  }

  get lastStableOffset(): number {
    return Math.min(this.endOffset, ...[...this.#open.values()].map((open) => open.firstOffset))
  }

  /** What a consumer is to be given. */
  records(isReadCommitted: boolean): ModelRecord[] {
    const all = this.#batches.flatMap((batch) =>
      batch.records.map((record) => [batch, record] as const),
    )
    if (!isReadCommitted) return all.map(([, record]) => record)
    return all
      .filter(([{ producerId }, { offset }]) => {
        const isHidden = this.#transactions.some((transaction) => {
          const { firstOffset, lastOffset, isAborted } = transaction
          const isOfIt = transaction.producerId === producerId
          return isOfIt && isAborted && offset >= firstOffset && offset <= lastOffset
        })
        return !isHidden && offset < this.lastStableOffset
      })
      .map(([, record]) => record)
  }

  /**
   * Bytes from the batch on in which `offset` is: the first whole, the last of them cut off where
   * `maxBytes` are reached.
   */
  read(offset: number, maxBytes: number, isReadCommitted: boolean): Buffer {
    const end = isReadCommitted ? this.lastStableOffset : this.endOffset
    const found = this.#batches.filter(({ lastOffset }) => lastOffset >= offset && lastOffset < end)
    const bytes = Buffer.concat(found.map((batch) => batch.bytes))
    return bytes.subarray(0, Math.max(maxBytes, found[0]?.bytes.length ?? 0))
  }

  /** The aborted transactions that a reader from `offset` on has to know of. */
  abortedFrom(offset: number): { producerId: number; firstOffset: number }[] {
    return this.#transactions
      .filter(({ isAborted, lastOffset }) => isAborted && lastOffset >= offset)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
  }

  /** Loses the batches from an offset on. */
  cutOff(offset: number): void {
    this.endOffset = offset
    while (this.#batches.length > 0 && this.#batches.at(-1)!.lastOffset >= offset) {
      this.#batches.pop()
    }
  }

  /** Makes a byte of the batch in which `offset` is another one. */
  damage(offset: number): void {
    const { bytes } = this.#batches.find(({ lastOffset }) => lastOffset >= offset)!
    // The value of the last record, before the number of its headers.
    bytes[bytes.length - 2]! ^= 0x01
  }

  #apply(step: LogStep): void {
    if (step.kind === 'hole') this.endOffset += step.offsets
    else if (step.kind === 'batch') this.#append(step)
    else this.#end(step.producerId, step.commit)
  }

  #append({ producerId, compression, isThere, hasLogAppendTime }: LogStep & { kind: 'batch' }) {
    const baseOffset = this.endOffset
    const lastOffset = baseOffset + isThere.length - 1
    this.endOffset = lastOffset + 1
    if (producerId > 0 && !this.#open.has(producerId)) {
      const transaction = {
        ...{ producerId, firstOffset: baseOffset },
        ...{ lastOffset: Number.POSITIVE_INFINITY, isAborted: false },
      }
      this.#open.set(producerId, transaction)
      this.#transactions.push(transaction)
    }
    const offsets = isThere.flatMap((isLeft, index) => (isLeft ? [baseOffset + index] : []))
    if (offsets.length === 0) return
    const time = hasLogAppendTime ? 5_000_000 + baseOffset : undefined
    const records = offsets.map((offset) => ({
      ...{ offset, value: `value ${offset}`, key: offset % 3 === 0 ? null : `key ${offset}` },
      timestamp: time ?? 1_000_000 + ((offset * 7919) % 1000),
    }))
    const writer = new RecordBatchWriter({
      ...{ baseOffset, compression, partitionLeaderEpoch: this.leaderEpoch },
      ...(producerId > 0
        ? { producerId, producerEpoch: 0, baseSequence: 0, transactional: true }
        : {}),
      ...(time === undefined ? {} : { logAppendTime: time }),
    })
    for (const record of records) {
      const key = record.key === null ? null : Buffer.from(record.key)
      writer.append({ ...record, key, value: Buffer.from(record.value) })
    }
    const bytes = writer.finish()
    // Compaction keeps the last offset of a batch, whether its record is there or not.
    writeInt32(bytes, LAST_OFFSET_DELTA_AT, lastOffset - baseOffset)
    writeInt32(bytes, CRC_AT, computeBatchCrc(bytes, 0, bytes.length))
    this.#batches.push({ bytes, lastOffset, producerId, records })
  }

  #end(producerId: number, commit: boolean): void {
    const transaction = this.#open.get(producerId)
    if (transaction === undefined) return
    this.#open.delete(producerId)
    const offset = this.endOffset++
    transaction.lastOffset = offset
    transaction.isAborted = !commit
    const producer = { producerId, producerEpoch: 0 }
    const bytes = buildEndTransactionBatch({ commit, coordinatorEpoch: 0 }, producer, 1_000_000)
    assignOffsetAndEpoch(bytes, 0, offset, this.leaderEpoch)
    this.#batches.push({ bytes, lastOffset: offset, producerId, records: [] })
  }
}
