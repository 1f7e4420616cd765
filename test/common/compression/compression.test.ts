import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  COMPRESSION_TYPES,
  CompressionType,
  compress,
  decompress,
} from '../../../src/common/compression/compression.ts'
import { xxHash32 } from '../../../src/common/compression/xx-hash32.ts'
import { KafkaError } from '../../../src/common/errors.ts'

const CODECS = COMPRESSION_TYPES.filter((type) => type !== 'none')
const MIB = 1024 * 1024

/** 500 bytes, and what Kafka's Java producer (kafka-clients 4.2.0) makes of them. */
const JAVA_PLAIN = Buffer.from(
  Array.from({ length: 500 }, (_, at) => `samsa ${Math.floor(at / 50) % 7}`.charCodeAt(at % 7)),
)
const FROM_JAVA: Record<(typeof CODECS)[number], string> = {
  gzip:
    '1f8b08000000000000ff2b4ecc2d4e54302826913224953222953226953221953225953223931a6ca10b00e44bce' +
    '6af4010000',
  snappy:
    '82534e4150505900000000010000000100000040f4031873616d73612030be070000310931a6070000320931a607' +
    '0000330931a6070000340931a6070000350931a6070000360931c20700fe5e01fe5e013e5e01',
  lz4:
    '04224d18604082450000007f73616d7361203007001d123131000f070017123231000f070017123331000f070017' +
    '123431000f070017123531000f070017123631000f07001e0f5e017850203273616d00000000',
  zstd:
    '28b52ffd00585401008073616d736120303132333435363031320a00025302d1052246704a20ba40c4029104a20b' +
    '442c45650b010000',
}

/** 70,000 bytes, in LZ4 frames of two blocks each, written by the reference implementation. */
const LZ4_PLAIN = Buffer.alloc(70_000, 'gregor samsa ')
const ff = (count: number) => 'ff'.repeat(count)
/** Linked blocks, a content size, checksums of blocks and of the whole. */
const LZ4_LINKED =
  `04224d185c407011010000000000e317010000df677265676f722073616d7361200d00${ff(256)}` +
  `db5061206772657442dc561b0000000f0d00${ff(17)}6950676f72207357ce24ee000000005e26ef74`
const LZ4_INDEPENDENT =
  `04224d1860408217010000df677265676f722073616d7361200d00${ff(256)}db5061206772` +
  `6528000000df676f722073616d7361206772650d00${ff(17)}5c50676f72207300000000`

const rejects = (errorName: string, run: () => unknown, why?: string) =>
  assert.throws(run, (error) => error instanceof KafkaError && error.errorName === errorName, why)

