import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode, type ErrorName } from '../../../../src/common/errors.ts'
import { ConsumerGroupHeartbeat } from '../../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { FindCoordinator } from '../../../../src/protocol/messages/find-coordinator.ts'
import { Metadata } from '../../../../src/protocol/messages/metadata.ts'
import { OffsetCommit } from '../../../../src/protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../../../../src/protocol/messages/offset-fetch.ts'
import { metadataAnswer } from '../../support/client-world.ts'
import { answer } from '../../support/scripted-broker.ts'
import { commitAnswer, fetchAnswer, ScriptedGroup, TOPIC_ID } from './scripted-group.ts'

const BOTH = ['+t-0', '+t-1']
const NEW = { groupProtocol: 'consumer' }

function refusal(name: ErrorName, errorMessage: string | null = null) {
  return { errorCode: ErrorCode[name], errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

function told(memberEpoch: number, partitions?: readonly number[], topicId = TOPIC_ID) {
  const topicPartitions = [{ topicId, partitions: [...(partitions ?? [])] }]
  const assignment = partitions === undefined ? null : { topicPartitions }
  return { errorCode: 0, memberEpoch, heartbeatIntervalMs: 1000, assignment }
}

const beats = (group: ScriptedGroup) => group.requests(ConsumerGroupHeartbeat)
const last = (group: ScriptedGroup) => beats(group).at(-1)!

describe('heartbeats', () => {
  test('the first says everything, later ones what has changed', async () => {
    const settings = { ...NEW, groupRemoteAssignor: 'range', clientRack: 'r', groupInstanceId: 'i' }
    await ScriptedGroup.run(settings, async (group) => {
      await group.pass(5000)
      const [first, second, third] = beats(group)
      assert.deepEqual(
        { ...first!, memberId: '' },
        {
          ...{ groupId: 'g', memberId: '', memberEpoch: 0, instanceId: 'i', rackId: 'r' },
          ...{ rebalanceTimeoutMs: 300_000, subscribedTopicNames: ['t'], serverAssignor: 'range' },
          ...{ subscribedTopicRegex: null, topicPartitions: [] },
        },
      )
      assert.match(first!.memberId, /^[\w-]{22}$/)
      assert.deepEqual(second!.topicPartitions, [{ topicId: TOPIC_ID, partitions: [0, 1] }])
      assert.equal(second!.subscribedTopicNames, null)
      assert.equal(third!.topicPartitions, null)
      assert.equal(third!.memberEpoch, 1)
      assert.ok(beats(group).length >= 5 && beats(group).length <= 8)
    })
  })

  test('after a failure of which nobody knows what became, everything is said again', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      group.doNext(ConsumerGroupHeartbeat, () => 'close')
      const before = beats(group).length
      await group.until(() => beats(group).length >= before + 2)
      const again = beats(group)[before + 1]!
      assert.deepEqual(again.topicPartitions, [{ topicId: TOPIC_ID, partitions: [0, 1] }])
      assert.deepEqual(again.subscribedTopicNames, ['t'])
      assert.equal(again.memberEpoch, 1)
      assert.deepEqual(group.events, BOTH)
      assert.deepEqual(group.errors, [])
    })
  })

  for (const name of ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const) {
    test(`${name}: looks for the coordinator again`, async () => {
      await ScriptedGroup.run(NEW, async (group) => {
        group.answerNext(ConsumerGroupHeartbeat, refusal(name))
        await group.until(() => group.requests(FindCoordinator).length === 2)
        await group.pass(3000)
        assert.deepEqual(group.events, BOTH)
        assert.deepEqual(group.errors, [])
      })
    })
  }

  for (const name of ['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'] as const) {
    test(`${name}: all is lost, and it joins again from epoch 0`, async () => {
      await ScriptedGroup.run(NEW, async (group) => {
        const before = beats(group).length
        group.answerNext(ConsumerGroupHeartbeat, refusal(name))
        await group.until(() => group.events.length === 6)
        assert.deepEqual(group.events, [...BOTH, '!t-0', '!t-1', ...BOTH])
        const rejoin = beats(group)[before + 1]!
        assert.deepEqual([rejoin.memberEpoch, rejoin.topicPartitions], [0, []])
        assert.equal(rejoin.memberId, beats(group)[0]!.memberId)
        assert.deepEqual(group.errors, [])
      })
    })
  }

  const thrown = [
    ['GROUP_AUTHORIZATION_FAILED', /Not authorized to access group: g/],
    ['GROUP_MAX_SIZE_REACHED', /said so/],
    ['UNSUPPORTED_ASSIGNOR', /said so/],
    ['INVALID_REQUEST', /said so/],
    ['UNRELEASED_INSTANCE_ID', /said so/],
  ] as const
  for (const [name, message] of thrown) {
    test(`${name}: comes out of one poll; the next ones try again`, async () => {
      await ScriptedGroup.run(NEW, async (group) => {
        group.answerNext(ConsumerGroupHeartbeat, refusal(name, 'said so'))
        await group.until(() => group.events.length === 6)
        assert.deepEqual(
          group.errors.map(({ errorName }) => errorName),
          [name],
        )
        assert.match(group.errors[0]!.message, message)
      })
    })
  }

  test('FENCED_INSTANCE_ID comes out of every poll, and nothing is tried again', async () => {
    await ScriptedGroup.run({ ...NEW, groupInstanceId: 'i' }, async (group) => {
      group.answerNext(ConsumerGroupHeartbeat, refusal('FENCED_INSTANCE_ID', 'said so'))
      await group.until(() => group.errors.length > 3)
      const count = beats(group).length
      await group.pass(5000)
      assert.equal(beats(group).length, count)
    })
  })

  test('a cluster without the protocol: the error says what to set', async () => {
    const group = new ScriptedGroup()
    await group.world.run(async () => {
      await group.start(NEW)
      group.broker.versions.delete(ConsumerGroupHeartbeat)
      await group.until(() => group.errors.length > 1)
      assert.match(group.errors[0]!.message, /Set group\.protocol=classic/)
      group.cluster.close()
    })
  })
})

