import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../../../src/common/errors.ts'
import { GROUP, GroupRoom, outcome, SESSION_TIMEOUT_MS, settle } from './group-room.ts'

async function open(settings = {}): Promise<GroupRoom> {
  const room = await GroupRoom.open(settings)
  room.topics.create('t', 6)
  return room
}

const JOIN = {
  memberId: 'm',
  memberEpoch: 0,
  rebalanceTimeoutMs: 1000,
  subscribedTopicNames: ['t'],
  topicPartitions: [],
}

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof KafkaError)
    return `${error.errorName}: ${error.message}`
  }
  return ''
}

test('a member alone has everything at once', async () => {
  const room = await open()
  const response = await room.heartbeat(JOIN)
  const topicId = room.topics.topicId('t')!
  assert.deepEqual(response, {
    errorCode: 0,
    memberId: 'm',
    memberEpoch: 1,
    heartbeatIntervalMs: 250,
    assignment: { topicPartitions: [{ topicId, partitions: [0, 1, 2, 3, 4, 5] }] },
  })
  const { groupState, groupEpoch, assignmentEpoch, assignorName } = await room.describe()
  assert.deepEqual(
    { groupState, groupEpoch, assignmentEpoch, assignorName },
    {
      ...{ groupState: 'Stable', groupEpoch: 1, assignmentEpoch: 1, assignorName: 'uniform' },
    },
  )
})

test('a second member gets its half once the first has given it back', async () => {
  const room = await open()
  const [a, b] = [room.member('a', { topics: ['t'] }), room.member('b', { topics: ['t'] })]
  await a.step()
  await b.step()
  assert.deepEqual(b.partitions, [])
  assert.equal((await room.describe()).groupState, 'Reconciling')
  await a.heartbeat()
  await b.step()
  assert.deepEqual(b.partitions, [], 'a has not said that it has given anything back')
  a.reconcile()
  await a.step()
  await b.step()
  assert.deepEqual(a.partitions, ['t-0', 't-1', 't-2'])
  assert.deepEqual(b.partitions, ['t-3', 't-4', 't-5'])
  await settle([a, b])
  assert.equal((await room.describe()).groupState, 'Stable')
})

test('what a member leaves behind is shared, and the rest stays where it is', async () => {
  const room = await open()
  const members = ['a', 'b', 'c'].map((id) => room.member(id, { topics: ['t'] }))
  await settle(members)
  const [a, b, c] = members
  const before = a!.partitions
  assert.equal(before.length, 2)
  assert.equal(await c!.leave(), 'NONE')
  await settle([a!, b!])
  assert.equal(a!.partitions.length, 3)
  assert.deepEqual(
    before.filter((name) => !a!.partitions.includes(name)),
    [],
  )
})

test('requests that say too little, or too much, are refused in the words of Kafka', async () => {
  const room = await open()
  const cases: [string, Parameters<GroupRoom['heartbeat']>[0]][] = [
    ["GroupId can't be empty.", { ...JOIN, groupId: ' ' }],
    ["MemberId can't be empty.", { ...JOIN, memberId: '' }],
    ["InstanceId can't be empty.", { ...JOIN, instanceId: '' }],
    ["RackId can't be empty.", { ...JOIN, rackId: '' }],
    ['RebalanceTimeoutMs must be provided in first request.', { ...JOIN, rebalanceTimeoutMs: -1 }],
    ['TopicPartitions must be empty when (re-)joining.', { ...JOIN, topicPartitions: null }],
    [
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
      { ...JOIN, subscribedTopicNames: null },
    ],
    ["InstanceId can't be null.", { memberId: 'm', memberEpoch: -2 }],
    ['MemberEpoch is invalid.', { memberId: 'm', memberEpoch: -3 }],
  ]
  for (const [text, request] of cases) {
    assert.equal(await message(room.heartbeat(request)), `INVALID_REQUEST: ${text}`)
  }
  assert.equal(
    await message(room.heartbeat({ ...JOIN, serverAssignor: 'best' })),
    'UNSUPPORTED_ASSIGNOR: ServerAssignor best is not supported. ' +
      'Supported assignors: uniform, range.',
  )
  assert.equal(
    await message(room.heartbeat({ memberId: 'm', memberEpoch: 1 })),
    'GROUP_ID_NOT_FOUND: Consumer group g not found.',
  )
  assert.equal(
    await message(room.heartbeat({ ...JOIN, subscribedTopicRegex: '[' })),
    'INVALID_REGULAR_EXPRESSION: SubscribedTopicRegex `[` is not a valid regular expression: ' +
      'missing closing ].',
  )
  assert.equal((await room.describe()).errorMessage, 'Group g not found.')
})

test('version 0 is given a member id', async () => {
  const room = await open()
  const { memberId } = await room.heartbeat({ ...JOIN, memberId: '' }, 0)
  assert.match(memberId!, /^[0-9a-f-]{36}$/)
  assert.equal(await outcome(room.heartbeat({ memberId: memberId!, memberEpoch: 1 }, 0)), 'NONE')
})

