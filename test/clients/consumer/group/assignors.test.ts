import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Assignor } from '../../../../src/clients/consumer/group/assignor.ts'
import {
  createAssignors,
  rebalanceProtocolOf,
} from '../../../../src/clients/consumer/group/assignors.ts'
import { rangeAssignor } from '../../../../src/clients/consumer/group/range-assignor.ts'
import { roundRobinAssignor } from '../../../../src/clients/consumer/group/round-robin-assignor.ts'
import { assertValid, groups, memberOf, membersOf, textOf, topicsOf } from './assignor-room.ts'

const ALL = ['range', 'roundrobin', 'sticky', 'cooperative-sticky']

test('any assignor gives each partition to one subscriber, whatever order members come in', () => {
  const property = fc.property(
    groups({ members: 6, topics: 4, partitions: 9 }),
    fc.constantFrom(...ALL),
    ([topics, members], name) => {
      const [assignor] = createAssignors([name])
      const assignment = assignor!.assign(topics, membersOf(...members))
      assertValid(topics, membersOf(...members), assignment)
      const again = assignor!.assign(topics, membersOf(...members.toReversed()))
      const sorted = (of: typeof assignment) => Object.entries(textOf(of)).sort()
      assert.deepEqual(sorted(again), sorted(assignment))
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('range divides each topic by itself, static members first', () => {
  const topics = topicsOf({ t1: 3, t2: 4 })
  const members = membersOf(
    memberOf('a', { topics: ['t1', 't2'] }),
    memberOf('z', { topics: ['t1', 't2'], instanceId: 'i' }),
    memberOf('b', { topics: ['t2'] }),
  )
  assert.deepEqual(textOf(rangeAssignor.assign(topics, members)), {
    z: 't1-0 t1-1 t2-0 t2-1',
    a: 't1-2 t2-2',
    b: 't2-3',
  })
})

test('range gives members what is in their rack, as many partitions as without racks', () => {
  const racks = [['r1'], ['r2'], ['r3'], ['r1'], ['r2'], ['r3']]
  const topics = new Map(
    ['t1', 't2'].map((name) => [name, { name, partitionCount: racks.length, racks }]),
  )
  const members = membersOf(
    memberOf('a', { topics: ['t1', 't2'], rackId: 'r3' }),
    memberOf('b', { topics: ['t1', 't2'], rackId: 'r2' }),
    memberOf('c', { topics: ['t1', 't2'], rackId: 'r1' }),
  )
  assert.deepEqual(textOf(rangeAssignor.assign(topics, members)), {
    a: 't1-2 t1-5 t2-2 t2-5',
    b: 't1-1 t1-4 t2-1 t2-4',
    c: 't1-0 t1-3 t2-0 t2-3',
  })
})

test('range pays no heed to racks when every partition is in all of them', () => {
  const racks = [
    ['r1', 'r2'],
    ['r2', 'r1'],
  ]
  const topics = new Map([['t', { name: 't', partitionCount: 2, racks }]])
  const members = membersOf(
    memberOf('a', { topics: ['t'], rackId: 'r2' }),
    memberOf('b', { topics: ['t'], rackId: 'r1' }),
  )
  assert.deepEqual(textOf(rangeAssignor.assign(topics, members)), { a: 't-0', b: 't-1' })
})

test('roundrobin deals over all topics, and passes over who does not subscribe', () => {
  const alike = membersOf(
    memberOf('a', { topics: ['t1', 't2'] }),
    memberOf('b', { topics: ['t1', 't2'] }),
  )
  assert.deepEqual(textOf(roundRobinAssignor.assign(topicsOf({ t2: 3, t1: 3 }), alike)), {
    a: 't1-0 t1-2 t2-1',
    b: 't1-1 t2-0 t2-2',
  })
  const mixed = membersOf(
    memberOf('a', { topics: ['t0'] }),
    memberOf('b', { topics: ['t0', 't1'] }),
    memberOf('c', { topics: ['t0', 't1', 't2'] }),
  )
  assert.deepEqual(textOf(roundRobinAssignor.assign(topicsOf({ t0: 1, t1: 2, t2: 3 }), mixed)), {
    a: 't0-0',
    b: 't1-0',
    c: 't1-1 t2-0 t2-1 t2-2',
  })
})

test('assignors go by either name, each consumer has its own, unknown ones are refused', () => {
  const strategy = ['org.apache.kafka.clients.consumer.StickyAssignor', 'cooperative-sticky']
  const assignors = createAssignors(strategy)
  assert.deepEqual(
    assignors.map(({ name }) => name),
    ['sticky', 'cooperative-sticky'],
  )
  assert.notEqual(createAssignors(strategy)[0], assignors[0])
  assert.equal(rebalanceProtocolOf(assignors), 'eager')
  assert.equal(rebalanceProtocolOf(createAssignors(['cooperative-sticky'])), 'cooperative')
  assert.throws(() => createAssignors(['rage']), /partition\.assignment\.strategy: Expected one of/)
  assert.throws(() => createAssignors(['range', 'RangeAssignor']), /range is given twice/)
})

test('an assignor of the application stands first unless the strategy names it', () => {
  const custom: Assignor = { name: 'mine', protocol: 'cooperative', assign: () => new Map() }
  const namesOf = (all: readonly Assignor[]) => all.map(({ name }) => name)
  assert.deepEqual(namesOf(createAssignors(['range'], [custom])), ['mine', 'range'])
  assert.deepEqual(namesOf(createAssignors(['range', 'mine'], [custom])), ['range', 'mine'])
})
