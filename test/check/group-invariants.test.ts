/** Each invariant of groups finds the history that breaks it, and no fault with good ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGroups } from '../../check/group-invariants.ts'
import type { HistoryEvent } from '../../check/history.ts'
import { GROUP, observed, produced, tell, teller } from './group-histories.ts'

type Protocol = 'eager' | 'cooperative' | 'consumer'

const judge = (history: HistoryEvent[], end: number, protocol: Protocol = 'eager'): string[] =>
  checkGroups(history, { groups: [{ name: GROUP, protocol }], ends: [end] }).map(
    ({ invariant }) => invariant,
  )

const a = teller('a#1')
const b = teller('b#1')
const three = [produced(0, 'x'), produced(1, 'y'), produced(2, 'z')]

test('a member dies, another goes on: nothing to complain of', () => {
  const history = tell(
    ...three,
    a.assigned(1),
    a.processed(0, 'x'),
    ...a.commit(1, 1),
    observed(7, 1),
    a.processed(1, 'y'),
    ...a.commit(2, 1, null),
    b.assigned(2),
    b.processed(1, 'y', 'z'),
    ...b.commit(3, 2),
    observed(14, 3),
  )
  assert.deepEqual(judge(history, 3), [])
})

test('two members with one partition in one generation', () => {
  const assigned = tell(a.assigned(1), b.assigned(1))
  assert.deepEqual(judge(assigned, 0), ['a partition has one owner in a generation'])
  const history = tell(
    ...[produced(0, 'x'), a.assigned(4, [1]), a.processed(0, 'x'), ...a.commit(1, 4)],
    ...[b.assigned(4), observed(7, 1)],
  )
  assert.deepEqual(judge(history, 1), ['a partition has one owner in a generation'])
})

test('a static member that comes back keeps its partitions in the generation', () => {
  const [first, second] = [teller('a#1', 'i'), teller('a#2', 'i')]
  assert.deepEqual(judge(tell(first.assigned(1), second.assigned(1)), 0), [])
})

const stale = 'a commit of a generation that is over is refused'

test('a member that was paused commits after the group went on', () => {
  const before = [produced(0, 'x'), a.assigned(1), a.processed(0, 'x')]
  const accepted = tell(...before, b.assigned(2, []), ...a.commit(1, 1), observed(7, 1))
  assert.deepEqual(judge(accepted, 1), [stale])
  const refused = tell(...before, b.assigned(2), ...a.commit(1, 1, 22))
  assert.ok(!judge(refused, 1).includes(stale))
  const itself = tell(...before, a.assigned(2), ...a.commit(1, 1), observed(7, 1))
  assert.deepEqual(judge(itself, 1), [stale])
  assert.deepEqual(judge(itself, 1, 'consumer'), [])
  // The commit was on its way before anybody could know of the new generation.
  const [asked, answer] = a.commit(1, 1)
  const crossing = tell(...before, asked!, b.assigned(2), answer!, observed(7, 1))
  assert.deepEqual(judge(crossing, 1), [])
})

test('epochs of other partitions do not make a commit stale in the consumer protocol', () => {
  const history = tell(
    ...[produced(0, 'x'), a.assigned(1), a.processed(0, 'x'), b.assigned(2, [1])],
    ...[...a.commit(1, 1), observed(7, 1)],
  )
  assert.deepEqual(judge(history, 1, 'consumer'), [])
  const taken = tell(
    ...[produced(0, 'x'), a.assigned(1), a.processed(0, 'x'), b.assigned(2, [0])],
    ...[...a.commit(1, 1), observed(7, 1)],
  )
  assert.deepEqual(judge(taken, 1, 'consumer'), [stale])
})

test('a static member commits after another has taken its place', () => {
  const [first, second] = [teller('a#1', 'i'), teller('a#2', 'i')]
  const before = [produced(0, 'x'), first.assigned(1), first.processed(0, 'x')]
  const history = tell(
    ...[...before, second.started(), second.assigned(1), ...first.commit(1, 1), observed(8, 1)],
  )
  assert.deepEqual(judge(history, 1), ['a commit of a fenced static member is refused'])
  // Which of two that were there before came last, their own accounts do not say.
  const unclear = tell(
    ...[second.started(), ...before, second.assigned(1), ...first.commit(1, 1), observed(8, 1)],
  )
  assert.deepEqual(judge(unclear, 1), [])
})

const kept = 'a committed offset is neither lost nor moved back'

test('a committed offset is lost, moved back, or made up', () => {
  const upTo = (offset: number) => [
    ...[...three, a.assigned(1), a.processed(0, 'x', 'y', 'z'), ...a.commit(offset, 1)],
  ]
  assert.deepEqual(judge(tell(...upTo(3), observed(8, -1), observed(9, 3)), 3), [kept])
  const back = [...upTo(2), ...a.commit(3, 1), observed(10, 2), observed(11, 3)]
  assert.deepEqual(judge(tell(...back), 3), [kept])
  assert.deepEqual(judge(tell(...upTo(2), observed(8, 3)), 3), [kept])
  // Asked before the answer to the commit: either is right.
  assert.deepEqual(judge(tell(...upTo(3), observed(6, -1), observed(9, 3)), 3), [])
})

test('a new owner starts before what was committed', () => {
  const history = tell(
    ...[...three, a.assigned(1), a.processed(0, 'x', 'y', 'z'), ...a.commit(3, 1)],
    ...[b.assigned(2), b.processed(0, 'x'), observed(10, 3)],
  )
  assert.deepEqual(judge(history, 3), ['a new owner goes on from the committed offset'])
})

test('a record is skipped, by reading on or by a commit', () => {
  const skipping = tell(
    ...[...three, a.assigned(1), a.processed(0, 'x'), b.assigned(2), b.processed(2, 'z')],
    ...[...b.commit(3, 2), a.assigned(3), observed(11, 3)],
  )
  assert.deepEqual(judge(skipping, 3), [
    'no record is skipped',
    'every acknowledged record is processed at least once',
  ])
  const early = tell(...three, a.assigned(1), ...a.commit(3, 1), a.processed(0, 'x', 'y', 'z'))
  assert.ok(judge([...early, ...tell(observed(0, 3))], 3).includes('no record is skipped'))
})

test('a group does not come to the end', () => {
  const history = tell(produced(0, 'x'), a.assigned(1), a.processed(0, 'x'), observed(3, -1))
  assert.deepEqual(judge(history, 1), ['a group that is left in peace commits everything'])
})

test('a record changes, or is there twice', () => {
  const itself = 'a record is at one offset, once, and stays what it is'
  const done = (...ids: string[]) => [
    ...[a.assigned(1), a.processed(0, ...ids), ...a.commit(ids.length, 1)],
    observed(100, ids.length),
  ]
  assert.deepEqual(judge(tell(produced(0, 'x'), ...done('y')), 1), [itself])
  assert.deepEqual(judge(tell(produced(0, 'x'), ...done('x', 'x')), 2), [itself])
})
