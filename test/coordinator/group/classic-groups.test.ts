import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../src/common/errors.ts'
import type { JoinGroup, JoinGroupRequest } from '../../../src/protocol/messages/join-group.ts'
import type { ResponseInput } from '../../../src/protocol/schema.ts'
import { settled } from '../support/coordinator-harness.ts'
import { type GroupHarness, refused, startGroupShard } from '../support/group-shard.ts'

type JoinResponse = ResponseInput<typeof JoinGroup>

/** Four members at most, and three seconds in which a new group waits for more of them. */
const start = () => startGroupShard({ initialRebalanceDelayMs: 3000, maxGroupSize: 4 })

interface JoinOptions {
  memberId?: string
  instance?: string
  version?: number
  protocols?: readonly string[]
  metadata?: string
}

function join(
  harness: GroupHarness,
  clientId: string,
  options: JoinOptions = {},
): Promise<JoinResponse> {
  const { memberId = '', instance = null, version = 9, protocols = ['range'] } = options
  const request: JoinGroupRequest = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 30_000,
    memberId,
    groupInstanceId: instance,
    protocolType: 'consumer',
    protocols: protocols.map((name) => ({
      name,
      metadata: Buffer.from(options.metadata ?? `wish of ${clientId}`),
    })),
    reason: null,
  }
  const context = { clientId, clientHost: '/127.0.0.1', apiVersion: version }
  return harness.write((shard) => shard.join(request, context))
}

/** Joins as clients do: asks for an id, then joins with it. */
async function joinTwice(harness: GroupHarness, clientId: string, options: JoinOptions = {}) {
  const { errorCode, memberId } = await join(harness, clientId, options)
  assert.equal(errorCode, ErrorCode.MEMBER_ID_REQUIRED)
  return { memberId, joined: join(harness, clientId, { ...options, memberId }) }
}

function sync(
  harness: GroupHarness,
  memberId: string,
  generationId: number,
  assignments: Record<string, string> = {},
) {
  return harness.write((shard) =>
    shard.sync({
      ...{ groupId: 'g', generationId, memberId, groupInstanceId: null },
      protocolType: 'consumer',
      protocolName: null,
      assignments: Object.entries(assignments).map(([id, assignment]) => ({
        memberId: id,
        assignment: Buffer.from(assignment),
      })),
    }),
  )
}

function heartbeat(harness: GroupHarness, memberId: string, generationId: number) {
  const request = { groupId: 'g', generationId, memberId, groupInstanceId: null }
  return harness.write((shard) => shard.heartbeat(request))
}

function describe(harness: GroupHarness) {
  return harness.read(({ classic }) => classic.describe('g'))
}

/** A stable group of `a` (the leader) and `b`, with what they were given. */
async function pair(harness: GroupHarness, options: { a?: JoinOptions; b?: JoinOptions } = {}) {
  const enter = async (clientId: string, own: JoinOptions = {}) => {
    if (own.instance === undefined) return await joinTwice(harness, clientId, own)
    const joined = join(harness, clientId, own)
    return { memberId: '', joined }
  }
  const a = await enter('a', options.a)
  const b = await enter('b', options.b)
  await harness.advance(6000)
  const [ofA, ofB] = await Promise.all([a.joined, b.joined])
  assert.equal(ofA.generationId, 1)
  assert.equal(ofA.leader, ofA.memberId)
  assert.deepEqual(
    ofA.members.map(({ memberId }) => memberId),
    [ofA.memberId, ofB.memberId],
  )
  assert.deepEqual(ofB.members, [])
  const shares = { [ofA.memberId]: 'share of a', [ofB.memberId]: 'share of b' }
  const follower = sync(harness, ofB.memberId, 1)
  const leader = await sync(harness, ofA.memberId, 1, shares)
  assert.equal(String(leader.assignment), 'share of a')
  assert.equal(String((await follower).assignment), 'share of b')
  return { a: ofA.memberId, b: ofB.memberId }
}

test('members join, the leader assigns, and each gets its share', async () => {
  const harness = await start()
  const { a, b } = await pair(harness)
  const described = await describe(harness)
  assert.equal(described.groupState, 'Stable')
  assert.equal(described.protocolData, 'range')
  assert.deepEqual(
    described.members.map(({ memberId, memberAssignment }) => [memberId, String(memberAssignment)]),
    [
      [a, 'share of a'],
      [b, 'share of b'],
    ],
  )
  assert.equal((await heartbeat(harness, b, 1)).errorCode, ErrorCode.NONE)
})

