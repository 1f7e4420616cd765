import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assignorsByName } from '../../../../src/coordinator/group/consumer/assignors/index.ts'
import type {
  GroupSpec,
  PartitionAssignor,
} from '../../../../src/coordinator/group/consumer/assignors/partition-assignor.ts'

const { range: rangeAssignor, uniform: uniformAssignor } = assignorsByName

type Plain = Record<string, Record<string, number[]>>

function group(
  counts: Record<string, number>,
  subscriptions: Record<string, readonly string[]>,
  before: Plain = {},
  instances: Record<string, string> = {},
): GroupSpec {
  const members = Object.entries(subscriptions).map(([memberId, topicIds]) => {
    const assignment = Object.entries(before[memberId] ?? {}).map(
      ([topicId, partitions]) => [topicId, new Set(partitions)] as const,
    )
    const instanceId = instances[memberId] ?? null
    const spec = { instanceId, rackId: null, topicIds: new Set(topicIds) }
    return [memberId, { ...spec, assignment: new Map(assignment) }] as const
  })
  return { members: new Map(members), partitionCount: (topicId) => counts[topicId]! }
}

function assign(assignor: PartitionAssignor, spec: GroupSpec): Plain {
  const plain: Plain = {}
  for (const [memberId, assignment] of assignor.assign(spec)) {
    const topics = [...assignment].sort(([a], [b]) => (a < b ? -1 : 1))
    plain[memberId] = Object.fromEntries(
      topics.map(([topicId, partitions]) => [topicId, [...partitions].sort((a, b) => a - b)]),
    )
  }
  return plain
}

test('range gives neighbours, and co-partitions topics of one size', () => {
  const both = ['t1', 't2']
  assert.deepEqual(assign(rangeAssignor, group({ t1: 3, t2: 3 }, { A: both, B: both })), {
    A: { t1: [0, 1], t2: [0, 1] },
    B: { t1: [2], t2: [2] },
  })
})

test('range leaves members without a partition where there are too few', () => {
  const both = ['t1', 't2']
  const spec = group({ t1: 3, t2: 2 }, { A: both, B: both, C: both, D: both })
  assert.deepEqual(assign(rangeAssignor, spec), {
    ...{ A: { t1: [0], t2: [0] }, B: { t1: [1], t2: [1] }, C: { t1: [2] }, D: {} },
  })
})

test('range divides a topic between those who subscribe to it', () => {
  const spec = group({ t1: 3, t2: 3, t3: 2 }, { A: ['t1', 't2'], B: ['t3'], C: ['t2', 't3'] })
  assert.deepEqual(assign(rangeAssignor, spec), {
    A: { t1: [0, 1, 2], t2: [0, 1] },
    B: { t3: [0] },
    C: { t2: [2], t3: [1] },
  })
})

test('range keeps a static member’s place under another member id', () => {
  const counts = { t: 4 }
  const instances = { M0: 'I0', M1: 'I1' }
  const before = assign(rangeAssignor, group(counts, { M0: ['t'], M1: ['t'] }, {}, instances))
  const after = assign(
    rangeAssignor,
    group(counts, { M3: ['t'], M2: ['t'] }, {}, { M3: 'I0', M2: 'I1' }),
  )
  assert.deepEqual([after.M3, after.M2], [before.M0, before.M1])
})

test('uniform gives all members equally many, counted over all topics', () => {
  const both = ['t1', 't3']
  const spec = group({ t1: 3, t3: 2 }, { A: both, B: both })
  const sizes = Object.values(assign(uniformAssignor, spec)).map(sizeOf)
  assert.deepEqual(sizes.sort(), [2, 3])
})

test('uniform moves no more than it must', () => {
  const before = { A: { t: [0, 1, 2] }, B: { t: [3, 4, 5] } }
  const three = group({ t: 6 }, { A: ['t'], B: ['t'], C: ['t'] }, before)
  assert.deepEqual(assign(uniformAssignor, three), {
    ...{ A: { t: [0, 1] }, B: { t: [3, 4] }, C: { t: [2, 5] } },
  })
  const one = group({ t: 6 }, { B: ['t'] }, before)
  assert.deepEqual(assign(uniformAssignor, one), { B: { t: [0, 1, 2, 3, 4, 5] } })
})

test('uniform gives the odd one to whom has it already', () => {
  const before = { A: { t: [0] }, B: { t: [1, 2] } }
  const spec = group({ t: 3 }, { A: ['t'], B: ['t'] }, before)
  assert.deepEqual(assign(uniformAssignor, spec), before)
})

test('uniform evens out what overlapping subscriptions allow', () => {
  const spec = group({ t1: 10, t2: 2 }, { A: ['t1'], B: ['t1', 't2'], C: ['t2'] })
  assert.deepEqual(Object.values(assign(uniformAssignor, spec)).map(sizeOf), [5, 5, 2])
})

