import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordsBuffer, requestCodec, schemaCodec } from '../../src/protocol/compile.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import type { RequestInput, RequestOf } from '../../src/protocol/schema.ts'
import {
  array,
  bigint64,
  bytes,
  float64,
  int8,
  int16,
  int64,
  parseVersions,
  records,
  schema,
  string,
  struct,
  uint16,
  uint32,
  uuid,
} from '../../src/protocol/schema.ts'
import { encodeToBuffer } from './golden.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only if its type argument is true. */
function holds<_T extends true>(): void {}

function encode(
  fields: Parameters<typeof schema>[0]['fields'],
  message: object,
  flexible = 'none',
) {
  const codec = schemaCodec(schema({ name: 'Test', versions: '0', flexible, fields }), 0)
  return encodeToBuffer(codec as never, message).toString('hex')
}

function decode(
  fields: Parameters<typeof schema>[0]['fields'],
  hex: string,
  flexible = 'none',
): { [name: string]: unknown } {
  const codec = schemaCodec(schema({ name: 'Test', versions: '0', flexible, fields }), 0)
  const buffer = Buffer.from(hex, 'hex')
  return codec.decode(buffer, 0, buffer.length)
}

test('the types of messages follow from the definition', () => {
  type Request = RequestOf<typeof Fetch>
  type Input = RequestInput<typeof Fetch>
  holds<Same<Request['clusterId'], string | null>>()
  holds<Same<Request['replicaState'], { replicaId: number; replicaEpoch: number }>>()
  holds<Same<Request['topics'][number]['partitions'][number]['highWatermark'], bigint>>()
  holds<Same<Request['forgottenTopicsData'][number]['partitions'], number[]>>()
  holds<Same<Input['maxWaitMs'], number>>()
  holds<Same<Input['sessionId'], number | undefined>>()
  const input: Input = { maxWaitMs: 1, minBytes: 1, topics: [] }
  // @ts-expect-error minBytes has no default
  const incomplete: Input = { maxWaitMs: 1, topics: [] }
  // @ts-expect-error there is no such field
  const excess: Input = { maxWaitMs: 1, minBytes: 1, topics: [], none: 0 }
  assert.equal(encodeToBuffer(requestCodec(Fetch, 18) as never, input).length, 25)
  assert.notEqual(incomplete, excess)
})

test('the order of the keys is the order on the wire, whatever order a message has', () => {
  const fields = { b: int8(), a: int16(), c: string() }
  assert.equal(encode(fields, { c: 'x', a: 2, b: 1 }), '010002000178')
  assert.deepEqual(Object.keys(decode(fields, '010002000178')), ['b', 'a', 'c'])
})

test('tagged fields come last, by tag, and only where they differ from the default', () => {
  const fields = {
    late: string({ tag: 3, default: '' }),
    plain: int8(),
    early: struct({ x: int8({ default: -1 }) }, { tag: 1 }),
  }
  assert.equal(encode(fields, { plain: 7 }, '0+'), '0700')
  assert.equal(encode(fields, { plain: 7, late: '', early: { x: -1 } }, '0+'), '0700')
  const both = '07' + '02' + '01020500' + '03020261'
  assert.equal(encode(fields, { plain: 7, late: 'a', early: { x: 5 } }, '0+'), both)
  const expected = { late: 'a', plain: 7, early: { x: 5 } }
  assert.deepEqual(decode(fields, both, '0+'), expected)
  // A tag that nobody knows is passed over, before, between and after the others.
  const strange = '07' + '04' + '0000' + '01020500' + '0203aabbcc' + '03020261'
  assert.deepEqual(decode(fields, strange, '0+'), expected)
  const refused = { errorName: 'INVALID_REQUEST', message: /early does not fill its tagged field/ }
  assert.throws(() => decode(fields, '07010103050000', '0+'), refused)
})

test('a tagged field inside a tagged field', () => {
  const fields = { outer: struct({ inner: string({ tag: 0, default: 'd' }) }, { tag: 9 }) }
  const message = { outer: { inner: 'x'.repeat(200) } }
  const hex = encode(fields, message, '0+')
  assert.deepEqual(decode(fields, hex, '0+'), message)
})

test('a nullable struct has a byte in front of it', () => {
  const fields = { s: struct({ x: int8() }, { nullable: '0+', default: null }) }
  assert.equal(encode(fields, {}), 'ff')
  assert.equal(encode(fields, { s: { x: 5 } }), '0105')
  assert.deepEqual(decode(fields, 'ff'), { s: null })
  assert.deepEqual(decode(fields, '0105'), { s: { x: 5 } })
})

test('numbers at and beyond their limits', () => {
  assert.equal(encode({ x: uint16() }, { x: 65535 }), 'ffff')
  assert.deepEqual(decode({ x: uint16() }, 'ffff'), { x: 65535 })
  assert.deepEqual(decode({ x: uint32() }, 'ffffffff'), { x: 4294967295 })
  assert.deepEqual(decode({ x: float64() }, encode({ x: float64() }, { x: -0.1 })), { x: -0.1 })
  assert.throws(() => encode({ x: int8() }, { x: 128 }), /not an int8: 128/)
  assert.throws(() => encode({ x: int16() }, { x: 1.5 }), /not an int16/)
  assert.throws(() => encode({ x: int64() }, { x: 2 ** 53 }), /not an int64/)
  assert.throws(() => encode({ x: int64() }, { x: 'x' }), /not an int64/)
})

