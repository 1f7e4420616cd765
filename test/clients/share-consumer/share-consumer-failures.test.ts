/** What a share consumer does when brokers change their mind, in a simulated world. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ShareConsumer,
  type ShareConsumerOptions,
} from '../../../src/clients/share-consumer/share-consumer.ts'
import { sleep } from '../../../src/common/clock.ts'
import { ErrorCode } from '../../../src/common/errors.ts'
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { ShareAcknowledge } from '../../../src/protocol/messages/share-acknowledge.ts'
import { ShareFetch, type ShareFetchRequest } from '../../../src/protocol/messages/share-fetch.ts'
import {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
} from '../../../src/protocol/messages/share-group-heartbeat.ts'
import { batchOf } from '../../support/requests.ts'
import { ClientWorld, metadataAnswer } from '../support/client-world.ts'
import { type Answer, answer, requestOf, type Script } from '../support/scripted-broker.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const CONFIG = { bootstrapServers: 'broker-1:9092', groupId: 'g', fetchMaxWaitMs: 100 }

const heartbeat = (memberEpoch: number, errorCode = 0) =>
  answer(ShareGroupHeartbeat, {
    ...{ errorCode, memberEpoch, heartbeatIntervalMs: 5000 },
    assignment: { topicPartitions: [{ topicId: TOPIC_ID, partitions: [0] }] },
  })

/** An answer to a fetch: records of partition 0 from `offset` on, all of them locked. */
function fetched(values: readonly string[], offset = 0, deliveryCount = 1) {
  const acquired = { firstOffset: offset, lastOffset: offset + values.length - 1, deliveryCount }
  return partitionAnswer({
    records: values.length === 0 ? Buffer.alloc(0) : batchOf(values, { baseOffset: offset }),
    acquiredRecords: values.length === 0 ? [] : [acquired],
  })
}

function partitionAnswer(partition: object) {
  const all = {
    ...{ partitionIndex: 0, errorCode: 0, acknowledgeErrorCode: 0, records: Buffer.alloc(0) },
    ...{ acquiredRecords: [], currentLeader: { leaderId: 0, leaderEpoch: 0 }, ...partition },
  }
  return answer(ShareFetch, {
    ...{ errorCode: 0, acquisitionLockTimeoutMs: 30_000, nodeEndpoints: [] },
    responses: [{ topicId: TOPIC_ID, partitions: [all] }],
  })
}

const failed = (errorCode: number) =>
  answer(ShareFetch, {
    ...{ errorCode, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] },
  })

const acknowledged = answer(ShareAcknowledge, {
  ...{ errorCode: 0, acquisitionLockTimeoutMs: 30_000, nodeEndpoints: [], responses: [] },
})

/** A cluster of one broker, that answers all that `script` does not. */
function scriptOf(script: Script): Script {
  return async (request) => {
    const said = await script(request)
    if (said !== undefined) return said
    const { api } = request
    if (api.key === Metadata.key) return metadataAnswer([1])
    if (api.key === FindCoordinator.key) {
      const found = { errorCode: 0, errorMessage: null, nodeId: 1, host: 'broker-1', port: 9092 }
      return answer(FindCoordinator, { coordinators: [{ key: 'g', ...found }] })
    }
    if (api.key === ShareGroupHeartbeat.key) return heartbeat(1)
    if (api.key === ShareAcknowledge.key) return acknowledged
    return undefined
  }
}

function open(world: ClientWorld, options: object = {}) {
  const all = { ...CONFIG, ...options } as ShareConsumerOptions<Buffer, Buffer>
  const consumer = new ShareConsumer(all, world.environment)
  consumer.subscribe('t')
  return consumer
}

/** Answers fetches one after the other, then with nothing after the wait. */
function fetches(
  world: ClientWorld,
  answers: (Answer | ((request: ShareFetchRequest) => Answer))[],
) {
  return async (request: Parameters<Script>[0]) => {
    const asked = requestOf(ShareFetch, request)
    if (asked === undefined) return undefined
    const next = answers.shift()
    if (next === undefined) {
      await sleep(world.environment.clock, asked.maxWaitMs)
      return fetched([])
    }
    return typeof next === 'function' ? next(asked) : next
  }
}

const values = (records: Iterable<{ valueBytes: Buffer | null }>) =>
  [...records].map(({ valueBytes }) => valueBytes?.toString())

test('a session counts its requests, and acknowledges on the way', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const answers = [fetched(['a', 'b']), fetched(['c'], 2)]
    const broker = await world.broker(1, scriptOf(fetches(world, answers)))
    const consumer = open(world)
    assert.deepEqual(values(await consumer.poll()), ['a', 'b'])
    assert.deepEqual(values(await consumer.poll()), ['c'])
    await consumer.close()
    const asked = broker.requests.flatMap((request) => {
      const found = requestOf(ShareFetch, request) ?? requestOf(ShareAcknowledge, request)
      return found ?? []
    })
    assert.deepEqual(
      asked.map(({ shareSessionEpoch }) => shareSessionEpoch),
      [0, 1, -1],
    )
    const batch = { firstOffset: 0, lastOffset: 1, acknowledgeTypes: [1] }
    const acknowledging = { partitionIndex: 0, acknowledgementBatches: [batch] }
    const adding = { partitionIndex: 0, acknowledgementBatches: [] }
    assert.deepEqual(asked[0]?.topics, [{ topicId: TOPIC_ID, partitions: [adding] }])
    assert.deepEqual(asked[1]?.topics, [{ topicId: TOPIC_ID, partitions: [acknowledging] }])
    const left = broker.requests.flatMap((request) => requestOf(ShareGroupHeartbeat, request) ?? [])
    assert.equal(left.at(-1)?.memberEpoch, -1)
  })
})

