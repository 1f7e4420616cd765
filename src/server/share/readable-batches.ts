/** What a share group can be given of the record batches that a fetch has read. */
import { BatchIterator } from '../../protocol/records/batch-iterator.ts'
import {
  CONTROL_MASK,
  readRecordBatchHeader,
  TRANSACTIONAL_MASK,
} from '../../protocol/records/record-batch.ts'
import type { AbortedTransaction } from '../../storage/transaction-index.ts'
import type { OffsetRange } from './acquisition.ts'

export interface ReadableBatches {
  readonly batches: readonly OffsetRange[]
  /** Those of them that have nothing for a reader: control records, aborted transactions. */
  readonly undeliverable: readonly OffsetRange[]
}

/** `abortedTransactions` is null where all records are for the reader. */
export function readableBatches(
  chunks: readonly Buffer[],
  abortedTransactions: readonly AbortedTransaction[] | null,
): ReadableBatches {
  const batches: OffsetRange[] = []
  const undeliverable: OffsetRange[] = []
  const toCome = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborted = new Set<number>()
  for (const chunk of chunks) {
    const iterator = new BatchIterator(chunk)
    while (iterator.next()) {
      const header = readRecordBatchHeader(chunk, iterator.position)
      const { baseOffset: firstOffset, attributes, producerId } = header
      const range = { firstOffset, lastOffset: firstOffset + header.lastOffsetDelta }
      while (toCome[0] !== undefined && toCome[0].firstOffset <= range.lastOffset) {
        aborted.add(toCome.shift()!.producerId)
      }
      const isControl = (attributes & CONTROL_MASK) !== 0
      const isAborted = (attributes & TRANSACTIONAL_MASK) !== 0 && aborted.has(producerId)
      batches.push(range)
      if (isControl || isAborted) undeliverable.push(range)
      // The marker ends the transaction; what the producer sends next is another one.
      if (isControl) aborted.delete(producerId)
    }
  }
  return { batches, undeliverable }
}

/** The batches of `chunks` that have an offset within the range. */
export function sliceBatches(
  chunks: readonly Buffer[],
  { firstOffset, lastOffset }: OffsetRange,
): Buffer[] {
  const slices: Buffer[] = []
  for (const chunk of chunks) {
    const iterator = new BatchIterator(chunk)
    let start = -1
    let end = -1
    while (iterator.next()) {
      const header = readRecordBatchHeader(chunk, iterator.position)
      if (header.baseOffset > lastOffset) break
      if (header.baseOffset + header.lastOffsetDelta < firstOffset) continue
      if (start === -1) start = iterator.position
      end = iterator.position + iterator.sizeInBytes
    }
    if (start !== -1) slices.push(chunk.subarray(start, end))
  }
  return slices
}
