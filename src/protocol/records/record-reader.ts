/**
 * Reads the records of one batch, decompressed if need be, one after the other:
 *
 * ```ts
 * const record = new RecordReader(buffer, position)
 * while (record.next()) use(record.offset, record.key(), record.value())
 * ```
 * The reader itself is the view of the current record, so that passing over a record makes no
 * object; `key`, `value` and `headers` make theirs when they are called. Each record is checked
 * whole (every length, the headers, no byte too many) before `next` returns. Buffers given out are
 * views of the batch or, for a compressed one, of its decompressed records.
 *
 * A record, with `varint` standing for zigzag varints:
 * ```
 * length varint │ attributes int8 │ timestampDelta varlong │ offsetDelta varint
 *   │ keyLength varint, key │ valueLength varint, value │ headerCount varint, headers
 * header: keyLength varint, key │ valueLength varint, value
 * ```
 * A negative length of a key or a value means null.
 */
import { decompress } from '../../common/compression/compression.ts'
import { KafkaError } from '../../common/errors.ts'
import {
  COMPRESSION_MASK,
  RECORD_BATCH_HEADER_SIZE,
  type RecordBatchHeader,
  readRecordBatchHeader,
  TIMESTAMP_TYPE_MASK,
} from './record-batch.ts'

export interface RecordHeader {
  key: string
  value: Buffer | null
}

/** A record by itself, as `readRecords` gives it. */
export interface Record {
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

/** What a batch may grow to when decompressed, unless the caller says otherwise. */
const DEFAULT_MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024
const NO_HEADERS: RecordHeader[] = []

export class RecordReader {
  readonly batch: RecordBatchHeader
  readonly #bytes: Buffer
  readonly #end: number
  #remaining: number
  /** Where the next field is read, and the end of the record it belongs to. */
  #at: number
  #limit: number
  #offset = -1
  #timestamp = -1
  #sizeInBytes = 0
  #fieldsAt = 0
  #keyAt = 0
  #keyLength = -1
  #valueAt = 0
  #valueLength = -1
  #headersAt = 0
  #headerCount = 0

  /**
   * For the batch at `position`, which must be whole and of format 2 (see BatchIterator). Its
   * checksum is not looked at. Throws CORRUPT_MESSAGE if it cannot be decompressed,
   * MESSAGE_TOO_LARGE if that takes more than `maxDecompressedBytes`.
   */
  constructor(buffer: Buffer, position = 0, maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES) {
    const batch = readRecordBatchHeader(buffer, position)
    const compression = batch.attributes & COMPRESSION_MASK
    const start = position + RECORD_BATCH_HEADER_SIZE
    const end = position + batch.sizeInBytes
    this.batch = batch
    if (compression === 0) {
      this.#bytes = buffer
      this.#at = start
      this.#end = end
    } else {
      this.#bytes = decompress(compression, buffer.subarray(start, end), maxDecompressedBytes)
      this.#at = 0
      this.#end = this.#bytes.length
    }
    this.#limit = this.#end
    this.#remaining = batch.recordCount
    if (batch.recordCount < 0) corrupt('the batch has a negative number of records')
  }

  get offset(): number {
    return this.#offset
  }

  /** The record's own time, or, under LogAppendTime, the time of the batch. */
  get timestamp(): number {
    return this.#timestamp
  }

  /** Bytes of the record uncompressed, with its length. */
  get sizeInBytes(): number {
    return this.#sizeInBytes
  }

  /** The bytes that the records are in: the buffer, or what the batch was decompressed to. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Where in `bytes` key, value and headers begin, for who will read them later. */
  get fieldsAt(): number {
    return this.#fieldsAt
  }

  get hasKey(): boolean {
    return this.#keyLength >= 0
  }

  get hasValue(): boolean {
    return this.#valueLength >= 0
  }

