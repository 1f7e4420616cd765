/**
 * A segment's file, read batch by batch from any position on. Reads are large and small batches
 * share one, so that dumping takes few system calls and little memory, whatever the file's size.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import {
  BATCH_LENGTH_AT,
  hasValidCrc,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_HEADER_SIZE,
  type RecordBatchHeader,
  readRecordBatchHeader,
} from '../../protocol/records/record-batch.ts'
import { ToolError } from '../support/tool.ts'

/** Up to where a batch's format can be told. */
const HEADER_UP_TO_MAGIC = MAGIC_AT + 1
/** The smallest batch of any format that there has been. */
const SMALLEST_BATCH = 14
const CHUNK_BYTES = 1024 * 1024

export interface SegmentBatch {
  /** The whole batch. */
  readonly bytes: Buffer
  readonly header: RecordBatchHeader
  /** Where it begins in the file. */
  readonly position: number
}

export class SegmentFile {
  readonly path: string
  readonly sizeInBytes: number
  readonly #file: number
  #chunk: Buffer = Buffer.alloc(0)
  #chunkAt = 0

  /** Throws a ToolError where there is no such file. */
  constructor(path: string) {
    this.path = path
    this.#file = openFile(path)
    this.sizeInBytes = fstatSync(this.#file).size
  }

  close(): void {
    closeSync(this.#file)
  }

  /** The whole batches between two positions, up to what is none. */
  *batches(from = 0, to = this.sizeInBytes): Generator<SegmentBatch> {
    let position = from
    const end = Math.min(to, this.sizeInBytes)
    while (position + HEADER_UP_TO_MAGIC < end) {
      const head = this.#read(position, HEADER_UP_TO_MAGIC)
      const length = head.readInt32BE(BATCH_LENGTH_AT)
      if (length < SMALLEST_BATCH) {
        const limit = `smaller than minimum record overhead (${SMALLEST_BATCH})`
        throw corrupt(`Found record size ${length} ${limit} in file ${this.path}.`)
      }
      const sizeInBytes = LOG_OVERHEAD + length
      if (position + sizeInBytes > end) return
      const magic = head.readInt8(MAGIC_AT)
      if (magic !== MAGIC_V2) {
        const what = 'is of a format that Kafka wrote before 0.11, which is not supported'
        throw corrupt(`The batch at position ${position} of ${this.path} ${what} (magic ${magic}).`)
      }
      const bytes = this.#read(position, sizeInBytes)
      if (sizeInBytes < RECORD_BATCH_HEADER_SIZE) {
        const limit = `minimum allowed overhead (${RECORD_BATCH_HEADER_SIZE})`
        throw corrupt(
          `Record batch is corrupted (the size ${sizeInBytes} is smaller than the ${limit})`,
        )
      }
      yield { bytes, header: readRecordBatchHeader(bytes, 0), position }
      position += sizeInBytes
    }
  }

  #read(position: number, length: number): Buffer {
    const at = position - this.#chunkAt
    if (at >= 0 && at + length <= this.#chunk.length) return this.#chunk.subarray(at, at + length)
    const wanted = Math.min(Math.max(length, CHUNK_BYTES), this.sizeInBytes - position)
    const chunk = Buffer.allocUnsafe(wanted)
    let read = 0
    while (read < wanted) {
      const count = readSync(this.#file, chunk, read, wanted - read, position + read)
      if (count === 0) break
      read += count
    }
    this.#chunk = chunk.subarray(0, read)
    this.#chunkAt = position
    return this.#chunk.subarray(0, length)
  }
}

/** Whether its checksum is right. */
export function isValid({ bytes, header }: SegmentBatch): boolean {
  return header.sizeInBytes >= RECORD_BATCH_HEADER_SIZE && hasValidCrc(bytes, 0, header.sizeInBytes)
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw fileError(error as NodeJS.ErrnoException, path)
  }
}

/** Why a file cannot be read, as Kafka's tool ends when it is so. */
export function fileError(error: NodeJS.ErrnoException, path: string): ToolError {
  return error.code === 'ENOENT'
    ? new ToolError(path, { className: 'java.nio.file.NoSuchFileException' })
    : new ToolError(`${path}: ${error.message}`, { className: 'java.nio.file.FileSystemException' })
}

function corrupt(message: string): ToolError {
  return new ToolError(message, {
    className: 'org.apache.kafka.common.errors.CorruptRecordException',
  })
}
