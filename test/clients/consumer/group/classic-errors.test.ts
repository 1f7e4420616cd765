import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode, type ErrorName } from '../../../../src/common/errors.ts'
import { FindCoordinator } from '../../../../src/protocol/messages/find-coordinator.ts'
import { Heartbeat } from '../../../../src/protocol/messages/heartbeat.ts'
import { JoinGroup } from '../../../../src/protocol/messages/join-group.ts'
import { LeaveGroup } from '../../../../src/protocol/messages/leave-group.ts'
import { OffsetCommit } from '../../../../src/protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../../../../src/protocol/messages/offset-fetch.ts'
import { SyncGroup } from '../../../../src/protocol/messages/sync-group.ts'
import { commitAnswer, fetchAnswer, ScriptedGroup } from './scripted-group.ts'

const BOTH = ['+t-0', '+t-1']
const EAGER = { partitionAssignmentStrategy: 'range' }

function joinError(name: ErrorName, memberId = '') {
  const errorCode = ErrorCode[name]
  return { errorCode, memberId, protocolName: null, leader: '', members: [] }
}

const heartbeatError = (name: ErrorName) => ({ errorCode: ErrorCode[name] })
const syncError = (name: ErrorName) => ({ errorCode: ErrorCode[name], assignment: Buffer.alloc(0) })

/** Has the group rebalance, once. */
async function rebalance(group: ScriptedGroup): Promise<void> {
  group.answerNext(Heartbeat, heartbeatError('REBALANCE_IN_PROGRESS'))
  await group.until(() => group.events.length === 6)
}

describe('JoinGroup', () => {
  test('a new member comes again with the id that it is given', async () => {
    const group = new ScriptedGroup()
    group.answerNext(JoinGroup, joinError('MEMBER_ID_REQUIRED', 'given'))
    await group.world.run(async () => {
      await group.start(EAGER)
      await group.until(() => group.events.length === 2)
      const ids = group.requests(JoinGroup).map(({ memberId }) => memberId)
      assert.deepEqual(ids, ['', 'given'])
      assert.equal(group.membership.groupMetadata.memberId, 'given')
      await group.membership.leave(group.cluster.limits())
      const [left] = group.requests(LeaveGroup)
      assert.deepEqual(
        left!.members.map(({ memberId }) => memberId),
        ['given'],
      )
      group.cluster.close()
    })
  })

  for (const name of ['COORDINATOR_LOAD_IN_PROGRESS', 'REBALANCE_IN_PROGRESS'] as const) {
    test(`${name}: joins again as the same member`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.answerNext(JoinGroup, joinError(name))
        await rebalance(group)
        assert.deepEqual(group.events, [...BOTH, '-t-0', '-t-1', ...BOTH])
        const joins = group.requests(JoinGroup)
        assert.deepEqual(
          joins.map(({ memberId }) => memberId),
          ['', 'm-1', 'm-1'],
        )
        assert.equal(joins[1]!.reason, 'group is already rebalancing')
        assert.equal(joins[2]!.reason, `rebalance failed due to ${name}`)
        assert.equal(group.requests(FindCoordinator).length, 1)
        assert.deepEqual(group.errors, [])
      })
    })
  }

  for (const name of ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const) {
    test(`${name}: looks for the coordinator again`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.answerNext(JoinGroup, joinError(name))
        await rebalance(group)
        assert.equal(group.requests(FindCoordinator).length, 2)
        assert.deepEqual(group.errors, [])
      })
    })
  }

  test('UNKNOWN_MEMBER_ID: joins as a new member', async () => {
    await ScriptedGroup.run(EAGER, async (group) => {
      group.answerNext(JoinGroup, joinError('UNKNOWN_MEMBER_ID'))
      await rebalance(group)
      assert.deepEqual(
        group.requests(JoinGroup).map(({ memberId }) => memberId),
        ['', 'm-1', ''],
      )
    })
  })

  const thrown = [
    ['INCONSISTENT_GROUP_PROTOCOL', /incompatible/],
    ['INVALID_SESSION_TIMEOUT', /session timeout/],
    ['GROUP_AUTHORIZATION_FAILED', /Not authorized to access group: g/],
    ['GROUP_MAX_SIZE_REACHED', /group g already has the configured maximum number of members/],
    ['UNKNOWN_SERVER_ERROR', /./],
  ] as const
  for (const [name, message] of thrown) {
    test(`${name}: comes out of one poll; the next ones try again`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.answerNext(JoinGroup, joinError(name))
        await rebalance(group)
        assert.deepEqual(
          group.errors.map(({ errorName }) => errorName),
          [name],
        )
        assert.match(group.errors[0]!.message, message)
      })
    })
  }

  test('FENCED_INSTANCE_ID: comes out of every poll, and nothing is tried again', async () => {
    await ScriptedGroup.run({ ...EAGER, groupInstanceId: 'i' }, async (group) => {
      group.answerNext(JoinGroup, joinError('FENCED_INSTANCE_ID'))
      group.answerNext(Heartbeat, heartbeatError('REBALANCE_IN_PROGRESS'))
      await group.until(() => group.errors.length > 3)
      assert.ok(group.errors.every(({ errorName }) => errorName === 'FENCED_INSTANCE_ID'))
      assert.equal(group.requests(JoinGroup).length, 2)
    })
  })
})

