/**
 * Decides whether a batch may be appended, and brings it into the form in which it is stored.
 *
 * Works on bytes. An uncompressed batch is walked record by record, because a batch whose records
 * are malformed would be served to every consumer. A compressed batch passes through unopened
 * unless something needs its records: keys (compacted topic), early timestamps
 * (`message.timestamp.before.max.ms`), another `compression.type`, or a header whose largest
 * timestamp cannot be right. Its number of records is checked against its offsets in any case.
 *
 * Refusals are KafkaErrors, with the code that Kafka answers:
 *  - INVALID_RECORD: not exactly one batch, magic other than 2, control batch or base offset other
 *    than 0 from a client, inconsistent counts and offsets, malformed record, no key in a compacted
 *    topic
 *  - CORRUPT_MESSAGE: checksum, or sizes that cannot be
 *  - MESSAGE_TOO_LARGE, INVALID_TIMESTAMP
 *
 * A batch is changed only after all checks have passed, and changed in place where it is not
 * compressed anew: LogAppendTime rewrites attributes and largest timestamp, and with them the CRC.
 */
import { crc32c } from '../common/crc32c.ts'
import { KafkaError } from '../common/errors.ts'
import {
  ATTRIBUTES_AT,
  BATCH_LENGTH_AT,
  COMPRESSION_MASK,
  CONTROL_MASK,
  CRC_AT,
  LOG_OVERHEAD,
  MAGIC_V2,
  MAX_TIMESTAMP_AT,
  RECORD_BATCH_HEADER_SIZE,
  type RecordBatchHeader,
  readInt32,
  readRecordBatchHeader,
  TIMESTAMP_TYPE_MASK,
  writeInt32,
  writeInt64,
} from '../protocol/records/record-batch.ts'
import { compressRecords, decompressRecords, storedCompression } from './batch-compression.ts'
import { isCompacted, type LogConfig } from './log-config.ts'
import { RecordWalker } from './record-walker.ts'
import { NO_TIMESTAMP } from './time-index.ts'

/** Who asks for an append, which decides how far the batch is trusted. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

/** What is wrong with one record of a refused batch; goes into the Produce response (KIP-467). */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

/** A batch refused because of some of its records. */
export class RecordValidationError extends KafkaError {
  readonly recordErrors: readonly RecordError[]

  constructor(
    name: 'INVALID_RECORD' | 'INVALID_TIMESTAMP',
    message: string,
    recordErrors: readonly RecordError[],
  ) {
    super(name, message)
    this.recordErrors = recordErrors
  }
}

/** A batch that may be appended, in the form in which it is to be stored. */
export interface ValidBatch {
  /** The view that was given, or a new buffer where the batch was compressed anew. */
  readonly bytes: Buffer
  /** As it stands in `bytes`. */
  readonly header: RecordBatchHeader
  /** -1 where timestamps are the producer's. */
  readonly logAppendTimeMs: number
}

/** Most record errors that are reported; a client cannot use more. */
const MAX_RECORD_ERRORS = 100

export class LogValidator {
  readonly #walker = new RecordWalker()

  /** Checks the one batch that a leader is asked to append. `nowMs` is wall-clock time. */
  validate(
    records: Buffer,
    config: LogConfig,
    origin: 'client' | 'coordinator',
    nowMs: number,
  ): ValidBatch {
    const header = this.#checkHeader(records, config, origin)
    const sourceType = header.attributes & COMPRESSION_MASK
    const targetType = storedCompression(config.compressionType, header.attributes)
    let maxTimestamp = header.maxTimestamp
    let bytes = records
    if (sourceType !== targetType || this.#needsRecords(header, config)) {
      const content = decompressRecords(records, header, config.maxMessageBytes)
      maxTimestamp = this.#checkRecords(content, 0, header, config, nowMs)
      if (sourceType !== targetType) {
        bytes = compressRecords(records, content, targetType, config.compressionLevel)
        checkSize(bytes.length, config)
      }
    } else if (sourceType === 0) {
      maxTimestamp = this.#checkRecords(records, RECORD_BATCH_HEADER_SIZE, header, config, nowMs)
    } else {
      checkTimestampBounds(header, config, nowMs)
    }
    return finish(bytes, header, maxTimestamp, bytes !== records, config, nowMs)
  }

