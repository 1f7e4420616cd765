/**
 * A ByteWriter collects a message's bytes for a vectored write: small values go into memory chunks,
 * large buffers (record batches) into the output by reference.
 *
 * It is meant to be kept and used again: after `finish` it goes on in the rest of its chunk, so
 * that many small responses written one after the other lie side by side, and all that are written
 * before one `finish` come out as one buffer. What `finish` gave is never written to again.
 *
 * Values out of a type's range throw a plain Error: what we send is our own responsibility.
 */
import { ZERO_UUID } from './schema.ts'

/** Below this many bytes a copy is cheaper than one more entry in the vectored write. */
const MIN_REFERENCE_BYTES = 1024
const MAX_INT16_STRING = 0x7fff
/** Up to this length writing characters one by one beats a call into native code. */
const MAX_SHORT_STRING = 48

const EMPTY = Buffer.alloc(0)

export class ByteWriter {
  readonly #chunkBytes: number
  /** What is complete, in order, and its length. */
  #pieces: Buffer[] = []
  #piecesBytes = 0
  /** The chunk written to, where its unfinished piece starts, and where the next byte goes. */
  #chunk: Buffer = EMPTY
  #start = 0
  #at = 0
  #scratch: ByteWriter | undefined

  /** `chunkBytes` of memory are taken at a time, from the first write on. */
  constructor(chunkBytes = 32 * 1024) {
    this.#chunkBytes = chunkBytes
  }

  /** Bytes written since the last `finish`. */
  get size(): number {
    return this.#piecesBytes + this.#at - this.#start
  }

  /** Everything written since the last `finish`, in order. */
  finish(): Buffer[] {
    this.#closePiece()
    const pieces = this.#pieces
    this.#pieces = []
    this.#piecesBytes = 0
    return pieces
  }

  /** Forgets what was written since `size` was `size`: for a message that could not be encoded. */
  rewind(size: number): void {
    while (this.#piecesBytes > size) {
      this.#at = this.#start
      const piece = this.#pieces.pop()!
      this.#piecesBytes -= piece.length
      if (this.#piecesBytes < size) {
        const kept = piece.subarray(0, size - this.#piecesBytes)
        this.#pieces.push(kept)
        this.#piecesBytes += kept.length
      }
    }
    this.#at = this.#start + size - this.#piecesBytes
  }

  /** Leaves `length` bytes (at most a chunk) to be filled in, and returns where, as a `size`. */
  reserve(length: number): number {
    this.#ensure(length)
    const position = this.size
    this.#chunk.fill(0, this.#at, this.#at + length)
    this.#at += length
    return position
  }

  /** Writes an int32 at a place that `reserve` returned. */
  patchInt32(position: number, value: number): void {
    if (position >= this.#piecesBytes) {
      this.#chunk.writeInt32BE(value, this.#start + position - this.#piecesBytes)
      return
    }
    let start = this.#piecesBytes
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const piece = this.#pieces[i]!
      start -= piece.length
      if (position >= start) {
        piece.writeInt32BE(value, position - start)
        return
      }
    }
    throw new Error(`nothing was reserved at ${position}`)
  }

  /** Puts `buffer` itself into the output. It must not change until the bytes are sent. */
  appendReference(buffer: Buffer): void {
    if (buffer.length === 0) return
    this.#closePiece()
    this.#pieces.push(buffer)
    this.#piecesBytes += buffer.length
  }

  /** Puts `bytes` into the output: a copy if they are few, else by reference. */
  append(bytes: Uint8Array): void {
    if (bytes.length >= MIN_REFERENCE_BYTES) {
      const { buffer, byteOffset, byteLength } = bytes
      const isBuffer = Buffer.isBuffer(bytes)
      this.appendReference(isBuffer ? bytes : Buffer.from(buffer, byteOffset, byteLength))
      return
    }
    this.#ensure(bytes.length)
    this.#chunk.set(bytes, this.#at)
    this.#at += bytes.length
  }