describe('SyncGroup', () => {
  for (const name of ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR'] as const) {
    test(`${name}: joins again as the same member`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.answerNext(SyncGroup, syncError(name))
        await rebalance(group)
        const joins = group.requests(JoinGroup)
        assert.deepEqual(
          joins.map(({ memberId }) => memberId),
          ['', 'm-1', 'm-1'],
        )
        assert.deepEqual(group.errors, [])
      })
    })
  }

  test('ILLEGAL_GENERATION keeps the member id, UNKNOWN_MEMBER_ID does not', async () => {
    await ScriptedGroup.run(EAGER, async (group) => {
      const errors = [syncError('ILLEGAL_GENERATION'), syncError('UNKNOWN_MEMBER_ID')]
      group.answerNext(SyncGroup, ...errors)
      await rebalance(group)
      const ids = group.requests(JoinGroup).map(({ memberId }) => memberId)
      assert.deepEqual(ids, ['', 'm-1', 'm-1', ''])
    })
  })

  test('a cooperative member that is out of its generation has lost what it had', async () => {
    await ScriptedGroup.run(
      { partitionAssignmentStrategy: 'cooperative-sticky' },
      async (group) => {
        group.answerNext(SyncGroup, syncError('ILLEGAL_GENERATION'))
        await rebalance(group)
        assert.deepEqual(group.events, [...BOTH, '!t-0', '!t-1', ...BOTH])
      },
    )
  })
})

describe('Heartbeat', () => {
  test('goes out on its interval, also while the application does not poll', async () => {
    await ScriptedGroup.run({ ...EAGER, heartbeatIntervalMs: 2000 }, async (group) => {
      group.isPolling = false
      const before = group.requests(Heartbeat).length
      await group.pass(20_000)
      const count = group.requests(Heartbeat).length - before
      assert.ok(count >= 9 && count <= 10, `${count} heartbeats in 20 s`)
    })
  })

  for (const name of ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'] as const) {
    test(`${name}: the partitions are lost, and it joins again`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.answerNext(Heartbeat, heartbeatError(name))
        await group.until(() => group.events.length === 6)
        assert.deepEqual(group.events, [...BOTH, '!t-0', '!t-1', ...BOTH])
        const second = name === 'UNKNOWN_MEMBER_ID' ? '' : 'm-1'
        assert.deepEqual(
          group.requests(JoinGroup).map(({ memberId }) => memberId),
          ['', second],
        )
        assert.deepEqual(group.errors, [])
      })
    })
  }

  test('listeners are called in polls only', async () => {
    await ScriptedGroup.run(EAGER, async (group) => {
      group.isPolling = false
      group.answerNext(Heartbeat, heartbeatError('UNKNOWN_MEMBER_ID'))
      await group.pass(20_000)
      assert.deepEqual(group.events, BOTH)
      group.isPolling = true
      await group.until(() => group.events.length === 6)
    })
  })

  test('NOT_COORDINATOR and silence have the coordinator looked for; nothing is lost', async () => {
    await ScriptedGroup.run({ ...EAGER, sessionTimeoutMs: 10_000 }, async (group) => {
      group.answerNext(Heartbeat, heartbeatError('NOT_COORDINATOR'))
      await group.until(() => group.requests(FindCoordinator).length === 2)
      group.doNext(Heartbeat, () => 'drop')
      await group.until(() => group.requests(FindCoordinator).length === 3)
      await group.pass(10_000)
      assert.deepEqual(group.events, BOTH)
      assert.deepEqual(group.errors, [])
    })
  })

  test('FENCED_INSTANCE_ID comes out of every poll', async () => {
    await ScriptedGroup.run({ ...EAGER, groupInstanceId: 'i' }, async (group) => {
      group.answerNext(Heartbeat, heartbeatError('FENCED_INSTANCE_ID'))
      await group.until(() => group.errors.length > 2)
      assert.match(group.errors[0]!.message, /group\.instance\.id i has been taken/)
      assert.equal(group.requests(JoinGroup).length, 1)
    })
  })
})

