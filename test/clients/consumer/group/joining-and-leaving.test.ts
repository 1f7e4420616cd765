import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SeededRandom } from '../../../../sim/seeded-random.ts'
import { GroupWorld } from './group-world.ts'

const PARTITIONS = 6
const KINDS = {
  'range (eager)': { partitionAssignmentStrategy: 'range' },
  'sticky (eager)': { partitionAssignmentStrategy: 'sticky' },
  'cooperative-sticky': { partitionAssignmentStrategy: 'cooperative-sticky' },
  'the default assignors': {},
  'the new protocol': { groupProtocol: 'consumer' },
} as const

for (const [kind, settings] of Object.entries(KINDS)) {
  describe(kind, () => {
    for (const seed of [1, 2, 3]) {
      test(`members that join and leave read each record once (seed ${seed})`, async () => {
        await GroupWorld.run({ ...settings, seed }, async (world) => {
          const random = new SeededRandom(seed)
          await world.admin.createTopics([{ topic: 't', partitions: PARTITIONS }])
          let produced = 0
          for (let step = 0; step < 12; step++) {
            const { alive } = world
            if (alive.length === 0 || (alive.length < 4 && random.chance(0.6))) world.join()
            else void random.pick(alive).close()
            produced += 2
            await world.produce('t', PARTITIONS, 2)
            await world.pass(random.between(0, 4000))
          }
          if (world.alive.length < 2) world.join()
          await world.settle({ t: PARTITIONS })
          const names = Array.from({ length: PARTITIONS }, (_, i) => [`t-${i}`, produced])
          await world.allDelivered(Object.fromEntries(names), true)
          assert.deepEqual(world.errors, [])
        })
      })

      test(`killed, hanging and cut off members lose what they have (seed ${seed})`, async () => {
        await GroupWorld.run({ ...settings, seed, maxPollIntervalMs: 30_000 }, async (world) => {
          const random = new SeededRandom(seed)
          await world.admin.createTopics([{ topic: 't', partitions: PARTITIONS }])
          const members = [world.join(), world.join(), world.join(), world.join()]
          await world.settle({ t: PARTITIONS })
          await world.produce('t', PARTITIONS)
          members[0]!.kill()
          members[1]!.hang()
          members[2]!.isOutOfReach = true
          world.network.cut(members[2]!.name, 'broker')
          await world.pass(random.between(60_000, 100_000))
          assert.equal(members[3]!.assignment.length, PARTITIONS)
          world.network.heal()
          members[1]!.resume()
          world.join()
          await world.settle({ t: PARTITIONS })
          await world.produce('t', PARTITIONS)
          const names = Array.from({ length: PARTITIONS }, (_, i) => [`t-${i}`, 2])
          await world.allDelivered(Object.fromEntries(names), false)
          for (const member of [members[1]!, members[2]!]) {
            assert.ok(member.events.some((event) => event.startsWith('!')))
          }
          assert.deepEqual(world.errors, [])
        })
      })
    }
  })
}
