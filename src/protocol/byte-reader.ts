/**
 * What the compiled decoders call to read single values: (buffer, position) in, value out.
 *
 * The caller has checked that the bytes are there. Values that cannot be what they claim end in
 * INVALID_REQUEST, never in a read outside the range.
 *
 * Names and ids come again and again: the same few topics in every request. Short strings and uuids
 * therefore go through a small table of the ones seen last, which saves making them and gives the
 * maps they are looked up in a string whose hash is known. The tables are caches of pure values
 * with a fixed number of short entries, whatever clients send.
 */
import { KafkaError } from '../common/errors.ts'
import { readInt16, readInt32 } from './records/record-batch.ts'
import { ZERO_UUID } from './schema.ts'

export { readInt16, readInt32 }

/** Refuses a message, saying what is wrong with it. */
export function malformed(what: string): never {
  throw new KafkaError('INVALID_REQUEST', `Malformed message: ${what}`)
}

export function truncated(): never {
  malformed('it ends in the middle of a field')
}

export function readUint16(b: Buffer, p: number): number {
  return (b[p]! << 8) | b[p + 1]!
}

/** An int64 that must fit a number: within ±2^53. */
export function readInt64(b: Buffer, p: number): number {
  const high = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
  if (high > 0x1fffff || high < -0x200000) malformed('an int64 is beyond 2^53')
  return high * 0x1_0000_0000 + (readInt32(b, p + 4) >>> 0)
}

/** An int64 of which what lies beyond the safe integers is taken as the last of them. */
export function readSaturatedInt64(b: Buffer, p: number): number {
  const value = readInt32(b, p) * 0x1_0000_0000 + (readInt32(b, p + 4) >>> 0)
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value))
}

/**
 * An unsigned varint of at most five bytes at `p`, for the decoders that found its first byte to be
 * more than 127. Returns value × 8 + bytes taken: two small numbers without an object for them.
 */
export function readLongUnsignedVarint(b: Buffer, p: number, end: number): number {
  let value = 0
  let scale = 1
  for (let count = 0; count < 5; count++) {
    if (p + count >= end) truncated()
    const byte = b[p + count]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      if (value > 0xffff_ffff) break
      return value * 8 + count + 1
    }
    scale *= 128
  }
  return malformed('a varint is longer than an int32')
}

/** Passes over the tagged fields that start at `p`, and returns where they end. */
export function skipTaggedFields(b: Buffer, p: number, end: number): number {
  let packed = readUnsignedVarint(b, p, end)
  let position = p + (packed & 7)
  // Each field takes two bytes at least, so a huge count fails on the bytes that are missing.
  for (let count = Math.floor(packed / 8); count > 0; count--) {
    position += readUnsignedVarint(b, position, end) & 7
    packed = readUnsignedVarint(b, position, end)
    position += packed & 7
    const size = Math.floor(packed / 8)
    if (size > end - position) truncated()
    position += size
  }
  return position
}

/** As readLongUnsignedVarint, for any first byte. */
export function readUnsignedVarint(b: Buffer, p: number, end: number): number {
  if (p < end && b[p]! < 0x80) return b[p]! * 8 + 1
  return readLongUnsignedVarint(b, p, end)
}

const CACHE_SIZE = 1024
const MAX_CACHED_STRING = 48
const strings: string[] = new Array(CACHE_SIZE).fill('')

/** `length` bytes of UTF-8. What is not UTF-8 becomes U+FFFD, as in Java. */
export function readString(b: Buffer, p: number, length: number): string {
  if (length > MAX_CACHED_STRING) return b.toString('utf8', p, p + length)
  let hash = length
  let bits = 0
  for (let i = p; i < p + length; i++) {
    const byte = b[i]!
    bits |= byte
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  if (bits > 0x7f) return b.toString('utf8', p, p + length)
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SIZE - 1)
  const cached = strings[slot]!
  if (cached.length === length && equalsAscii(cached, b, p)) return cached
  const made = b.toString('latin1', p, p + length)
  strings[slot] = made
  return made
}

function equalsAscii(text: string, b: Buffer, p: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== b[p + i]!) return false
  }
  return true
}

const uuids: string[] = new Array(CACHE_SIZE).fill(ZERO_UUID)
/** The bytes of `uuids`, as four words each. */
const uuidWords = new Int32Array(CACHE_SIZE * 4)

/** Sixteen bytes as the 22 characters of base64url that Kafka prints. */
export function readUuid(b: Buffer, p: number): string {
  const w0 = readInt32(b, p)
  const w1 = readInt32(b, p + 4)
  const w2 = readInt32(b, p + 8)
  const w3 = readInt32(b, p + 12)
  const hash = w0 ^ w1 ^ w2 ^ w3
  const slot = (hash ^ (hash >>> 16)) & (CACHE_SIZE - 1)
  const at = slot * 4
  if (
    uuidWords[at] === w0 &&
    uuidWords[at + 1] === w1 &&
    uuidWords[at + 2] === w2 &&
    uuidWords[at + 3] === w3
  ) {
    return uuids[slot]!
  }
  const made = b.toString('base64url', p, p + 16)
  uuids[slot] = made
  uuidWords[at] = w0
  uuidWords[at + 1] = w1
  uuidWords[at + 2] = w2
  uuidWords[at + 3] = w3
  return made
}
