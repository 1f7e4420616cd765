/**
 * The compression of record batches: none, gzip, snappy, lz4 and zstd, with Kafka's numbers.
 *
 * What is written is what Java's clients and librdkafka write and read. What is read is a peer's
 * and may be anything: malformed input is a CORRUPT_MESSAGE, and output beyond a limit that the
 * caller sets is a MESSAGE_TOO_LARGE before it takes up memory (a batch of 1 MB may stand for
 * gigabytes; a producer that meets MESSAGE_TOO_LARGE splits its batch). A codec is loaded when it
 * is first used.
 */
import { KafkaError } from '../errors.ts'
import { tooLarge } from './failures.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { gzipCompress, gzipDecompress, zstdCompress, zstdDecompress } from './zlib.ts'

/** The number of each type in a record batch's attributes. */
export const CompressionType = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
export type CompressionType = keyof typeof CompressionType

/** The types, each at the place of its number. */
export const COMPRESSION_TYPES = Object.keys(CompressionType) as readonly CompressionType[]

interface Codec {
  compress(input: Uint8Array, level: number | undefined): Buffer
  /** Throws KafkaError. */
  decompress(input: Uint8Array, maxBytes: number): Buffer
}

const CODECS: Readonly<Record<CompressionType, Codec>> = {
  none: {
    compress: (input) => viewOf(input),
    decompress(input, maxBytes) {
      if (input.length > maxBytes) throw tooLarge(maxBytes)
      return viewOf(input)
    },
  },
  gzip: { compress: gzipCompress, decompress: gzipDecompress },
  snappy: { compress: snappyCompress, decompress: snappyDecompress },
  lz4: { compress: lz4Compress, decompress: lz4Decompress },
  zstd: { compress: zstdCompress, decompress: zstdDecompress },
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function codec(type: CompressionType | number): Codec {
  const name = typeof type === 'number' ? COMPRESSION_TYPES[type] : type
  if (name !== undefined) return CODECS[name]
  throw new KafkaError('CORRUPT_MESSAGE', `Unknown compression type id: ${type}`)
}

/**
 * `input` compressed; `type` is a name or its number. `level` is that of `compression.gzip.level`
 * and `compression.zstd.level`; without it the codec's default applies. Snappy has no levels, and
 * lz4 is always fast. With `none` the result shares memory with `input`.
 */
export function compress(
  type: CompressionType | number,
  input: Uint8Array,
  level?: number,
): Buffer {
  return codec(type).compress(input, level)
}

/**
 * The bytes that `input` stands for; `type` is a name or its number. Throws KafkaError:
 * CORRUPT_MESSAGE where the input is malformed or the number unknown, MESSAGE_TOO_LARGE where the
 * outcome would exceed `maxBytes`. With `none` the result shares memory with `input`.
 */
export function decompress(
  type: CompressionType | number,
  input: Uint8Array,
  maxBytes: number,
): Buffer {
  return codec(type).decompress(input, maxBytes)
}