describe('reconciling', () => {
  test('what goes is given back and committed before the coordinator is told', async () => {
    await ScriptedGroup.run({ ...NEW, enableAutoCommit: true }, async (group) => {
      const state = group.subscription.partition({ topic: 't', partition: 1 })
      state.seek({ offset: 4, leaderEpoch: -1 })
      group.doNext(OffsetCommit, () => commitAnswer('COORDINATOR_LOAD_IN_PROGRESS'))
      group.answerNext(ConsumerGroupHeartbeat, told(2, [0]))
      await group.until(() => group.events.length === 3)
      assert.deepEqual(group.events, [...BOTH, '-t-1'])
      assert.deepEqual(group.committed, [4])
      await group.pass(100)
      assert.deepEqual(last(group).topicPartitions, [{ topicId: TOPIC_ID, partitions: [0] }])
      assert.equal(last(group).memberEpoch, 2)
      const asked = group.broker.requests.map(({ api }) => api)
      const commit = asked.lastIndexOf(OffsetCommit)
      assert.ok(asked.lastIndexOf(ConsumerGroupHeartbeat) > commit)
    })
  })

  test('nothing is given back, nor told, while the application does not poll', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      group.isPolling = false
      group.answerNext(ConsumerGroupHeartbeat, told(2, [0]))
      await group.pass(10_000)
      assert.deepEqual(group.events, BOTH)
      assert.ok(
        beats(group)
          .slice(2)
          .every(({ topicPartitions }) => topicPartitions === null),
      )
      group.isPolling = true
      await group.until(() => group.events.length === 3)
    })
  })

  test('topics that are not known by their ids are asked for, until they have a name', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      const other = 'AAAAAAAAAAAAAAAAAAAAAg'
      const topics = [{ errorCode: 0, name: 'u', topicId: other, partitions: [] }]
      const unknown = [{ errorCode: 100, name: null, topicId: other, partitions: [] }]
      const brokers = [{ nodeId: 1, host: 'broker-1', port: 9092 }]
      group.answerNext(Metadata, { brokers, topics: unknown }, { brokers, topics })
      group.answerNext(ConsumerGroupHeartbeat, told(2, [3], other))
      await group.until(() => group.events.includes('+u-3'))
      assert.deepEqual(group.events, [...BOTH, '-t-0', '-t-1', '+u-3'])
      await group.pass(200)
      assert.deepEqual(last(group).memberEpoch, 2)
      const acknowledged = beats(group).flatMap(({ topicPartitions }) => topicPartitions ?? [])
      assert.deepEqual(acknowledged.at(-1), { topicId: other, partitions: [3] })
    })
  })

  test('past max.poll.interval.ms it leaves; at the next poll all is lost', async () => {
    await ScriptedGroup.run({ ...NEW, maxPollIntervalMs: 10_000 }, async (group) => {
      group.isPolling = false
      await group.pass(12_000)
      assert.equal(last(group).memberEpoch, -1)
      const count = beats(group).length
      await group.pass(10_000)
      assert.equal(beats(group).length, count)
      assert.deepEqual(group.events, BOTH)
      group.isPolling = true
      await group.until(() => group.events.length === 6)
      assert.deepEqual(group.events, [...BOTH, '!t-0', '!t-1', ...BOTH])
    })
  })

  for (const [groupInstanceId, epoch] of [
    [undefined, -1],
    ['i', -2],
  ] as const) {
    test(`leaving is told by epoch ${epoch}`, async () => {
      await ScriptedGroup.run({ ...NEW, groupInstanceId }, async (group) => {
        await group.pass(500)
        group.isPolling = false
        await group.membership.leave(group.cluster.limits())
        assert.equal(last(group).memberEpoch, epoch)
        assert.deepEqual(group.events.slice(2), ['-t-0', '-t-1'])
        assert.equal(group.membership.groupMetadata.generationId, -1)
      })
    })
  }
})