test('a codec may be named or numbered, and the numbers are those of Kafka', () => {
  assert.deepEqual(COMPRESSION_TYPES, ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  for (const [number, type] of COMPRESSION_TYPES.entries()) {
    assert.equal(CompressionType[type], number)
  }
  assert.deepEqual(decompress(3, Buffer.from(FROM_JAVA.lz4, 'hex'), MIB), JAVA_PLAIN)
  rejects('CORRUPT_MESSAGE', () => decompress(5, JAVA_PLAIN, MIB))
  assert.deepEqual(compress('none', JAVA_PLAIN), JAVA_PLAIN)
  rejects('MESSAGE_TOO_LARGE', () => decompress('none', JAVA_PLAIN, 499))
})

for (const type of CODECS) {
  test(`${type}: reads what Java writes`, () => {
    const compressed = Buffer.from(FROM_JAVA[type], 'hex')
    assert.deepEqual(decompress(type, compressed, 500), JAVA_PLAIN)
  })

  test(`${type}: reads back what it writes, at every length and level`, () => {
    const piece = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(8000))
    const input = fc
      .array(piece, { maxLength: 8 })
      .map((pieces) =>
        Buffer.concat(pieces.map(([bytes, times]) => Buffer.alloc(bytes.length * times, bytes))),
      )
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 6 }), (plain, level) => {
        const restored = decompress(type, compress(type, plain, level), plain.length)
        assert.equal(Buffer.compare(restored, plain), 0)
      }),
      { numRuns: 30 },
    )
  })

  test(`${type}: stops at the limit`, () => {
    const plain = Buffer.alloc(16 * MIB, 'x')
    const bomb = compress(type, plain)
    rejects('MESSAGE_TOO_LARGE', () => decompress(type, bomb, plain.length - 1))
    const before = process.memoryUsage().arrayBuffers
    rejects('MESSAGE_TOO_LARGE', () => decompress(type, bomb, 1000))
    assert.ok(process.memoryUsage().arrayBuffers - before < MIB)
    assert.equal(decompress(type, bomb, plain.length).length, plain.length)
  })

  test(`${type}: malformed input is CORRUPT_MESSAGE, never anything else`, () => {
    const whole = compress(type, Buffer.concat([JAVA_PLAIN, LZ4_PLAIN]))
    for (let length = 0; length < whole.length; length++) {
      // A frame of snappy-java that ends after its header or a piece is a shorter whole.
      if (type === 'snappy' && isWhole(whole.subarray(0, length))) continue
      rejects(
        'CORRUPT_MESSAGE',
        () => decompress(type, whole.subarray(0, length), MIB),
        `${length}`,
      )
    }
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = Buffer.from(whole)
        for (const { at, byte } of changes) damaged[at] = byte
        attempt(type, damaged)
      }),
      { numRuns: 200 },
    )
    fc.assert(fc.property(fc.uint8Array(), (garbage) => attempt(type, garbage)))
  })
}

function isWhole(framed: Buffer): boolean {
  let at = 16
  while (at + 4 <= framed.length) at += 4 + framed.readInt32BE(at)
  return at === framed.length
}

/** Either output within the limit or one of the two errors that are foreseen. */
function attempt(type: CompressionType, input: Uint8Array): void {
  try {
    assert.ok(decompress(type, input, MIB).length <= MIB)
  } catch (error) {
    assert.ok(error instanceof KafkaError, `${error}`)
    assert.match(error.errorName, /^(CORRUPT_MESSAGE|MESSAGE_TOO_LARGE)$/)
  }
}

test('snappy: raw blocks, joined frames and empty ones are read', () => {
  const raw = Buffer.from(`f40330677265676f722073616d736120${'fe0d00'.repeat(7)}9a0d00`, 'hex')
  assert.deepEqual(decompress('snappy', raw, MIB), LZ4_PLAIN.subarray(0, 500))
  const framed = Buffer.from(FROM_JAVA.snappy, 'hex')
  const joined = Buffer.concat([framed, framed])
  assert.deepEqual(decompress('snappy', joined, MIB), Buffer.concat([JAVA_PLAIN, JAVA_PLAIN]))
  rejects('MESSAGE_TOO_LARGE', () => decompress('snappy', joined, 999))
  assert.equal(decompress('snappy', framed.subarray(0, 16), MIB).length, 0)
})

test('lz4: linked and independent blocks and checksums are read, trailing bytes ignored', () => {
  for (const hex of [LZ4_LINKED, LZ4_INDEPENDENT, `${LZ4_INDEPENDENT}cafe`]) {
    assert.deepEqual(decompress('lz4', Buffer.from(hex, 'hex'), LZ4_PLAIN.length), LZ4_PLAIN)
  }
})

test('lz4: a damaged byte is found wherever a checksum covers it', () => {
  const frame = Buffer.from(LZ4_LINKED, 'hex')
  for (let at = 0; at < frame.length; at++) {
    const damaged = Buffer.from(frame)
    damaged[at]! ^= 0x10
    rejects('CORRUPT_MESSAGE', () => decompress('lz4', damaged, MIB), `byte ${at}`)
  }
})

test('xxHash32 gives the published hashes', () => {
  const hash = (text: string) => xxHash32(Buffer.from(text), 0, text.length)
  assert.equal(hash(''), 0x02cc5d05)
  assert.equal(hash('abc'), 0x32d153ff)
  assert.equal(hash('Nobody inspects the spammish repetition'), 0xe2293b2f)
})
