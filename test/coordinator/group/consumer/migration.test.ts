import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../../../src/common/errors.ts'
import {
  decodeConsumerAssignment,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
} from '../../../../src/protocol/consumer-protocol.ts'
import { settled } from '../../support/coordinator-harness.ts'
import { GROUP, GroupRoom, outcome, settle } from './group-room.ts'

/** A client of the classic protocol that subscribes to `t` and keeps what it has (cooperative). */
class ClassicClient {
  readonly room: GroupRoom
  readonly instanceId: string | null
  memberId = ''
  generationId = -1
  partitions: number[] = []

  constructor(room: GroupRoom, instanceId: string | null = null) {
    this.room = room
    this.instanceId = instanceId
  }

  #request(assignor = 'cooperative-sticky') {
    const ownedPartitions = [{ topic: 't', partitions: this.partitions }]
    const subscription = { topics: ['t'], ownedPartitions }
    return {
      ...{ groupId: GROUP, memberId: this.memberId, groupInstanceId: this.instanceId },
      ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer' },
      protocols: [{ name: assignor, metadata: encodeConsumerSubscription(subscription) }],
      reason: null,
    }
  }

  async join(assignor?: string) {
    const context = { clientId: 'classic', clientHost: '/127.0.0.1', apiVersion: 9 }
    const send = () =>
      this.room.harness.write((shard) => shard.join(this.#request(assignor), context))
    const first = await send()
    this.memberId = first.memberId
    const response = first.errorCode === 79 ? await send() : first
    if (response.errorCode === 0) this.generationId = response.generationId!
    return response
  }

  async sync(assignments: { memberId: string; assignment: Buffer }[] = []): Promise<string> {
    const { memberId, generationId, instanceId: groupInstanceId } = this
    const identity = { groupId: GROUP, memberId, generationId, groupInstanceId }
    return await outcome(
      this.room.harness
        .write((shard) =>
          shard.sync({ ...identity, protocolType: null, protocolName: null, assignments }),
        )
        .then(({ errorCode, assignment }) => {
          if (errorCode !== 0) throw new KafkaError('REBALANCE_IN_PROGRESS')
          const { assignedPartitions } = decodeConsumerAssignment(Buffer.from(assignment))
          this.partitions = assignedPartitions.flatMap(({ partitions }) => partitions)
        }),
    )
  }

  async heartbeat(): Promise<number> {
    const { memberId, generationId, instanceId: groupInstanceId } = this
    const request = { groupId: GROUP, memberId, generationId, groupInstanceId }
    return (await this.room.harness.write((shard) => shard.heartbeat(request))).errorCode
  }

  /** What a client does in its loop. */
  async step(): Promise<void> {
    if ((await this.heartbeat()) === 0) return
    await this.join()
    await this.sync()
  }

  leave() {
    const member = { memberId: this.memberId, groupInstanceId: this.instanceId }
    return this.room.harness.write((shard) => shard.leave(GROUP, [member]))
  }
}

async function open(migrationPolicy = 'bidirectional'): Promise<GroupRoom> {
  const room = await GroupRoom.open({ migrationPolicy })
  room.topics.create('t', 4)
  return room
}

/** A classic group with one member, which has all four partitions. */
async function classicGroup(room: GroupRoom, instanceId: string | null = null) {
  const client = new ClassicClient(room, instanceId)
  const joined = client.join()
  await room.harness.advance(1)
  await joined
  assert.equal(await client.sync(allTo(client)), 'NONE')
  return client
}

/** What the leader of a classic group decides that is alone in it. */
function allTo({ memberId }: ClassicClient) {
  const assignedPartitions = [{ topic: 't', partitions: [0, 1, 2, 3] }]
  return [{ memberId, assignment: encodeConsumerAssignment({ assignedPartitions }) }]
}

async function kind(room: GroupRoom): Promise<string> {
  const [listed] = await room.harness.read((shard) => shard.list(new Set(), new Set()))
  return `${listed?.groupType} ${listed?.groupState}`
}

test('a member of the new protocol joins a classic group, and both share', async () => {
  const room = await open()
  const classic = await classicGroup(room)
  const member = room.member('new', { topics: ['t'] })
  assert.equal(await member.step(), 'NONE')
  assert.equal(await kind(room), 'consumer Reconciling')
  assert.deepEqual(member.partitions, [])
  for (let round = 0; round < 4; round++) {
    await classic.step()
    await member.step()
  }
  assert.equal(await kind(room), 'consumer Stable')
  assert.equal(classic.partitions.length, 2)
  assert.equal(member.partitions.length, 2)
  const { members } = await room.describe()
  assert.deepEqual(members.map(({ memberType }) => memberType).sort(), [0, 1])
  const before = await room.describe()
  await room.harness.restart()
  assert.deepEqual(await room.describe(), before)
  assert.equal(await classic.heartbeat(), 0)
})

test('the group is classic again when the last member of the new protocol leaves', async () => {
  const room = await open()
  const classic = await classicGroup(room)
  const member = room.member('new', { topics: ['t'] })
  for (let round = 0; round < 4; round++) {
    await member.step()
    await classic.step()
  }
  await member.leave()
  await room.harness.advance(1)
  assert.equal(await kind(room), 'classic PreparingRebalance')
  assert.equal(await classic.heartbeat(), 27)
  const { errorCode, leader } = await classic.join()
  assert.deepEqual([errorCode, leader], [0, classic.memberId])
  assert.equal(await classic.sync(allTo(classic)), 'NONE')
  assert.equal(classic.partitions.length, 4)
  await room.harness.restart()
  assert.equal(await kind(room), 'classic Stable')
  assert.equal(await classic.heartbeat(), 0)
})

test('a downgraded group is known after a restart, before anybody has joined again', async () => {
  const room = await open()
  const classic = await classicGroup(room)
  const member = room.member('new', { topics: ['t'] })
  for (let round = 0; round < 4; round++) {
    await member.step()
    await classic.step()
  }
  await member.leave()
  await room.harness.restart()
  assert.equal(await kind(room), 'classic Stable')
  assert.equal(await classic.heartbeat(), 0)
  await room.harness.advance(10_000)
  assert.equal(await outcome(classic.heartbeat()), 'UNKNOWN_MEMBER_ID')
})

test('a static member changes protocols in place', async () => {
  const room = await open()
  await classicGroup(room, 'one')
  const member = room.member('new', { topics: ['t'], instanceId: 'one' })
  await settle([member])
  assert.equal(member.partitions.length, 4)
  assert.equal(await kind(room), 'consumer Stable')
  const classic = new ClassicClient(room, 'one')
  assert.equal((await classic.join()).errorCode, 0)
  assert.equal(await kind(room), 'classic Stable')
  assert.equal(await classic.heartbeat(), 0)
  assert.equal(await member.heartbeat(), 'GROUP_ID_NOT_FOUND')
})

test('who waits in a classic group is told to join again when it changes', async () => {
  const room = await open()
  await classicGroup(room)
  const second = new ClassicClient(room)
  const joined = second.join()
  await settled()
  const member = room.member('new', { topics: ['t'] })
  await member.step()
  assert.equal((await joined).errorCode, 27)
  assert.equal((await second.join()).errorCode, 0)
})

test('members of the classic protocol are fenced, refused and timed out like others', async () => {
  const room = await open()
  const classic = await classicGroup(room)
  const member = room.member('new', { topics: ['t'] })
  await member.step()
  assert.equal(await classic.heartbeat(), 27)
  assert.equal(await classic.sync(), 'REBALANCE_IN_PROGRESS')
  classic.generationId++
  assert.equal(await outcome(classic.heartbeat()), 'ILLEGAL_GENERATION')
  classic.generationId--
  const stranger = new ClassicClient(room)
  assert.equal(await outcome(stranger.join('mine')), 'INCONSISTENT_GROUP_PROTOCOL')
  stranger.memberId = 'new'
  assert.equal(await outcome(stranger.heartbeat()), 'UNKNOWN_MEMBER_ID')
  assert.deepEqual(await stranger.leave(), [25])
  // It is to join again, and has the time of a rebalance for it, though it sends heartbeats.
  for (let second = 0; second < 20; second += 5) {
    await room.harness.advance(5000)
    await outcome(classic.heartbeat())
    await member.heartbeat()
  }
  assert.equal(await outcome(classic.heartbeat()), 'UNKNOWN_MEMBER_ID')
  await settle([member])
  assert.equal(member.partitions.length, 4)
})

test('a member of the classic protocol leaves, and the others take over', async () => {
  const room = await open()
  const member = room.member('new', { topics: ['t'] })
  await member.step()
  const classic = new ClassicClient(room)
  assert.equal((await classic.join()).errorCode, 0)
  await classic.sync()
  assert.deepEqual(await classic.leave(), [0])
  assert.equal(await kind(room), 'consumer Assigning')
  await settle([member])
  assert.equal(member.partitions.length, 4)
})

test('groups stay what they are where the policy says so', async () => {
  const room = await open('disabled')
  const classic = await classicGroup(room)
  const member = room.member('new', { topics: ['t'] })
  assert.equal(await member.step(), 'GROUP_ID_NOT_FOUND')
  assert.equal(await classic.heartbeat(), 0)
  await classic.leave()
  assert.equal(await kind(room), 'classic Empty')
  // An empty group takes either.
  assert.equal(await member.step(), 'NONE')
  const second = new ClassicClient(room)
  assert.equal((await second.join()).errorCode, 0)
  await member.leave()
  assert.equal(await kind(room), 'consumer Assigning')
  await second.leave()
  assert.equal(await kind(room), 'consumer Empty')
  await classicGroup(room)
  assert.equal(await kind(room), 'classic Stable')
  await room.harness.restart()
  assert.equal(await kind(room), 'classic Stable')
})
