/**
 * Deserializers: from bytes to an application's keys and values. A deserializer is a function; a
 * key or value that is null is never given to one and stays null.
 *
 * It is called when `key` or `value` of a record is first looked at. What it throws comes out
 * there, in a DeserializationError, and the application may pass over that record.
 */
import { readInt32, readInt64 } from '../protocol/records/record-batch.ts'
import type { RecordHeader } from '../protocol/records/record-reader.ts'

/** The record that a deserializer works for. Headers are decoded only if they are looked at. */
export interface RecordContext {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly headers: readonly RecordHeader[]
}

/** Makes data of `bytes`, which are a view of what was fetched. May throw. */
export type Deserializer<Data> = (bytes: Buffer, topic: string, record: RecordContext) => Data

/** UTF-8. What is not UTF-8 becomes U+FFFD, as with Java's StringDeserializer. */
export const stringDeserializer: Deserializer<string> = (bytes) => bytes.toString()

/**
 * Bytes as they are: a view of the whole response, which stays in memory as long as the view does.
 * What is kept for long should be copied.
 */
export const bytesDeserializer: Deserializer<Buffer> = (bytes) => bytes

/** JSON in UTF-8. Its shape is not checked. */
export function jsonDeserializer<Data>(): Deserializer<Data> {
  return (bytes) => JSON.parse(bytes.toString()) as Data
}

/** Four bytes, big-endian, as Java's IntegerDeserializer. */
export const intDeserializer: Deserializer<number> = (bytes) => {
  expectSize(bytes, 4)
  return readInt32(bytes, 0)
}

/** Eight bytes, big-endian. Throws RangeError for what a number cannot hold exactly. */
export const longDeserializer: Deserializer<number> = (bytes) => {
  expectSize(bytes, 8)
  const value = readInt64(bytes, 0)
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`${bytes.readBigInt64BE()} is no safe integer: use bigintDeserializer`)
}

/** Eight bytes, big-endian, as Java's LongDeserializer. */
export const bigintDeserializer: Deserializer<bigint> = (bytes) => {
  expectSize(bytes, 8)
  return bytes.readBigInt64BE()
}

/** Eight bytes, IEEE 754, as Java's DoubleDeserializer. */
export const doubleDeserializer: Deserializer<number> = (bytes) => {
  expectSize(bytes, 8)
  return bytes.readDoubleBE()
}

function expectSize(bytes: Buffer, size: number): void {
  if (bytes.length === size) return
  throw new RangeError(`Expected ${size} bytes, found ${bytes.length}`)
}