test('with a session that is gone, locks are lost; the next one begins at once', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const lost = failed(ErrorCode.SHARE_SESSION_NOT_FOUND)
    const epochs: number[] = []
    const again = (request: ShareFetchRequest) => {
      epochs.push(request.shareSessionEpoch)
      return fetched(['a'], 0, 2)
    }
    const broker = await world.broker(1, scriptOf(fetches(world, [fetched(['a']), lost, again])))
    const consumer = open(world)
    const told: (string | undefined)[] = []
    consumer.setAcknowledgementCommitCallback((_, error) => told.push(error?.errorName))
    await consumer.poll()
    const [record] = await consumer.poll()
    assert.equal(record?.deliveryCount, 2)
    assert.deepEqual(told, ['SHARE_SESSION_NOT_FOUND'])
    assert.deepEqual(epochs, [0])
    assert.ok(broker.count(ShareFetch) >= 3)
    await consumer.close()
  })
})

test('a connection that breaks takes the locks with it', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const answers: Answer[] = [fetched(['a']), 'close', fetched(['a'], 0, 2)]
    await world.broker(1, scriptOf(fetches(world, answers)))
    const consumer = open(world, { shareAcknowledgementMode: 'explicit' })
    const told: (string | undefined)[] = []
    consumer.setAcknowledgementCommitCallback((_, error) => told.push(error?.errorName))
    const [record] = await consumer.poll()
    consumer.acknowledge(record!)
    const [again] = await consumer.poll()
    assert.equal(again?.deliveryCount, 2)
    assert.deepEqual(told, ['NETWORK_EXCEPTION'])
    consumer.acknowledge(again!)
    const committed = [{ topic: 't', partition: 0, offsets: [0] }]
    assert.deepEqual(await consumer.commitSync(), committed)
    await consumer.close()
  })
})

test('a partition that has moved is fetched from its new leader', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    let leaderId = 1
    const metadata: Script = ({ api }) =>
      api.key === Metadata.key
        ? metadataAnswer([1, 2], { leaderId, leaderEpoch: leaderId })
        : undefined
    const moved = () => {
      leaderId = 2
      return partitionAnswer({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
    }
    const first = fetches(world, [fetched(['a']), moved])
    await world.broker(
      1,
      scriptOf(async (request) => (await metadata(request)) ?? (await first(request))),
    )
    const second = fetches(world, [fetched(['b'], 1)])
    const other = await world.broker(
      2,
      scriptOf(async (request) => (await metadata(request)) ?? (await second(request))),
    )
    const consumer = open(world)
    assert.deepEqual(values(await consumer.poll()), ['a'])
    assert.deepEqual(values(await consumer.poll()), ['b'])
    const [asked] = other.requests.flatMap((request) => requestOf(ShareFetch, request) ?? [])
    assert.equal(asked?.shareSessionEpoch, 0)
    await consumer.close()
  })
})

test('a member that is fenced joins again; one that may not be there is told', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const epochs: number[] = []
    const script: Script = (request) => {
      const beat = requestOf(ShareGroupHeartbeat, request) as ShareGroupHeartbeatRequest | undefined
      if (beat === undefined) return undefined
      epochs.push(beat.memberEpoch)
      if (beat.memberEpoch === 7) return heartbeat(0, ErrorCode.FENCED_MEMBER_EPOCH)
      if (epochs.length === 4) return heartbeat(0, ErrorCode.GROUP_AUTHORIZATION_FAILED)
      return heartbeat(epochs.length === 1 ? 7 : 9)
    }
    const fetch = fetches(world, [fetched(['a'])])
    await world.broker(
      1,
      scriptOf(async (request) => (await script(request)) ?? (await fetch(request))),
    )
    const consumer = open(world)
    await consumer.poll()
    await assert.rejects(consumer.poll(), { errorName: 'GROUP_AUTHORIZATION_FAILED' })
    assert.deepEqual(epochs, [0, 7, 0, 9])
    await consumer.close()
  })
})

test('who does not poll leaves the group, and joins again with the next poll', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const broker = await world.broker(1, scriptOf(fetches(world, [fetched(['a'])])))
    const consumer = open(world, { maxPollIntervalMs: 10_000 })
    await consumer.poll()
    const { clock } = world.environment
    await sleep(clock, 30_000)
    const epochsSoFar = () =>
      broker.requests.flatMap((request) => {
        const beat = requestOf(ShareGroupHeartbeat, request)
        return beat === undefined ? [] : [beat.memberEpoch]
      })
    assert.equal(epochsSoFar().at(-1), -1)
    const count = epochsSoFar().length
    await consumer.poll({ timeoutMs: 200 })
    assert.equal(epochsSoFar()[count], 0)
    await consumer.close()
  })
})

test('a broker that does not renew locks says so, and the session goes on', async () => {
  const world = new ClientWorld()
  await world.run(async () => {
    const broker = await world.broker(1, scriptOf(fetches(world, [fetched(['a'])])))
    broker.versions.set(ShareFetch, { min: 1, max: 1 })
    broker.versions.set(ShareAcknowledge, { min: 1, max: 1 })
    const consumer = open(world, { shareAcknowledgementMode: 'explicit' })
    const [record] = await consumer.poll()
    consumer.acknowledge(record!, 'renew')
    await assert.rejects(consumer.commitSync(), { errorName: 'UNSUPPORTED_VERSION' })
    assert.equal((await consumer.poll({ timeoutMs: 300 })).count, 0)
    const epochs = broker.requests.flatMap((request) => {
      return requestOf(ShareFetch, request)?.shareSessionEpoch ?? []
    })
    assert.deepEqual(epochs.slice(0, 2), [0, 1])
    await consumer.close()
  })
})
