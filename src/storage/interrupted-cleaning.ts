/**
 * Finishes, or undoes, what was under way in a log's folder when the broker stopped.
 *
 *  - `.deleted` files were on their way out, and are removed.
 *  - `.cleaned` files were being written by the log cleaner, and are removed; so is a `.swap` file
 *    at or above the first of them, which belongs to the same unfinished split.
 *  - A `.swap` segment that remains is complete. It replaces every segment in the range of offsets
 *    that it covers.
 */
import {
  RECORD_BATCH_HEADER_SIZE,
  readRecordBatchHeader,
} from '../protocol/records/record-batch.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  offsetInName,
  SEGMENT_SUFFIXES,
  SWAP_SUFFIX,
  segmentFile,
} from './file-names.ts'
import type { LogContext } from './log-context.ts'

export function settleInterruptedCleaning(context: LogContext, directory: string): void {
  const { disk, logger } = context
  const names = disk.list(directory)
  const remove = (name: string) => disk.remove(`${directory}/${name}`)
  for (const name of names) if (name.endsWith(DELETED_SUFFIX)) remove(name)

  const cleaned = names.filter((name) => name.endsWith(CLEANED_SUFFIX))
  const firstCleaned = Math.min(...cleaned.map((name) => Number.parseInt(name, 10)))
  const swaps: string[] = []
  for (const name of names) {
    if (!name.endsWith(SWAP_SUFFIX)) continue
    if (Number.parseInt(name, 10) < firstCleaned) swaps.push(name)
    else remove(name)
  }
  for (const name of cleaned) remove(name)

  for (const name of swaps) {
    const base = offsetInName(name, LOG_SUFFIX + SWAP_SUFFIX)
    if (base !== undefined) removeReplaced(context, directory, base)
  }
  // The batches first: as long as they are not in place, this is done again from the beginning, and
  // what is in place of the rest would be taken for the old segment's.
  const isLog = (name: string) => name.endsWith(LOG_SUFFIX + SWAP_SUFFIX)
  for (const name of [...swaps.filter(isLog), ...swaps.filter((name) => !isLog(name))]) {
    logger.info(`Finishing the replacement of ${directory}/${name}`)
    disk.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SWAP_SUFFIX.length)}`)
  }
}

/** Removes the segments that the complete `.swap` segment at `base` was made from. */
function removeReplaced(context: LogContext, directory: string, base: number): void {
  const end = nextOffset(context, segmentFile(directory, base, LOG_SUFFIX + SWAP_SUFFIX), base)
  for (const name of context.disk.list(directory)) {
    for (const suffix of SEGMENT_SUFFIXES) {
      const offset = offsetInName(name, suffix)
      if (offset !== undefined && offset >= base && offset < end) {
        context.disk.remove(`${directory}/${name}`)
      }
    }
  }
}

/** The offset after the last batch of a segment file. */
function nextOffset(context: LogContext, path: string, base: number): number {
  const file = context.disk.open(path, { readOnly: true })
  const bytes = Buffer.alloc(RECORD_BATCH_HEADER_SIZE)
  let next = base + 1
  try {
    for (let position = 0; file.readSync(bytes, position) === bytes.length; ) {
      const header = readRecordBatchHeader(bytes, 0)
      if (header.sizeInBytes < RECORD_BATCH_HEADER_SIZE) break
      next = header.baseOffset + header.lastOffsetDelta + 1
      position += header.sizeInBytes
    }
  } finally {
    file.close()
  }
  return next
}
