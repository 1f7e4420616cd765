/**
 * Snappy, in the framing of snappy-java, which is what Kafka's clients mean by "snappy":
 *
 * ```
 * magic        82 53 4e 41 50 50 59 00        once, and again wherever streams were joined
 * version      00 00 00 01
 * compatible   00 00 00 01
 * then, for each piece of at most 32 KiB:
 * length       int32, big-endian
 * piece        a raw snappy block
 * ```
 * Some clients write one raw snappy block without a frame; that is read too, as Java does.
 */
import { createRequire } from 'node:module'
import { corrupt, decoding, tooLarge } from './failures.ts'

interface SnappyModule {
  compressSync(input: Uint8Array, options: { copyOutputData: boolean }): Buffer
  uncompressSync(input: Uint8Array, options: { copyOutputData: boolean }): Buffer
}

const HEADER = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex')
const MAGIC_SIZE = 8
const PIECE_SIZE = 32 * 1024
/** External memory costs more to keep track of than a copy of pieces this small. */
const OPTIONS = { copyOutputData: true }

let loaded: SnappyModule | undefined

function snappy(): SnappyModule {
  loaded ??= createRequire(import.meta.url)('snappy') as SnappyModule
  return loaded
}

export function snappyCompress(input: Uint8Array): Buffer {
  const parts: Uint8Array[] = [HEADER]
  for (let at = 0; at < input.length; at += PIECE_SIZE) {
    const piece = snappy().compressSync(input.subarray(at, at + PIECE_SIZE), OPTIONS)
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(piece.length)
    parts.push(length, piece)
  }
  return Buffer.concat(parts)
}

export function snappyDecompress(input: Uint8Array, maxBytes: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
  if (!isHeader(bytes, 0)) return decompressBlock(bytes, maxBytes)
  const parts: Buffer[] = []
  let total = 0
  for (let at = 0; at < bytes.length; ) {
    if (isHeader(bytes, at)) {
      at += HEADER.length
      continue
    }
    if (at + 4 > bytes.length) throw corrupt('snappy', 'it ends within a length')
    const start = at + 4
    const end = start + bytes.readInt32BE(at)
    if (end < start || end > bytes.length) throw corrupt('snappy', 'a length exceeds the data')
    const part = decompressBlock(bytes.subarray(start, end), maxBytes - total)
    total += part.length
    parts.push(part)
    at = end
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total)
}

/** Of the frame's header the versions do not count: there has only ever been one. */
function isHeader(bytes: Buffer, at: number): boolean {
  const end = at + HEADER.length
  return end <= bytes.length && bytes.compare(HEADER, 0, MAGIC_SIZE, at, at + MAGIC_SIZE) === 0
}

function decompressBlock(block: Buffer, maxBytes: number): Buffer {
  if (uncompressedLength(block) > maxBytes) throw tooLarge(maxBytes)
  return decoding('snappy', () => snappy().uncompressSync(block, OPTIONS))
}

/** The length that a raw block announces: a varint of at most 32 bits. */
function uncompressedLength(block: Buffer): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return length
  }
  throw corrupt('snappy', 'it has no valid length')
}
