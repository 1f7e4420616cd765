/**
 * The record batch, Kafka's unit of storage and transfer (message format v2, "magic 2").
 *
 * A batch travels from the producer's socket to the segment file to the consumer's socket as the
 * same bytes; the broker reads its header in place and rewrites only the two fields that the CRC
 * does not cover. Hence this file works on (buffer, position) pairs and allocates nothing but the
 * header object a caller asks for.
 *
 * ```
 * at  field                  bytes   covered by CRC
 *  0  baseOffset               8     no   assigned by the leader
 *  8  batchLength              4     no   bytes after this field
 * 12  partitionLeaderEpoch     4     no   assigned by the leader
 * 16  magic                    1     no   always 2
 * 17  crc                      4     -    CRC32C from attributes to the end
 * 21  attributes               2     yes
 * 23  lastOffsetDelta          4     yes
 * 27  baseTimestamp            8     yes
 * 35  maxTimestamp             8     yes
 * 43  producerId               8     yes
 * 51  producerEpoch            2     yes
 * 53  baseSequence             4     yes
 * 57  recordCount              4     yes
 * 61  records, compressed as a whole according to attributes
 * ```
 * Attributes: bits 0-2 compression, 3 timestamp type (1 = LogAppendTime), 4 transactional,
 * 5 control, 6 "baseTimestamp is the delete horizon" (KIP-534).
 *
 * Specified in Kafka's documentation under "Message Format" and by KIP-98.
 */
import { crc32c } from '../../common/crc32c.ts'

/** Bytes before `batchLength` starts to count. */
export const LOG_OVERHEAD = 12
/** Bytes of a batch before its records. */
export const RECORD_BATCH_HEADER_SIZE = 61
/** The one message format that is served. */
export const MAGIC_V2 = 2

export const BATCH_LENGTH_AT = 8
export const PARTITION_LEADER_EPOCH_AT = 12
export const MAGIC_AT = 16
export const CRC_AT = 17
export const ATTRIBUTES_AT = 21
export const LAST_OFFSET_DELTA_AT = 23
export const BASE_TIMESTAMP_AT = 27
export const MAX_TIMESTAMP_AT = 35
export const PRODUCER_ID_AT = 43
export const PRODUCER_EPOCH_AT = 51
export const BASE_SEQUENCE_AT = 53
export const RECORD_COUNT_AT = 57

export const COMPRESSION_MASK = 0x07
export const TIMESTAMP_TYPE_MASK = 0x08
export const TRANSACTIONAL_MASK = 0x10
export const CONTROL_MASK = 0x20
export const DELETE_HORIZON_MASK = 0x40

/** A batch's header, decoded. Offsets, ids and timestamps are numbers: see `readInt64`. */
export interface RecordBatchHeader {
  baseOffset: number
  /** The whole batch, its first 12 bytes included. */
  sizeInBytes: number
  partitionLeaderEpoch: number
  magic: number
  crc: number
  attributes: number
  lastOffsetDelta: number
  baseTimestamp: number
  maxTimestamp: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

/**
 * A signed big-endian int64 as a number. Values outside ±2^53 lose their low bits; no legitimate
 * offset, producer id or timestamp is that large, and what comes from the wire is range-checked
 * where it is accepted.
 */
export function readInt64(buffer: Uint8Array, at: number): number {
  const high =
    (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
  return high * 0x1_0000_0000 + (readInt32(buffer, at + 4) >>> 0)
}

/** A signed big-endian int32. */
export function readInt32(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
}

/** A signed big-endian int16. */
export function readInt16(buffer: Uint8Array, at: number): number {
  return (((buffer[at]! << 8) | buffer[at + 1]!) << 16) >> 16
}

/** Writes a big-endian int32 at `at`. */
export function writeInt32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}

/** Writes a safe integer as a signed big-endian int64 at `at`. */
export function writeInt64(buffer: Uint8Array, at: number, value: number): void {
  writeInt32(buffer, at, Math.floor(value / 0x1_0000_0000))
  writeInt32(buffer, at + 4, value >>> 0)
}

/** The header of the batch at `position`, of which all 61 bytes must be in `buffer`. */
export function readRecordBatchHeader(buffer: Uint8Array, position: number): RecordBatchHeader {
  return {
    baseOffset: readInt64(buffer, position),
    sizeInBytes: LOG_OVERHEAD + readInt32(buffer, position + BATCH_LENGTH_AT),
    partitionLeaderEpoch: readInt32(buffer, position + PARTITION_LEADER_EPOCH_AT),
    magic: buffer[position + MAGIC_AT]!,
    crc: readInt32(buffer, position + CRC_AT) >>> 0,
    attributes: readInt16(buffer, position + ATTRIBUTES_AT),
    lastOffsetDelta: readInt32(buffer, position + LAST_OFFSET_DELTA_AT),
    baseTimestamp: readInt64(buffer, position + BASE_TIMESTAMP_AT),
    maxTimestamp: readInt64(buffer, position + MAX_TIMESTAMP_AT),
    producerId: readInt64(buffer, position + PRODUCER_ID_AT),
    producerEpoch: readInt16(buffer, position + PRODUCER_EPOCH_AT),
    baseSequence: readInt32(buffer, position + BASE_SEQUENCE_AT),
    recordCount: readInt32(buffer, position + RECORD_COUNT_AT),
  }
}

/** The checksum that the batch of `sizeInBytes` at `position` should have. */
export function computeBatchCrc(buffer: Uint8Array, position: number, sizeInBytes: number): number {
  return crc32c(buffer, position + ATTRIBUTES_AT, position + sizeInBytes)
}

/** Whether a whole batch has the checksum that its header says. */
export function hasValidCrc(buffer: Uint8Array, position: number, sizeInBytes: number): boolean {
  const stored = readInt32(buffer, position + CRC_AT) >>> 0
  return stored === computeBatchCrc(buffer, position, sizeInBytes)
}

/** Gives a batch the offset and epoch that its leader assigns. The checksum does not cover them. */
export function assignOffsetAndEpoch(
  buffer: Uint8Array,
  position: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  writeInt64(buffer, position, baseOffset)
  writeInt32(buffer, position + PARTITION_LEADER_EPOCH_AT, leaderEpoch)
}

/**
 * Makes `timestampMs` the time of every record of a whole batch (LogAppendTime): a flag and the
 * maximum say so, the records keep their deltas. Computes the checksum anew.
 */
export function setLogAppendTime(buffer: Uint8Array, position: number, timestampMs: number): void {
  const size = LOG_OVERHEAD + readInt32(buffer, position + BATCH_LENGTH_AT)
  // The flags are in the lower of the two bytes.
  buffer[position + ATTRIBUTES_AT + 1]! |= TIMESTAMP_TYPE_MASK
  writeInt64(buffer, position + MAX_TIMESTAMP_AT, timestampMs)
  writeInt32(buffer, position + CRC_AT, computeBatchCrc(buffer, position, size))
}