test('an epoch that is not the member’s is fenced, unless it has missed one answer', async () => {
  const room = await open()
  const [a, b] = [room.member('a', { topics: ['t'] }), room.member('b', { topics: ['t'] })]
  await settle([a, b])
  const { epoch } = a
  const owned = a.owned
  const topicPartitions = [...owned].map(([topicId, set]) => ({ topicId, partitions: [...set] }))
  const from = (memberEpoch: number, more = {}) =>
    outcome(room.heartbeat({ memberId: 'a', memberEpoch, ...more }))
  assert.equal(await from(epoch + 1), 'FENCED_MEMBER_EPOCH')
  assert.equal(await from(epoch - 1), 'FENCED_MEMBER_EPOCH')
  assert.equal(await from(epoch - 1, { topicPartitions }), 'NONE')
  const tooMuch = [{ topicId: topicPartitions[0]!.topicId, partitions: [0, 1, 2, 3, 4, 5] }]
  assert.equal(await from(epoch - 1, { topicPartitions: tooMuch }), 'FENCED_MEMBER_EPOCH')
  assert.equal(
    await outcome(room.heartbeat({ memberId: 'z', memberEpoch: 1 })),
    'UNKNOWN_MEMBER_ID',
  )
  // It may begin anew at any time.
  a.forget()
  await settle([a, b])
  assert.equal(a.partitions.length, 3)
})

test('a group takes no more members than it may have', async () => {
  const room = await open({ maxSize: 1 })
  const a = room.member('a', { topics: ['t'] })
  assert.equal(await a.step(), 'NONE')
  assert.equal(
    await message(room.heartbeat(JOIN)),
    'GROUP_MAX_SIZE_REACHED: The consumer group has reached its maximum capacity of 1 members.',
  )
  assert.equal(await a.step(), 'NONE')
})

test('a member that is silent too long is out', async () => {
  const room = await open()
  const [a, b] = [room.member('a', { topics: ['t'] }), room.member('b', { topics: ['t'] })]
  await settle([a, b])
  await room.harness.advance(SESSION_TIMEOUT_MS - 1)
  await a.step()
  await room.harness.advance(1)
  assert.deepEqual(Object.keys(await room.assignments()), ['a'])
  await settle([a])
  assert.equal(a.partitions.length, 6)
  assert.equal(await b.heartbeat(), 'UNKNOWN_MEMBER_ID')
})

test('a member that does not give back what it must, in time, is out', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t'], rebalanceTimeoutMs: 5000 })
  const b = room.member('b', { topics: ['t'] })
  await a.step()
  await a.heartbeat()
  await b.step()
  await a.heartbeat()
  for (let second = 0; second < 4; second++) {
    await room.harness.advance(1000)
    assert.equal(await a.heartbeat(), 'NONE')
  }
  await room.harness.advance(1000)
  assert.equal(await a.heartbeat(), 'UNKNOWN_MEMBER_ID')
  await settle([b])
  assert.equal(b.partitions.length, 6)
})

test('a removal that cannot be recorded is tried again', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t'] })
  await a.step()
  room.harness.storage.refuseNext('NOT_ENOUGH_REPLICAS')
  await room.harness.advance(SESSION_TIMEOUT_MS)
  assert.deepEqual(Object.keys(await room.assignments()), ['a'])
  await room.harness.advance(1000)
  assert.deepEqual(await room.assignments(), {})
})

test('a join that cannot be recorded changes nothing', async () => {
  const room = await open()
  room.harness.storage.refuseNext('NOT_ENOUGH_REPLICAS')
  const a = room.member('a', { topics: ['t'] })
  assert.equal(await a.step(), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal((await room.describe()).errorMessage, 'Group g not found.')
  assert.equal(await a.step(), 'NONE')
  assert.equal(a.partitions.length, 6)
})

test('a static member that comes back finds its partitions, and nobody notices', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t'], instanceId: 'one' })
  const b = room.member('b', { topics: ['t'] })
  await settle([a, b])
  const { groupEpoch } = await room.describe()
  const partitions = a.partitions
  const successor = room.member('a2', { topics: ['t'], instanceId: 'one' })
  assert.equal(
    await message(room.heartbeat(successor.request())),
    'UNRELEASED_INSTANCE_ID: Static member a2 with instance id one cannot join the group because ' +
      'the instance id is owned by a member.',
  )
  assert.equal(await a.leave(true), 'NONE')
  await b.step()
  assert.equal(b.partitions.length, 3)
  await successor.step()
  assert.deepEqual(successor.partitions, partitions)
  await settle([successor, b])
  assert.equal((await room.describe()).groupEpoch, groupEpoch)
  a.epoch = 1
  assert.equal(await outcome(room.heartbeat(a.request())), 'FENCED_INSTANCE_ID')
})

