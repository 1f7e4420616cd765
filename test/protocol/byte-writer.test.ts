import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'

/** One call on a writer, and the bytes it must add. */
type Step = { run(writer: ByteWriter): void; hex: string }

const int32Hex = (value: number) => (value >>> 0).toString(16).padStart(8, '0')

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer().map((v) => ({ run: (w: ByteWriter) => w.int32(v), hex: int32Hex(v) })),
  fc.maxSafeInteger().map((v) => {
    const hex = BigInt.asUintN(64, BigInt(v)).toString(16).padStart(16, '0')
    return { run: (w: ByteWriter) => w.int64(v), hex }
  }),
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => {
    const bytes = Buffer.from(text)
    const hex = bytes.length.toString(16).padStart(4, '0') + bytes.toString('hex')
    return { run: (w: ByteWriter) => w.string(text), hex }
  }),
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => ({
    run: (w: ByteWriter) => w.append(bytes),
    hex: Buffer.from(bytes).toString('hex'),
  })),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => ({
    run: (w: ByteWriter) => w.appendReference(Buffer.from(bytes)),
    hex: Buffer.from(bytes).toString('hex'),
  })),
  fc.nat({ max: 300 }).map((length) => ({
    run: (w: ByteWriter) => {
      const scratch = w.scratch()
      for (let i = 0; i < length; i++) scratch.int8(7)
      w.appendSized(scratch)
    },
    hex: varintHex(length) + '07'.repeat(length),
  })),
)

function varintHex(value: number): string {
  return value < 0x80
    ? Buffer.from([value]).toString('hex')
    : Buffer.from([(value & 0x7f) | 0x80, value >>> 7]).toString('hex')
}

test('any sequence of writes, patches and rewinds gives the bytes asked for, in order', () => {
  const property = fc.property(
    fc.array(fc.tuple(step, fc.integer({ min: 0, max: 9 })), { maxLength: 30 }),
    fc.integer({ min: 8, max: 100 }),
    (steps, chunkBytes) => {
      const writer = new ByteWriter(chunkBytes)
      let expected = ''
      const patches: { at: number; value: number }[] = []
      for (const [{ run, hex }, what] of steps) {
        const before = writer.size
        if (what === 0) {
          patches.push({ at: writer.reserve(4), value: before })
          expected += int32Hex(before)
        }
        const size = writer.size
        run(writer)
        assert.equal(writer.size, size + hex.length / 2)
        if (what === 1) writer.rewind(size)
        else expected += hex
      }
      for (const { at, value } of patches) writer.patchInt32(at, value)
      assert.equal(writer.size, expected.length / 2)
      assert.equal(Buffer.concat(writer.finish()).toString('hex'), expected)
      assert.equal(writer.size, 0)
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('what was given out is not written to again', () => {
  const writer = new ByteWriter(64)
  const given: { buffer: Buffer; hex: string }[] = []
  for (let i = 0; i < 50; i++) {
    writer.int32(i)
    if (i % 3 === 0) writer.rewind(0)
    for (const buffer of writer.finish()) given.push({ buffer, hex: buffer.toString('hex') })
  }
  assert.ok(given.length > 30)
  for (const { buffer, hex } of given) assert.equal(buffer.toString('hex'), hex)
})

test('small messages lie side by side in one chunk, large ones go by reference', () => {
  const writer = new ByteWriter(1024)
  writer.int32(1)
  const [first] = writer.finish()
  writer.int32(2)
  writer.string('x')
  const pieces = writer.finish()
  assert.equal(pieces.length, 1)
  assert.equal(pieces[0]!.buffer, first!.buffer)
  assert.equal(pieces[0]!.byteOffset, first!.byteOffset + 4)

  const large = Buffer.alloc(5000, 1)
  writer.int8(1)
  writer.append(large)
  writer.append(Buffer.alloc(100, 2))
  const [head, body, tail] = writer.finish()
  assert.equal(head!.length, 1)
  assert.equal(body, large)
  assert.equal(tail!.length, 100)
  assert.equal(tail!.buffer, first!.buffer)
})

test('uuids are written as their sixteen bytes, and nothing else is', () => {
  const writer = new ByteWriter()
  writer.uuid('AAECAwQFBgcICQoLDA0ODw')
  writer.uuid('AAAAAAAAAAAAAAAAAAAAAA')
  const hex = '000102030405060708090a0b0c0d0e0f'
  assert.equal(Buffer.concat(writer.finish()).toString('hex'), hex + '0'.repeat(32))
  for (const wrong of ['', 'AAECAwQFBgcICQoLDA0OD', 'not base64, not a uuid', '!'.repeat(22)]) {
    assert.throws(() => writer.uuid(wrong), /not a uuid/)
  }
})

test('values out of range are refused', () => {
  const writer = new ByteWriter()
  assert.throws(() => writer.int32(2 ** 31), /not an int32/)
  assert.throws(() => writer.uint16(-1), /not an uint16/)
  assert.throws(() => writer.uint32(2 ** 32), /not an uint32/)
  assert.throws(() => writer.unsignedVarint(-1), /not an unsigned varint/)
  assert.throws(() => writer.patchInt32(-1, 0))
  assert.equal(writer.size, 0)
})
