import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOffset, parseOffsetRange } from '../../../src/tools/samsa/offset-expression.ts'
import { UsageError } from '../../../src/tools/samsa/usage-error.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const time = (timestampMs: number) => ({ kind: 'time', timestampMs })

test('offsets are absolute, relative to either end, or times', () => {
  const cases: readonly (readonly [text: string, found: object])[] = [
    ['start', { kind: 'start' }],
    ['latest', { kind: 'end' }],
    ['42', { kind: 'offset', offset: 42 }],
    ['-10', { kind: 'offset', offset: 10, from: 'end' }],
    ['+10', { kind: 'offset', offset: 10, from: 'start' }],
    ['@2026-11-01', time(Date.UTC(2026, 10, 1))],
    ['@2026-11-01T12:30', time(Date.UTC(2026, 10, 1, 12, 30))],
    ['@2026-11-01T12:30:15+02:00', time(Date.UTC(2026, 10, 1, 10, 30, 15))],
    ['@1790000000', time(1_790_000_000_000)],
    ['@1790000000123', time(1_790_000_000_123)],
    ['@-1.5h', time(NOW - 5_400_000)],
    ['@-7d', time(NOW - 604_800_000)],
  ]
  for (const [text, found] of cases) assert.deepEqual(parseOffset(text, NOW), found, text)
})

test('a range has two of them, and a time of day keeps its colons', () => {
  const offset = (value: number) => ({ kind: 'offset', offset: value })
  const cases: readonly (readonly [text: string, from: object, to: object | undefined])[] = [
    ['10', offset(10), undefined],
    ['10:20', offset(10), offset(20)],
    ['-10:end', { ...offset(10), from: 'end' }, { kind: 'end' }],
    [':20', { kind: 'start' }, offset(20)],
    ['@-1h:', time(NOW - 3_600_000), { kind: 'end' }],
    ['@2026-11-01T12:30', time(Date.UTC(2026, 10, 1, 12, 30)), undefined],
    ['@2026-11-01T12:30:15', time(Date.UTC(2026, 10, 1, 12, 30, 15)), undefined],
    [
      '@2026-11-01T12:30:@2026-11-02T08:00',
      time(Date.UTC(2026, 10, 1, 12, 30)),
      time(Date.UTC(2026, 10, 2, 8)),
    ],
  ]
  for (const [text, from, to] of cases) {
    assert.deepEqual(parseOffsetRange(text, NOW), { from, to }, text)
  }
})

test('anything else is refused', () => {
  for (const text of ['', 'x', '--1', '@', '@2026-13-01', '@yesterday', '1e3', '@-1y', '5:6:7']) {
    assert.throws(() => parseOffsetRange(text, NOW), UsageError, text)
  }
})
