/**
 * Builds record batches: for producers, for the coordinators' own topics, for control batches, and
 * wherever the broker must write records anew.
 *
 * ```ts
 * const writer = new RecordBatchWriter({ compression: 'lz4' })
 * writer.append({ timestamp, key, value })
 * const batch = writer.finish()
 * ```
 * Uncompressed batches are byte for byte what Kafka's Java producer makes of the same records.
 */
import {
  COMPRESSION_TYPES,
  type CompressionType,
  compress,
} from '../../common/compression/compression.ts'
import { type EndTransactionMarker, endTransactionMarkerRecord } from './control-record.ts'
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  CONTROL_MASK,
  CRC_AT,
  computeBatchCrc,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  MAX_TIMESTAMP_AT,
  PARTITION_LEADER_EPOCH_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_BATCH_HEADER_SIZE,
  RECORD_COUNT_AT,
  TIMESTAMP_TYPE_MASK,
  TRANSACTIONAL_MASK,
  writeInt32,
  writeInt64,
} from './record-batch.ts'

export interface RecordBatchOptions {
  compression?: CompressionType
  /** Of the codec; its own default without one. */
  compressionLevel?: number
  /** 0 from a producer: the leader assigns it. */
  baseOffset?: number
  partitionLeaderEpoch?: number
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  transactional?: boolean
  control?: boolean
  /** Makes this the time of all records, in milliseconds, and the batch one of LogAppendTime. */
  logAppendTime?: number
  /** Memory to write into, for as long as the batch fits; the batch is then a view of it. */
  memory?: Buffer
}

/** Of whom a batch is: what may be known only when the batch is finished. */
export type BatchProducer = Pick<
  RecordBatchOptions,
  'producerId' | 'producerEpoch' | 'baseSequence' | 'transactional'
>

export interface NewRecord {
  /** In milliseconds since the Unix epoch. */
  timestamp: number
  key?: Uint8Array | null
  value?: Uint8Array | null
  headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  /** For batches with gaps; without it one more than that of the record before. */
  offset?: number
}

const INITIAL_BYTES = 1024
const NO_HEADERS: NonNullable<NewRecord['headers']> = []
/** The most that a record takes apart from its key, value and headers. */
const MAX_RECORD_OVERHEAD = 5 + 1 + 10 + 5 + 5 + 5 + 5

export class RecordBatchWriter {
  #options: RecordBatchOptions
  readonly #baseOffset: number
  #bytes: Buffer
  #at = RECORD_BATCH_HEADER_SIZE
  #count = 0
  #lastOffsetDelta = -1
  #baseTimestamp = -1
  #maxTimestamp = -1

  constructor(options: RecordBatchOptions = {}) {
    this.#options = options
    this.#baseOffset = options.baseOffset ?? 0
    this.#bytes = options.memory ?? Buffer.allocUnsafe(INITIAL_BYTES)
  }

  get recordCount(): number {
    return this.#count
  }

  /** Bytes of the batch so far, if it were not compressed. */
  get sizeInBytes(): number {
    return this.#at
  }

