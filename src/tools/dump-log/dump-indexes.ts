/**
 * Prints what lies beside a segment: its indexes, which are checked against it, the producers'
 * states, and the transactions that were aborted in it.
 */
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { crc32c } from '../../common/crc32c.ts'
import { SystemDisk } from '../../common/system-disk.ts'
import { RecordReader } from '../../protocol/records/record-reader.ts'
import { decodeProducerSnapshot } from '../../storage/producer-snapshot.ts'
import { TransactionIndex } from '../../storage/transaction-index.ts'
import { ToolError } from '../support/tool.ts'
import { fileError, SegmentFile } from './segment-file.ts'

export interface DumpIndexOptions {
  /** Only what tells a broker at its start that an index is damaged. */
  readonly sanityOnly: boolean
  /** Prints no entries. */
  readonly verifyOnly: boolean
  /** Batches are read up to this size, in bytes. */
  readonly maxMessageSize: number
}

/** What is wrong with time indexes, by their paths. */
export class TimeIndexErrors {
  readonly mismatches = new Map<string, [index: number, log: number][]>()
  readonly outOfOrder = new Map<string, [index: number, previous: number][]>()
  readonly notFound = new Map<string, [index: number, log: number][]>()

  lines(): string[] {
    const mismatches = [...this.mismatches].flatMap(([path, pairs]) => [
      `Found timestamp mismatch in :${path}`,
      ...pairs.map(([index, log]) => `  Index timestamp: ${index}, log timestamp: ${log}`),
    ])
    const outOfOrder = [...this.outOfOrder].flatMap(([path, pairs]) => [
      `Found out of order timestamp in :${path}`,
      ...pairs.map(([index, previous]) => {
        return `  Index timestamp: ${index}, Previously indexed timestamp: ${previous}`
      }),
    ])
    const notFound = [...this.notFound.values()].flatMap((pairs) => [
      'The following indexed offsets are not found in the log.',
      ...pairs.map(([index, log]) => `Indexed offset: ${index}, found log offset: ${log}`),
    ])
    return [...mismatches, ...outOfOrder, ...notFound]
  }
}

/** Adds to the list of a path. */
function note<Pair>(lists: Map<string, Pair[]>, path: string, pair: Pair): void {
  const list = lists.get(path)
  if (list === undefined) lists.set(path, [pair])
  else list.push(pair)
}

const OFFSET_ENTRY = 8
const TIME_ENTRY = 12
const TRANSACTION_ENTRY = 34
const CRC_FROM = 6
const SNAPSHOT_VERSION = 1

/** The path of the file beside `path` with another suffix. */
function beside(path: string, suffix: string): string {
  return join(dirname(path), `${baseNameOf(path)}${suffix}`)
}

function baseNameOf(path: string): string {
  return basename(path).split('.')[0]!
}

/** The offset at which the segment begins that a file belongs to; its name says so. */
export function baseOffsetOf(path: string): number {
  const name = baseNameOf(path)
  if (/^\d+$/.test(name)) return Number(name)
  throw new ToolError(`For input string: "${name}"`, {
    className: 'java.lang.NumberFormatException',
  })
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw fileError(error as NodeJS.ErrnoException, path)
  }
}

/** The entries of an offset index, without the zeros at the end of one that was not closed. */
function offsetEntries(bytes: Buffer, baseOffset: number): { offset: number; position: number }[] {
  const entries = []
  for (let at = 0; at + OFFSET_ENTRY <= bytes.length; at += OFFSET_ENTRY) {
    const relative = bytes.readInt32BE(at)
    if (relative === 0 && at > 0) break
    entries.push({ offset: baseOffset + relative, position: bytes.readInt32BE(at + 4) })
  }
  return entries
}

const corruptIndex = (message: string) =>
  new ToolError(message, {
    className: 'org.apache.kafka.storage.internals.log.CorruptIndexException',
  })

