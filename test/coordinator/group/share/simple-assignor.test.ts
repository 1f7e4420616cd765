import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Assignment,
  assignmentSize,
  EMPTY_ASSIGNMENT,
  isSameAssignment,
  partitionsOf,
} from '../../../../src/coordinator/group/consumer/assignment.ts'
import { assignSimply } from '../../../../src/coordinator/group/share/simple-assignor.ts'

const TOPICS = ['x', 'y', 'z']

function assign(
  subscriptions: ReadonlyMap<string, ReadonlySet<string>>,
  partitions: Assignment,
  before: ReadonlyMap<string, Assignment> = new Map(),
) {
  const members = [...subscriptions].map(([memberId, topicIds]) => ({
    ...{ memberId, topicIds },
    assignment: before.get(memberId) ?? EMPTY_ASSIGNMENT,
  }))
  return assignSimply(members, partitions)
}

/** How many members have each partition. */
function sharing(target: ReadonlyMap<string, Assignment>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const assignment of target.values()) {
    for (const partition of partitionsOf(assignment)) {
      const key = partition.join(':')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

const partitions = fc.array(fc.nat(6), { minLength: 3, maxLength: 3 }).map((counts): Assignment => {
  const sets = counts.map((count) => new Set(Array.from({ length: count }, (_, i) => i)))
  return new Map(TOPICS.map((topic, i) => [topic, sets[i]!] as const).filter(([, s]) => s.size))
})
const subscription = fc.subarray(TOPICS, { minLength: 1 }).map((names) => new Set(names))
const subscriptions = fc
  .array(subscription, { minLength: 1, maxLength: 9 })
  .map((sets) => new Map<string, Set<string>>(sets.map((set, i) => [`m${i}`, set])))

test('every partition that is wanted is assigned, and only to who wants it', () => {
  fc.assert(
    fc.property(subscriptions, partitions, partitions, (wanted, now, later) => {
      for (const available of [now, later]) {
        const before = available === later ? assign(wanted, now) : new Map()
        const target = assign(wanted, available, before)
        const counts = sharing(target)
        for (const [topic, partition] of partitionsOf(available)) {
          const isWanted = [...wanted.values()].some((topics) => topics.has(topic))
          assert.equal(counts.has(`${topic}:${partition}`), isWanted)
        }
        for (const [memberId, assignment] of target) {
          const [topics, size] = [wanted.get(memberId)!, assignmentSize(assignment)]
          for (const [topic, partition] of partitionsOf(assignment)) {
            assert.ok(topics.has(topic) && available.get(topic)?.has(partition))
          }
          const hasChoice = [...topics].some((topic) => available.has(topic))
          assert.equal(size > 0, hasChoice, 'nobody goes without')
        }
      }
    }),
    { numRuns: 400 },
  )
})

test('members of one mind share evenly, and keep what they have', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (m, p) => {
      const wanted = new Map(
        Array.from({ length: m }, (_, i) => [`m${i}`, new Set(['x'])] as const),
      )
      const available = new Map([['x', new Set(Array.from({ length: p }, (_, i) => i))]])
      const target = assign(wanted, available)
      const most = Math.ceil(m / p)
      for (const count of sharing(target).values()) assert.ok(count <= most + 1)
      const sizes = [...target.values()].map(assignmentSize)
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`)
      const again = assign(wanted, available, target)
      for (const [id, assignment] of again) assert.ok(isSameAssignment(assignment, target.get(id)!))
    }),
    { numRuns: 200 },
  )
})
