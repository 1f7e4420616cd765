/**
 * Opens and closes a batch's records: in message format v2 the records, without the header, are
 * compressed as one piece.
 */
import { COMPRESSION_TYPES, compress, decompress } from '../common/compression/compression.ts'
import {
  ATTRIBUTES_AT,
  BATCH_LENGTH_AT,
  COMPRESSION_MASK,
  CONTROL_MASK,
  LOG_OVERHEAD,
  RECORD_BATCH_HEADER_SIZE,
  type RecordBatchHeader,
  writeInt32,
} from '../protocol/records/record-batch.ts'
import type { TopicCompression } from './log-config.ts'

/** However small `max.message.bytes`, batches up to this size may be opened. */
const MIN_DECOMPRESSED_LIMIT = 64 * 1024 * 1024

/** The compression bits of the attributes with which a batch is to be stored. */
export function storedCompression(topic: TopicCompression, attributes: number): number {
  const source = attributes & COMPRESSION_MASK
  if (topic === 'producer') return source
  // Kafka's transaction markers stay readable without a codec, whatever the topic says.
  if ((attributes & CONTROL_MASK) !== 0 && source === 0) return source
  return COMPRESSION_TYPES.indexOf(topic === 'uncompressed' ? 'none' : topic)
}

/**
 * The records of a batch, uncompressed. The limit, which bounds what a hostile batch can make the
 * broker allocate, is far above what a batch of `maxMessageBytes` holds in practice.
 */
export function decompressRecords(
  batch: Uint8Array,
  header: RecordBatchHeader,
  maxMessageBytes: number,
): Uint8Array {
  const content = batch.subarray(RECORD_BATCH_HEADER_SIZE, header.sizeInBytes)
  const type = header.attributes & COMPRESSION_MASK
  return decompress(type, content, Math.max(MIN_DECOMPRESSED_LIMIT, 16 * maxMessageBytes))
}

/** A new batch with the header of `batch` and `records` in it. Its CRC is the caller's to write. */
export function compressRecords(
  batch: Buffer,
  records: Uint8Array,
  type: number,
  level: number | undefined,
): Buffer {
  const content = compress(type, records, level)
  const result = Buffer.allocUnsafeSlow(RECORD_BATCH_HEADER_SIZE + content.length)
  batch.copy(result, 0, 0, RECORD_BATCH_HEADER_SIZE)
  result.set(content, RECORD_BATCH_HEADER_SIZE)
  writeInt32(result, BATCH_LENGTH_AT, result.length - LOG_OVERHEAD)
  result[ATTRIBUTES_AT + 1] = (batch[ATTRIBUTES_AT + 1]! & ~COMPRESSION_MASK) | type
  return result
}