  #checkHeader(records: Buffer, config: LogConfig, origin: AppendOrigin): RecordBatchHeader {
    const sizeInBytes = checkOneBatch(records)
    const header = readRecordBatchHeader(records, 0)
    if (origin === 'client' && header.baseOffset !== 0) {
      throw invalid(
        `The baseOffset of the record batch should be 0, but it is ${header.baseOffset}`,
      )
    }
    checkSize(sizeInBytes, config)
    if (crc32c(records, ATTRIBUTES_AT, sizeInBytes) !== header.crc) {
      throw new KafkaError('CORRUPT_MESSAGE', `Record is corrupt (stored crc = ${header.crc})`)
    }
    checkCounts(header)
    if (origin === 'client') {
      if ((header.attributes & CONTROL_MASK) !== 0) {
        throw invalid('Clients are not allowed to write control records')
      }
      if (header.producerId >= 0 && header.baseSequence < 0) {
        throw invalid(
          `Invalid sequence number ${header.baseSequence} in record batch with producerId ` +
            `${header.producerId}`,
        )
      }
    }
    return header
  }

  /** Whether a batch must be opened though it is stored compressed as it came. */
  #needsRecords(header: RecordBatchHeader, config: LogConfig): boolean {
    if ((header.attributes & COMPRESSION_MASK) === 0) return false
    if (isCompacted(config)) return true
    if (config.timestampType === 'LogAppendTime') return false
    return (
      config.messageTimestampBeforeMaxMs !== Number.POSITIVE_INFINITY ||
      header.maxTimestamp < header.baseTimestamp
    )
  }

  /** Walks all records; returns their largest timestamp. */
  #checkRecords(
    content: Uint8Array,
    start: number,
    header: RecordBatchHeader,
    config: LogConfig,
    nowMs: number,
  ): number {
    const walker = this.#walker
    const needsKey = isCompacted(config) && (header.attributes & CONTROL_MASK) === 0
    const createTime = config.timestampType === 'CreateTime'
    const earliest = createTime ? nowMs - config.messageTimestampBeforeMaxMs : -Infinity
    const latest = createTime ? nowMs + config.messageTimestampAfterMaxMs : Infinity
    const errors = new RecordErrors()
    let maxTimestamp = NO_TIMESTAMP
    walker.start(content, start, content.length)
    for (let index = 0; index < header.recordCount; index++) {
      if (!walker.next()) throw invalid(`Record ${index} of the batch is malformed`)
      if (walker.offsetDelta !== index) {
        throw invalid(`Record ${index} of the batch has offset delta ${walker.offsetDelta}`)
      }
      if (needsKey && walker.keyLength < 0) errors.missingKey(index)
      const timestamp = header.baseTimestamp + walker.timestampDelta
      if (timestamp > maxTimestamp) maxTimestamp = timestamp
      if (timestamp > latest || (timestamp < earliest && timestamp !== NO_TIMESTAMP)) {
        errors.timestampOutOfRange(index, timestamp, earliest, latest)
      }
    }
    if (!walker.isAtEnd) throw invalid('There are bytes after the last record of the batch')
    errors.throwIfAny()
    return maxTimestamp
  }
}

/**
 * The batches in what a leader has sent: whole, sound, and with ascending offsets. A batch at the
 * end that is not whole is left out: a fetch may cut it off.
 */
export function splitBatches(records: Buffer): { bytes: Buffer; header: RecordBatchHeader }[] {
  const batches: { bytes: Buffer; header: RecordBatchHeader }[] = []
  let nextOffset = 0
  let at = 0
  while (at + RECORD_BATCH_HEADER_SIZE <= records.length) {
    const header = readRecordBatchHeader(records, at)
    const end = at + header.sizeInBytes
    if (header.sizeInBytes < RECORD_BATCH_HEADER_SIZE || header.magic !== MAGIC_V2) {
      throw new KafkaError('CORRUPT_MESSAGE', `No record batch at byte ${at} of a fetch response`)
    }
    if (end > records.length) break
    if (crc32c(records, at + ATTRIBUTES_AT, end) !== header.crc) {
      throw new KafkaError('CORRUPT_MESSAGE', `Record is corrupt (stored crc = ${header.crc})`)
    }
    if (header.baseOffset < nextOffset || header.lastOffsetDelta < 0) {
      throw new KafkaError('CORRUPT_MESSAGE', `Out of order offsets at ${header.baseOffset}`)
    }
    batches.push({ bytes: records.subarray(at, end), header })
    nextOffset = header.baseOffset + header.lastOffsetDelta + 1
    at = end
  }
  return batches
}

/** The size of the one batch that `records` must be. */
function checkOneBatch(records: Buffer): number {
  const sizeInBytes =
    records.length < LOG_OVERHEAD ? Infinity : LOG_OVERHEAD + readInt32(records, BATCH_LENGTH_AT)
  if (sizeInBytes < RECORD_BATCH_HEADER_SIZE) {
    throw new KafkaError('CORRUPT_MESSAGE', `Record batch of ${sizeInBytes} bytes is too small`)
  }
  if (sizeInBytes > records.length) {
    throw invalid('Produce requests must have at least one whole record batch per partition')
  }
  const magic = records[16]!
  if (magic > MAGIC_V2) throw new KafkaError('CORRUPT_MESSAGE', `Invalid magic ${magic} in record`)
  if (magic !== MAGIC_V2) {
    throw invalid(
      'Produce requests are only allowed to contain record batches with magic version 2',
    )
  }
  if (sizeInBytes < records.length) {
    throw invalid('Produce requests must contain exactly one record batch per partition')
  }
  return sizeInBytes
}

