/**
 * Serializers: from an application's keys and values to bytes. A serializer is a function; null
 * stands for "no key" or, as a value, for a tombstone, and is never given to one.
 */

/** Makes bytes of `data`, for a record of `topic`. May throw: the send then fails. */
export type Serializer<Data> = (data: Data, topic: string) => Uint8Array | null

/** UTF-8. */
export const stringSerializer: Serializer<string> = (text) => Buffer.from(text)

/** Bytes as they are. */
export const bytesSerializer: Serializer<Uint8Array> = (bytes) => bytes

/** JSON in UTF-8. */
export function jsonSerializer<Data>(): Serializer<Data> {
  return (data) => Buffer.from(JSON.stringify(data))
}

/** Four bytes, big-endian, as Java's IntegerSerializer. Throws RangeError for what does not fit. */
export const intSerializer: Serializer<number> = (value) => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Eight bytes, big-endian, as Java's LongSerializer. Throws RangeError for what does not fit. */
export const longSerializer: Serializer<number | bigint> = (value) => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/** Eight bytes, IEEE 754, as Java's DoubleSerializer. */
export const doubleSerializer: Serializer<number> = (value) => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(value)
  return bytes
}

/** Takes strings and bytes, whichever comes: for producers that name no serializer. */
export const plainSerializer: Serializer<string | Uint8Array> = (data) => {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array) return data
  throw new TypeError(`Expected a string or bytes, found ${typeof data}: name a serializer for it`)
}
