/**
 * Decides what of a batch stays when a log is compacted, and makes the batch anew where something
 * goes. The rules are Kafka's (LogCleaner, and MemoryRecords.filterTo), but for the first:
 *
 *  - A batch above what the offset map covers stays as it is. In Kafka its tombstones get their
 *    horizon already, and may later go together with what they delete, which a reader then keeps.
 *  - A record stays if it is the last of its key.
 *  - A tombstone (null value) that stays gives its batch a delete horizon, `delete.retention.ms`
 *    from now; when that has passed, the tombstone goes (KIP-534). So does the marker of a
 *    transaction of which nothing is left.
 *  - Records of aborted transactions go, and those without a key, which nobody could ever replace.
 *  - A batch without records goes, unless it is the last of a producer that the log remembers, or
 *    the last of what becomes one segment. It then stays as a header, whose sequence numbers and
 *    last offset would be lost otherwise.
 *
 * What stays keeps its offset and its time; a batch keeps base and last offset, leader epoch,
 * producer and sequence. A batch with a delete horizon has that for its base timestamp, to which
 * the deltas of its records then refer.
 */
import { compress } from '../common/compression/compression.ts'
import { crc32c } from '../common/crc32c.ts'
import { KafkaError } from '../common/errors.ts'
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  COMPRESSION_MASK,
  CONTROL_MASK,
  CRC_AT,
  DELETE_HORIZON_MASK,
  LOG_OVERHEAD,
  MAGIC_V2,
  MAX_TIMESTAMP_AT,
  RECORD_BATCH_HEADER_SIZE,
  RECORD_COUNT_AT,
  type RecordBatchHeader,
  readRecordBatchHeader,
  TIMESTAMP_TYPE_MASK,
  writeInt32,
  writeInt64,
} from '../protocol/records/record-batch.ts'
import { decompressRecords } from './batch-compression.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import type { OffsetMap } from './offset-map.ts'
import type { ProducerEntry } from './producer-state.ts'
import { writeRebased } from './record-rebasing.ts'
import { RecordWalker } from './record-walker.ts'
import { NO_TIMESTAMP } from './time-index.ts'
import { readMarker } from './transaction-marker.ts'

/** What is known of the last that a producer has written. */
export interface LastOfProducer {
  /** Of its last data; -1 where only its marker is left. */
  readonly lastDataOffset: number
  readonly producerEpoch: number
}

export interface BatchFilterOptions {
  readonly map: OffsetMap
  /** Up to here, the end of a batch, the map knows all records. */
  readonly latestOffset: number
  readonly transactions: CleanedTransactions
  readonly nowMs: number
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number
  readonly maxMessageBytes: number
}

/** The records of a batch that stay. */
interface Kept {
  /** Beginning and end of each run of them, in turn. */
  readonly runs: readonly number[]
  readonly count: number
  readonly maxTimestamp: number
}

export class BatchFilter {
  recordsRead = 0
  recordsKept = 0
  readonly #options: BatchFilterOptions
  readonly #walker = new RecordWalker()
  #producers: ReadonlyMap<number, LastOfProducer> = new Map()

  constructor(options: BatchFilterOptions) {
    this.#options = options
  }

  /** Takes note of which producers the log remembers, as of now. */
  noteProducers(entries: Iterable<ProducerEntry>): void {
    const producers = new Map<number, LastOfProducer>()
    for (const { producerId, producerEpoch, batches } of entries) {
      producers.set(producerId, { producerEpoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 })
    }
    this.#producers = producers
  }

  /**
   * What stays of the batch of `size` bytes at `at`: a view of it, new bytes, or nothing. `isLast`
   * says that it is the last of what becomes one segment. Batches must come in order, from the
   * beginning of the log. Throws CORRUPT_MESSAGE or INVALID_RECORD where it is not sound.
   */
  filter(bytes: Buffer, at: number, size: number, isLast: boolean): Buffer | undefined {
    const batch = bytes.subarray(at, at + size)
    const header = checkedHeader(batch)
    this.recordsRead += header.recordCount
    const kept = this.#keep(batch, header)
    if (kept === undefined) {
      return isLast || this.#isLastOfProducer(header) ? emptyBatch(batch) : undefined
    }
    this.recordsKept += readRecordBatchHeader(kept, 0).recordCount
    return kept
  }