describe('the time between polls', () => {
  test('past max.poll.interval.ms the member leaves; at the next poll all is lost', async () => {
    await ScriptedGroup.run({ ...EAGER, maxPollIntervalMs: 10_000 }, async (group) => {
      group.isPolling = false
      await group.pass(9_000)
      assert.equal(group.requests(LeaveGroup).length, 0)
      await group.pass(2_000)
      const [left] = group.requests(LeaveGroup)
      assert.equal(left!.members[0]!.reason, 'consumer poll timeout has expired.')
      const heartbeats = group.requests(Heartbeat).length
      await group.pass(20_000)
      assert.equal(group.requests(Heartbeat).length, heartbeats)
      assert.deepEqual(group.events, BOTH)
      group.isPolling = true
      await group.until(() => group.events.length === 6)
      assert.deepEqual(group.events, [...BOTH, '!t-0', '!t-1', ...BOTH])
    })
  })

  test('a static member does not leave, and has its heartbeats stop', async () => {
    const settings = { ...EAGER, maxPollIntervalMs: 10_000, groupInstanceId: 'i' }
    await ScriptedGroup.run(settings, async (group) => {
      group.isPolling = false
      await group.pass(12_000)
      const heartbeats = group.requests(Heartbeat).length
      await group.pass(20_000)
      assert.equal(group.requests(Heartbeat).length, heartbeats)
      assert.equal(group.requests(LeaveGroup).length, 0)
    })
  })
})

describe('committing', () => {
  test('what may pass is tried again, in one attempt it is told', async () => {
    await ScriptedGroup.run(EAGER, async (group) => {
      const passing = ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'] as const
      group.doNext(OffsetCommit, ...passing.map((name) => () => commitAnswer(name)))
      await group.commit(5)
      assert.deepEqual(group.committed, [5])
      assert.equal(group.requests(FindCoordinator).length, 2)
      group.doNext(OffsetCommit, () => commitAnswer('COORDINATOR_LOAD_IN_PROGRESS'))
      const offsets = [{ topic: 't', partition: 0, offset: 6 }]
      await assert.rejects(group.membership.commitOnce(offsets, group.cluster.limits()), {
        name: 'RetriableCommitFailedError',
        retriable: true,
      })
      assert.deepEqual(group.committed, [5])
    })
  })

  test('a member commits as one, with the generation it is in', async () => {
    await ScriptedGroup.run({ ...EAGER, groupInstanceId: 'i' }, async (group) => {
      await group.commit(5)
      const [request] = group.requests(OffsetCommit)
      const { generationIdOrMemberEpoch, memberId, groupInstanceId, topics } = request!
      const who = [generationIdOrMemberEpoch, memberId, groupInstanceId]
      assert.deepEqual(who, [1, 'm-1', 'i'])
      assert.equal(topics[0]!.partitions[0]!.committedOffset, 5)
    })
  })

  const answers = [
    ['REBALANCE_IN_PROGRESS', 'RebalanceInProgressError'],
    ['UNKNOWN_MEMBER_ID', 'CommitFailedError'],
    ['ILLEGAL_GENERATION', 'CommitFailedError'],
  ] as const
  for (const [code, name] of answers) {
    test(`${code}: ${name}, and the member joins again`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.doNext(OffsetCommit, () => commitAnswer(code))
        await assert.rejects(group.commit(5), { name, errorName: code })
        await group.until(() => group.events.length === 6)
        assert.equal(group.requests(JoinGroup).length, 2)
        const sign = code === 'REBALANCE_IN_PROGRESS' ? '-' : '!'
        assert.deepEqual(group.events.slice(2, 4), [`${sign}t-0`, `${sign}t-1`])
      })
    })
  }

  for (const name of ['OFFSET_METADATA_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED'] as const) {
    test(`${name} is told, and the member stays`, async () => {
      await ScriptedGroup.run(EAGER, async (group) => {
        group.doNext(OffsetCommit, () => commitAnswer(name))
        await assert.rejects(group.commit(5), { errorName: name, message: /t/ })
        await group.pass(10_000)
        assert.deepEqual(group.events, BOTH)
      })
    })
  }

  test('while it joins, and when it is out, a commit says why it cannot be', async () => {
    await ScriptedGroup.run(EAGER, async (group) => {
      group.doNext(JoinGroup, () => 'drop')
      group.answerNext(Heartbeat, heartbeatError('REBALANCE_IN_PROGRESS'))
      await group.until(() => group.requests(JoinGroup).length === 2)
      await assert.rejects(group.commit(5), /undergoing a rebalance .* calling poll\(\)/)
      await group.membership.leave(group.cluster.limits({ timeoutMs: 100 }))
      await assert.rejects(group.commit(5), { name: 'CommitFailedError' })
    })
  })

  test('by itself: on the interval, before giving back, and on leaving', async () => {
    const settings = { ...EAGER, enableAutoCommit: true, autoCommitIntervalMs: 5000 }
    await ScriptedGroup.run(settings, async (group) => {
      const consume = (offset: number) => {
        const state = group.subscription.partition({ topic: 't', partition: 0 })
        state.seek({ offset, leaderEpoch: -1 })
      }
      consume(1)
      await group.pass(4000)
      assert.deepEqual(group.committed, [])
      await group.until(() => group.committed.length === 1)
      consume(2)
      group.answerNext(Heartbeat, heartbeatError('REBALANCE_IN_PROGRESS'))
      await group.until(() => group.events.includes('-t-0'))
      assert.deepEqual(group.committed, [1, 2])
      await group.until(() => group.events.length === 6)
      consume(3)
      group.isPolling = false
      await group.membership.leave(group.cluster.limits())
      assert.deepEqual(group.committed, [1, 2, 3])
    })
  })

  test('a commit that hangs does not hold up the poll; the listener comes after it', async () => {
    const settings = { ...EAGER, enableAutoCommit: true }
    await ScriptedGroup.run(settings, async (group) => {
      const state = group.subscription.partition({ topic: 't', partition: 0 })
      state.seek({ offset: 1, leaderEpoch: -1 })
      const failures = Array.from({ length: 8 }, () => () => commitAnswer('NOT_COORDINATOR'))
      group.doNext(OffsetCommit, ...failures)
      group.answerNext(Heartbeat, heartbeatError('REBALANCE_IN_PROGRESS'))
      await group.until(() => state.isPendingRevocation)
      assert.equal(state.isFetchable, false)
      const { clock } = group.world.environment
      const startMs = clock.monotonic()
      await group.membership.poll(group.cluster.limits({ timeoutMs: 50 }))
      assert.ok(clock.monotonic() - startMs < 60)
      assert.deepEqual(group.events, BOTH)
      await group.until(() => group.events.length === 6)
      assert.deepEqual(group.committed, [1])
    })
  })
})