test('nobody, and nothing, is fine', () => {
  for (const assignor of [rangeAssignor, uniformAssignor]) {
    assert.deepEqual(assign(assignor, group({}, {})), {})
    assert.deepEqual(assign(assignor, group({}, { A: [], B: [] })), { A: {}, B: {} })
  }
})

function sizeOf(assignment: Record<string, number[]>): number {
  return Object.values(assignment).reduce((sum, partitions) => sum + partitions.length, 0)
}

const TOPICS = ['t0', 't1', 't2', 't3']
const spec = fc.record({
  counts: fc.record(
    Object.fromEntries(TOPICS.map((t) => [t, fc.integer({ min: 1, max: 12 })])) as Record<
      string,
      fc.Arbitrary<number>
    >,
  ),
  subscriptions: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.subarray(TOPICS)),
  isSame: fc.boolean(),
  owners: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'gone'), {
    ...{ minLength: 48, maxLength: 48 },
  }),
})

/** A group with some valid former assignment, parts of which may be out of date. */
const groups = spec.map(({ counts, subscriptions, isSame, owners }) => {
  const before: Plain = {}
  TOPICS.forEach((topicId, index) => {
    for (let partition = 0; partition < 12; partition++) {
      const owner = owners[index * 12 + partition]!
      before[owner] ??= {}
      before[owner][topicId] ??= []
      before[owner][topicId].push(partition)
    }
  })
  const all = Object.fromEntries(Object.keys(subscriptions).map((id) => [id, TOPICS]))
  return { counts, before, subscriptions: isSame ? all : subscriptions, isSame }
})

for (const assignor of [rangeAssignor, uniformAssignor]) {
  test(`${assignor.name} gives each partition to one of its subscribers`, () => {
    fc.assert(
      fc.property(groups, ({ counts, subscriptions, before }) => {
        const after = assign(assignor, group(counts, subscriptions, before))
        assert.deepEqual(Object.keys(after).sort(), Object.keys(subscriptions).sort())
        for (const topicId of TOPICS) {
          const given = Object.entries(after).flatMap(([memberId, topics]) => {
            const partitions = topics[topicId] ?? []
            assert.ok(partitions.length === 0 || subscriptions[memberId]!.includes(topicId))
            return partitions
          })
          const isSubscribed = Object.values(subscriptions).some((t) => t.includes(topicId))
          const expected = isSubscribed ? Array.from({ length: counts[topicId]! }, (_, i) => i) : []
          assert.deepEqual(
            given.sort((a, b) => a - b),
            expected,
          )
        }
      }),
    )
  })
}

test('uniform is balanced, and stays as it is when nothing changes', () => {
  fc.assert(
    fc.property(groups, ({ counts, subscriptions, before, isSame }) => {
      const after = assign(uniformAssignor, group(counts, subscriptions, before))
      const sizes = Object.values(after).map(sizeOf)
      if (isSame && sizes.length > 0) assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
      // No partition could move to make it better.
      for (const [from, topics] of Object.entries(after)) {
        for (const topicId of Object.keys(topics)) {
          for (const [to, subscribed] of Object.entries(subscriptions)) {
            if (!subscribed.includes(topicId)) continue
            assert.ok(sizeOf(after[from]!) - sizeOf(after[to]!) <= 1, `${topicId}: ${from} > ${to}`)
          }
        }
      }
      const again = assign(uniformAssignor, group(counts, subscriptions, after))
      assert.deepEqual(again, after)
    }),
  )
})

test('uniform moves as few partitions as balance takes', () => {
  fc.assert(
    fc.property(groups, ({ counts, subscriptions, before, isSame }) => {
      fc.pre(isSame && Object.keys(subscriptions).length > 0)
      const memberIds = Object.keys(subscriptions)
      const after = assign(uniformAssignor, group(counts, subscriptions, before))
      const total = Object.values(after)
        .map(sizeOf)
        .reduce((a, b) => a + b)
      const least = Math.floor(total / memberIds.length)
      const held = memberIds.map((id) =>
        TOPICS.reduce((n, t) => n + validOf(before[id]?.[t], counts[t]!).length, 0),
      )
      // What any balanced assignment can leave where it is.
      const extra = held.filter((n) => n > least).length
      const withOneMore = Math.min(extra, total % memberIds.length)
      const best = held.reduce((sum, n) => sum + Math.min(n, least), 0) + withOneMore
      const stayed = memberIds.reduce(
        (sum, id) =>
          sum + TOPICS.reduce((n, t) => n + common(before[id]?.[t], after[id]![t]).length, 0),
        0,
      )
      assert.equal(stayed, best)
    }),
  )
})

function validOf(partitions: readonly number[] = [], count: number): number[] {
  return partitions.filter((partition) => partition < count)
}

function common(a: readonly number[] = [], b: readonly number[] = []): number[] {
  return a.filter((partition) => b.includes(partition))
}