  #keep(batch: Buffer, header: RecordBatchHeader): Buffer | undefined {
    const { transactions, latestOffset } = this.#options
    const isControl = (header.attributes & CONTROL_MASK) !== 0
    const mayGo = isControl
      ? transactions.passControl(header, readMarker(batch, 0, header))
      : transactions.passData(header)
    if (header.baseOffset > latestOffset) return batch
    if (header.recordCount === 0) return undefined
    if (isControl) return mayGo ? this.#expire(batch, header) : batch
    return mayGo ? undefined : this.#filterRecords(batch, header)
  }

  #isLastOfProducer(header: RecordBatchHeader): boolean {
    const last = this.#producers.get(header.producerId)
    if (last === undefined || header.producerId < 0) return false
    const { lastDataOffset, producerEpoch } = last
    if (lastDataOffset >= 0) return header.baseOffset + header.lastOffsetDelta === lastDataOffset
    return (header.attributes & CONTROL_MASK) !== 0 && header.producerEpoch === producerEpoch
  }

  /** A marker that is not needed any more stays until its horizon, which it may yet have to get. */
  #expire(batch: Buffer, header: RecordBatchHeader): Buffer | undefined {
    const horizonMs = deleteHorizon(header)
    if (horizonMs !== undefined) return horizonMs <= this.#options.nowMs ? undefined : batch
    const records = batch.subarray(RECORD_BATCH_HEADER_SIZE)
    const { recordCount: count, maxTimestamp } = header
    return this.#rebuild(batch, header, records, { runs: [0, records.length], count, maxTimestamp })
  }

  #filterRecords(batch: Buffer, header: RecordBatchHeader): Buffer | undefined {
    const { map, nowMs, maxMessageBytes } = this.#options
    const content = decompressRecords(batch, header, maxMessageBytes)
    const horizonMs = deleteHorizon(header)
    const keepsTombstones = horizonMs === undefined || nowMs < horizonMs
    const walker = this.#walker
    const runs: number[] = []
    let recordCount = 0
    let count = 0
    let maxTimestamp = NO_TIMESTAMP
    let hasTombstones = false
    walker.start(content, 0, content.length)
    while (walker.next()) {
      recordCount += 1
      const offset = header.baseOffset + walker.offsetDelta
      const isTombstone = walker.valueLength < 0
      const stays =
        walker.keyLength >= 0 &&
        (!isTombstone || keepsTombstones) &&
        offset >= map.get(content, walker.keyAt, walker.keyLength)
      if (!stays) continue
      count += 1
      hasTombstones ||= isTombstone
      maxTimestamp = Math.max(maxTimestamp, header.baseTimestamp + walker.timestampDelta)
      if (runs.at(-1) === walker.recordAt) runs[runs.length - 1] = walker.recordEnd
      else runs.push(walker.recordAt, walker.recordEnd)
    }
    if (!walker.isAtEnd || recordCount !== header.recordCount) {
      throw damaged(header, 'has malformed records')
    }
    if (count === 0) return undefined
    const needsHorizon = hasTombstones && horizonMs === undefined
    if (count === recordCount && !needsHorizon) return batch
    if ((header.attributes & TIMESTAMP_TYPE_MASK) !== 0) maxTimestamp = header.maxTimestamp
    return this.#rebuild(batch, header, content, { runs, count, maxTimestamp }, needsHorizon)
  }

  /** A batch with the header of `batch` and some of its records, given in `content`. */
  #rebuild(
    batch: Buffer,
    header: RecordBatchHeader,
    content: Uint8Array,
    kept: Kept,
    needsHorizon = true,
  ): Buffer {
    const { nowMs, deleteRetentionMs } = this.#options
    const baseTimestamp = needsHorizon ? nowMs + deleteRetentionMs : header.baseTimestamp
    const records = needsHorizon
      ? writeRebased(content, kept.runs, header.baseTimestamp - baseTimestamp)
      : copyRuns(content, kept.runs)
    const stored = compress(header.attributes & COMPRESSION_MASK, records)
    const result = Buffer.allocUnsafeSlow(RECORD_BATCH_HEADER_SIZE + stored.length)
    batch.copy(result, 0, 0, RECORD_BATCH_HEADER_SIZE)
    result.set(stored, RECORD_BATCH_HEADER_SIZE)
    if (needsHorizon) result[ATTRIBUTES_AT + 1]! |= DELETE_HORIZON_MASK
    writeInt64(result, BASE_TIMESTAMP_AT, baseTimestamp)
    writeInt64(result, MAX_TIMESTAMP_AT, kept.maxTimestamp)
    writeInt32(result, RECORD_COUNT_AT, kept.count)
    return seal(result)
  }
}

/** The header of a whole batch that is sound. */
export function checkedHeader(batch: Buffer): RecordBatchHeader {
  const header = readRecordBatchHeader(batch, 0)
  if (header.magic !== MAGIC_V2) throw damaged(header, `is of message format v${header.magic}`)
  if (crc32c(batch, ATTRIBUTES_AT, batch.length) !== header.crc) {
    throw damaged(header, 'does not have the checksum that it claims')
  }
  return header
}

/** When the tombstones or the marker in a batch may go; undefined where that is not settled. */
function deleteHorizon(header: RecordBatchHeader): number | undefined {
  return (header.attributes & DELETE_HORIZON_MASK) !== 0 ? header.baseTimestamp : undefined
}

/** The batch without its records. */
function emptyBatch(batch: Buffer): Buffer {
  const result = Buffer.from(batch.subarray(0, RECORD_BATCH_HEADER_SIZE))
  result[ATTRIBUTES_AT + 1]! &= ~(COMPRESSION_MASK | DELETE_HORIZON_MASK)
  writeInt64(result, BASE_TIMESTAMP_AT, NO_TIMESTAMP)
  writeInt32(result, RECORD_COUNT_AT, 0)
  return seal(result)
}

/** Writes the length and the checksum of a batch. */
function seal(batch: Buffer): Buffer {
  writeInt32(batch, BATCH_LENGTH_AT, batch.length - LOG_OVERHEAD)
  writeInt32(batch, CRC_AT, crc32c(batch, ATTRIBUTES_AT, batch.length))
  return batch
}

function copyRuns(content: Uint8Array, runs: readonly number[]): Uint8Array {
  if (runs.length === 2) return content.subarray(runs[0], runs[1])
  const pieces: Uint8Array[] = []
  for (let at = 0; at < runs.length; at += 2) pieces.push(content.subarray(runs[at], runs[at + 1]))
  return Buffer.concat(pieces)
}

function damaged(header: RecordBatchHeader, how: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `The batch at offset ${header.baseOffset} ${how}`)
}
