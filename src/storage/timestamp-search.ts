/**
 * Finds offsets by timestamp, for ListOffsets.
 *
 * The answer to "timestamp t" is the first offset whose record is at or after t, however out of
 * order the timestamps are. Only the first segment whose largest timestamp reaches t can hold it;
 * in it, the time index names an offset up to which all records are at or before its timestamp;
 * from there batches are gone through, and the first whose largest timestamp reaches t is opened.
 */
import type { SlabPool } from '../common/slab.ts'
import {
  type RecordBatchHeader,
  readRecordBatchHeader,
  TIMESTAMP_TYPE_MASK,
} from '../protocol/records/record-batch.ts'
import { decompressRecords } from './batch-compression.ts'
import type { LogSegment } from './log-segment.ts'
import { RecordWalker } from './record-walker.ts'
import { scanBatches } from './segment-reader.ts'
import { largestTimestampOf, NO_TIMESTAMP } from './time-index.ts'

/** Timestamps of ListOffsets that stand for something else. */
export const SpecialTimestamp = {
  LATEST: -1,
  EARLIEST: -2,
  /** The first record with the largest timestamp (KIP-734). */
  MAX_TIMESTAMP: -3,
  /** The first offset in local storage (KIP-405): without tiers, the earliest. */
  EARLIEST_LOCAL: -4,
  /** The last offset in remote storage (KIP-1005): without tiers, none. */
  LATEST_TIERED: -5,
} as const

export interface OffsetAtTimestamp {
  /** -1 where there is none to name. */
  readonly offset: number
  /** -1 for an offset that is not found by its record. */
  readonly timestamp: number
  /** -1 where it is not known. */
  readonly leaderEpoch: number
}

export function specialOffset(offset: number, leaderEpoch: number | undefined): OffsetAtTimestamp {
  return { offset, timestamp: NO_TIMESTAMP, leaderEpoch: leaderEpoch ?? -1 }
}

/** The first record at or after `timestamp` whose offset is at least `startOffset`. */
export async function findTimestamp(
  segments: readonly LogSegment[],
  timestamp: number,
  startOffset: number,
  slabs: SlabPool,
): Promise<OffsetAtTimestamp | undefined> {
  for (const segment of segments) {
    if (segment.largestTimestamp() < timestamp) continue
    const known = segment.timeIndex.lookup(timestamp)
    const from = segment.offsetIndex.lookup(Math.max(known.offset, startOffset))
    let found: OffsetAtTimestamp | undefined
    await scanBatches(segment, { from, to: segment.sizeInBytes }, slabs, (bytes, at, size) => {
      const header = readRecordBatchHeader(bytes, at)
      if (header.maxTimestamp < timestamp) return true
      if (header.baseOffset + header.lastOffsetDelta < startOffset) return true
      const batch = bytes.subarray(at, at + size)
      found = findInBatch(batch, header, (ts, offset) => ts >= timestamp && offset >= startOffset)
      return found === undefined
    })
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The first record that has the largest timestamp of all. Where the index names a batch of which
 * only the header is left, as in a folder that Kafka has compacted, all headers are gone through.
 */
export async function findLargestTimestamp(
  segments: readonly LogSegment[],
  slabs: SlabPool,
): Promise<OffsetAtTimestamp | undefined> {
  const found = await findIndexedLargest(segments, slabs)
  if (found !== undefined) return found
  let timestamp = NO_TIMESTAMP
  for (const segment of segments) {
    await scanBatches(segment, { from: 0, to: segment.sizeInBytes }, slabs, (bytes, at) => {
      timestamp = Math.max(timestamp, largestTimestampOf(readRecordBatchHeader(bytes, at)))
      return true
    })
  }
  if (timestamp === NO_TIMESTAMP) return undefined
  return findTimestamp(segments, timestamp, 0, slabs)
}

async function findIndexedLargest(
  segments: readonly LogSegment[],
  slabs: SlabPool,
): Promise<OffsetAtTimestamp | undefined> {
  let best: LogSegment | undefined
  let timestamp = -1
  for (const segment of segments) {
    const largest = segment.largestTimestampOffset()
    if (largest.timestamp <= timestamp) continue
    best = segment
    timestamp = largest.timestamp
  }
  if (best === undefined) return undefined
  const from = best.offsetIndex.lookup(best.largestTimestampOffset().offset)
  let found: OffsetAtTimestamp | undefined
  await scanBatches(best, { from, to: best.sizeInBytes }, slabs, (bytes, at, size) => {
    const header = readRecordBatchHeader(bytes, at)
    if (header.maxTimestamp < timestamp) return true
    found = findInBatch(bytes.subarray(at, at + size), header, (ts) => ts >= timestamp)
    return found === undefined
  })
  return found
}

/** The first record of a batch that `matches`. */
function findInBatch(
  batch: Buffer,
  header: RecordBatchHeader,
  matches: (timestamp: number, offset: number) => boolean,
): OffsetAtTimestamp | undefined {
  const leaderEpoch = header.partitionLeaderEpoch
  const appendTime = (header.attributes & TIMESTAMP_TYPE_MASK) !== 0
  const content = decompressRecords(batch, header, header.sizeInBytes)
  const walker = new RecordWalker()
  walker.start(content, 0, content.length)
  while (walker.next()) {
    const offset = header.baseOffset + walker.offsetDelta
    const timestamp = appendTime
      ? header.maxTimestamp
      : header.baseTimestamp + walker.timestampDelta
    if (matches(timestamp, offset)) return { offset, timestamp, leaderEpoch }
  }
  return undefined
}