function checkSize(sizeInBytes: number, config: LogConfig): void {
  if (sizeInBytes > config.maxMessageBytes) {
    throw new KafkaError(
      'MESSAGE_TOO_LARGE',
      `The record batch size is ${sizeInBytes} bytes which exceeds the maximum configured value ` +
        `of ${config.maxMessageBytes}.`,
    )
  }
  if (sizeInBytes > config.segmentBytes) {
    throw new KafkaError(
      'RECORD_LIST_TOO_LARGE',
      `Message batch size is ${sizeInBytes} bytes which exceeds the maximum configured segment ` +
        `size of ${config.segmentBytes}.`,
    )
  }
}

function checkCounts(header: RecordBatchHeader): void {
  if (header.recordCount <= 0) {
    throw invalid(`Invalid reported count for record batch: ${header.recordCount}`)
  }
  if (header.lastOffsetDelta !== header.recordCount - 1) {
    throw invalid(
      `Inconsistent last offset delta ${header.lastOffsetDelta} and count of records ` +
        `${header.recordCount}`,
    )
  }
}

/** The check for a batch that is not opened: its header names its largest timestamp. */
function checkTimestampBounds(header: RecordBatchHeader, config: LogConfig, nowMs: number): void {
  if (config.timestampType !== 'CreateTime') return
  const latest = nowMs + config.messageTimestampAfterMaxMs
  if (header.maxTimestamp <= latest) return
  const errors = new RecordErrors()
  errors.timestampOutOfRange(header.recordCount - 1, header.maxTimestamp, -Infinity, latest)
  errors.throwIfAny()
}

/** Rewrites what the broker decides about, and the CRC if anything under it has changed. */
function finish(
  bytes: Buffer,
  header: RecordBatchHeader,
  maxTimestamp: number,
  isRecompressed: boolean,
  config: LogConfig,
  nowMs: number,
): ValidBatch {
  const logAppendTime = config.timestampType === 'LogAppendTime'
  if (logAppendTime && (header.attributes & TIMESTAMP_TYPE_MASK) !== 0) {
    throw new KafkaError(
      'INVALID_TIMESTAMP',
      'Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime.',
    )
  }
  const storedMax = logAppendTime ? nowMs : maxTimestamp
  const attributes = bytes[ATTRIBUTES_AT + 1]!
  const stored = logAppendTime
    ? attributes | TIMESTAMP_TYPE_MASK
    : attributes & ~TIMESTAMP_TYPE_MASK
  if (isRecompressed || stored !== attributes || storedMax !== header.maxTimestamp) {
    bytes[ATTRIBUTES_AT + 1] = stored
    writeInt64(bytes, MAX_TIMESTAMP_AT, storedMax)
    writeInt32(bytes, CRC_AT, crc32c(bytes, ATTRIBUTES_AT, bytes.length))
    header = readRecordBatchHeader(bytes, 0)
  }
  return { bytes, header, logAppendTimeMs: logAppendTime ? nowMs : NO_TIMESTAMP }
}

/** Collects what is wrong with single records, so that a client learns of all at once. */
class RecordErrors {
  #errors: RecordError[] | undefined
  #name: 'INVALID_RECORD' | 'INVALID_TIMESTAMP' = 'INVALID_RECORD'

  missingKey(batchIndex: number): void {
    this.#add({ batchIndex, message: 'Compacted topic cannot accept message without key' })
  }

  timestampOutOfRange(index: number, timestamp: number, earliest: number, latest: number): void {
    this.#name = 'INVALID_TIMESTAMP'
    this.#add({
      batchIndex: index,
      message:
        `Timestamp ${timestamp} of message with offset ${index} is out of range. ` +
        `The timestamp should be within [${earliest}, ${latest}]`,
    })
  }

  throwIfAny(): void {
    if (this.#errors === undefined) return
    throw new RecordValidationError(
      this.#name,
      this.#name === 'INVALID_TIMESTAMP'
        ? 'One or more records have been rejected due to invalid timestamp'
        : `One or more records have been rejected due to ${this.#errors.length} record errors`,
      this.#errors,
    )
  }

  #add(error: RecordError): void {
    this.#errors ??= []
    if (this.#errors.length < MAX_RECORD_ERRORS) this.#errors.push(error)
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_RECORD', message)
}
