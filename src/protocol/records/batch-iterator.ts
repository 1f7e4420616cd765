/**
 * Walks over the batches in a range of bytes: a Produce request's records, a piece of a segment, a
 * Fetch response. It looks at the headers only and allocates nothing per batch.
 *
 * ```ts
 * const batches = new BatchIterator(records)
 * while (batches.next()) handle(readRecordBatchHeader(records, batches.position))
 * ```
 * The last batch of a Fetch response may be cut off anywhere, which is legal: the walk ends before
 * it, and `remaining` says how many bytes are left over.
 */
import { KafkaError } from '../../common/errors.ts'
import {
  BATCH_LENGTH_AT,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_HEADER_SIZE,
  readInt32,
} from './record-batch.ts'

export class BatchIterator {
  readonly #buffer: Uint8Array
  readonly #end: number
  #position: number
  #size = 0

  constructor(buffer: Uint8Array, start = 0, end = buffer.length) {
    this.#buffer = buffer
    this.#position = start
    this.#end = end
  }

  /** Where the current batch starts. */
  get position(): number {
    return this.#position
  }

  /** The bytes of the current batch, its header included. */
  get sizeInBytes(): number {
    return this.#size
  }

  /** Bytes from the end of the current batch to the end of the range. */
  get remaining(): number {
    return this.#end - this.#position - this.#size
  }

  /**
   * Goes to the next batch; false if no further one is complete. Throws CORRUPT_MESSAGE for a
   * length or a format that cannot be, UNSUPPORTED_FOR_MESSAGE_FORMAT for the formats of before
   * Kafka 0.11.
   */
  next(): boolean {
    const at = this.#position + this.#size
    this.#position = at
    this.#size = 0
    if (at + MAGIC_AT >= this.#end) return false
    const magic = this.#buffer[at + MAGIC_AT]!
    if (magic === 0 || magic === 1) {
      throw new KafkaError(
        'UNSUPPORTED_FOR_MESSAGE_FORMAT',
        `Record batches of format ${magic} are not supported`,
      )
    }
    const size = LOG_OVERHEAD + readInt32(this.#buffer, at + BATCH_LENGTH_AT)
    if (magic !== MAGIC_V2 || size < RECORD_BATCH_HEADER_SIZE) {
      const what = magic === MAGIC_V2 ? `a length of ${size} bytes` : `an unknown format ${magic}`
      throw new KafkaError('CORRUPT_MESSAGE', `The record batch at byte ${at} has ${what}`)
    }
    if (size > this.#end - at) return false
    this.#size = size
    return true
  }
}
