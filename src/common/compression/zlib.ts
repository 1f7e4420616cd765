/** gzip and zstd, by Node's own zlib, which is loaded on first use. */
import { createRequire } from 'node:module'
import { corrupt, tooLarge } from './failures.ts'

type Zlib = typeof import('node:zlib')

let loaded: Zlib | undefined

function zlib(): Zlib {
  loaded ??= createRequire(import.meta.url)('node:zlib') as Zlib
  return loaded
}

/** Output grows by pieces of this size; a guess at the whole saves joining pieces. */
function chunkSize(input: Uint8Array, maxBytes: number): number {
  const guess = Math.min(input.length * 4, 1024 * 1024, maxBytes)
  return Math.max(guess, 16 * 1024)
}

function decode(codec: string, maxBytes: number, run: () => Buffer): Buffer {
  try {
    return run()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw corrupt(codec, (cause as Error).message, cause)
  }
}

export function gzipCompress(input: Uint8Array, level = -1): Buffer {
  return zlib().gzipSync(input, { level })
}

export function gzipDecompress(input: Uint8Array, maxBytes: number): Buffer {
  const options = { maxOutputLength: Math.max(maxBytes, 1), chunkSize: chunkSize(input, maxBytes) }
  return decode('gzip', maxBytes, () => zlib().gunzipSync(input, options))
}

/** The frame says how long its contents are, which lets readers allocate once. */
export function zstdCompress(input: Uint8Array, level = 3): Buffer {
  const { constants, zstdCompressSync } = zlib()
  return zstdCompressSync(input, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: input.length,
  })
}

export function zstdDecompress(input: Uint8Array, maxBytes: number): Buffer {
  const options = { maxOutputLength: Math.max(maxBytes, 1), chunkSize: chunkSize(input, maxBytes) }
  return decode('zstd', maxBytes, () => zlib().zstdDecompressSync(input, options))
}
