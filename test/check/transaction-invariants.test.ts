/** Each invariant of transactions finds the history that breaks it, and only that one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryEvent, Isolation } from '../../check/history.ts'
import { checkTransactions, countFates } from '../../check/transaction-invariants.ts'
import { tell } from './group-histories.ts'

type Told = Parameters<typeof tell>[number]

const expected = {
  input: 'in',
  ends: [] as number[],
  pipelines: [{ group: 'g', output: 'out' }],
  outputs: ['out'],
}

const judge = (history: HistoryEvent[], ends: number[] = []): string[] =>
  checkTransactions(history, { ...expected, ends }).map(({ invariant }) => invariant)

const initialized = (process: string, producerEpoch: number): Told => ({
  ...{ event: 'initialized', process, transactionalId: 'id', producerId: 1, producerEpoch },
})

/** A transaction with so many records in partition 0. */
function transaction(name: string, count: number, outcome?: string, commit = true): Told[] {
  const process = name.split('.')[0]
  const partitions = Array.from({ length: count }, () => 0)
  const base = { process, transaction: name }
  const began = { event: 'began', transactionalId: 'id', topic: 'out', partitions } as const
  const ended = { ...base, event: 'ended', outcome } as const
  return [
    ...[{ ...base, ...began }, { ...base, event: 'ending', commit } as const],
    ...(outcome === undefined ? [] : [ended]),
  ]
}

interface Reading {
  process?: string
  isolation?: Isolation
  isComplete?: boolean
}

/** A reader gets records of partition 0: `transaction/index`, with the source after a colon. */
function reading(records: [number, string][], options: Reading = {}): Told[] {
  const { process = 'last#1', isolation = 'read_committed', isComplete = true } = options
  const values = records.map(([offset, text]) => {
    const [name = '', source] = text.split(':')
    const [transaction, index] = name.split('/')
    return [offset, JSON.stringify({ transaction, index: Number(index), count: 0, source })]
  })
  const base = { process, isolation }
  return [
    { ...base, event: 'reading' },
    { ...base, event: 'read', topic: 'out', partition: 0, records: values },
    ...(isComplete ? [{ ...base, event: 'complete' } as const] : []),
  ]
}

const whole: [number, string][] = [
  [0, 'a#1.0/0'],
  [1, 'a#1.0/1'],
]

test('committed, aborted and of unknown outcome: nothing to complain of', () => {
  const history = tell(
    ...transaction('a#1.0', 2, 'committed'),
    ...transaction('a#1.1', 2, 'aborted', false),
    ...transaction('a#1.2', 2, 'unknown'),
    ...transaction('b#1.0', 2),
    ...reading([...whole, [6, 'a#1.2/0'], [7, 'a#1.2/1']]),
  )
  assert.deepEqual(judge(history), [])
  assert.deepEqual(countFates(history), { committed: 1, aborted: 1, unknown: 2 })
})

test('a committed transaction lacks a record, or all; an unknown one is there in part', () => {
  const invariant = ['a committed transaction is read whole']
  const committed = transaction('a#1.0', 2, 'committed')
  assert.deepEqual(judge(tell(...committed, ...reading(whole.slice(1)))), invariant)
  assert.deepEqual(judge(tell(...committed, ...reading([]))), invariant)
  const unknown = transaction('a#1.0', 2, 'unknown')
  assert.deepEqual(judge(tell(...unknown, ...reading(whole.slice(1)))), invariant)
})

const unread = 'a record that was not committed is never read by read_committed'

test('an aborted record is read: by the last reader, or by one on the way', () => {
  const aborted = transaction('a#1.0', 1, 'aborted', false)
  const leak: [number, string][] = [[0, 'a#1.0/0']]
  assert.deepEqual(judge(tell(...aborted, ...reading(leak))), [unread])
  const early = { process: 'early#1', isComplete: false }
  const onTheWay = tell(...aborted, ...reading(leak, early), ...reading([]))
  assert.deepEqual(judge(onTheWay), [unread, 'every reader reads the same'])
  const uncommitted = { ...early, isolation: 'read_uncommitted' as const }
  assert.deepEqual(judge(tell(...aborted, ...reading(leak, uncommitted), ...reading([]))), [])
})

test('a transaction that was never ended, and one refused, count as aborted', () => {
  const [began] = transaction('a#1.0', 1)
  assert.deepEqual(judge(tell(began!, ...reading([[0, 'a#1.0/0']]))), [unread])
  const refused = transaction('a#1.0', 1, 'aborted')
  assert.deepEqual(judge(tell(...refused, ...reading([[0, 'a#1.0/0']]))), [unread])
})

