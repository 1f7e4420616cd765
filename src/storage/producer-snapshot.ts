/**
 * Producer state on disk: the file `<offset>.snapshot` reflects all batches below that offset, so
 * that only what comes after must be read to know the state at the end of the log.
 *
 * ```
 * version int16 = 1 | crc uint32 (CRC32C of all that follows) | count int32 | entries
 * entry: producerId int64, producerEpoch int16, lastSequence int32, lastOffset int64,
 *        offsetDelta int32, timestamp int64, coordinatorEpoch int32, currentTxnFirstOffset int64
 * ```
 * Only the last batch of each producer is in it, as in Kafka; see producer-recall.ts for the
 * others. Specified by Kafka's message `ProducerSnapshot`.
 */
import { crc32c } from '../common/crc32c.ts'
import { type Disk, type DiskFile, readWholeFile } from '../common/disk.ts'
import type { ProducerEntry, ProducerState } from './producer-state.ts'

const HEADER_SIZE = 10
const CRC_FROM = 6
const ENTRY_SIZE = 46
const VERSION = 1

/** Encodes all entries of `state`. */
export function encodeProducerSnapshot(state: ProducerState): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + state.size * ENTRY_SIZE)
  bytes.writeInt16BE(VERSION, 0)
  bytes.writeInt32BE(state.size, CRC_FROM)
  let at = HEADER_SIZE
  for (const entry of state.entries()) {
    const last = entry.batches.at(-1)
    bytes.writeBigInt64BE(BigInt(entry.producerId), at)
    bytes.writeInt16BE(entry.producerEpoch, at + 8)
    bytes.writeInt32BE(last?.lastSequence ?? -1, at + 10)
    bytes.writeBigInt64BE(BigInt(last?.lastOffset ?? -1), at + 14)
    bytes.writeInt32BE(last?.offsetDelta ?? 0, at + 22)
    bytes.writeBigInt64BE(BigInt(entry.lastTimestamp), at + 26)
    bytes.writeInt32BE(entry.coordinatorEpoch, at + 34)
    bytes.writeBigInt64BE(BigInt(entry.currentTxnFirstOffset), at + 38)
    at += ENTRY_SIZE
  }
  bytes.writeUInt32BE(crc32c(bytes, CRC_FROM, bytes.length), 2)
  return bytes
}

/** The entries of a snapshot, or undefined where it is damaged or of an unknown version. */
export function decodeProducerSnapshot(bytes: Buffer): ProducerEntry[] | undefined {
  if (bytes.length < HEADER_SIZE || bytes.readInt16BE(0) !== VERSION) return undefined
  if (crc32c(bytes, CRC_FROM, bytes.length) !== bytes.readUInt32BE(2)) return undefined
  const count = bytes.readInt32BE(CRC_FROM)
  if (bytes.length !== HEADER_SIZE + count * ENTRY_SIZE) return undefined
  const entries: ProducerEntry[] = []
  for (let at = HEADER_SIZE; at < bytes.length; at += ENTRY_SIZE) {
    const timestamp = Number(bytes.readBigInt64BE(at + 26))
    const lastOffset = Number(bytes.readBigInt64BE(at + 14))
    const batch = {
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset,
      offsetDelta: bytes.readInt32BE(at + 22),
      timestamp,
    }
    entries.push({
      producerId: Number(bytes.readBigInt64BE(at)),
      producerEpoch: bytes.readInt16BE(at + 8),
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      lastTimestamp: timestamp,
      currentTxnFirstOffset: Number(bytes.readBigInt64BE(at + 38)),
      batches: lastOffset >= 0 ? [batch] : [],
    })
  }
  return entries
}

/** Writes a snapshot, not yet synced. The caller syncs and closes the file. */
export function writeProducerSnapshot(disk: Disk, path: string, state: ProducerState): DiskFile {
  const file = disk.open(path, { create: true })
  try {
    file.truncate(0)
    file.writeSync([encodeProducerSnapshot(state)], 0)
  } catch (error) {
    file.close()
    throw error
  }
  return file
}

/** Reads a snapshot; undefined where it is missing or damaged. */
export function readProducerSnapshot(disk: Disk, path: string): ProducerEntry[] | undefined {
  const bytes = readWholeFile(disk, path)
  return bytes === undefined ? undefined : decodeProducerSnapshot(bytes)
}
