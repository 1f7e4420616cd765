import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type {
  Assignor,
  MemberAssignment,
  SubscribedMember,
} from '../../../../src/clients/consumer/group/assignor.ts'
import {
  CooperativeStickyAssignor,
  StickyAssignor,
} from '../../../../src/clients/consumer/group/sticky-assignors.ts'
import { partitionName } from '../../../../src/clients/topic-partition.ts'
import {
  assertValid,
  groups,
  type Members,
  memberOf,
  membersOf,
  partitionsOf,
  type Topics,
  textOf,
  topicsOf,
} from './assignor-room.ts'

type Assignment = ReadonlyMap<string, MemberAssignment>

/** A member that has taken part in a generation, and tells so in the way of either assignor. */
function rejoining(
  member: SubscribedMember,
  given: string | MemberAssignment,
  generationId: number,
) {
  const assignment = typeof given === 'string' ? { partitions: partitionsOf(given) } : given
  const assignor = new StickyAssignor()
  assignor.onAssignment(assignment, { groupId: 'g', generationId })
  return {
    ...{ ...member, generationId, ownedPartitions: assignment.partitions },
    userData: assignor.subscriptionUserData(),
  }
}

function after(members: Iterable<SubscribedMember>, assignment: Assignment, generation = 1) {
  return [...members].map((member) =>
    rejoining(member, assignment.get(member.memberId) ?? { partitions: [] }, generation),
  )
}

function squares(assignment: Assignment): number {
  return [...assignment.values()].reduce((sum, { partitions }) => sum + partitions.length ** 2, 0)
}

/** The smallest sum of squares that is possible, by trying everything. */
function leastSquares(topics: Topics, members: Members): number {
  const ids = [...members.keys()]
  let states = new Set([JSON.stringify(ids.map(() => 0))])
  for (const { name, partitionCount } of topics.values()) {
    const subscribers = ids.flatMap((id, i) => (members.get(id)!.topics.includes(name) ? i : []))
    if (subscribers.length === 0) continue
    for (let partition = 0; partition < partitionCount; partition++) {
      const next = new Set<string>()
      for (const state of states) {
        const sizes: number[] = JSON.parse(state)
        for (const index of subscribers)
          next.add(JSON.stringify(sizes.with(index, sizes[index]! + 1)))
      }
      states = next
    }
  }
  const sums = [...states].map((state) => (JSON.parse(state) as number[]).map((size) => size ** 2))
  return Math.min(...sums.map((sum) => sum.reduce((a, b) => a + b, 0)))
}