describe('committed offsets', () => {
  test('are waited for while a transaction is open, and errors are told', async () => {
    await ScriptedGroup.run(EAGER, async (group) => {
      group.doNext(OffsetFetch, () => fetchAnswer('UNSTABLE_OFFSET_COMMIT'))
      const partitions = [{ topic: 't', partition: 0 }]
      const read = () => group.membership.committed(partitions, group.cluster.limits())
      assert.equal((await read()).get('t-0')!.offset, 7)
      assert.ok(group.requests(OffsetFetch).every(({ requireStable }) => requireStable))
      group.doNext(OffsetFetch, () => fetchAnswer(-1))
      assert.equal((await read()).get('t-0'), undefined)
      group.doNext(OffsetFetch, () => fetchAnswer('TOPIC_AUTHORIZATION_FAILED'))
      await assert.rejects(read(), /Not authorized to access topics: \[t\]/)
    })
  })

  test('are asked for in the versions of old brokers, by name', async () => {
    for (const max of [1, 5, 7, 8, 9]) {
      const group = new ScriptedGroup()
      await group.world.run(async () => {
        await group.start(EAGER)
        group.broker.versions.set(OffsetFetch, { min: 1, max })
        group.broker.versions.set(OffsetCommit, { min: 2, max: Math.min(max + 1, 9) })
        await group.until(() => group.events.length === 2)
        await group.commit(5)
        const found = { partitionIndex: 0, committedOffset: 9, metadata: '', errorCode: 0 }
        const topics = [{ name: 't', partitions: [found] }]
        if (max < 8) group.answerNext(OffsetFetch, { topics, groups: [] })
        else group.answerNext(OffsetFetch, { topics: [], groups: [{ groupId: 'g', topics }] })
        const partitions = [{ topic: 't', partition: 0 }]
        const found9 = await group.membership.committed(partitions, group.cluster.limits())
        assert.equal(found9.get('t-0')!.offset, 9)
        const [request] = group.requests(OffsetFetch)
        const asked = max < 8 ? request!.topics! : request!.groups[0]!.topics!
        assert.equal(asked[0]!.name, 't')
        assert.equal(request!.requireStable, max >= 7)
        await group.membership.leave(group.cluster.limits())
        group.cluster.close()
      })
    }
  })
})
