import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SeededRandom } from '../../sim/seeded-random.ts'
import { proposeReplicas } from '../../src/tools/reassign/propose.ts'

const brokers = fc.uniqueArray(
  fc.record({ id: fc.nat(99), rack: fc.constantFrom(null, 'a', 'b', 'c') }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
)

test('proposals use each broker once, all racks first, and share the load', () => {
  fc.assert(
    fc.property(brokers, fc.nat(40), fc.nat(11), fc.nat(), (all, partitions, extra, seed) => {
      const factor = 1 + (extra % all.length)
      const found = proposeReplicas(all, partitions, factor, new SeededRandom(seed))
      const rackOf = new Map(all.map(({ id, rack }) => [id, rack]))
      const rackCount = new Set(rackOf.values()).size
      for (const replicas of found) {
        assert.equal(new Set(replicas).size, factor)
        const racks = new Set(replicas.map((id) => rackOf.get(id)))
        assert.equal(racks.size, Math.min(factor, rackCount))
      }
      const leaders = all.map(({ id }) => found.filter(([first]) => first === id).length)
      assert.ok(Math.max(...leaders) - Math.min(...leaders) <= 1, `leaders ${leaders}`)
    }),
  )
})

test('more replicas than brokers are refused', () => {
  const random = new SeededRandom(1)
  assert.throws(() => proposeReplicas([], 1, 1, random), /All brokers are currently fenced/)
  const one = [{ id: 1, rack: null }]
  assert.throws(() => proposeReplicas(one, 1, 2, random), /factor of 2 cannot be reached/)
})
