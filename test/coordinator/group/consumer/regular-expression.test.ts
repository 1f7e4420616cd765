import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KafkaError } from '../../../../src/common/errors.ts'
import { RegularExpression } from '../../../../src/coordinator/group/consumer/re2/expression.ts'

function matches(expression: string, name: string): boolean {
  return new RegularExpression(expression).filter([name]).has(name)
}

test('an expression matches names as a whole', () => {
  const cases: [expression: string, yes: string[], no: string[]][] = [
    ['', [''], ['a']],
    ['logs', ['logs'], ['log', 'logs2', 'my-logs']],
    ['logs-.*', ['logs-', 'logs-a.b'], ['logs']],
    ['a|bc|', ['a', 'bc', ''], ['ab', 'c']],
    ['(a|b)+c?', ['a', 'abba', 'bac'], ['', 'c', 'acc']],
    ['a{2}b{1,2}c{0,}', ['aab', 'aabbcc'], ['ab', 'aabbb']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['[a-c_-]+', ['abc', 'a-_'], ['d', '']],
    ['[^a-c]', ['d'], ['a', 'dd']],
    ['[]a]+', [']a'], ['[']],
    ['\\d\\D\\w\\W\\s', ['1ab. '], ['aab. ']],
    ['[\\d.]+', ['1.2'], ['1a']],
    ['[[:alpha:]]+[[:^digit:]]', ['ab.'], ['ab1']],
    ['(?i)Logs-[a-z]', ['LOGS-X', 'logs-x'], ['logs-1']],
    ['(?i:a)b', ['Ab', 'ab'], ['aB']],
    ['a(?:b)(?P<x>c)(?<y>d)', ['abcd'], ['abc']],
    ['^a$', ['a'], ['b']],
    ['\\Aa\\z', ['a'], ['ab']],
    ['a\\b-b\\B.', ['a-bc'], ['a-b-']],
    ['a.*?b', ['ab', 'axxb'], ['a']],
    ['\\Qa.b*\\E+', ['a.b*', 'a.b**'], ['aXb']],
    ['\\x41\\x{42}\\103\\.', ['ABC.'], ['ABCD']],
    ['\\pL+\\p{Greek}\\PL', ['aα1'], ['aaa']],
    ['.', ['ä', '😀'], ['', '\n']],
    ['(?s).', ['\n'], ['']],
    ['(a*)*b', ['b', 'aab'], ['aa']],
    ['(|a)*', ['', 'aaa'], ['b']],
  ]
  for (const [expression, yes, no] of cases) {
    for (const name of yes) assert.ok(matches(expression, name), `${expression} on ${name}`)
    for (const name of no) assert.ok(!matches(expression, name), `${expression} on ${name}`)
  }
})

test('what RE2 refuses is refused with its words', () => {
  const cases: [string, string][] = [
    ['[a', 'missing closing ]'],
    ['(a', 'missing closing )'],
    ['a)', 'unexpected )'],
    ['*a', 'missing argument to repetition operator'],
    ['a**', 'invalid nested repetition operator'],
    ['a{2}{3}', 'invalid nested repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['a{3,2}', 'invalid repeat count'],
    ['((a{100}){100}){100}', 'invalid repeat count'],
    ['[b-a]', 'invalid character class range'],
    ['[[:nothing:]]', 'invalid character class range'],
    ['\\p{Nothing}', 'invalid character class range'],
    ['\\y', 'invalid escape sequence'],
    ['a\\', 'trailing backslash at end of expression'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(?<=a)', 'invalid or unsupported Perl syntax'],
    ['(?P<a', 'invalid named capture'],
    ['(?P<a>b)(?P<a>c)', 'duplicate capture group name'],
    ['('.repeat(500) + ')'.repeat(500), 'expression nests too deeply'],
    ['(a{1000})'.repeat(20), 'expression is too large'],
  ]
  for (const [expression, description] of cases) {
    assert.throws(
      () => new RegularExpression(expression),
      (error) => {
        assert.ok(error instanceof KafkaError)
        assert.equal(error.errorName, 'INVALID_REGULAR_EXPRESSION')
        const prefix = `SubscribedTopicRegex \`${expression}\` is not a valid regular expression`
        assert.equal(error.message, `${prefix}: ${description}.`)
        return true
      },
    )
  }
})

const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
  atom: fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\.', 'a{2}', 'b{1,2}'),
  expression: fc.oneof(
    { depthSize: 'small' },
    tie('atom'),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('*', '+', '?', '{0,2}', '*?'))
      .map(([part, bounds]) => `(${part})${bounds}`),
  ),
}))

test('it agrees with the runtime’s own on what both understand', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 8 })
  fc.assert(
    fc.property(expression, fc.array(name), (text, names) => {
      const expected = names.filter((candidate) => new RegExp(`^(?:${text})$`, 'u').test(candidate))
      assert.deepEqual(new RegularExpression(text).filter(names), new Set(expected))
    }),
  )
})

test('nothing that a client sends takes long', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `${'a'.repeat(240)}${i}`)
  // Exponential for an engine that tries one way after the other.
  assert.equal(new RegularExpression('(a*)*(a|aa)+b').filter(names).size, 0)
  const heavy = new RegularExpression('(.?){900}x'.repeat(5))
  assert.throws(() => heavy.filter(names), /it takes too long to match/)
})