  bool(value: boolean): void {
    this.#ensure(1)
    this.#chunk[this.#at++] = value ? 1 : 0
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) outOfRange('int8', value)
    this.#ensure(1)
    this.#chunk[this.#at++] = value
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) outOfRange('int16', value)
    this.#ensure(2)
    const chunk = this.#chunk
    chunk[this.#at] = value >>> 8
    chunk[this.#at + 1] = value
    this.#at += 2
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) outOfRange('uint16', value)
    this.#ensure(2)
    this.#chunk[this.#at] = value >>> 8
    this.#chunk[this.#at + 1] = value
    this.#at += 2
  }

  int32(value: number): void {
    if ((value | 0) !== value) outOfRange('int32', value)
    this.#rawInt32(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) outOfRange('uint32', value)
    this.#rawInt32(value | 0)
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) outOfRange('int64', value)
    this.#ensure(8)
    const high = Math.floor(value / 0x1_0000_0000)
    const chunk = this.#chunk
    const at = this.#at
    chunk[at] = high >>> 24
    chunk[at + 1] = high >>> 16
    chunk[at + 2] = high >>> 8
    chunk[at + 3] = high
    const low = value >>> 0
    chunk[at + 4] = low >>> 24
    chunk[at + 5] = low >>> 16
    chunk[at + 6] = low >>> 8
    chunk[at + 7] = low
    this.#at = at + 8
  }

  bigint64(value: bigint): void {
    this.#ensure(8)
    this.#chunk.writeBigInt64BE(value, this.#at)
    this.#at += 8
  }

  float64(value: number): void {
    this.#ensure(8)
    this.#chunk.writeDoubleBE(value, this.#at)
    this.#at += 8
  }

  /** At most five bytes, seven bits each, the low ones first. */
  unsignedVarint(value: number): void {
    if (value >>> 0 !== value) outOfRange('unsigned varint', value)
    this.#ensure(5)
    let rest = value
    while (rest > 0x7f) {
      this.#chunk[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#chunk[this.#at++] = rest
  }

  uuid(value: string): void {
    this.#ensure(16)
    if (value === ZERO_UUID) {
      this.#chunk.fill(0, this.#at, this.#at + 16)
    } else if (value.length !== 22 || this.#chunk.write(value, this.#at, 16, 'base64url') !== 16) {
      throw new Error(`not a uuid of 22 characters: ${value}`)
    }
    this.#at += 16
  }

  /** UTF-8 behind its length as an int16. */
  string(value: string): void {
    const length = value.length
    if (length <= MAX_SHORT_STRING) {
      this.#ensure(length + 2)
      if (this.#shortAscii(value, 2)) {
        this.#chunk[this.#at] = 0
        this.#chunk[this.#at + 1] = length
        this.#at += length + 2
        return
      }
    }
    const size = Buffer.byteLength(value)
    if (size > MAX_INT16_STRING) throw new Error(`a string of ${size} bytes is too long`)
    this.int16(size)
    this.#utf8(value, size)
  }

  /** UTF-8 behind its length plus one as an unsigned varint. */
  compactString(value: string): void {
    const length = value.length
    if (length <= MAX_SHORT_STRING) {
      this.#ensure(length + 1)
      if (this.#shortAscii(value, 1)) {
        this.#chunk[this.#at] = length + 1
        this.#at += length + 1
        return
      }
    }
    const size = Buffer.byteLength(value)
    this.unsignedVarint(size + 1)
    this.#utf8(value, size)
  }

  /**
   * A writer for something whose length must be known first. It is to be emptied by `appendSized`
   * before it is asked for again.
   */
  scratch(): ByteWriter {
    this.#scratch ??= new ByteWriter(256)
    return this.#scratch
  }

  /** What was written to the scratch writer, behind its length as an unsigned varint. */
  appendSized(scratch: ByteWriter): void {
    this.unsignedVarint(scratch.size)
    for (const piece of scratch.finish()) this.append(piece)
  }

  #rawInt32(value: number): void {
    this.#ensure(4)
    const chunk = this.#chunk
    const at = this.#at
    chunk[at] = value >>> 24
    chunk[at + 1] = value >>> 16
    chunk[at + 2] = value >>> 8
    chunk[at + 3] = value
    this.#at = at + 4
  }

  /** Writes `value` from `#at + gap` on, without moving `#at`, unless it has other characters. */
  #shortAscii(value: string, gap: number): boolean {
    const chunk = this.#chunk
    const at = this.#at + gap
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      chunk[at + i] = code
    }
    return true
  }

  #utf8(value: string, size: number): void {
    this.#ensure(size)
    this.#chunk.write(value, this.#at, size, 'utf8')
    this.#at += size
  }

  #ensure(length: number): void {
    if (this.#at + length > this.#chunk.length) this.#grow(length)
  }

  #grow(length: number): void {
    this.#closePiece()
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, length))
    this.#start = 0
    this.#at = 0
  }

  #closePiece(): void {
    if (this.#at === this.#start) return
    const piece = this.#chunk.subarray(this.#start, this.#at)
    this.#pieces.push(piece)
    this.#piecesBytes += piece.length
    this.#start = this.#at
  }
}

function outOfRange(type: string, value: unknown): never {
  throw new Error(`not an ${type}: ${value}`)
}
