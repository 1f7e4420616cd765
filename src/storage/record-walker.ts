/**
 * Steps through the (uncompressed) records of a batch and checks their form, without making an
 * object of any: on the produce path a batch may hold thousands.
 *
 * ```
 * record: length varint | attributes int8 | timestampDelta varlong | offsetDelta varint |
 *         keyLength varint, key | valueLength varint, value | headerCount varint, headers
 * header: keyLength varint, key | valueLength varint, value
 * ```
 * Varints are zigzag-coded; a key or value length of -1 is null, but a header's key is never null.
 * Specified in Kafka's documentation under "Record" and by KIP-82.
 */

/** A record of nothing: seven fields of one byte. */
const MIN_RECORD_SIZE = 7
/** -1, zigzag-coded: the length of what is null. */
const NULL_LENGTH = 1

export class RecordWalker {
  /** Of the record that `next` stepped over. */
  offsetDelta = 0
  timestampDelta = 0
  /** -1 where the key is null. */
  keyLength = -1
  keyAt = 0
  /** -1 where the value is null. */
  valueLength = -1
  /** Where it begins, with its length. */
  recordAt = 0

  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0

  /** Begins at the first of the records that fill `bytes` from `start` up to `end`. */
  start(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Whether all bytes have been stepped over. */
  get isAtEnd(): boolean {
    return this.#at === this.#end
  }

  /** Where the record that `next` stepped over ends. */
  get recordEnd(): number {
    return this.#at
  }

  /** Steps over one record. Returns false where there is none, or none of correct form. */
  next(): boolean {
    this.recordAt = this.#at
    return this.#nextPlain() || this.#nextAny()
  }

  /**
   * As `next`, for a record without headers whose varints have at most two bytes, which is what
   * nearly all records are. Anything else is left to `#nextAny`, in twice the time.
   */
  #nextPlain(): boolean {
    const bytes = this.#bytes
    let at = this.#at
    // A read beyond the end would give undefined, and make all reads here slow from then on.
    if (at + MIN_RECORD_SIZE > this.#end) return false
    let length = bytes[at++]!
    if (length >= 0x80) length = (length & 0x7f) | (bytes[at++]! << 7)
    const recordEnd = at + (length >>> 1)
    at += 1
    let timestamp = bytes[at++]!
    if (timestamp >= 0x80) timestamp = (timestamp & 0x7f) | (bytes[at++]! << 7)
    let offset = bytes[at++]!
    if (offset >= 0x80) offset = (offset & 0x7f) | (bytes[at++]! << 7)
    let key = bytes[at++]!
    if (key >= 0x80) key = (key & 0x7f) | (bytes[at++]! << 7)
    const keyAt = at
    if (key !== NULL_LENGTH) at += key >>> 1
    let value = bytes[at++]!
    if (value >= 0x80) value = (value & 0x7f) | (bytes[at++]! << 7)
    if (value !== NULL_LENGTH) at += value >>> 1
    const isPlain =
      (length | timestamp | offset | key | value) < 0x4000 &&
      bytes[at] === 0 &&
      at + 1 === recordEnd &&
      recordEnd <= this.#end &&
      (length & 1) === 0 &&
      ((key & 1) === 0 || key === NULL_LENGTH) &&
      ((value & 1) === 0 || value === NULL_LENGTH)
    if (!isPlain) return false
    this.offsetDelta = unzigzag(offset)
    this.timestampDelta = unzigzag(timestamp)
    this.keyLength = unzigzag(key)
    this.keyAt = keyAt
    this.valueLength = unzigzag(value)
    this.#at = recordEnd
    return true
  }

  #nextAny(): boolean {
    if (this.#at >= this.#end) return false
    const length = this.#varint()
    const recordEnd = this.#at + length
    if (!(length >= 6 && recordEnd <= this.#end)) return false
    this.#at += 1
    this.timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()
    this.keyLength = this.#varint()
    this.keyAt = this.#at
    if (this.keyLength > 0) this.#at += this.keyLength
    this.valueLength = this.#varint()
    if (this.valueLength > 0) this.#at += this.valueLength
    if (this.keyLength < -1 || this.valueLength < -1 || this.#at >= recordEnd) return false
    const headerCount = this.#varint()
    if (headerCount !== 0 && !this.#skipHeaders(headerCount, recordEnd)) return false
    return this.#at === recordEnd
  }

  #skipHeaders(count: number, recordEnd: number): boolean {
    if (count < 0 || count > recordEnd - this.#at) return false
    for (let index = 0; index < count; index++) {
      const keyLength = this.#varint()
      if (!(keyLength >= 0)) return false
      this.#at += keyLength
      const valueLength = this.#varint()
      if (valueLength < -1) return false
      if (valueLength > 0) this.#at += valueLength
      if (this.#at > recordEnd) return false
    }
    return true
  }

  /** NaN where the varint is longer than an int32's or runs over the end. */
  #varint(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++]!
    if (byte < 0x80) return unzigzag(byte)
    let value = byte & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      if (this.#at >= this.#end) return Number.NaN
      byte = bytes[this.#at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return unzigzag(value)
    }
    return Number.NaN
  }

  /** Exact up to 2^53. NaN where the varint is longer than an int64's or runs over the end. */
  #varlong(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++]!
    if (byte < 0x80) return unzigzag(byte)
    let value = byte & 0x7f
    let scale = 128
    for (let count = 1; count < 10; count++) {
      if (this.#at >= this.#end) return Number.NaN
      byte = bytes[this.#at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    return Number.NaN
  }
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}