/** Checks an offset index; what does not match the log goes to `mismatches`, the last one first. */
export function* dumpOffsetIndex(
  path: string,
  options: DumpIndexOptions,
  mismatches: (index: number, log: number) => void,
): Generator<string> {
  const baseOffset = baseOffsetOf(path)
  const segment = new SegmentFile(beside(path, '.log'))
  try {
    const bytes = readBytes(path)
    if (bytes.length < OFFSET_ENTRY) {
      yield `${path} is empty.`
      return
    }
    if (options.sanityOnly) {
      checkOffsetIndex(path, bytes, baseOffset)
      yield `${path} passed sanity check.`
      return
    }
    for (const { offset, position } of offsetEntries(bytes, baseOffset)) {
      const [batch] = segment.batches(position, position + options.maxMessageSize)
      if (batch === undefined)
        throw new ToolError('null', { className: 'java.util.NoSuchElementException' })
      const lastOffset = batch.header.baseOffset + batch.header.lastOffsetDelta
      if (lastOffset !== offset) mismatches(offset, lastOffset)
      if (!options.verifyOnly) yield `offset: ${offset} position: ${position}`
    }
  } finally {
    segment.close()
  }
}

function checkOffsetIndex(path: string, bytes: Buffer, baseOffset: number): void {
  const lastAt = Math.floor(bytes.length / OFFSET_ENTRY) * OFFSET_ENTRY - OFFSET_ENTRY
  const lastOffset = baseOffset + bytes.readInt32BE(lastAt)
  if (lastOffset < baseOffset) {
    throw corruptIndex(
      `Corrupt index found, index file ${path} has non-zero size but the last offset is ` +
        `${lastOffset} which is less than the base offset ${baseOffset}`,
    )
  }
  if (bytes.length % OFFSET_ENTRY === 0) return
  throw corruptIndex(
    `Index file ${path} is corrupt, found ${bytes.length} bytes which is neither positive nor a ` +
      `multiple of ${OFFSET_ENTRY}`,
  )
}

/** Checks a time index against the log, to which the offset index leads. */
export function* dumpTimeIndex(
  path: string,
  options: DumpIndexOptions,
  errors: TimeIndexErrors,
): Generator<string> {
  const baseOffset = baseOffsetOf(path)
  const segment = new SegmentFile(beside(path, '.log'))
  try {
    const positions = offsetEntries(readBytes(beside(path, '.index')), baseOffset)
    const bytes = readBytes(path)
    if (options.sanityOnly) {
      checkTimeIndex(path, bytes, baseOffset)
      yield `${path} passed sanity check.`
      return
    }
    let previous = -1
    for (let at = 0; at + TIME_ENTRY <= bytes.length; at += TIME_ENTRY) {
      const timestamp = Number(bytes.readBigInt64BE(at))
      const relative = bytes.readInt32BE(at + 8)
      if (relative === 0 && at > 0) return
      const offset = baseOffset + relative
      const from = positions.findLast((entry) => entry.offset <= offset)?.position ?? 0
      checkTimeEntry(path, segment, { timestamp, offset, from, previous }, errors)
      if (!options.verifyOnly) yield `timestamp: ${timestamp} offset: ${offset}`
      previous = timestamp
    }
  } finally {
    segment.close()
  }
}

function checkTimeEntry(
  path: string,
  segment: SegmentFile,
  entry: { timestamp: number; offset: number; from: number; previous: number },
  errors: TimeIndexErrors,
): void {
  const { timestamp, offset, from, previous } = entry
  for (const { bytes, header } of segment.batches(from)) {
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    if (lastOffset < offset) continue
    if (lastOffset !== offset) {
      note(errors.notFound, path, [offset, lastOffset])
      return
    }
    let largest = -1
    const reader = new RecordReader(bytes, 0, Number.MAX_SAFE_INTEGER)
    while (reader.next()) largest = Math.max(largest, reader.timestamp)
    if (largest !== timestamp) note(errors.mismatches, path, [timestamp, largest])
    if (previous >= timestamp) note(errors.outOfOrder, path, [timestamp, previous])
    return
  }
  note(errors.notFound, path, [offset, -1])
}