  key(): Buffer | null {
    if (this.#keyLength < 0) return null
    return this.#bytes.subarray(this.#keyAt, this.#keyAt + this.#keyLength)
  }

  value(): Buffer | null {
    if (this.#valueLength < 0) return null
    return this.#bytes.subarray(this.#valueAt, this.#valueAt + this.#valueLength)
  }

  headers(): RecordHeader[] {
    if (this.#headerCount === 0) return NO_HEADERS.slice()
    const resume = this.#at
    this.#at = this.#headersAt
    const headers: RecordHeader[] = []
    for (let i = 0; i < this.#headerCount; i++) {
      const keyLength = this.#varint()
      const key = this.#bytes.toString('utf8', this.#at, this.#at + keyLength)
      this.#at += keyLength
      const valueLength = this.#varint()
      const value = valueLength < 0 ? null : this.#bytes.subarray(this.#at, this.#at + valueLength)
      this.#at += Math.max(valueLength, 0)
      headers.push({ key, value })
    }
    this.#at = resume
    return headers
  }

  /** Goes to the next record; false after the last. Throws INVALID_RECORD for a damaged one. */
  next(): boolean {
    this.#limit = this.#end
    if (this.#remaining === 0) {
      if (this.#at !== this.#end) corrupt('bytes follow the last record of the batch')
      return false
    }
    this.#remaining -= 1
    const start = this.#at
    const length = this.#varint()
    if (length < 0 || length > this.#end - this.#at) corrupt('a record is longer than its batch')
    const limit = this.#at + length
    this.#limit = limit
    this.#at += 1 // The attributes, of which none is in use.
    const timestampDelta = this.#varlong()
    const logAppendTime = (this.batch.attributes & TIMESTAMP_TYPE_MASK) !== 0
    this.#timestamp = logAppendTime
      ? this.batch.maxTimestamp
      : this.batch.baseTimestamp + timestampDelta
    this.#offset = this.batch.baseOffset + this.#varint()
    this.#fieldsAt = this.#at
    this.#keyLength = this.#varint()
    this.#keyAt = this.#at
    this.#skip(this.#keyLength)
    this.#valueLength = this.#varint()
    this.#valueAt = this.#at
    this.#skip(this.#valueLength)
    this.#headerCount = this.#varint()
    this.#headersAt = this.#at
    if (this.#headerCount !== 0) this.#skipHeaders()
    if (this.#at !== limit) corrupt('a record has not the length it claims')
    this.#sizeInBytes = limit - start
    return true
  }

  #skipHeaders(): void {
    if (this.#headerCount < 0 || this.#headerCount > this.#limit - this.#at) {
      corrupt('a record has an impossible number of headers')
    }
    for (let i = 0; i < this.#headerCount; i++) {
      const keyLength = this.#varint()
      if (keyLength < 0) corrupt('a header has no key')
      this.#skip(keyLength)
      this.#skip(this.#varint())
    }
  }

  #skip(length: number): void {
    if (length <= 0) return
    if (length > this.#limit - this.#at) corrupt('a field is longer than its record')
    this.#at += length
  }

  /** A zigzag varint of at most five bytes. */
  #varint(): number {
    const at = this.#at
    if (at >= this.#limit) corrupt('a record ends too early')
    const first = this.#bytes[at]!
    if (first < 0x80) {
      this.#at = at + 1
      return (first >>> 1) ^ -(first & 1)
    }
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      this.#at += 1
      if (this.#at >= this.#limit) corrupt('a record ends too early')
      const byte = this.#bytes[this.#at]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#at += 1
        return (value >>> 1) ^ -(value & 1)
      }
    }
    return corrupt('a varint is too long')
  }

  /** A zigzag varint of at most ten bytes, to the nearest number. */
  #varlong(): number {
    const at = this.#at
    if (at >= this.#limit) corrupt('a record ends too early')
    const first = this.#bytes[at]!
    if (first < 0x80) {
      this.#at = at + 1
      return (first >>> 1) ^ -(first & 1)
    }
    // Whole numbers up to seven bytes are exact in a double; anything longer is no real time.
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#limit) corrupt('a record ends too early')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return (first & 1) === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    return corrupt('a varint is too long')
  }
}

/** Every record of the batch at `position`. For where speed does not matter. */
export function readRecords(buffer: Buffer, position = 0): Record[] {
  const reader = new RecordReader(buffer, position)
  const records: Record[] = []
  while (reader.next()) {
    records.push({
      offset: reader.offset,
      timestamp: reader.timestamp,
      key: reader.key(),
      value: reader.value(),
      headers: reader.headers(),
    })
  }
  return records
}

function corrupt(what: string): never {
  throw new KafkaError('INVALID_RECORD', `Invalid record batch: ${what}`)
}
