import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixed, javaDouble } from '../../src/tools/support/java-numbers.ts'

test('halves are rounded up in the decimal form, as Java does, not in the binary one', () => {
  // (1.005).toFixed(2) is 1.00, since the number nearest to 1.005 is below it.
  assert.equal(fixed(1.005, 2), '1.01')
  assert.equal(fixed(0.125, 2), '0.13')
  assert.equal(fixed(2.5, 0), '3')
  assert.equal(fixed(-0.5, 0), '-1')
  assert.equal(fixed(9.999, 2), '10.00')
})

test('numbers of any size are written in full', () => {
  assert.equal(fixed(1e21, 1), '1000000000000000000000.0')
  assert.equal(fixed(1.5e-7, 6), '0.000000')
  assert.equal(fixed(1.5e-7, 7), '0.0000002')
  assert.equal(fixed(Number.POSITIVE_INFINITY, 2), 'Infinity')
  assert.equal(fixed(0 / 0, 2), 'NaN')
})

test('what is printed is never further from the number than half of its last digit', () => {
  const number = fc.double({ min: -1e9, max: 1e9, noNaN: true })
  fc.assert(
    fc.property(number, fc.integer({ min: 0, max: 6 }), (value, digits) => {
      const text = fixed(value, digits)
      assert.match(text, digits === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${digits}}$`))
      const distance = Math.abs(Number(text) - value)
      assert.ok(distance <= 0.5 * 10 ** -digits * (1 + 1e-6), `${value} as ${text}`)
    }),
  )
})

test('doubles have a point, and an exponent from ten million on', () => {
  assert.equal(javaDouble(0), '0.0')
  assert.equal(javaDouble(120), '120.0')
  assert.equal(javaDouble(7.537688442211055), '7.537688442211055')
  assert.equal(javaDouble(12_345_678), '1.2345678E7')
  assert.equal(javaDouble(1e7), '1.0E7')
  assert.equal(javaDouble(0.0001), '1.0E-4')
})
