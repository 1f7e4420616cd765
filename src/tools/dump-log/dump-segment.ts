/** Prints a segment: a line for each batch and, if wanted, for each record in it. */
import { basename } from 'node:path'
import { COMPRESSION_TYPES } from '../../common/compression/compression.ts'
import {
  ControlRecordType,
  readControlRecordType,
  readEndTransactionMarker,
} from '../../protocol/records/control-record.ts'
import {
  COMPRESSION_MASK,
  CONTROL_MASK,
  DELETE_HORIZON_MASK,
  type RecordBatchHeader,
  TIMESTAMP_TYPE_MASK,
  TRANSACTIONAL_MASK,
} from '../../protocol/records/record-batch.ts'
import { RecordReader } from '../../protocol/records/record-reader.ts'
import type { RecordDecoder } from './record-decoders.ts'
import { isValid, type SegmentBatch, SegmentFile } from './segment-file.ts'

export interface DumpSegmentOptions {
  readonly isDeep: boolean
  /** Shows keys and values; undefined where they are not wanted. */
  readonly decoder: RecordDecoder | undefined
  readonly skipRecordMetadata: boolean
  /** Batches that end after this position are left out. */
  readonly maxBytes: number
}

/** Where a record is followed by one that is not the next. */
export type OffsetGap = readonly [offset: number, next: number]

const CONTROL_TYPE_NAMES = Object.keys(ControlRecordType)
const NO_SEQUENCE = -1
const SEQUENCES = 2 ** 31

/** A sequence number that many after another; they begin anew after the last. */
const incremented = (sequence: number, by: number): number =>
  sequence === NO_SEQUENCE ? NO_SEQUENCE : (sequence + by) % SEQUENCES

const timestampType = ({ attributes }: RecordBatchHeader): string =>
  (attributes & TIMESTAMP_TYPE_MASK) === 0 ? 'CreateTime' : 'LogAppendTime'

/** The lines of a segment's dump, and where offsets are left out in `gaps`, the last one first. */
export function* dumpSegment(
  path: string,
  options: DumpSegmentOptions,
  gaps: OffsetGap[],
): Generator<string> {
  const segment = new SegmentFile(path)
  try {
    const { isDeep, maxBytes } = options
    let validBytes = 0
    let lastOffset = -1
    for (const batch of segment.batches(0, maxBytes)) {
      yield batchLine(batch)
      validBytes += batch.header.sizeInBytes
      if (!isDeep) continue
      const reader = new RecordReader(batch.bytes, 0, Number.MAX_SAFE_INTEGER)
      while (reader.next()) {
        const { offset } = reader
        if (lastOffset !== -1 && offset !== lastOffset + 1) gaps.unshift([lastOffset, offset])
        lastOffset = offset
        yield recordLine(reader, options)
      }
    }
    const trailing = segment.sizeInBytes - validBytes
    if (trailing > 0 && maxBytes === Number.POSITIVE_INFINITY) {
      yield `Found ${trailing} invalid bytes at the end of ${basename(path)}`
    }
  } finally {
    segment.close()
  }
}

function batchLine(batch: SegmentBatch): string {
  const { header, position } = batch
  const { attributes, baseOffset, baseSequence, lastOffsetDelta } = header
  const hasHorizon = (attributes & DELETE_HORIZON_MASK) !== 0
  const horizon = hasHorizon ? `OptionalLong[${header.baseTimestamp}]` : 'OptionalLong.empty'
  return [
    `baseOffset: ${baseOffset} lastOffset: ${baseOffset + lastOffsetDelta}`,
    `count: ${header.recordCount} baseSequence: ${baseSequence}`,
    `lastSequence: ${incremented(baseSequence, lastOffsetDelta)}`,
    `producerId: ${header.producerId} producerEpoch: ${header.producerEpoch}`,
    `partitionLeaderEpoch: ${header.partitionLeaderEpoch}`,
    `isTransactional: ${(attributes & TRANSACTIONAL_MASK) !== 0}`,
    `isControl: ${(attributes & CONTROL_MASK) !== 0}`,
    `deleteHorizonMs: ${horizon}`,
    `position: ${position} ${timestampType(header)}: ${header.maxTimestamp}`,
    `size: ${header.sizeInBytes} magic: ${header.magic}`,
    `compresscodec: ${COMPRESSION_TYPES[attributes & COMPRESSION_MASK]}`,
    `crc: ${header.crc} isvalid: ${isValid(batch)}`,
  ].join(' ')
}

function recordLine(reader: RecordReader, options: DumpSegmentOptions): string {
  const { batch, offset } = reader
  const isControl = (batch.attributes & CONTROL_MASK) !== 0
  const words: string[] = []
  const [key, value] = [reader.key(), reader.value()]
  if (!options.skipRecordMetadata) {
    const headerKeys = reader.headers().map((header) => header.key)
    words.push(
      `offset: ${offset} ${timestampType(batch)}: ${reader.timestamp}`,
      `keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`,
      `sequence: ${incremented(batch.baseSequence, offset - batch.baseOffset)}`,
      `headerKeys: [${headerKeys.join(',')}]`,
    )
    if (isControl) words.push(controlText(key, value))
  }
  // What begins a line is the first word, be it the offset or, without metadata, the key.
  let line = words.length === 0 ? '' : `| ${words.join(' ')}`
  if (options.decoder !== undefined && !isControl) {
    const shown = options.decoder(offset, key, value)
    if (shown.key !== undefined) line += `${line === '' ? '| ' : ' '}key: ${shown.key}`
    if (shown.payload !== undefined) line += ` payload: ${shown.payload}`
  }
  return line
}

function controlText(key: Buffer | null, value: Buffer | null): string {
  const type = readControlRecordType(key)
  const marker = readEndTransactionMarker(key, value)
  if (marker === undefined) {
    return `controlType: ${CONTROL_TYPE_NAMES[type] ?? 'UNKNOWN'}(${type})`
  }
  const name = marker.commit ? 'COMMIT' : 'ABORT'
  return `endTxnMarker: ${name} coordinatorEpoch: ${marker.coordinatorEpoch}`
}
