/**
 * Reads batches from segment files, off the main thread and in large pieces.
 *
 * `scanBatches` goes over all batches of a range, for recovery and searches; `readBatches` is a
 * cold fetch. Both look at batch headers only, and neither trusts the file: a length that cannot be
 * ends a scan, and makes a fetch fail with CORRUPT_MESSAGE rather than serve what follows.
 */
import { KafkaError } from '../common/errors.ts'
import type { SlabPool } from '../common/slab.ts'
import {
  BATCH_LENGTH_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD,
  RECORD_BATCH_HEADER_SIZE,
  readInt32,
  readInt64,
} from '../protocol/records/record-batch.ts'
import { emptyRead, LeasedRead, type LogRead, type ReadOptions } from './log-read.ts'
import type { LogSegment } from './log-segment.ts'

/** Size of one read in a scan. */
const SCAN_BYTES = 1024 * 1024
/** Most that one cold fetch returns, unless a single batch is larger. */
const MAX_READ_BYTES = 4 * 1024 * 1024

/**
 * Looks at the batch of `sizeInBytes` at `at` of `bytes`, at `position` of the file; false ends.
 */
export type BatchVisitor = (
  bytes: Buffer,
  at: number,
  sizeInBytes: number,
  position: number,
) => boolean

/** For scans that go through much data in the background. */
export interface ScanPace {
  /** The most that is read at once. */
  readonly maxBytesPerRead: number
  /** What is read at once, unless a batch is larger; asked before each read. */
  bytesPerRead(): number
  /** Awaited when what was read has been visited; then its memory is used again. */
  afterRead(sizeInBytes: number): Promise<void>
}

/**
 * Visits the batches of a segment that begin at `from`, a batch boundary, or later and end at `to`
 * or earlier. Returns where the first batch begins that was not accepted: `to`, if all were.
 */
export async function scanBatches(
  segment: LogSegment,
  range: { from: number; to: number },
  slabs: SlabPool,
  visit: BatchVisitor,
  pace?: ScanPace,
): Promise<number> {
  const { file, done } = segment.openForReading()
  const most = pace?.maxBytesPerRead ?? SCAN_BYTES
  let slab = slabs.acquire(Math.min(most, Math.max(range.to - range.from, 1)))
  try {
    let position = range.from
    /** Size of a batch that the last read was too short for. */
    let needed = 0
    while (range.to - position >= RECORD_BATCH_HEADER_SIZE) {
      const desired = Math.max(pace?.bytesPerRead() ?? most, needed)
      const wanted = Math.min(slab.memory.length, desired, range.to - position)
      const length = await file.read(slab.memory.subarray(0, wanted), position)
      let at = 0
      let size = 0
      while (at + RECORD_BATCH_HEADER_SIZE <= length) {
        size = LOG_OVERHEAD + readInt32(slab.memory, at + BATCH_LENGTH_AT)
        if (size < RECORD_BATCH_HEADER_SIZE || position + at + size > range.to) return position + at
        if (at + size > length) break
        if (!visit(slab.memory, at, size, position + at)) return position + at
        at += size
      }
      position += at
      if (pace !== undefined && at > 0) await pace.afterRead(at)
      if (length < wanted && at === 0) return position
      needed = at === 0 ? size : 0
      if (needed > slab.memory.length) {
        slab.release()
        slab = slabs.acquire(size)
      }
    }
    return position
  } finally {
    slab.release()
    done()
  }
}

/** What a cold fetch found, and where in the file it ended. */
export interface SegmentRead {
  readonly read: LogRead
  /** Position after the last batch read; undefined where no batch at or after the offset exists. */
  readonly endPosition: number | undefined
}

/**
 * Reads batches of a segment from the one that holds `startOffset` on. `from` is a batch boundary
 * at or before it, `to` the end of what is written.
 */
export async function readBatches(
  segment: LogSegment,
  range: { from: number; to: number },
  startOffset: number,
  maxBytes: number,
  options: ReadOptions,
  slabs: SlabPool,
): Promise<SegmentRead> {
  const { file, done } = segment.openForReading()
  try {
    let position = range.from
    let wanted = Math.max(Math.min(maxBytes, MAX_READ_BYTES), RECORD_BATCH_HEADER_SIZE)
    while (range.to - position >= RECORD_BATCH_HEADER_SIZE) {
      const slab = slabs.acquire(Math.min(wanted, range.to - position))
      let keep = false
      try {
        const target = slab.memory.subarray(0, Math.min(wanted, range.to - position))
        const length = await file.read(target, position)
        const start = findBatch(target, length, startOffset)
        if (start.missingBytes > 0) {
          // The batch is not wholly in what was read: read again from where it begins.
          if (position + start.at === range.to) break
          if (length < target.length) throw corrupt(segment, position)
          if (position + start.at + start.missingBytes > range.to) throw corrupt(segment, position)
          position += start.at
          wanted = Math.max(wanted, start.missingBytes)
          continue
        }
        const span = selectBatches(target, length, start.at, maxBytes, options)
        if (span.end === start.at) return { read: emptyRead(startOffset), endPosition: position }
        const chunk = target.subarray(start.at, span.end)
        const sizeInBytes = chunk.length
        keep = true
        return {
          read: new LeasedRead([chunk], [slab], { ...span.offsets, sizeInBytes }, 'disk'),
          endPosition: position + span.end,
        }
      } finally {
        if (!keep) slab.release()
      }
    }
    return { read: emptyRead(startOffset), endPosition: undefined }
  } finally {
    done()
  }
}

/**
 * Where in `bytes` the first batch begins that reaches `offset`. `missingBytes`, if not 0, says how
 * many bytes from `at` on are needed to go on.
 */
function findBatch(
  bytes: Buffer,
  length: number,
  offset: number,
): { at: number; missingBytes: number } {
  let at = 0
  for (;;) {
    if (at + RECORD_BATCH_HEADER_SIZE > length)
      return { at, missingBytes: RECORD_BATCH_HEADER_SIZE }
    const size = LOG_OVERHEAD + readInt32(bytes, at + BATCH_LENGTH_AT)
    if (size < RECORD_BATCH_HEADER_SIZE) return { at: 0, missingBytes: Number.POSITIVE_INFINITY }
    if (readInt64(bytes, at) + readInt32(bytes, at + LAST_OFFSET_DELTA_AT) >= offset) {
      return { at, missingBytes: at + size > length ? size : 0 }
    }
    at += size
  }
}

/** How many whole batches from `start` on are within all limits. */
function selectBatches(
  bytes: Buffer,
  length: number,
  start: number,
  maxBytes: number,
  options: ReadOptions,
): { end: number; offsets: { firstOffset: number; nextOffset: number } } {
  const firstOffset = readInt64(bytes, start)
  let nextOffset = firstOffset
  let end = start
  while (end + RECORD_BATCH_HEADER_SIZE <= length) {
    const baseOffset = readInt64(bytes, end)
    const size = LOG_OVERHEAD + readInt32(bytes, end + BATCH_LENGTH_AT)
    if (size < RECORD_BATCH_HEADER_SIZE || end + size > length) break
    if (baseOffset >= options.maxOffset) break
    if (end + size - start > maxBytes && !(end === start && options.minOneBatch)) break
    nextOffset = baseOffset + readInt32(bytes, end + LAST_OFFSET_DELTA_AT) + 1
    end += size
  }
  return { end, offsets: { firstOffset, nextOffset } }
}

function corrupt(segment: LogSegment, position: number): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `${segment.path} is damaged near byte ${position}`)
}