test('an int64 that no number can hold is refused, or kept, or cut to size', () => {
  const max = '7fffffffffffffff'
  const min = '8000000000000000'
  const refused = { errorName: 'INVALID_REQUEST' }
  assert.throws(() => decode({ x: int64() }, max), refused)
  assert.throws(() => decode({ x: int64() }, '0020000000000000'), refused)
  assert.throws(() => decode({ x: int64() }, min), refused)
  assert.deepEqual(decode({ x: int64() }, '001fffffffffffff'), { x: Number.MAX_SAFE_INTEGER })
  assert.deepEqual(decode({ x: int64() }, 'ffffffffffffffff'), { x: -1 })
  assert.deepEqual(decode({ x: bigint64() }, max), { x: 0x7fff_ffff_ffff_ffffn })
  const saturated = { x: int64({ saturate: true }) }
  assert.deepEqual(decode(saturated, max), { x: Number.MAX_SAFE_INTEGER })
  assert.deepEqual(decode(saturated, min), { x: Number.MIN_SAFE_INTEGER })
  assert.deepEqual(decode(saturated, 'fffffffffffffffe'), { x: -2 })
})

test('bytes and records are views of the input, and large ones of the output', () => {
  const fields = { data: bytes(), batches: records({ nullable: '0+' }) }
  const codec = schemaCodec(schema({ name: 'Test', versions: '0', flexible: '0+', fields }), 0)
  const large = [Buffer.alloc(2000, 1), Buffer.alloc(3000, 2)]
  const message = { data: Buffer.from('data'), batches: large }
  const input = encodeToBuffer(codec as never, message)
  const decoded = codec.decode(input, 0, input.length)
  assert.equal(decoded.data.buffer, input.buffer)
  assert.deepEqual(decoded.batches, recordsBuffer(large))
  assert.equal(decoded.batches!.buffer, input.buffer)
  assert.equal(recordsBuffer(null).length, 0)
  assert.equal(recordsBuffer([large[0]!]), large[0])
})

test('lengths that cannot be are refused before memory is spent on them', () => {
  const refused = { errorName: 'INVALID_REQUEST' }
  const list = { list: array({ name: string() }) }
  for (const length of ['7fffffff', '00000003', 'ffffffff', '80000000']) {
    assert.throws(() => decode(list, `${length}0000`), refused, length)
  }
  for (const length of ['ffffffff0f', 'ffffffff07', 'ffffffff7f', 'ffffffffff01', '00', '05']) {
    assert.throws(() => decode(list, `${length}0000`, '0+'), refused, length)
    assert.throws(() => decode({ text: string() }, `${length}61`, '0+'), refused, length)
  }
  assert.throws(() => decode({ text: string() }, 'ffff'), refused, 'null')
  assert.throws(() => decode({ text: string({ nullable: '0+' }) }, 'fffe'), refused, '-2')
  assert.throws(() => decode({}, 'ffffffff0f0000', '0+'), refused, 'count of tagged fields')
  assert.throws(() => decode({}, '0100ffffffff0f', '0+'), refused, 'size of a tagged field')
})

test('strings of every kind', () => {
  const fields = { text: string() }
  for (const text of ['', 'a', 'ä', 'x'.repeat(48), 'x'.repeat(49), '变'.repeat(49), '\u0000🪲']) {
    for (const flexible of ['none', '0+']) {
      assert.deepEqual(decode(fields, encode(fields, { text }, flexible), flexible), { text })
    }
  }
  // As in Java, what is not UTF-8 becomes the replacement character.
  assert.deepEqual(decode(fields, '0003' + '61ff62'), { text: 'a\ufffdb' })
  assert.throws(() => encode(fields, { text: 'x'.repeat(32768) }), /too long/)
})

test('uuids and strings that share a place in the cache are told apart', () => {
  const bytes = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
  const ids = [0, 4, 8, 12].map((word) => {
    // This bit has no part in where the cache keeps the uuid.
    const other = Buffer.from(bytes)
    other[word + 2]! ^= 0x04
    return other
  })
  for (const id of ids.flatMap((other) => [bytes, other, bytes])) {
    assert.deepEqual(decode({ id: uuid() }, id.toString('hex')), { id: id.toString('base64url') })
  }
  for (let i = 0; i < 5000; i++) {
    const text = `t${i % 2500}`
    assert.deepEqual(decode({ text: string() }, encode({ text: string() }, { text })), { text })
  }
})

test('ranges of versions', () => {
  assert.deepEqual(parseVersions('3-13'), { min: 3, max: 13 })
  assert.deepEqual(parseVersions('3+'), { min: 3, max: 32767 })
  assert.deepEqual(parseVersions('0'), { min: 0, max: 0 })
  assert.deepEqual(parseVersions('none'), { min: 0, max: -1 })
  for (const wrong of ['', '3-', '+', 'x', '1-2-3']) assert.throws(() => parseVersions(wrong))
})
