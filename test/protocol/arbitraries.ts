/** Arbitrary values of the protocol's fields and structs, for property tests over definitions. */
import fc from 'fast-check'
import type { Field, Fields } from '../../src/protocol/schema.ts'
import { includesVersion, ZERO_UUID } from '../../src/protocol/schema.ts'

const int = (min: number, max: number) => fc.oneof(fc.integer({ min, max }), fc.constant(max))
const bytes = fc.uint8Array({ maxLength: 24 }).map((array) => Buffer.from(array))
const uuid = fc.oneof(
  fc.constant(ZERO_UUID),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((a) => Buffer.from(a).toString('base64url')),
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
)

/** Any value that `field` can have in `version`. */
function anyValueOf(field: Field, version: number): fc.Arbitrary<unknown> {
  const value = nonNullOf(field, version)
  return includesVersion(field.nullable, version) ? fc.option(value, { freq: 4 }) : value
}

/** The same without null. */
export function nonNullOf(field: Field, version: number): fc.Arbitrary<unknown> {
  switch (field.type) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return int(-0x80, 0x7f)
    case 'int16':
      return int(-0x8000, 0x7fff)
    case 'uint16':
      return int(0, 0xffff)
    case 'int32':
      return int(-0x8000_0000, 0x7fff_ffff)
    case 'uint32':
      return int(0, 0xffff_ffff)
    case 'int64':
      return int(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    case 'bigint64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float64':
      return fc.double({ noNaN: true })
    case 'string':
      return text
    case 'uuid':
      return uuid
    case 'bytes':
    case 'records':
      return bytes
    case 'array':
      return fc.array(anyValueOf(field.element!, version), { maxLength: 3 })
    case 'struct':
      return structOf(field.fields!, version)
  }
}

/** Any struct as a decoder of `version` gives it: what the version lacks has its default. */
export function structOf(
  fields: Fields,
  version: number,
): fc.Arbitrary<{ [name: string]: unknown }> {
  const entries = Object.entries(fields).map(([name, field]) => {
    const present = includesVersion(field.versions, version)
    return [name, present ? anyValueOf(field, version) : fc.constant(defaultOf(field))] as const
  })
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true })
}

/** What a field has after decoding where it is absent. */
export function defaultOf(field: Field): unknown {
  if (field.type !== 'struct' || field.default === null) return field.default
  const inner = Object.entries(field.fields!).map(([name, f]) => [name, defaultOf(f)])
  return Object.fromEntries(inner)
}
