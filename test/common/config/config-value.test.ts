import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import {
  type ConfigType,
  type ConfigValue,
  formatConfigValue,
  type Password,
  parseConfigValue,
} from '../../../src/common/config/config-value.ts'
import { KafkaError } from '../../../src/common/errors.ts'

const CASES: [ConfigType, string, ConfigValue, string][] = [
  ['BOOLEAN', ' TRUE ', true, 'true'],
  ['INT', '+3', 3, '3'],
  ['INT', ' -2147483648', -2147483648, '-2147483648'],
  ['LONG', '9223372036854775807', Number.POSITIVE_INFINITY, '9223372036854775807'],
  ['LONG', '-9223372036854775808', -(2 ** 63), '-9223372036854775808'],
  ['DOUBLE', '1', 1, '1.0'],
  ['DOUBLE', '1e-5', 1e-5, '1.0E-5'],
  ['DOUBLE', '12345678.9', 12345678.9, '1.23456789E7'],
  ['DOUBLE', '.001', 0.001, '0.001'],
  ['LIST', ' delete, compact,delete', ['delete', 'compact'], 'delete,compact'],
  ['LIST', '', [], ''],
  ['STRING', ' a b ', 'a b', 'a b'],
]

test('values are read and written as Java does', () => {
  for (const [type, text, value, written] of CASES) {
    assert.deepEqual(parseConfigValue('k', type, text), value)
    assert.equal(formatConfigValue(type, value), written)
  }
})

test('a malformed value is refused in the words of Kafka, as INVALID_CONFIG', () => {
  const refused: [ConfigType, string, string][] = [
    [
      'BOOLEAN',
      'yes',
      'Invalid value yes for configuration k: Expected value to be either true or false',
    ],
    ['INT', '2147483648', 'Invalid value 2147483648 for configuration k: Not a number of type INT'],
    ['INT', '', 'Invalid value  for configuration k: Not a number of type INT'],
    ['INT', '0x10', 'Invalid value 0x10 for configuration k: Not a number of type INT'],
    ['SHORT', '40000', 'Invalid value 40000 for configuration k: Not a number of type SHORT'],
    ['LONG', '1.5', 'Invalid value 1.5 for configuration k: Not a number of type LONG'],
    [
      'LONG',
      '9223372036854775808',
      'Invalid value 9223372036854775808 for configuration k: Not a number of type LONG',
    ],
    ['DOUBLE', 'abc', 'Invalid value abc for configuration k: Not a number of type DOUBLE'],
    ['LIST', 'a,,b', "Configuration 'k' values must not be empty."],
  ]
  for (const [type, text, message] of refused) {
    assert.throws(
      () => parseConfigValue('k', type, text),
      (error) =>
        error instanceof KafkaError &&
        error.errorName === 'INVALID_CONFIG' &&
        error.message === message,
      `${type} ${text}`,
    )
  }
})

test('what is written is read back as the same value', () => {
  const integer = fc.maxSafeInteger()
  const number = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((it) => !Object.is(it, -0))
  fc.assert(
    fc.property(integer, number, (long, double) => {
      assert.equal(parseConfigValue('k', 'LONG', formatConfigValue('LONG', long)), long)
      assert.equal(parseConfigValue('k', 'DOUBLE', formatConfigValue('DOUBLE', double)), double)
    }),
  )
})

test('a password shows itself only when asked', () => {
  const password = parseConfigValue('k', 'PASSWORD', 'sesame') as Password
  assert.equal(password.value, 'sesame')
  for (const shown of [`${password}`, JSON.stringify({ password }), inspect(password)]) {
    assert.doesNotMatch(shown, /sesame/)
  }
})
