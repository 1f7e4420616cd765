/**
 * Brings a log's producer state to some offset: from the latest sound snapshot at or below it, and
 * from the headers of the batches in between.
 */
import { type RecordBatchHeader, readRecordBatchHeader } from '../protocol/records/record-batch.ts'
import { offsetInName, PRODUCER_SNAPSHOT_SUFFIX, segmentFile } from './file-names.ts'
import type { LogContext } from './log-context.ts'
import type { LogSegment } from './log-segment.ts'
import { recallBatches } from './producer-recall.ts'
import { readProducerSnapshot } from './producer-snapshot.ts'
import { isExpired, type ProducerState } from './producer-state.ts'
import { scanBatches } from './segment-reader.ts'
import { readMarker } from './transaction-marker.ts'

/** The offsets of the snapshots in a log's folder, ascending. */
export function snapshotOffsets(context: LogContext, directory: string): number[] {
  return context.disk
    .list(directory)
    .map((name) => offsetInName(name, PRODUCER_SNAPSHOT_SUFFIX))
    .filter((offset) => offset !== undefined)
    .sort((a, b) => a - b)
}

/** Counts a batch that is in the log into `state`. Returns an abort's entry for the index. */
export function noteBatch(
  state: ProducerState,
  header: RecordBatchHeader,
  bytes: Buffer,
  at: number,
) {
  const marker = readMarker(bytes, at, header)
  const completed = state.update(header, header.baseOffset, marker)
  if (completed === undefined) return undefined
  const lastStableOffset = state.completeTransaction(completed)
  if (!completed.isAborted) return undefined
  const { producerId, firstOffset, lastOffset } = completed
  return { producerId, firstOffset, lastOffset, lastStableOffset }
}

/** Removes the snapshots above `offset`: what they reflect is not there any more. */
export function removeSnapshotsAbove(context: LogContext, directory: string, offset: number): void {
  for (const other of snapshotOffsets(context, directory)) {
    if (other <= offset) continue
    context.disk.remove(segmentFile(directory, other, PRODUCER_SNAPSHOT_SUFFIX))
  }
}

/** Sets `state` to what it was when the log ended at `endOffset`. */
export async function loadProducerState(
  context: LogContext,
  log: { directory: string; segments: readonly LogSegment[]; logStartOffset: number },
  state: ProducerState,
  endOffset: number,
): Promise<void> {
  const from = loadSnapshot(context, log, state, endOffset)
  await recallBatches(context, log.segments, state, from)
  for (const [index, segment] of log.segments.entries()) {
    const nextBase = log.segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
    if (nextBase <= from || from >= endOffset || segment.baseOffset >= endOffset) continue
    const range = { from: segment.offsetIndex.lookup(from), to: segment.sizeInBytes }
    await scanBatches(segment, range, context.slabs, (bytes, at) => {
      const header = readRecordBatchHeader(bytes, at)
      if (header.baseOffset >= endOffset) return false
      // The log may begin in the middle of a batch, which counts.
      if (header.baseOffset + header.lastOffsetDelta >= from) noteBatch(state, header, bytes, at)
      return true
    })
  }
  state.endOffset = endOffset
}

/** Loads the latest usable snapshot. Returns the offset from which batches must be read. */
function loadSnapshot(
  context: LogContext,
  log: { directory: string; logStartOffset: number },
  state: ProducerState,
  endOffset: number,
): number {
  const nowMs = context.clock.now()
  for (const offset of snapshotOffsets(context, log.directory).reverse()) {
    const path = segmentFile(log.directory, offset, PRODUCER_SNAPSHOT_SUFFIX)
    if (offset > endOffset) continue
    const entries = readProducerSnapshot(context.disk, path)
    if (entries === undefined) {
      context.disk.remove(path)
      continue
    }
    state.reset(offset)
    for (const entry of entries) {
      if (!isExpired(entry, nowMs, context.producerIdExpirationMs())) state.load(entry)
    }
    return offset
  }
  state.reset(log.logStartOffset)
  return log.logStartOffset
}
