/** The checks of the suites themselves: they find what they are there to find. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Owns } from './harness/contract.ts'
import { conflicts, type Ends, tenures } from './harness/scenarios/tenures.ts'

const owns = (at: number, partitions: number[], generation?: number): Owns => ({
  type: 'owns',
  partitions,
  at,
  ...(generation !== undefined && { generation }),
})

const conflictsOf = (a: Owns[], b: Owns[], ends?: Ends): number =>
  conflicts([...tenures('a', a, ends), ...tenures('b', b)]).length

test('a partition that is handed over has one owner', () => {
  assert.equal(conflictsOf([owns(1, [0, 1]), owns(5, [0])], [owns(5, [1])]), 0)
  assert.equal(conflictsOf([owns(1, [0, 1]), owns(6, [0])], [owns(5, [1])]), 1)
  assert.equal(conflictsOf([owns(1, [0, 1])], [owns(5, [0, 1])]), 2)
})

test('a member that was killed owns nothing from then on', () => {
  assert.equal(conflictsOf([owns(1, [0])], [owns(8, [0])], { killedAt: 7 }), 0)
  assert.equal(conflictsOf([owns(1, [0])], [owns(8, [0])], { killedAt: 9 }), 1)
})

test('what is owned when the broker crashes counts until then', () => {
  assert.equal(conflictsOf([owns(1, [0]), owns(9, [])], [owns(5, [0])], { crashedAt: 4 }), 0)
  assert.equal(conflictsOf([owns(1, [0]), owns(9, [])], [owns(5, [0])], { crashedAt: 6 }), 1)
  assert.equal(conflictsOf([owns(3, [0]), owns(9, [])], [owns(5, [0])], { crashedAt: 2 }), 1)
})

test('members that tell no moment must not share a generation', () => {
  assert.equal(conflictsOf([owns(1, [0], 1), owns(9, [], 2)], [owns(5, [0], 2)]), 0)
  assert.equal(conflictsOf([owns(1, [0], 2), owns(3, [], 2)], [owns(5, [0], 2)]), 1)
})
