import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRecordFormat, recordFormatter } from '../../../src/tools/samsa/format.ts'
import { UsageError } from '../../../src/tools/samsa/usage-error.ts'

const record = {
  ...{ topic: 'orders', partition: 3, offset: 42, timestamp: 1_790_000_000_123 },
  keyBytes: Buffer.from('k1'),
  valueBytes: Buffer.from('a "b"'),
  headers: [
    { key: 'h', value: Buffer.from('x') },
    { key: 'n', value: null },
  ],
}

test('a format prints each part of a record', () => {
  const cases: readonly (readonly [format: string, text: string])[] = [
    ['%t %p %o %k %v\\n', 'orders 3 42 k1 a "b"\n'],
    ['%d|%T', '1790000000123|2026-09-21T14:13:20.123Z'],
    ['%K %V %h', '2 5 h=x,n='],
    ['%k{hex} %k{base64} %v{json}', '6b31 azE= "a \\"b\\""'],
    ['100%% \\x41\\t\\\\', '100% A\t\\'],
  ]
  for (const [format, text] of cases) assert.equal(recordFormatter(format)(record), text)
})

test('null keys and values print as nothing, as -1 bytes, as null in JSON', () => {
  const empty = { ...record, keyBytes: null, valueBytes: null, timestamp: -1 }
  assert.equal(recordFormatter('[%k][%v{hex}][%v{json}][%K][%T]')(empty), '[][][null][-1][]')
})

test('a format that makes no sense is refused with what there is', () => {
  for (const format of ['%x', 'abc%', '%k{rot13}', '%o{hex}', '\\q']) {
    assert.throws(() => recordFormatter(format), UsageError, format)
  }
  for (const format of ['plain', '%o', '%k%v']) {
    assert.throws(() => parseRecordFormat(format), UsageError, format)
  }
})

test('what one format prints the same format reads', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '%', '\\', '"'), maxLength: 6 })
  fc.assert(
    fc.property(text, text, fc.nat(99), (key, value, partition) => {
      const format = '%p|%k\\t%v\\n'
      const keyBytes = Buffer.from(key)
      const valueBytes = Buffer.from(value)
      const line = recordFormatter(format)({ ...record, partition, keyBytes, valueBytes })
      const parsed = parseRecordFormat(format)(line.slice(0, -1))
      assert.deepEqual(parsed, { partition, key: keyBytes, value: valueBytes })
    }),
  )
})

test('a line that does not fit its format is refused with the place', () => {
  assert.throws(() => parseRecordFormat('%k,%v')('no comma'), { message: /',' after column 1/ })
  assert.throws(() => parseRecordFormat('[%k]')('k]'), { message: /'\[' at column 1/ })
  assert.throws(() => parseRecordFormat('[%k]')('[k]more'), { message: /'more' is left over/ })
  assert.throws(() => parseRecordFormat('%p %v')('x y'), { message: /'x' is not a whole number/ })
})
