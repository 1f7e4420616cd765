/**
 * What a broker does as one of several: the parts that other brokers will meet, played by hand.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventLoopTurn } from '../../sim/event-loop.ts'
import { SeededRandom } from '../../sim/seeded-random.ts'
import { SimulatedClock } from '../../sim/simulated-clock.ts'
import { SimulatedDisk } from '../../sim/simulated-disk.ts'
import { createBrokerConfig } from '../../src/common/config/broker-config.ts'
import { ErrorCode, errorName } from '../../src/common/errors.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { garbageCollected, SlabPool } from '../../src/common/slab.ts'
import { EmbeddedStore } from '../../src/metadata/embedded-store.ts'
import { ensurePaths } from '../../src/metadata/metadata-store.ts'
import { encodeBroker, PERSISTENT_PATHS, paths } from '../../src/metadata/znodes.ts'
import { ConfigRepository, logConfigOf } from '../../src/server/config-repository.ts'
import { Controller } from '../../src/server/controller/controller.ts'
import type { FetchIsolation } from '../../src/server/partition.ts'
import { type AppendResult, ReplicaManager } from '../../src/server/replica-manager.ts'
import { LogManager } from '../../src/storage/log-manager.ts'
import { batchOf } from '../support/requests.ts'

const TOPIC_ID = 'abcdefghijklmnopqrstuA'

/** Broker 1, leading partition t-0 whose other in-sync replica is broker 2. */
async function leaderOfTwo(settings: Record<string, string> = {}) {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const disk = new SimulatedDisk({ clock, random })
  const config = createBrokerConfig(new Map(Object.entries(settings)))
  const configs = new ConfigRepository(config)
  const logManager = new LogManager({
    ...{ clock, disk, random, logger: silentLogger, slabs: new SlabPool({ poison: true }) },
    directories: ['/data'],
    configOf: (topic) => logConfigOf(configs.topic(topic)),
    tailCacheBytes: 1_000_000,
  })
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false
    void promise.finally(() => {
      isDone = true
    })
    for (;;) {
      await eventLoopTurn()
      if (isDone) return await promise
      clock.step()
    }
  }
  await settle(logManager.claim())
  await settle(logManager.load({ clusterId: 'c', brokerId: 1 }))
  const brokerId = 1
  const replicaManager = new ReplicaManager({
    ...{ brokerId, clock, logManager, configs, log: silentLogger },
  })
  const state = {
    ...{ topic: 't', topicId: TOPIC_ID, partitionIndex: 0, controllerEpoch: 1, isNew: true },
    ...{ leader: 1, leaderEpoch: 3, isr: [1, 2], replicas: [1, 2], partitionEpoch: 0 },
  }
  assert.deepEqual(await settle(replicaManager.applyLeaderAndIsr([state])), [ErrorCode.NONE])
  const produce = (requiredAcks: number) => {
    const answers: AppendResult[] = []
    const records = batchOf(['x', 'y'])
    replicaManager
      .append({
        ...{ requiredAcks, timeoutMs: 1000, origin: 'client', lease: garbageCollected(records) },
        entries: [{ topic: 't', partitionIndex: 0, records }],
      })
      .onComplete((results) => answers.push(results[0]!))
    return answers
  }
  const fetch = (replicaId: number, fetchOffset: number, isolation: FetchIsolation) => {
    const sizes: number[] = []
    replicaManager
      .fetch({
        ...{ minBytes: 0, maxBytes: 1000, maxWaitMs: 0, isolation, replicaId },
        partitions: [
          {
            ...{ topic: 't', topicId: TOPIC_ID, partitionIndex: 0, currentLeaderEpoch: 3 },
            ...{ fetchOffset, lastFetchedEpoch: -1, maxBytes: 1000, errorCode: 0 },
          },
        ],
      })
      .onComplete((result) => sizes.push(result.sizeInBytes))
    return sizes
  }
  return { clock, settle, replicaManager, state, produce, fetch }
}

test('acks=all waits until the other replica has the records, acks=1 does not', async () => {
  const { produce, fetch, replicaManager } = await leaderOfTwo()
  const one = produce(1)
  const all = produce(-1)
  await eventLoopTurn()
  assert.equal(one.length, 1)
  assert.equal(all.length, 0)
  const partition = replicaManager.partition('t', 0)!
  assert.equal(partition.highWatermark, 0)
  const size = batchOf(['x', 'y']).length
  assert.deepEqual(fetch(-1, 0, 'high-watermark'), [0], 'a consumer saw what may be lost')
  assert.deepEqual(fetch(2, 0, 'log-end'), [2 * size], 'a follower reads to the end')
  assert.equal(all.length, 0)
  fetch(2, 2, 'log-end')
  assert.equal(partition.highWatermark, 2)
  assert.equal(all.length, 0)
  fetch(2, 4, 'log-end')
  assert.equal(partition.highWatermark, 4)
  assert.deepEqual(
    all.map(({ errorCode }) => errorCode),
    [ErrorCode.NONE],
  )
  assert.deepEqual(fetch(-1, 0, 'high-watermark'), [2 * size])
})

