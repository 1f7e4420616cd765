import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Assignor } from '../../../../src/clients/index.ts'
import { GroupWorld } from './group-world.ts'

const WATCHFUL = { metadataMaxAgeMs: 5000, allowAutoCreateTopics: false }
const KINDS = {
  eager: { partitionAssignmentStrategy: 'range' },
  cooperative: { partitionAssignmentStrategy: 'cooperative-sticky' },
  'new protocol': { groupProtocol: 'consumer' },
} as const

for (const [kind, settings] of Object.entries(KINDS)) {
  const isNew = settings === KINDS['new protocol']

  describe(kind, () => {
    test('partitions that are added, and topics that are made later, are read', async () => {
      await GroupWorld.run({ ...settings, ...WATCHFUL }, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        world.join({}, ['t', 'later'])
        world.join({}, ['t', 'later'])
        await world.settle({ t: 2 })
        await world.admin.createPartitions([{ topic: 't', totalCount: 4 }])
        await world.settle({ t: 4 })
        await world.admin.createTopics([{ topic: 'later', partitions: 2 }])
        await world.settle({ t: 4, later: 2 })
        assert.deepEqual(world.errors, [])
      })
    })

    test('a pattern follows the topics that match it', async () => {
      await GroupWorld.run({ ...settings, ...WATCHFUL }, async (world) => {
        await world.admin.createTopics([
          { topic: 'a1', partitions: 2 },
          { topic: 'b1', partitions: 2 },
        ])
        const member = world.join({}, /^a\d$/g)
        world.join({}, /^a\d$/g)
        await world.settle({ a1: 2 })
        assert.deepEqual(member.consumer.subscription(), ['a1'])
        await world.admin.createTopics([{ topic: 'a2', partitions: 2 }])
        await world.settle({ a1: 2, a2: 2 })
        await world.admin.deleteTopics(['a1'])
        await world.settle({ a2: 2 })
        assert.deepEqual(world.errors, [])
      })
    })

    test('another subscription changes the assignment, and what stays goes on', async () => {
      await GroupWorld.run(settings, async (world) => {
        await world.admin.createTopics([
          { topic: 't', partitions: 2 },
          { topic: 'u', partitions: 2 },
        ])
        const member = world.join({}, ['t'])
        await world.settle({ t: 2 })
        await world.produce('t', 2)
        await world.allDelivered({ 't-0': 1, 't-1': 1 }, true)
        member.subscribe(['t', 'u'])
        await world.settle({ t: 2, u: 2 })
        member.subscribe(['u'])
        await world.settle({ u: 2 })
        member.subscribe(['t'])
        await world.settle({ t: 2 })
        await world.produce('t', 2)
        await world.allDelivered({ 't-0': 2, 't-1': 2 }, true)
        assert.deepEqual(world.errors, [])
      })
    })

    test('unsubscribing leaves the group, and subscribing joins it again', async () => {
      await GroupWorld.run(settings, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        const leaver = world.join()
        const stayer = world.join()
        await world.settle({ t: 2 })
        leaver.isAlive = false
        await world.pass(1000)
        await leaver.consumer.unsubscribe()
        assert.deepEqual(leaver.assignment, [])
        await world.until(() => stayer.assignment.length === 2, 'the other having all')
        leaver.subscribe('t')
        leaver.resume()
        await world.settle({ t: 2 })
      })
    })

    test('a static member that restarts within its session causes no rebalance', async () => {
      await GroupWorld.run(settings, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 4 }])
        const other = world.join({ groupInstanceId: 'one' })
        const restarting = world.join({ groupInstanceId: 'two' })
        await world.settle({ t: 4 })
        await world.pass(5000)
        const before = restarting.assignment.toSorted()
        const events = other.events.length
        await restarting.close()
        await world.pass(5000)
        const again = world.join({ groupInstanceId: 'two' })
        await world.settle({ t: 4 })
        await world.pass(10_000)
        assert.deepEqual(again.assignment.toSorted(), before)
        assert.equal(other.events.length, events)
        assert.deepEqual(world.errors, [])
      })
    })

    test('who takes the instance id of another is refused, or fences it', async () => {
      await GroupWorld.run(settings, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        const first = world.join({ groupInstanceId: 'one' })
        await world.settle({ t: 2 })
        const second = world.join({ groupInstanceId: 'one' })
        first.isOutOfReach = true
        const [loser, error] = isNew
          ? [second, /UNRELEASED_INSTANCE_ID/]
          : [first, /FENCED_INSTANCE_ID/]
        await world.until(() => loser.errors.length > 0, 'a refusal')
        assert.match((loser.errors[0] as { errorName: string }).errorName, error)
        loser.kill()
        const winner = isNew ? first : second
        await world.until(() => winner.assignment.length === 2, 'one that has all')
      })
    })

    test('offsets are committed by the member, and read by whoever comes after', async () => {
      await GroupWorld.run({ ...settings, enableAutoCommit: false }, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        await world.produce('t', 2, 5)
        const member = world.join()
        await world.allDelivered({ 't-0': 5, 't-1': 5 }, true)
        await member.consumer.commitSync([{ topic: 't', partition: 0, offset: 3, metadata: 'm' }])
        member.kill()
        const next = world.join()
        await world.until(() => next.assignment.length === 2, 'the next having all')
        await world.pass(2000)
        const committed = await next.consumer.committed([
          { topic: 't', partition: 0 },
          { topic: 't', partition: 1 },
        ])
        const { leaderEpoch, ...found } = committed.get('t-0')!
        assert.deepEqual(found, { topic: 't', partition: 0, offset: 3, metadata: 'm' })
        assert.ok(committed.has('t-1') && committed.get('t-1') === undefined)
        const times = (partition: number) =>
          [0, 1, 2, 3, 4].map((offset) => world.deliveries.get(`t-${partition}@${offset}`))
        assert.deepEqual(times(0), [1, 1, 1, 2, 2])
        assert.deepEqual(times(1), [2, 2, 2, 2, 2])
        assert.deepEqual(world.errors, [])
      })
    })

    test('a commit after too long without a poll fails, and says why', async () => {
      await GroupWorld.run({ ...settings, maxPollIntervalMs: 10_000 }, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        const member = world.join()
        await world.settle({ t: 2 })
        member.hang()
        await world.pass(15_000)
        await assert.rejects(
          member.consumer.commitSync([{ topic: 't', partition: 0, offset: 0 }]),
          { name: 'CommitFailedError', message: /max\.poll\.interval\.ms/ },
        )
        member.resume()
        const back = ['+t-0', '+t-1', '!t-0', '!t-1', '+t-0', '+t-1']
        await world.until(() => member.events.length === back.length, 'a new assignment')
        assert.deepEqual(member.events, back)
      })
    })

    test('a broker that restarts keeps the members and their partitions', async () => {
      await GroupWorld.run(settings, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 4 }])
        const members = [world.join(), world.join()]
        await world.settle({ t: 4 })
        await world.produce('t', 4)
        await world.pass(8000)
        const before = members.map(({ assignment }) => assignment.toSorted())
        await world.stopBroker()
        await world.pass(10_000)
        await world.startBroker()
        await world.produce('t', 4)
        await world.settle({ t: 4 })
        await world.allDelivered({ 't-0': 2, 't-1': 2, 't-2': 2, 't-3': 2 }, true)
        assert.deepEqual(
          members.map(({ assignment }) => assignment.toSorted()),
          before,
        )
      })
    })

    test('a listener commits what it is told to give back, on closing, too', async () => {
      await GroupWorld.run({ ...settings, enableAutoCommit: false }, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        for (let turn = 1; turn <= 3; turn++) {
          await world.produce('t', 2, 5)
          const member = world.join()
          member.commitsOnRevoke = true
          await world.allDelivered({ 't-0': 5 * turn, 't-1': 5 * turn }, true)
          await member.close()
        }
        assert.deepEqual(world.errors, [])
      })
    })

    test('what a listener throws comes out of the poll, and the group goes on', async () => {
      await GroupWorld.run(settings, async (world) => {
        await world.admin.createTopics([{ topic: 't', partitions: 2 }])
        const member = world.join()
        member.failsOnce = new Error('no')
        await world.until(() => member.errors.length > 0, 'an error')
        assert.deepEqual(member.errors, [new Error('no')])
        await world.settle({ t: 2 })
        await world.produce('t', 2)
        await world.allDelivered({ 't-0': 1, 't-1': 1 }, true)
      })
    })
  })
}

