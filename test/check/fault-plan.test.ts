import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BROKER, planFaults, type Role } from '../../check/fault-plan.ts'

const roles: Role[] = [
  { name: 'one', deeds: ['kill', 'pause'] },
  { name: 'two', deeds: ['supersede'] },
]

test('a plan follows from its seed, and from nothing else', () => {
  assert.deepEqual(planFaults(5, 60_000, roles), planFaults(5, 60_000, roles))
  assert.notDeepEqual(planFaults(5, 60_000, roles), planFaults(6, 60_000, roles))
})

test('everybody suffers what can happen to them, the broker too, and nobody anything else', () => {
  const faults = planFaults(1, 600_000, roles)
  const seen = new Set(faults.map(({ who, deed }) => `${who} ${deed}`))
  const expected = ['one kill', 'one pause', 'two supersede', 'broker kill', 'broker pause']
  assert.deepEqual([...seen].sort(), expected.sort())
  const broker = faults.filter(({ who }) => who === BROKER)
  for (const [index, { atMs }] of broker.entries()) {
    const before = broker[index - 1]
    assert.ok(before === undefined || atMs >= before.atMs + before.forMs + 5_000)
  }
})
