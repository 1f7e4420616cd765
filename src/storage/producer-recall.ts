/**
 * Gives producers back the batches that a snapshot does not hold. Of each producer's last five
 * batches, by which repetitions are recognised, Kafka's snapshots have only the last; the others
 * still lie at the end of the log. A client that has lost its answers to a restart sends up to five
 * batches again, and gets them recognised.
 *
 * Only so much of the log is read, and only for producers that may still be sending, that a start
 * with many partitions is not held up.
 */
import { readRecordBatchHeader } from '../protocol/records/record-batch.ts'
import type { LogContext } from './log-context.ts'
import type { LogSegment } from './log-segment.ts'
import { batchIn, type ProducerBatch, type ProducerState } from './producer-state.ts'
import { scanBatches } from './segment-reader.ts'

/** A few batches of a few producers. */
const RECALL_BYTES = 256 * 1024
/** Longer than clients go on trying to send a batch. */
const RECALL_AGE_MS = 3_600_000

/** Completes `state`, which is that of a log up to `endOffset`, as far as that is worth it. */
export async function recallBatches(
  context: LogContext,
  segments: readonly LogSegment[],
  state: ProducerState,
  endOffset: number,
): Promise<void> {
  const segment = segments.findLast(({ baseOffset }) => baseOffset < endOffset)
  if (segment === undefined || !mayRecall(state, segment, context.clock.now())) return
  const end = segment.offsetIndex.lookup(endOffset)
  const from = segment.offsetIndex.lookupPosition(Math.max(end - RECALL_BYTES, 0))
  const found = new Map<number, ProducerBatch[]>()
  const range = { from, to: segment.sizeInBytes }
  await scanBatches(segment, range, context.slabs, (bytes, at) => {
    const header = readRecordBatchHeader(bytes, at)
    if (header.baseOffset >= endOffset) return false
    const batch = batchIn(header, header.baseOffset)
    const { producerId } = header
    if (batch === undefined || state.get(producerId)?.producerEpoch !== header.producerEpoch) {
      return true
    }
    const batches = found.get(producerId)
    if (batches === undefined) found.set(producerId, [batch])
    else batches.push(batch)
    return true
  })
  for (const [producerId, batches] of found) state.recall(producerId, batches)
}

function mayRecall(state: ProducerState, segment: LogSegment, nowMs: number): boolean {
  for (const { lastTimestamp, batches } of state.entries()) {
    const [batch] = batches
    // The producer's first batch of this epoch has nothing before it.
    if (batch === undefined || batch.lastSequence === batch.offsetDelta) continue
    const isHere = batch.lastOffset >= segment.baseOffset
    if (isHere && nowMs - lastTimestamp < RECALL_AGE_MS) return true
  }
  return false
}
