import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { environmentConfig } from '../../../src/common/config/environment.ts'
import { parseProperties } from '../../../src/common/config/properties.ts'

test('separators, comments, continuations and escapes are read as Java reads them', () => {
  const text = [
    '# comment \\',
    '  ! another',
    '',
    'a=1',
    'b : 2 ',
    'c 3',
    'd',
    'e==5',
    'f\\ g\\:h\\=i=j',
    'path=C:\\\\kafka\\tmp',
    'list=a,\\',
    '     b,\\',
    '# not a comment',
    'even=x\\\\',
    'city=M\\u00fCnchen',
    'key\\u0020x=\\q',
    '\tindented\t=\tyes',
    'a=again',
  ].join('\r\n')
  assert.deepEqual(
    [...parseProperties(text)],
    [
      ['a', 'again'],
      ['b', '2 '],
      ['c', '3'],
      ['d', ''],
      ['e', '=5'],
      ['f g:h=i', 'j'],
      ['path', 'C:\\kafka\tmp'],
      ['list', 'a,b,# not a comment'],
      ['even', 'x\\'],
      ['city', 'München'],
      ['key x', 'q'],
      ['indented', 'yes'],
    ],
  )
})

test('a file may end within a continuation', () => {
  assert.deepEqual([...parseProperties('a=1\\')], [['a', '1']])
  assert.deepEqual([...parseProperties('a=1\\\n')], [['a', '1']])
  assert.deepEqual([...parseProperties('\\\n\n')], [])
  assert.deepEqual([...parseProperties('\\')], [['', '']])
})

test('an incomplete unicode escape is an error', () => {
  assert.throws(() => parseProperties('a=\\u12g4'), /Malformed \\uxxxx encoding/)
})

test('anything escaped by the rules is read back', () => {
  const escaped = (text: string) =>
    [...Array(text.length).keys()]
      .map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join('')
  const entries = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), {
    noNullPrototype: true,
    maxKeys: 5,
  })
  fc.assert(
    fc.property(entries, fc.constantFrom('=', ':', ' ', ' = '), (wanted, separator) => {
      const lines = Object.entries(wanted).map(
        ([key, value]) => `${escaped(key)}${separator}${escaped(value)}`,
      )
      assert.deepEqual(Object.fromEntries(parseProperties(lines.join('\n'))), wanted)
    }),
  )
})

test('environment variables are mapped by the rule of the container images', () => {
  const variables = {
    KAFKA_LOG_SEGMENT_BYTES: '1048576',
    KAFKA_A__B___C: 'x',
    KAFKA_HEAP_OPTS: '-Xmx1g',
    KAFKA_: 'nothing',
    KAFKAESQUE: 'no',
    PATH: '/bin',
    KAFKA_UNSET: undefined,
  }
  assert.deepEqual(
    [...environmentConfig(variables)],
    [
      ['a_b-c', 'x'],
      ['log.segment.bytes', '1048576'],
    ],
  )
})