test('a record is there twice', () => {
  const history = tell(
    ...transaction('a#1.0', 2, 'committed'),
    ...reading([...whole, [2, 'a#1.0/1']]),
  )
  assert.deepEqual(judge(history), ['a record of a transaction is in the log once'])
})

test('records are in another order', () => {
  const history = tell(
    ...transaction('a#1.9', 1, 'committed'),
    ...transaction('a#1.10', 1, 'committed'),
    ...reading([
      [0, 'a#1.10/0'],
      [1, 'a#1.9/0'],
    ]),
  )
  assert.deepEqual(judge(history), ['a producer’s records keep their order'])
})

test('a reader misses what another reads', () => {
  const early = { process: 'early#1', isComplete: false }
  const committed = transaction('a#1.0', 2, 'committed')
  const behind = tell(...committed, ...reading(whole.slice(0, 1), early), ...reading(whole))
  assert.deepEqual(judge(behind), [])
  const missing = tell(...committed, ...reading(whole.slice(1), early), ...reading(whole))
  assert.deepEqual(judge(missing), ['every reader reads the same'])
})

test('nobody reads to the end', () => {
  const history = tell(...reading([], { isComplete: false }))
  assert.deepEqual(judge(history), ['committed records can be read to the ends'])
})

const input = (offset: number): Told => ({
  ...{ event: 'produced', process: 'p#1', topic: 'in', partition: 0, offset, id: `x${offset}` },
})

const observed = (from: number, offset: number): Told => ({
  ...{ event: 'observed', process: 'stage', group: 'g', from, offsets: [offset] },
})

test('an input record is used twice, or never', () => {
  const one = [...transaction('a#1.0', 1, 'committed'), ...transaction('b#1.0', 1, 'committed')]
  const twice: [number, string][] = [
    [0, 'a#1.0/0:0/0'],
    [1, 'b#1.0/0:0/0'],
  ]
  const history = tell(input(0), ...one, ...reading(twice), observed(1, 1))
  assert.deepEqual(judge(history, [1]), ['an input record has one output'])
  const never = tell(input(0), ...reading([]), observed(1, 1))
  assert.deepEqual(judge(never, [1]), ['every input record has its output'])
})

test('offsets move back, or do not come to the end', () => {
  const back = tell(...reading([]), observed(4, 2), observed(5, 1), observed(6, 2))
  assert.deepEqual(judge(back, [2]), ['an offset committed in a transaction does not move back'])
  assert.deepEqual(judge(tell(...reading([]), observed(4, 1)), [2]), [
    'input offsets and output move together, and come to the end',
  ])
})

test('a fenced producer commits', () => {
  const own = [...transaction('a#1.0', 1, 'committed'), ...reading([[0, 'a#1.0/0']])]
  const [first, second] = [initialized('a#1', 0), initialized('a#2', 1)]
  assert.deepEqual(judge(tell(first, second, ...own)), ['a fenced producer commits nothing'])
  const [began, ...rest] = own
  assert.deepEqual(judge(tell(first, began!, ...rest.slice(0, 2), second, ...rest.slice(2))), [])
  // One that was stopped before it could write down what it got has no claim over the next.
  assert.deepEqual(judge(tell(initialized('a#1', 2), second, ...own)), [])
})

test('what a fenced producer committed comes after what its successor did', () => {
  const history = (epoch: number) =>
    tell(
      ...[initialized('a#1', epoch), initialized('a#2', 1)],
      ...[...transaction('a#1.0', 1, 'unknown'), ...transaction('a#2.0', 1, 'unknown')],
      ...reading([
        [0, 'a#2.0/0'],
        [1, 'a#1.0/0'],
      ]),
    )
  assert.deepEqual(judge(history(0)), ['a producer’s records keep their order'])
  assert.deepEqual(judge(history(2)), [])
})

test('a transaction is left open', () => {
  const ends = (stable: number): Told => ({
    ...{ event: 'ends', process: 'stage', topic: 'out', partition: 0, stable, high: 5 },
  })
  assert.deepEqual(judge(tell(...reading([]), ends(3), ends(5))), [])
  assert.deepEqual(judge(tell(...reading([]), ends(3))), [
    'a transaction that was left open is aborted in time',
  ])
})