test('acks=all gives up when its time is over, and the records stay', async () => {
  const { clock, produce, replicaManager } = await leaderOfTwo()
  const all = produce(-1)
  await eventLoopTurn()
  while (all.length === 0) assert.ok(clock.step())
  assert.equal(errorName(all[0]!.errorCode), 'REQUEST_TIMED_OUT')
  assert.equal(replicaManager.partition('t', 0)!.log.logEndOffset, 2)
})

test('a replica that falls out of the set no longer holds anybody back', async () => {
  const { settle, state, produce, replicaManager } = await leaderOfTwo()
  const all = produce(-1)
  await eventLoopTurn()
  const shrunk = { ...state, isr: [1], partitionEpoch: 1, isNew: false }
  await settle(replicaManager.applyLeaderAndIsr([shrunk]))
  assert.deepEqual(
    all.map(({ errorCode }) => errorCode),
    [ErrorCode.NONE],
  )
  const stale = await settle(replicaManager.applyLeaderAndIsr([state]))
  assert.equal(errorName(stale[0]!), 'STALE_CONTROLLER_EPOCH')
})

test('fewer in-sync replicas than min.insync.replicas refuse acks=all only', async () => {
  const { produce } = await leaderOfTwo({ 'min.insync.replicas': '3' })
  const all = produce(-1)
  const one = produce(1)
  await eventLoopTurn()
  assert.equal(errorName(all[0]!.errorCode), 'NOT_ENOUGH_REPLICAS')
  assert.equal(errorName(one[0]!.errorCode), 'NONE')
})

test('a broker that loses the lead answers what waits, and refuses what comes', async () => {
  const { settle, state, produce, replicaManager } = await leaderOfTwo()
  const all = produce(-1)
  await eventLoopTurn()
  await settle(
    replicaManager.applyLeaderAndIsr([{ ...state, leader: 2, leaderEpoch: 4, isNew: false }]),
  )
  assert.deepEqual(
    all.map(({ errorCode }) => errorName(errorCode)),
    ['NOT_LEADER_OR_FOLLOWER'],
  )
  const after = produce(1)
  await eventLoopTurn()
  assert.equal(errorName(after[0]!.errorCode), 'NOT_LEADER_OR_FOLLOWER')
})

test('of two controllers one rules, and a deposed one can write nothing', async () => {
  const clock = new SimulatedClock()
  const random = new SeededRandom(2)
  const disk = new SimulatedDisk({ clock, random })
  disk.makeDirectory('/data')
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false
    const noted = promise.finally(() => {
      isDone = true
    })
    noted.catch(() => {})
    for (;;) {
      await eventLoopTurn()
      if (isDone) return await noted
      clock.step()
    }
  }
  const service = await run(EmbeddedStore.open({ disk, clock, directory: '/data' }))
  const stores = [await run(service.openSession()), await run(service.openSession())]
  await run(ensurePaths(stores[0]!, PERSISTENT_PATHS))
  const endPoint = { listenerName: 'A', securityProtocol: 'PLAINTEXT', host: 'h', port: 1 }
  const registration = { endPoints: [endPoint], rack: null }
  await run(stores[0]!.create(paths.broker(1), encodeBroker(registration, 0)))
  const controllers = stores.map(
    (store, index) =>
      new Controller({
        ...{ brokerId: index + 1, store, clock, random, log: silentLogger },
        channel: () => undefined,
        defaults: () => ({ partitions: 1, replicationFactor: 1 }),
        newTopicId: () => random.bytes(16).toString('base64url'),
      }),
  )
  const [first, second] = controllers as [Controller, Controller]
  const topic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: {} }
  assert.equal(await run(first.elect()), true)
  assert.equal(await run(second.elect()), false)
  await assert.rejects(run(second.createTopic({ name: 'a', ...topic })), {
    errorName: 'NOT_CONTROLLER',
  })
  await run(first.createTopic({ name: 'a', ...topic }))
  // The first one's session is taken for dead while it still believes in itself.
  await run(stores[0]!.delete(paths.controller, -1))
  assert.equal(await run(second.elect()), true)
  await assert.rejects(run(first.createTopic({ name: 'b', ...topic })), {
    errorName: 'NOT_CONTROLLER',
  })
  await run(second.createTopic({ name: 'c', ...topic }))
  assert.deepEqual((await run(stores[1]!.children(paths.topics))).names, ['a', 'c'])
})
