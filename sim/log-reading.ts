/** Reads a log over the wire as a consumer does, which leaves aborted transactions out. */
import { ErrorCode, errorName } from '../src/common/errors.ts'
import { BatchIterator } from '../src/protocol/records/batch-iterator.ts'
import { ControlRecordType, readControlRecordType } from '../src/protocol/records/control-record.ts'
import {
  CONTROL_MASK,
  hasValidCrc,
  readRecordBatchHeader,
  TRANSACTIONAL_MASK,
} from '../src/protocol/records/record-batch.ts'
import { type Record, readRecords } from '../src/protocol/records/record-reader.ts'
import type { CoordinatorClient, IsolationLevel } from './coordinator-client.ts'
import { Violation } from './partition-model.ts'
import type { SeededRandom } from './seeded-random.ts'

/** How many fetches in a row may bring nothing though there is something. */
const MAX_EMPTY_FETCHES = 20

export interface LogReading {
  /** What an application would get, in order. */
  readonly records: readonly Record[]
  /** Everything below it was read. */
  readonly end: number
}

/**
 * Reads everything from offset 0 to the end of the log, or to the last stable offset. A compacted
 * log may have a hole at its end (`isCompacted`), in which there is nothing to read.
 */
export async function readLog(
  client: CoordinatorClient,
  log: { topic: string; partition: number; isCompacted: boolean },
  isolationLevel: IsolationLevel,
  random: SeededRandom,
): Promise<LogReading> {
  const { topic, partition } = log
  const name = `${topic}-${partition}`
  const { errorCode, offset: end } = await client.logEnd(topic, partition, isolationLevel)
  if (errorCode !== ErrorCode.NONE) {
    throw new Violation(`ListOffsets of ${name}: ${errorName(errorCode)}`)
  }
  const records: Record[] = []
  let offset = 0
  let empty = 0
  while (offset < end) {
    const maxBytes = random.pick([1, 1000, 100_000])
    const answer = await client.fetch(topic, partition, { offset, maxBytes, isolationLevel })
    if (answer.errorCode !== ErrorCode.NONE) {
      throw new Violation(`Fetch of ${name} from ${offset}: ${errorName(answer.errorCode)}`)
    }
    const nextOffset = collect(name, answer, offset, records)
    empty = nextOffset === offset ? empty + 1 : 0
    if (empty > MAX_EMPTY_FETCHES && log.isCompacted) break
    if (empty > MAX_EMPTY_FETCHES) {
      throw new Violation(`${name} gives nothing at ${offset}, and ends at ${end}`)
    }
    offset = nextOffset
  }
  return { records: records.filter((record) => record.offset < end), end }
}

/** Adds what counts of an answer to `into`; returns the offset to go on from. */
function collect(
  name: string,
  answer: Awaited<ReturnType<CoordinatorClient['fetch']>>,
  offset: number,
  into: Record[],
): number {
  const waiting = [...answer.abortedTransactions].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborted = new Set<number>()
  const batches = new BatchIterator(answer.records)
  let nextOffset = offset
  while (batches.next()) {
    const { position, sizeInBytes } = batches
    const header = readRecordBatchHeader(answer.records, position)
    const { baseOffset, attributes, producerId } = header
    const lastOffset = baseOffset + header.lastOffsetDelta
    if (!hasValidCrc(answer.records, position, sizeInBytes)) {
      throw new Violation(`${name} serves a corrupt batch at ${baseOffset}`)
    }
    if (lastOffset < nextOffset || (position > 0 && baseOffset < nextOffset)) {
      throw new Violation(`${name} serves the batch at ${baseOffset} after ${nextOffset}`)
    }
    while (waiting.length > 0 && waiting[0]!.firstOffset <= lastOffset) {
      aborted.add(waiting.shift()!.producerId)
    }
    const records = readRecords(answer.records, position)
    if ((attributes & CONTROL_MASK) !== 0) {
      const [marker] = records
      if (marker !== undefined && readControlRecordType(marker.key) === ControlRecordType.ABORT) {
        aborted.delete(producerId)
      }
    } else if ((attributes & TRANSACTIONAL_MASK) === 0 || !aborted.has(producerId)) {
      into.push(...records.filter((record) => record.offset >= offset))
    }
    nextOffset = lastOffset + 1
  }
  return nextOffset
}