  append(record: NewRecord): void {
    const { timestamp } = record
    const key = record.key ?? null
    const value = record.value ?? null
    const headers = (record.headers ?? NO_HEADERS).map((header) => ({
      key: Buffer.from(header.key),
      value: header.value,
    }))
    const delta =
      record.offset === undefined ? this.#lastOffsetDelta + 1 : record.offset - this.#baseOffset
    if (delta <= this.#lastOffsetDelta || delta > 0x7fffffff) {
      throw new Error(`record offset ${record.offset} does not follow the one before`)
    }
    if (!Number.isSafeInteger(timestamp)) throw new Error(`not a timestamp: ${timestamp}`)
    if (this.#count === 0) this.#baseTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    let size = 1 + varlongSize(timestampDelta) + varintSize(delta)
    size += fieldSize(key) + fieldSize(value) + varintSize(headers.length)
    for (const header of headers) size += fieldSize(header.key) + fieldSize(header.value)

    this.#ensure(size + MAX_RECORD_OVERHEAD)
    this.#varint(size)
    this.#bytes[this.#at++] = 0
    this.#varlong(timestampDelta)
    this.#varint(delta)
    this.#field(key)
    this.#field(value)
    this.#varint(headers.length)
    for (const header of headers) {
      this.#field(header.key)
      this.#field(header.value)
    }
    this.#count += 1
    this.#lastOffsetDelta = delta
    this.#maxTimestamp = Math.max(this.#maxTimestamp, timestamp)
  }

  /** The batch. Throws if it has no records. The writer is of no use afterwards. */
  finish(producer?: BatchProducer): Buffer {
    if (this.#count === 0) throw new Error('a batch without records')
    if (producer !== undefined) this.#options = { ...this.#options, ...producer }
    const { compression = 'none', compressionLevel } = this.#options
    let batch = this.#bytes.subarray(0, this.#at)
    if (compression !== 'none') {
      const records = batch.subarray(RECORD_BATCH_HEADER_SIZE)
      const header = batch.subarray(0, RECORD_BATCH_HEADER_SIZE)
      batch = Buffer.concat([header, compress(compression, records, compressionLevel)])
    }
    this.#writeHeader(batch, compression)
    return batch
  }

  #writeHeader(batch: Buffer, compression: CompressionType): void {
    const options = this.#options
    const { logAppendTime } = options
    let attributes = COMPRESSION_TYPES.indexOf(compression)
    if (logAppendTime !== undefined) attributes |= TIMESTAMP_TYPE_MASK
    if (options.transactional === true) attributes |= TRANSACTIONAL_MASK
    if (options.control === true) attributes |= CONTROL_MASK
    writeInt64(batch, 0, this.#baseOffset)
    writeInt32(batch, BATCH_LENGTH_AT, batch.length - LOG_OVERHEAD)
    writeInt32(batch, PARTITION_LEADER_EPOCH_AT, options.partitionLeaderEpoch ?? -1)
    batch[MAGIC_AT] = MAGIC_V2
    batch.writeInt16BE(attributes, ATTRIBUTES_AT)
    writeInt32(batch, LAST_OFFSET_DELTA_AT, this.#lastOffsetDelta)
    writeInt64(batch, BASE_TIMESTAMP_AT, this.#baseTimestamp)
    writeInt64(batch, MAX_TIMESTAMP_AT, logAppendTime ?? this.#maxTimestamp)
    writeInt64(batch, PRODUCER_ID_AT, options.producerId ?? -1)
    batch.writeInt16BE(options.producerEpoch ?? -1, PRODUCER_EPOCH_AT)
    writeInt32(batch, BASE_SEQUENCE_AT, options.baseSequence ?? -1)
    writeInt32(batch, RECORD_COUNT_AT, this.#count)
    writeInt32(batch, CRC_AT, computeBatchCrc(batch, 0, batch.length))
  }

  #ensure(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const bytes = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length))
    bytes.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = bytes
  }

  #field(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.#varint(-1)
      return
    }
    this.#varint(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
  }

  #varlong(value: number): void {
    if ((value | 0) === value) {
      this.#varint(value)
      return
    }
    let rest = zigzagLong(value)
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#at++] = Number(rest)
  }
}

/** A batch of `records`. */
export function buildRecordBatch(
  records: readonly NewRecord[],
  options: RecordBatchOptions = {},
): Buffer {
  const writer = new RecordBatchWriter(options)
  for (const record of records) writer.append(record)
  return writer.finish()
}

/** The control batch that ends a producer's transaction in a partition. */
export function buildEndTransactionBatch(
  marker: EndTransactionMarker,
  producer: { producerId: number; producerEpoch: number },
  timestamp: number,
): Buffer {
  const options = { ...producer, transactional: true, control: true }
  return buildRecordBatch([{ timestamp, ...endTransactionMarkerRecord(marker) }], options)
}

function fieldSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length
}

function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  return zigzag < 0x1000_0000 ? 4 : 5
}

function varlongSize(value: number): number {
  if ((value | 0) === value) return varintSize(value)
  return Math.ceil(zigzagLong(value).toString(2).length / 7)
}

/** For differences of more than 24 days only, hence the bigint. */
function zigzagLong(value: number): bigint {
  const long = BigInt(value)
  return long < 0n ? -2n * long - 1n : 2n * long
}
