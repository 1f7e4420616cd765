import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cPortable } from '../../src/common/crc32c.ts'

// RFC 3720 (iSCSI), appendix B.4, and the check value of the CRC catalogue.
const VECTORS: [Uint8Array, number][] = [
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  [new Uint8Array(0), 0],
]

for (const [name, crc] of Object.entries({ crc32c, crc32cPortable })) {
  test(`${name} gives the published checksums`, () => {
    for (const [bytes, expected] of VECTORS) assert.equal(crc(bytes, 0, bytes.length), expected)
  })

  test(`${name} refuses a range outside the buffer`, () => {
    assert.throws(() => crc(Buffer.alloc(4), 0, 5), RangeError)
    assert.throws(() => crc(Buffer.alloc(4), -1, 4), RangeError)
    assert.throws(() => crc(Buffer.alloc(4), 3, 2), RangeError)
  })
}

test('native and portable agree on every range, and checksums chain', () => {
  const range = fc
    .uint8Array({ maxLength: 300 })
    .chain((bytes) =>
      fc
        .array(fc.nat(bytes.length), { minLength: 3, maxLength: 3 })
        .map(
          (cuts) => [bytes, ...cuts.sort((a, b) => a - b)] as [Uint8Array, number, number, number],
        ),
    )
  fc.assert(
    fc.property(range, ([bytes, start, middle, end]) => {
      const whole = crc32c(bytes, start, end)
      assert.equal(crc32cPortable(bytes, start, end), whole)
      assert.equal(crc32c(bytes, middle, end, crc32c(bytes, start, middle)), whole)
      assert.equal(crc32cPortable(bytes, middle, end, crc32cPortable(bytes, start, middle)), whole)
    }),
  )
})
