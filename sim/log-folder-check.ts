/**
 * Looks at the files of a log directory that was closed in good order, as a tool that knows Kafka's
 * formats would: batches whole and gapless, indexes that agree with them.
 */
import { type Disk, readWholeFile } from '../src/common/disk.ts'
import { BatchIterator } from '../src/protocol/records/batch-iterator.ts'
import { hasValidCrc, readRecordBatchHeader } from '../src/protocol/records/record-batch.ts'
import { Violation } from './partition-model.ts'

const SEGMENT = /^(\d{20})\.log$/
const PARTITION_FOLDER = /^t\d+-\d+$/
const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

interface BatchPlace {
  readonly position: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
}

/** The lines of a checkpoint file (Kafka's format of version 0); none where it is missing. */
export function readCheckpoint(
  disk: Disk,
  path: string,
): { topic: string; partition: number; offset: number }[] {
  const lines = readWholeFile(disk, path)?.toString().trim().split('\n').slice(2) ?? []
  return lines.map((line) => {
    const [topic = '', partition, offset] = line.split(' ')
    return { topic, partition: Number(partition), offset: Number(offset) }
  })
}

/** Throws a Violation unless all logs in the directory are in order. */
export function checkLogFolders(disk: Disk, directory: string): void {
  const logStarts = readCheckpoint(disk, `${directory}/log-start-offset-checkpoint`)
  for (const name of disk.list(directory)) {
    if (!PARTITION_FOLDER.test(name)) continue
    const start = logStarts.find(({ topic, partition }) => name === `${topic}-${partition}`)
    checkLogFolder(disk, `${directory}/${name}`, start?.offset ?? 0)
  }
}

function checkLogFolder(disk: Disk, folder: string, logStart: number): void {
  const bases = disk.list(folder).flatMap((name) => SEGMENT.exec(name)?.[1] ?? [])
  let nextOffset: number | undefined
  for (const [index, baseOffset] of bases.entries()) {
    // What is wholly below the log's start is only waiting to be removed.
    if (Number(bases[index + 1] ?? Number.POSITIVE_INFINITY) <= logStart) continue
    const name = `${baseOffset}.log`
    const batches = readSegment(disk, `${folder}/${name}`)
    if (batches.length === 0) continue
    if (nextOffset !== undefined && batches[0]!.baseOffset !== nextOffset) {
      throw new Violation(
        `${folder}/${name} begins at ${batches[0]!.baseOffset}, not ${nextOffset}`,
      )
    }
    nextOffset = batches.at(-1)!.lastOffset + 1
    checkOffsetIndex(disk, `${folder}/${baseOffset}.index`, Number(baseOffset), batches)
    checkTimeIndex(disk, `${folder}/${baseOffset}.timeindex`, Number(baseOffset), batches)
  }
}

function readSegment(disk: Disk, path: string): BatchPlace[] {
  const bytes = readWholeFile(disk, path)!
  const places: BatchPlace[] = []
  const batches = new BatchIterator(bytes)
  const next = () => {
    try {
      return batches.next()
    } catch (error) {
      throw new Violation(`${path}, of ${bytes.length} bytes: ${error}`)
    }
  }
  while (next()) {
    const { position, sizeInBytes } = batches
    const { baseOffset, lastOffsetDelta, maxTimestamp } = readRecordBatchHeader(bytes, position)
    const expected = places.at(-1)?.lastOffset
    if (!hasValidCrc(bytes, position, sizeInBytes)) {
      throw new Violation(`${path} has a corrupt batch at ${position}`)
    }
    if (expected !== undefined && baseOffset !== expected + 1) {
      throw new Violation(`${path} has ${baseOffset} after ${expected}`)
    }
    const lastOffset = baseOffset + lastOffsetDelta
    places.push({ position, baseOffset, lastOffset, maxTimestamp })
  }
  if (batches.remaining > 0) throw new Violation(`${path} ends in ${batches.remaining} odd bytes`)
  return places
}

function checkOffsetIndex(
  disk: Disk,
  path: string,
  baseOffset: number,
  batches: readonly BatchPlace[],
): void {
  let previous = -1
  for (const entry of readEntries(disk, path, OFFSET_ENTRY_BYTES)) {
    const offset = baseOffset + entry.readInt32BE(0)
    const position = entry.readInt32BE(4)
    const batch = batches.find((place) => place.position === position)
    if (batch === undefined || offset < batch.baseOffset || offset > batch.lastOffset) {
      throw new Violation(`${path} says that ${offset} is at ${position}`)
    }
    if (offset <= previous) throw new Violation(`${path} has ${offset} after ${previous}`)
    previous = offset
  }
}

/** An entry says: up to this offset, no record of the segment has a later time than this. */
function checkTimeIndex(
  disk: Disk,
  path: string,
  baseOffset: number,
  batches: readonly BatchPlace[],
): void {
  let previous = -1
  for (const entry of readEntries(disk, path, TIME_ENTRY_BYTES)) {
    const timestamp = Number(entry.readBigInt64BE(0))
    const offset = baseOffset + entry.readInt32BE(8)
    const upTo = batches.filter((place) => place.baseOffset <= offset)
    const latest = Math.max(...upTo.map(({ maxTimestamp }) => maxTimestamp))
    if (latest !== timestamp || timestamp < previous) {
      throw new Violation(`${path} has ${timestamp} for ${offset}, and not ${latest}`)
    }
    previous = timestamp
  }
}

function readEntries(disk: Disk, path: string, size: number): Buffer[] {
  const bytes = readWholeFile(disk, path)
  if (bytes === undefined) throw new Violation(`${path} is missing`)
  if (bytes.length % size !== 0) throw new Violation(`${path} has ${bytes.length} bytes`)
  const count = bytes.length / size
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}