test('no assignment is more even, whoever subscribes to what, and whatever members had', () => {
  const property = fc.property(
    groups({ members: 4, topics: 3, partitions: 4 }),
    fc.infiniteStream(fc.nat(10)),
    ([topics, members], choices) => {
      const had = new Map(members.map(({ memberId }) => [memberId, { partitions: [] as never[] }]))
      for (const { name, partitionCount } of topics.values()) {
        for (let partition = 0; partition < partitionCount + 1; partition++) {
          const owner = members[choices.next().value]
          if (owner !== undefined) {
            had.get(owner.memberId)!.partitions.push({ topic: name, partition } as never)
          }
        }
      }
      const group = membersOf(...after(members, had))
      const assignment = new StickyAssignor().assign(topics, group)
      assertValid(topics, group, assignment)
      assert.equal(squares(assignment), leastSquares(topics, group))
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('an assignment that is made again stays as it is', () => {
  const property = fc.property(
    groups({ members: 6, topics: 4, partitions: 9 }),
    ([topics, members]) => {
      const assignor = new StickyAssignor()
      const first = assignor.assign(topics, membersOf(...members))
      const again = assignor.assign(topics, membersOf(...after(members, first)))
      assert.deepEqual(setsOf(again), setsOf(first))
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('among equals only that moves which a newcomer needs or a member has left', () => {
  const property = fc.property(
    fc.record({ members: fc.integer({ min: 1, max: 7 }), counts: fc.array(fc.nat(12)) }),
    ({ members: count, counts }) => {
      const topics = topicsOf(Object.fromEntries(counts.map((n, i) => [`t${i}`, n])))
      const names = [...topics.keys()]
      const members = Array.from({ length: count }, (_, i) => memberOf(`m${i}`, { topics: names }))
      const assignor = new StickyAssignor()
      const first = assignor.assign(topics, membersOf(...members))

      const newcomer = memberOf('a-new-one', { topics: names })
      const grown = assignor.assign(topics, membersOf(...after(members, first), newcomer))
      for (const { memberId } of members) {
        assert.ok(setOf(grown, memberId).isSubsetOf(setOf(first, memberId)))
      }

      if (count === 1) return
      const rest = after(members.slice(1), first)
      const shrunk = assignor.assign(topics, membersOf(...rest))
      for (const { memberId } of rest) {
        assert.ok(setOf(first, memberId).isSubsetOf(setOf(shrunk, memberId)))
      }
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('a chain of moves makes even what no single move does', () => {
  const topics = topicsOf({ t1: 3, t2: 3 })
  const members = membersOf(
    rejoining(memberOf('A', { topics: ['t1'] }), 't1-0 t1-1 t1-2', 1),
    rejoining(memberOf('B', { topics: ['t1', 't2'] }), 't2-0 t2-1', 1),
    rejoining(memberOf('C', { topics: ['t2'] }), 't2-2', 1),
  )
  assert.deepEqual(textOf(new StickyAssignor().assign(topics, members)), {
    A: 't1-0 t1-1',
    B: 't2-0 t1-2',
    C: 't2-1 t2-2',
  })
})

test('the newer claim on a partition counts, and of two equal ones neither', () => {
  const topics = topicsOf({ t: 3 })
  const stale = membersOf(
    rejoining(memberOf('A', { topics: ['t'] }), 't-0 t-1', 3),
    rejoining(memberOf('B', { topics: ['t'] }), 't-1 t-2', 4),
  )
  assert.deepEqual(textOf(new StickyAssignor().assign(topics, stale)), { A: 't-0', B: 't-1 t-2' })
  assert.deepEqual(textOf(new CooperativeStickyAssignor().assign(topics, stale)), {
    A: 't-0',
    B: 't-1 t-2',
  })
  const disputed = membersOf(
    rejoining(memberOf('A', { topics: ['t'] }), 't-0 t-1', 4),
    rejoining(memberOf('B', { topics: ['t'] }), 't-1 t-2', 4),
  )
  assert.deepEqual(textOf(new CooperativeStickyAssignor().assign(topics, disputed)), {
    A: 't-0',
    B: 't-2',
  })
})

test('cooperatively nothing is given that somebody has, and all is given in the next round', () => {
  const property = fc.property(
    groups({ members: 5, topics: 3, partitions: 8 }),
    fc.nat(4),
    ([topics, members], leaving) => {
      const assignor = new CooperativeStickyAssignor()
      const first = assignor.assign(topics, membersOf(...members))
      assertValid(topics, membersOf(...members), first)
      const rest = after(members, first).filter((_, i) => members.length === 1 || i !== leaving)
      const all = rest[0]!.topics
      const group = [...rest, memberOf('x', { topics: all }), memberOf('y', { topics: all })]
      const second = assignor.assign(topics, membersOf(...group))
      for (const { memberId, ownedPartitions } of group) {
        const owned = new Set(ownedPartitions.map(partitionName))
        for (const [other, { partitions }] of second) {
          if (other === memberId) continue
          for (const given of partitions) assert.ok(!owned.has(partitionName(given)))
        }
      }
      const third = assignor.assign(topics, membersOf(...after(group, second, 2)))
      assertValid(topics, membersOf(...group), third)
      for (const { memberId } of group) {
        assert.ok(setOf(second, memberId).isSubsetOf(setOf(third, memberId)))
      }
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('user data is as Java has it, older and broken ones are understood', () => {
  const sticky = new StickyAssignor()
  assert.equal(sticky.subscriptionUserData(), null)
  const given = { partitions: partitionsOf('a-0 b-1 a-2') }
  sticky.onAssignment(given, { groupId: 'g', generationId: 7 })
  const data = sticky.subscriptionUserData()!
  const topicA = '00016100000002 00000000 00000002'.replaceAll(' ', '')
  const topicB = '00016200000001 00000001'.replaceAll(' ', '')
  assert.equal(data.toString('hex'), `00000002${topicA}${topicB}00000007`)
  const cooperative: Assignor = new CooperativeStickyAssignor()
  assert.equal(cooperative.subscriptionUserData!([])!.toString('hex'), 'ffffffff')
  cooperative.onAssignment!(given, { groupId: 'g', generationId: 7 })
  assert.equal(cooperative.subscriptionUserData!([])!.toString('hex'), '00000007')

  const topics = topicsOf({ a: 3, b: 3 })
  const assign = (userData: Buffer) => {
    const one = memberOf('1', { topics: ['a', 'b'], userData })
    return textOf(sticky.assign(topics, membersOf(one, memberOf('2', { topics: ['a', 'b'] }))))
  }
  assert.deepEqual(assign(data), { '1': 'a-0 a-2 b-1', '2': 'a-1 b-0 b-2' })
  assert.deepEqual(assign(data.subarray(0, -4)), { '1': 'a-0 a-2 b-1', '2': 'a-1 b-0 b-2' })
  assertValid(
    topics,
    membersOf(memberOf('1', { topics: ['a', 'b'], userData: data.subarray(3) })),
    sticky.assign(
      topics,
      membersOf(memberOf('1', { topics: ['a', 'b'], userData: data.subarray(3) })),
    ),
  )
})

function setOf(assignment: Assignment, memberId: string): Set<string> {
  return new Set(assignment.get(memberId)!.partitions.map(partitionName))
}

function setsOf(assignment: Assignment): Record<string, string[]> {
  return Object.fromEntries(
    [...assignment.keys()].map((id) => [id, [...setOf(assignment, id)].sort()]),
  )
}