test('the broker matches an RE2 expression, and the members learn the names by id', async () => {
  await GroupWorld.run({ groupProtocol: 'consumer' }, async (world) => {
    await world.admin.createTopics([
      { topic: 'a1', partitions: 2 },
      { topic: 'b1', partitions: 2 },
    ])
    const member = world.join({}, { re2: 'a[[:digit:]]' })
    world.join({}, { re2: 'a[[:digit:]]' })
    await world.settle({ a1: 2 })
    await world.admin.createTopics([{ topic: 'a2', partitions: 2 }])
    await world.settle({ a1: 2, a2: 2 })
    await world.produce('a2', 2)
    await world.allDelivered({ 'a2-0': 1, 'a2-1': 1 }, true)
    await world.members[1]!.close()
    await world.settle({ a1: 2, a2: 2 })
    member.isAlive = false
    await world.pass(1000)
    await member.consumer.unsubscribe()
    member.subscribe('b1')
    member.resume()
    await world.settle({ b1: 2 })
    assert.deepEqual(world.errors, [])
  })
})

test('members agree on an assignor that all have, one of their own included', async () => {
  const first: Assignor = {
    name: 'all-to-first',
    protocol: 'eager',
    subscriptionUserData: (topics) => Buffer.from(topics.join()),
    assign(topics, members) {
      const [leader] = [...members.keys()].sort()
      const partitions = [...topics.values()].flatMap(({ name: topic, partitionCount }) =>
        Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })),
      )
      const [member] = members.values()
      return new Map([[leader!, { partitions, userData: member!.userData }]])
    },
    onAssignment: ({ userData }) => told.push(userData?.toString()),
  }
  const told: (string | undefined)[] = []
  await GroupWorld.run({}, async (world) => {
    await world.admin.createTopics([{ topic: 't', partitions: 4 }])
    const assignors = [first]
    world.join({ assignors })
    world.join({ assignors })
    await world.until(() => world.owners.size === 4, 'an assignment')
    await world.until(() => told.length >= 2, 'all being told')
    assert.equal(world.members.filter(({ assignment }) => assignment.length === 4).length, 1)
    assert.ok(told.includes('t'))
    // A member that does not have it makes the group fall back to range.
    world.join()
    await world.settle({ t: 4 })
  })
})