function checkTimeIndex(path: string, bytes: Buffer, baseOffset: number): void {
  const entries = Math.floor(bytes.length / TIME_ENTRY)
  if (entries > 0) {
    const lastAt = (entries - 1) * TIME_ENTRY
    const [first, last] = [bytes.readBigInt64BE(0), bytes.readBigInt64BE(lastAt)]
    const lastOffset = baseOffset + bytes.readInt32BE(lastAt + 8)
    if (last < first) {
      throw corruptIndex(
        `Corrupt time index found, time index file (${path}) has non-zero size but the last ` +
          `timestamp is ${last} which is less than the first timestamp ${first}`,
      )
    }
    if (lastOffset < baseOffset) {
      throw corruptIndex(
        `Corrupt time index found, time index file (${path}) has non-zero size but the last ` +
          `offset is ${lastOffset} which is less than the first offset ${baseOffset}`,
      )
    }
  }
  if (bytes.length % TIME_ENTRY === 0) return
  throw corruptIndex(
    `Time index file ${path} is corrupt, found ${bytes.length} bytes which is neither positive ` +
      `nor a multiple of ${TIME_ENTRY}`,
  )
}

/** The producers of a snapshot; one that is damaged is told of on `complain`. */
export function* dumpProducerSnapshot(
  path: string,
  complain: (line: string) => void,
): Generator<string> {
  const bytes = readBytes(path)
  const entries = decodeProducerSnapshot(bytes)
  if (entries === undefined) {
    complain(snapshotProblem(bytes))
    return
  }
  for (const entry of entries) {
    const { currentTxnFirstOffset: first } = entry
    const last = entry.batches.at(-1)
    const state =
      `producerId: ${entry.producerId} producerEpoch: ${entry.producerEpoch} ` +
      `coordinatorEpoch: ${entry.coordinatorEpoch} currentTxnFirstOffset: ` +
      `${first < 0 ? 'OptionalLong.empty' : `OptionalLong[${first}]`} ` +
      `lastTimestamp: ${entry.lastTimestamp} `
    if (last === undefined) yield state
    else {
      const { lastSequence, lastOffset, offsetDelta, timestamp } = last
      const firstSequence = decremented(lastSequence, offsetDelta)
      yield `${state}firstSequence: ${firstSequence} lastSequence: ${lastSequence} ` +
        `lastOffset: ${lastOffset} offsetDelta: ${offsetDelta} timestamp: ${timestamp}`
    }
  }
}

/** The sequence number that many before another; the first follows the last. */
function decremented(sequence: number, by: number): number {
  return sequence < by ? 2 ** 31 - (by - sequence) : sequence - by
}

function snapshotProblem(bytes: Buffer): string {
  const version = bytes.length < 2 ? undefined : bytes.readInt16BE(0)
  if (version !== undefined && version !== SNAPSHOT_VERSION) {
    const what = `Snapshot contained an unknown file version ${version}`
    return `Snapshot failed schema validation: ${what}`
  }
  if (bytes.length <= CRC_FROM) return 'Snapshot failed schema validation: null'
  const [stored, computed] = [bytes.readUInt32BE(2), crc32c(bytes, CRC_FROM, bytes.length)]
  return stored === computed
    ? 'Snapshot failed schema validation: it is cut off'
    : 'Snapshot is corrupt (CRC is no longer valid). ' +
        `Stored crc: ${stored}. Computed crc: ${computed}`
}

/** The aborted transactions of a segment. */
export function* dumpTransactionIndex(path: string): Generator<string> {
  const folder = dirname(path)
  const index = new TransactionIndex(new SystemDisk(), folder, baseOffsetOf(path))
  if (readBytes(path).length % TRANSACTION_ENTRY !== 0) {
    throw corruptIndex(`Transaction index ${path} is cut off within an entry`)
  }
  for (const { producerId, firstOffset, lastOffset, lastStableOffset } of index.read()) {
    yield `version: 0 producerId: ${producerId} firstOffset: ${firstOffset} ` +
      `lastOffset: ${lastOffset} lastStableOffset: ${lastStableOffset}`
  }
}