test('a static member that does not come back in time is out', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t'], instanceId: 'one' })
  await a.step()
  await a.leave(true)
  await room.harness.advance(SESSION_TIMEOUT_MS)
  assert.equal((await room.describe()).groupState, 'Empty')
})

test('new partitions, new topics and deleted ones are noticed', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t', 'later'] })
  await settle([a])
  await room.changeTopic('t', 8)
  await settle([a])
  assert.equal(a.partitions.length, 8)
  await room.changeTopic('later', 2)
  await settle([a])
  assert.equal(a.partitions.length, 10)
  await room.changeTopic('t', 0)
  await settle([a])
  assert.deepEqual(a.partitions, ['later-0', 'later-1'])
  const { groupEpoch } = await room.describe()
  await room.changeTopic('somebody else’s', 1)
  await settle([a])
  assert.equal((await room.describe()).groupEpoch, groupEpoch)
})

test('a regular expression stands for the topics that there are', async () => {
  const room = await open()
  const a = room.member('a', { regex: 'logs-.*' })
  await settle([a])
  assert.deepEqual(a.partitions, [])
  await room.changeTopic('logs-a', 1)
  await room.changeTopic('old-logs-a', 1)
  await settle([a])
  assert.deepEqual(a.partitions, ['logs-a-0'])
  await room.harness.restart()
  await room.changeTopic('logs-b', 1)
  await settle([a])
  assert.deepEqual(a.partitions, ['logs-a-0', 'logs-b-0'])
  a.change({ regex: '', topics: ['t'] })
  await settle([a])
  assert.equal(a.partitions.length, 6)
  assert.deepEqual([...room.topics.names()].sort(), ['logs-a', 'logs-b', 'old-logs-a', 't'])
})

test('members vote for the assignor', async () => {
  const room = await open()
  room.topics.create('u', 6)
  const members = ['a', 'b', 'c'].map((id) =>
    room.member(id, { topics: ['t', 'u'], ...(id !== 'a' && { assignor: 'range' }) }),
  )
  await settle(members)
  assert.equal((await room.describe()).assignorName, 'range')
  assert.deepEqual(members[0]!.partitions, ['t-0', 't-1', 'u-0', 'u-1'])
})

test('three members settle in few heartbeats, and then send them as configured', async () => {
  const room = await open()
  const members = ['a', 'b', 'c'].map((id) => room.member(id, { topics: ['t'] }))
  const rounds = await settle(members)
  assert.ok(rounds <= 4, `${rounds}`)
  assert.deepEqual(
    members.map(({ intervalMs }) => intervalMs),
    [250, 250, 250],
  )
  await room.harness.advance(10_000)
  await settle(members)
  assert.deepEqual(
    members.map(({ intervalMs }) => intervalMs),
    [5000, 5000, 5000],
  )
})

test('offsets are committed by members of the present epoch only', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t'] })
  await a.step()
  const commit = (memberId: string, generationIdOrMemberEpoch: number, apiVersion = 9) => {
    const committer = { memberId, generationIdOrMemberEpoch, groupInstanceId: null, apiVersion }
    const partitions = [{ partition: 0, offset: 5, leaderEpoch: -1, metadata: null }]
    const topics = [{ name: 't', partitions }]
    return outcome(
      room.harness.write((shard) =>
        shard.commitOffsets({
          groupId: GROUP,
          committer: { ...committer, isTransactional: false },
          topics,
        } as never),
      ),
    )
  }
  assert.equal(await commit('a', a.epoch), 'NONE')
  assert.equal(await commit('a', a.epoch + 1), 'STALE_MEMBER_EPOCH')
  assert.equal(await commit('z', a.epoch), 'UNKNOWN_MEMBER_ID')
  assert.equal(await commit('', -1), 'UNKNOWN_MEMBER_ID')
  assert.equal(await commit('a', a.epoch, 8), 'UNSUPPORTED_VERSION')
  await a.leave()
  assert.equal(await commit('', -1), 'NONE')
})

test('everything survives a restart, and a deleted group is gone for good', async () => {
  const room = await open()
  const a = room.member('a', { topics: ['t'], instanceId: 'one', assignor: 'range' })
  const b = room.member('b', { regex: 't' })
  await settle([a, b])
  const before = await room.describe()
  await room.harness.restart()
  assert.deepEqual(await room.describe(), before)
  assert.equal(await settle([a, b]), 0)
  await room.harness.advance(SESSION_TIMEOUT_MS)
  assert.equal((await room.describe()).groupState, 'Empty')
  await room.harness.write((shard) => shard.delete(GROUP))
  assert.equal((await room.describe()).errorMessage, 'Group g not found.')
  await room.harness.restart()
  assert.equal((await room.describe()).errorMessage, 'Group g not found.')
})