describe('offsets', () => {
  test('a commit with an old epoch is made again with the new one', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      group.doNext(OffsetCommit, () => commitAnswer('STALE_MEMBER_EPOCH'))
      const committing = group.commit(5)
      await group.until(() => group.requests(OffsetCommit).length === 1)
      group.answerNext(ConsumerGroupHeartbeat, told(7))
      await group.until(() => group.membership.groupMetadata.generationId === 7)
      await committing
      const requests = group.requests(OffsetCommit)
      assert.ok(requests.length >= 2)
      assert.equal(requests[0]!.generationIdOrMemberEpoch, 1)
      assert.deepEqual(group.committed, [5])
    })
  })

  test('in one attempt an old epoch is a failure, as is being none of the group', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      const offsets = [{ topic: 't', partition: 0, offset: 6 }]
      const once = () => group.membership.commitOnce(offsets, group.cluster.limits())
      for (const name of ['STALE_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'] as const) {
        group.doNext(OffsetCommit, () => commitAnswer(name))
        await assert.rejects(once(), { name: 'CommitFailedError', errorName: name })
      }
    })
  })

  test('a reader says who it is, and names topics by id once that is known', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      const partitions = [{ topic: 't', partition: 0 }]
      const read = () => group.membership.committed(partitions, group.cluster.limits())
      group.doNext(OffsetFetch, () => fetchAnswer('STALE_MEMBER_EPOCH'))
      await read()
      const [first, second] = group.requests(OffsetFetch)
      for (const request of [first!, second!]) {
        const [asked] = request.groups
        assert.equal(asked!.memberEpoch, 1)
        assert.equal(asked!.topics![0]!.topicId, TOPIC_ID)
      }
    })
  })

  test('a topic that was made anew is committed by its new id', async () => {
    await ScriptedGroup.run(NEW, async (group) => {
      const anew = 'AAAAAAAAAAAAAAAAAAAAAw'
      const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }]
      const old = answer(OffsetCommit, { topics: [{ name: '', topicId: TOPIC_ID, partitions }] })
      const topics = [{ errorCode: 0, name: 't', topicId: anew, partitions: [] }]
      const brokers = [{ nodeId: 1, host: 'broker-1', port: 9092 }]
      group.doNext(OffsetCommit, () => old)
      group.answerNext(Metadata, { brokers, topics })
      await group.commit(5)
      const ids = group.requests(OffsetCommit).map((request) => request.topics[0]!.topicId)
      assert.deepEqual(ids, [TOPIC_ID, anew])
      group.doNext(Metadata, () => metadataAnswer([1], { partitions: 2 }))
    })
  })

  test('a consumer that picks its partitions itself commits from outside', async () => {
    const group = new ScriptedGroup()
    await group.world.run(async () => {
      await group.start(NEW)
      group.isPolling = false
      group.subscription.unsubscribe()
      group.subscription.assignFromUser([{ topic: 't', partition: 0 }])
      await group.commit(5)
      const [request] = group.requests(OffsetCommit)
      assert.deepEqual([request!.generationIdOrMemberEpoch, request!.memberId], [-1, ''])
      group.cluster.close()
    })
  })
})
