import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import { schemaCodec } from '../../src/protocol/compile.ts'
import { APIS, apiByKey } from '../../src/protocol/messages/index.ts'
import type { Field, Fields, Schema } from '../../src/protocol/schema.ts'
import { includesVersion } from '../../src/protocol/schema.ts'
import { defaultOf, nonNullOf, structOf } from './arbitraries.ts'
import { encodeToBuffer, isDefault } from './golden.ts'

function eachCodec(visit: (schema: Schema, version: number) => void): void {
  for (const api of APIS) {
    for (let version = api.versions.min; version <= api.versions.max; version++) {
      visit(api.request, version)
      visit(api.response, version)
    }
  }
}

test('every message of every version survives encoding and decoding, wherever it lies', () => {
  eachCodec((schema, version) => {
    const codec = schemaCodec(schema, version)
    const property = fc.property(
      structOf(schema.fields, version),
      fc.nat(3),
      fc.nat(3),
      (message, before, after) => {
        const encoded = encodeToBuffer(codec as never, message)
        const noise = (length: number) => Buffer.alloc(length, 0xa5)
        const buffer = Buffer.concat([noise(before), encoded, noise(after)])
        const decoded = codec.decode(buffer, before, before + encoded.length)
        assert.deepEqual(decoded, message)
        assert.deepEqual(Object.keys(decoded), Object.keys(schema.fields))
      },
    )
    fc.assert(property, { numRuns: 15 })
  })
})

/** A message in which just the field at the end of `path` has a value. */
function messageWith(
  path: readonly [string, Field][],
  value: unknown,
): { [name: string]: unknown } {
  return path.reduceRight<unknown>((inner, [name, field], depth) => {
    if (depth === path.length - 1) return { [name]: value }
    return { [name]: field.type === 'array' ? [inner] : inner }
  }, undefined) as { [name: string]: unknown }
}

function* absentFields(
  fields: Fields,
  version: number,
  path: [string, Field][] = [],
): Generator<[string, Field][]> {
  for (const [name, field] of Object.entries(fields)) {
    const inner: [string, Field][] = [...path, [name, field]]
    if (!includesVersion(field.versions, version)) yield inner
    else yield* absentFields(field.fields ?? field.element?.fields ?? {}, version, inner)
  }
}

test('a value for which a version has no place is refused, or dropped if it is ignorable', () => {
  let refused = 0
  let dropped = 0
  eachCodec((schema, version) => {
    const codec = schemaCodec(schema, version)
    for (const path of absentFields(schema.fields, version)) {
      const [name, field] = path.at(-1)!
      const [value] = fc.sample(
        nonNullOf(field, version).filter((candidate) => !isDefault(field, candidate)),
        { numRuns: 1, seed: version },
      )
      const message = messageWith(path, value)
      const without = messageWith(path, undefined)
      if (field.ignorable) {
        const encoded = encodeToBuffer(codec as never, message)
        assert.deepEqual(encoded, encodeToBuffer(codec as never, without), name)
        dropped += 1
      } else {
        assert.throws(() => encodeToBuffer(codec as never, message), {
          errorName: 'UNSUPPORTED_VERSION',
          message: new RegExp(`${name}$`),
        })
        // Its default is no loss.
        encodeToBuffer(codec as never, messageWith(path, defaultOf(field)))
        refused += 1
      }
    }
  })
  assert.ok(refused > 50 && dropped > 100, 'both kinds were met')
})

test('null where a version has no null is refused by the encoder, which names the field', () => {
  eachCodec((schema, version) => {
    for (const [name, field] of Object.entries(schema.fields)) {
      const lengthy = ['string', 'bytes', 'records', 'array', 'struct'].includes(field.type)
      if (!lengthy || !includesVersion(field.versions, version) || field.tag !== undefined) continue
      const encode = () => encodeToBuffer(schemaCodec(schema, version) as never, { [name]: null })
      if (includesVersion(field.nullable, version)) encode()
      else assert.throws(encode, new RegExp(`${schema.name}.${name} must not be null`))
    }
  })
})

test('a failed encode does not leave a trace in the writer after a rewind', () => {
  const writer = new ByteWriter(64)
  writer.int32(1)
  const before = writer.size
  const codec = schemaCodec(apiByKey(3)!.request, 12)
  const topics = [...Array(20).fill({ name: 'a topic' }), { name: 5 }]
  assert.throws(() => codec.encode({ topics } as never, writer))
  writer.rewind(before)
  writer.int32(2)
  assert.equal(Buffer.concat(writer.finish()).toString('hex'), '0000000100000002')
})

/** The table of the versions that a broker advertises: Kafka 4.2's, with Produce from 0 on. */
const ADVERTISED: { [key: number]: [min: number, max: number] } = {
  0: [0, 13],
  1: [4, 18],
  2: [1, 11],
  3: [0, 13],
  4: [2, 7],
  5: [1, 4],
  6: [5, 8],
  7: [1, 3],
  8: [2, 10],
  9: [1, 10],
  10: [0, 6],
  11: [0, 9],
  12: [0, 4],
  13: [0, 5],
  14: [0, 5],
  15: [0, 6],
  16: [0, 5],
  17: [0, 1],
  18: [0, 4],
  19: [2, 7],
  20: [1, 6],
  21: [0, 2],
  22: [0, 5],
  23: [2, 4],
  24: [0, 5],
  25: [0, 4],
  26: [0, 5],
  27: [1, 2],
  28: [0, 5],
  29: [1, 3],
  30: [1, 3],
  31: [1, 3],
  32: [1, 4],
  33: [0, 2],
  34: [1, 2],
  35: [1, 4],
  36: [0, 2],
  37: [0, 3],
  38: [1, 3],
  39: [1, 2],
  40: [1, 2],
  41: [1, 3],
  42: [0, 2],
  43: [0, 2],
  44: [0, 1],
  45: [0, 1],
  46: [0, 0],
  47: [0, 0],
  48: [0, 1],
  49: [0, 1],
  50: [0, 0],
  51: [0, 0],
  55: [0, 2],
  57: [0, 2],
  60: [0, 2],
  61: [0, 0],
  64: [0, 0],
  65: [0, 0],
  66: [0, 2],
  68: [0, 1],
  69: [0, 1],
  71: [0, 0],
  72: [0, 0],
  74: [0, 1],
  75: [0, 0],
  76: [1, 1],
  77: [1, 1],
  78: [1, 2],
  79: [1, 2],
  83: [0, 0],
  84: [0, 0],
  85: [0, 1],
  86: [0, 0],
  87: [0, 1],
  88: [0, 0],
  89: [0, 0],
  90: [0, 1],
  91: [0, 0],
  92: [0, 0],
}

test('the advertised versions are those that clients count on', () => {
  const actual = APIS.map(({ key, advertised }) => [key, [advertised.min, advertised.max]])
  assert.deepEqual(Object.fromEntries(actual), ADVERTISED)
})

test('the table has each API once, under its key, in the order of the keys', () => {
  const keys = APIS.map((api) => api.key)
  assert.deepEqual(
    keys,
    [...new Set(keys)].sort((a, b) => a - b),
  )
  for (const api of APIS) assert.equal(apiByKey(api.key), api)
  assert.equal(apiByKey(32767), undefined)
  assert.equal(apiByKey(-1), undefined)
})

test('a version that is not implemented has no codec', () => {
  const produce = apiByKey(0)!
  assert.throws(() => schemaCodec(produce.request, 2), /ProduceRequest has no version 2/)
  assert.throws(() => schemaCodec(produce.request, 14), /ProduceRequest has no version 14/)
})