test('a new member makes the others join again, and who does not is out', async () => {
  const harness = await start()
  const { a, b } = await pair(harness)
  const c = await joinTwice(harness, 'c')
  assert.equal((await heartbeat(harness, a, 1)).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
  const again = join(harness, 'a', { memberId: a })
  for (let i = 0; i < 5; i++) {
    // b keeps its session alive, but does not come.
    assert.equal((await heartbeat(harness, b, 1)).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    await harness.advance(5000)
  }
  assert.equal((await describe(harness)).groupState, 'PreparingRebalance')
  await harness.advance(5000)
  const [ofA, ofC] = await Promise.all([again, c.joined])
  assert.equal(ofA.generationId, 2)
  assert.equal(ofC.leader, a)
  assert.equal(ofA.members.length, 2)
  assert.equal(await refused(heartbeat(harness, b, 1)), 'UNKNOWN_MEMBER_ID')
  assert.equal(await refused(heartbeat(harness, a, 1)), 'ILLEGAL_GENERATION')
})

test('a member that is silent for its session is out, and its share is given anew', async () => {
  const harness = await start()
  const { a, b } = await pair(harness)
  await harness.advance(8000)
  await heartbeat(harness, a, 1)
  await harness.advance(4000)
  assert.equal((await heartbeat(harness, a, 1)).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
  const again = await join(harness, 'a', { memberId: a })
  assert.deepEqual(
    again.members.map(({ memberId }) => memberId),
    [a],
  )
  assert.equal(await refused(heartbeat(harness, b, 1)), 'UNKNOWN_MEMBER_ID')
})

test('leaving is answered at once; the last leaves an empty group, in the log too', async () => {
  const harness = await start()
  const { a, b } = await pair(harness)
  const leave = (memberId: string) =>
    harness.write((shard) => shard.leave('g', [{ memberId, groupInstanceId: null }]))
  assert.deepEqual(await leave(b), [ErrorCode.NONE])
  assert.deepEqual(await leave(b), [ErrorCode.UNKNOWN_MEMBER_ID])
  assert.deepEqual(await leave(a), [ErrorCode.NONE])
  assert.equal((await describe(harness)).groupState, 'Empty')
  await harness.restart()
  const described = await describe(harness)
  assert.equal(described.groupState, 'Empty')
  assert.deepEqual(described.members, [])
})

test('after a restart of the coordinator the members go on as if nothing had been', async () => {
  const harness = await start()
  const { a, b } = await pair(harness)
  const before = await describe(harness)
  await harness.restart()
  assert.deepEqual(await describe(harness), before)
  assert.equal((await heartbeat(harness, a, 1)).errorCode, ErrorCode.NONE)
  const again = await sync(harness, b, 1)
  assert.equal(String(again.assignment), 'share of b')
  // Their sessions run from the restart on.
  await harness.advance(11_000)
  assert.equal(await refused(heartbeat(harness, b, 1)), 'UNKNOWN_MEMBER_ID')
})

test('a static member has its share at once again, and its predecessor is fenced', async () => {
  const harness = await start()
  const { a, b } = await pair(harness, { a: { instance: 'A' }, b: { instance: 'B' } })
  const back = await join(harness, 'b', { instance: 'B' })
  assert.equal(back.errorCode, ErrorCode.NONE)
  assert.equal(back.generationId, 1)
  assert.notEqual(back.memberId, b)
  assert.equal(String((await sync(harness, back.memberId, 1)).assignment), 'share of b')
  assert.equal((await heartbeat(harness, a, 1)).errorCode, ErrorCode.NONE)
  const asOld = { groupId: 'g', generationId: 1, memberId: b, groupInstanceId: 'B' }
  const fenced = harness.write((shard) => shard.heartbeat(asOld))
  assert.equal(await refused(fenced), 'FENCED_INSTANCE_ID')
  await harness.restart()
  const described = await describe(harness)
  assert.deepEqual(
    described.members.map(({ memberId }) => memberId).sort(),
    [a, back.memberId].sort(),
  )
})

test('a static leader that comes back is told to leave the assignment as it is', async () => {
  const harness = await start()
  await pair(harness, { a: { instance: 'A' }, b: { instance: 'B' } })
  const back = await join(harness, 'a', { instance: 'A' })
  assert.equal(back.leader, back.memberId)
  assert.equal(back.skipAssignment, true)
  assert.equal(back.members.length, 2)
  const older = await join(harness, 'a', { instance: 'A', version: 5 })
  assert.notEqual(older.leader, older.memberId)
  assert.deepEqual(older.members, [])
})

test('an assignment that cannot be written is handed to nobody', async () => {
  const harness = await start()
  const a = await joinTwice(harness, 'a')
  const b = await joinTwice(harness, 'b')
  await harness.advance(6000)
  await Promise.all([a.joined, b.joined])
  const follower = sync(harness, b.memberId, 1)
  harness.storage.refuseNext('NOT_ENOUGH_REPLICAS')
  const shares = { [a.memberId]: 'x', [b.memberId]: 'y' }
  const leader = sync(harness, a.memberId, 1, shares)
  assert.equal(await refused(leader), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal((await follower).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
  assert.equal((await describe(harness)).groupState, 'PreparingRebalance')
})

test('an assignment is handed out only when it is safe', async () => {
  const harness = await start()
  const a = await joinTwice(harness, 'a')
  await harness.advance(6000)
  await a.joined
  harness.storage.hold()
  let answered = false
  const synced = sync(harness, a.memberId, 1, { [a.memberId]: 'x' }).then((response) => {
    answered = true
    return response
  })
  await settled()
  assert.equal(answered, false)
  harness.storage.release()
  assert.equal(String((await synced).assignment), 'x')
})

test('who has joined and does not ask for its assignment is out', async () => {
  const harness = await start()
  const a = await joinTwice(harness, 'a')
  const b = await joinTwice(harness, 'b')
  await harness.advance(6000)
  await Promise.all([a.joined, b.joined])
  void sync(harness, a.memberId, 1, { [a.memberId]: 'x' })
  for (let i = 0; i < 6; i++) {
    assert.equal((await heartbeat(harness, a.memberId, 1)).errorCode, ErrorCode.NONE)
    assert.equal((await heartbeat(harness, b.memberId, 1)).errorCode, ErrorCode.NONE)
    await harness.advance(5000)
  }
  assert.equal(await refused(heartbeat(harness, b.memberId, 1)), 'UNKNOWN_MEMBER_ID')
  assert.equal((await heartbeat(harness, a.memberId, 1)).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
})

test('what members cannot agree on, or may not do, is refused', async () => {
  const harness = await start()
  const { a, b } = await pair(harness)
  const roundRobin = await join(harness, 'c', { protocols: ['roundrobin'] })
  assert.equal(roundRobin.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const unknown = await refused(join(harness, 'c', { memberId: 'nobody' }))
  assert.equal(unknown, 'UNKNOWN_MEMBER_ID')
  assert.equal(await refused(sync(harness, a, 7)), 'ILLEGAL_GENERATION')
  assert.equal(await refused(sync(harness, 'nobody', 1)), 'UNKNOWN_MEMBER_ID')
  void joinTwice(harness, 'c').then(({ joined }) => joined)
  await settled()
  void joinTwice(harness, 'd').then(({ joined }) => joined)
  await settled()
  void join(harness, 'a', { memberId: a })
  void join(harness, 'b', { memberId: b })
  await settled()
  const fifth = await join(harness, 'e')
  assert.equal(fifth.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
})

test('the protocol that most members like best is chosen', async () => {
  const harness = await start()
  const a = await joinTwice(harness, 'a', { protocols: ['range', 'sticky'] })
  const b = await joinTwice(harness, 'b', { protocols: ['sticky', 'range'] })
  const c = await joinTwice(harness, 'c', { protocols: ['sticky', 'range', 'own'] })
  await harness.advance(9000)
  const [ofA] = await Promise.all([a.joined, b.joined, c.joined])
  assert.equal(ofA.protocolName, 'sticky')
})

test('whoever waits when the coordinator goes is told to look for another', async () => {
  const harness = await start()
  const a = await joinTwice(harness, 'a')
  harness.runtime.unloadAll()
  assert.equal((await a.joined).errorCode, ErrorCode.NOT_COORDINATOR)
  assert.equal(await refused(heartbeat(harness, a.memberId, 1)), 'NOT_COORDINATOR')
})
