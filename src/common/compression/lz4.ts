/**
 * LZ4 in its frame format (magic 04 22 4d 18), which is what Kafka's clients mean by "lz4".
 *
 * Writing is native code. Reading is done here: it is as fast as the native decoder, which does not
 * know how much a frame stands for, grows its output as it goes and cannot be told where to stop.
 * Here the lengths in all blocks are added up first, without decoding them. Blocks may be
 * independent or linked to those before; checksums are verified where the frame has them. Bytes
 * after the frame are ignored, as Java does.
 *
 * Specified in "LZ4 Frame Format Description" (version 1.6) and "LZ4 Block Format Description".
 */
import { createRequire } from 'node:module'
import { corrupt, tooLarge } from './failures.ts'
import { xxHash32 } from './xx-hash32.ts'

interface Lz4Module {
  compressFrameSync(input: Buffer): Buffer
}

const MAGIC = 0x184d2204
const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY_ID = 0x01
/** In a block's size: the block is stored as it is. */
const UNCOMPRESSED = 0x8000_0000
const MIN_MATCH = 4
/** Up to this length a loop beats a call that copies. */
const SHORT_COPY = 32

interface Frame {
  blocks: Block[]
  /** Undefined where the frame does not say. */
  contentSize: bigint | undefined
  contentChecksum: number | undefined
}

interface Block {
  start: number
  end: number
  stored: boolean
}

let loaded: Lz4Module | undefined

function lz4(): Lz4Module {
  loaded ??= createRequire(import.meta.url)('lz4-napi') as Lz4Module
  return loaded
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export function lz4Compress(input: Uint8Array): Buffer {
  return lz4().compressFrameSync(asBuffer(input))
}

export function lz4Decompress(input: Uint8Array, maxBytes: number): Buffer {
  const bytes = asBuffer(input)
  const { blocks, contentSize, contentChecksum } = readFrame(bytes)
  let length = 0
  for (const { start, end, stored } of blocks) {
    length += stored ? end - start : blockLength(bytes, start, end)
    if (length > maxBytes) throw tooLarge(maxBytes)
  }
  if (contentSize !== undefined && contentSize !== BigInt(length)) {
    throw corrupt('lz4', 'it does not have the length it announces')
  }
  const output = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const { start, end, stored } of blocks) {
    at += stored ? bytes.copy(output, at, start, end) : decodeBlock(bytes, start, end, output, at)
  }
  if (contentChecksum !== undefined && xxHash32(output, 0, length) !== contentChecksum) {
    throw corrupt('lz4', 'its checksum is wrong')
  }
  return output
}

/** Finds the blocks of the frame at the start of `bytes`, checking all but their contents. */
function readFrame(bytes: Buffer): Frame {
  const need = (end: number) => {
    if (end > bytes.length) throw corrupt('lz4', 'the frame is cut off')
    return end
  }
  need(7)
  if (bytes.readUInt32LE(0) !== MAGIC) throw corrupt('lz4', 'it is not an LZ4 frame')
  const flags = bytes[4]!
  if ((flags & VERSION_MASK) !== VERSION_1) throw corrupt('lz4', 'the frame has another version')
  if ((flags & DICTIONARY_ID) !== 0) throw corrupt('lz4', 'the frame needs a dictionary')
  let at = need((flags & CONTENT_SIZE) === 0 ? 7 : 15)
  if (((xxHash32(bytes, 4, at - 1) >>> 8) & 0xff) !== bytes[at - 1]) {
    throw corrupt('lz4', 'the checksum of its header is wrong')
  }
  const blocks: Block[] = []
  for (;;) {
    const start = need(at + 4)
    const size = bytes.readUInt32LE(at)
    at = start
    if (size === 0) break
    const end = need(start + (size % UNCOMPRESSED))
    blocks.push({ start, end, stored: size >= UNCOMPRESSED })
    at = end
    if ((flags & BLOCK_CHECKSUM) === 0) continue
    at = need(end + 4)
    if (bytes.readUInt32LE(end) !== xxHash32(bytes, start, end)) {
      throw corrupt('lz4', 'the checksum of a block is wrong')
    }
  }
  const contentSize = (flags & CONTENT_SIZE) === 0 ? undefined : bytes.readBigUInt64LE(6)
  if ((flags & CONTENT_CHECKSUM) === 0) return { blocks, contentSize, contentChecksum: undefined }
  need(at + 4)
  return { blocks, contentSize, contentChecksum: bytes.readUInt32LE(at) }
}

/**
 * How many bytes the compressed block from `start` to `end` stands for, if it is sound: its lengths
 * and offsets then lead nowhere but to its end.
 */
function blockLength(bytes: Uint8Array, start: number, end: number): number {
  let length = 0
  let at = start
  const next = () => {
    if (at >= end) throw corrupt('lz4', 'a block is cut off')
    return bytes[at++]!
  }
  for (;;) {
    const token = next()
    let literals = token >>> 4
    if (literals === 15) {
      let byte: number
      do {
        byte = next()
        literals += byte
      } while (byte === 255)
    }
    at += literals
    length += literals
    // The last sequence of a block is literals only.
    if (at === end) return length
    at += 2
    let match = (token & 15) + MIN_MATCH
    if (match === 15 + MIN_MATCH) {
      let byte: number
      do {
        byte = next()
        match += byte
      } while (byte === 255)
    }
    length += match
  }
}

/**
 * Decodes the block from `start` to `end` into `output` at `outputAt`, and returns the length. That
 * `blockLength` accepted the block means that neither buffer is overrun; what is left to check is
 * that matches do not reach back before the output.
 */
function decodeBlock(
  bytes: Buffer,
  start: number,
  end: number,
  output: Buffer,
  outputAt: number,
): number {
  let at = start
  let to = outputAt
  for (;;) {
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      let byte: number
      do {
        byte = bytes[at++]!
        literals += byte
      } while (byte === 255)
    }
    if (literals > SHORT_COPY) {
      bytes.copy(output, to, at, at + literals)
      at += literals
      to += literals
    } else {
      for (const stop = at + literals; at < stop; ) output[to++] = bytes[at++]!
    }
    if (at === end) return to - outputAt
    const offset = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    let match = (token & 15) + MIN_MATCH
    if (match === 15 + MIN_MATCH) {
      let byte: number
      do {
        byte = bytes[at++]!
        match += byte
      } while (byte === 255)
    }
    let from = to - offset
    if (offset === 0 || from < 0) throw corrupt('lz4', 'a match lies outside of the data')
    if (match > SHORT_COPY && offset >= match) {
      output.copyWithin(to, from, from + match)
      to += match
    } else {
      // A match may overlap what it produces, so byte by byte is what it means.
      for (const stop = to + match; to < stop; ) output[to++] = output[from++]!
    }
  }
}
