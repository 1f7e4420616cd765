/**
 * What a consumer makes of what it fetches, against logs with all that a log may have and brokers
 * that fail as brokers do: exactly the records that a model of the log expects, in order.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  Consumer,
  type ConsumerOptions,
  CorruptRecordError,
  LogTruncationError,
  type TopicPartition,
} from '../../../src/clients/index.ts'
import { sleep } from '../../../src/common/clock.ts'
import { Fetch, type FetchRequest } from '../../../src/protocol/messages/fetch.ts'
import { ClientWorld } from '../support/client-world.ts'
import type { ScriptedBroker } from '../support/scripted-broker.ts'
import { type FetchFault, LogCluster } from './log-broker.ts'
import { LogModel, logSteps } from './log-model.ts'

const faults = fc.constantFrom<FetchFault>(
  ...['none' as const, 'none' as const, 'close' as const, 'lose answer' as const],
  ...['forget session' as const, 'refuse session' as const, 'move leader' as const],
  ...['move leader, tell' as const, 'unknown topic' as const, 'no storage' as const],
)

const settings = fc.record({
  isolationLevel: fc.constantFrom('read_committed', 'read_uncommitted'),
  maxPollRecords: fc.integer({ min: 1, max: 20 }),
  maxPartitionFetchBytes: fc.integer({ min: 1, max: 2000 }),
  fetchMaxBytes: fc.integer({ min: 1, max: 4000 }),
  bufferMemory: fc.integer({ min: 0, max: 6000 }),
})

const seeks = fc.array(
  fc.record({
    afterPolls: fc.nat({ max: 20 }),
    partition: fc.nat({ max: 2 }),
    offset: fc.nat({ max: 60 }),
  }),
  { maxLength: 4 },
)

const pauses = fc.array(
  fc.record({
    afterPolls: fc.nat({ max: 20 }),
    polls: fc.integer({ min: 1, max: 5 }),
    partition: fc.nat({ max: 2 }),
  }),
  { maxLength: 3 },
)

interface Course {
  readonly logs: readonly LogModel[]
  readonly faults: readonly FetchFault[]
  readonly settings: ConsumerOptions<Buffer, Buffer>
  readonly seeks: readonly { afterPolls: number; partition: number; offset: number }[]
  readonly pauses: readonly { afterPolls: number; polls: number; partition: number }[]
}

const isSame = (a: TopicPartition, b: TopicPartition) => a.partition === b.partition

/** Reads until there is no more, and compares each record with what the logs have. */
async function readAll(course: Course): Promise<void> {
  const world = new ClientWorld()
  const isReadCommitted = course.settings.isolationLevel === 'read_committed'
  let at = 0
  const nextFault = () => course.faults[at++] ?? 'none'
  const { clock } = world.simulation
  const cluster = new LogCluster(course.logs, clock, { brokers: 2, nextFault })
  const expected = course.logs.map((log) => log.records(isReadCommitted))
  const positions = course.logs.map(() => 0)
  const next = (partition: number) =>
    expected[partition]!.find(({ offset }) => offset >= positions[partition]!)
  await world.run(async () => {
    for (const id of [1, 2]) await world.broker(id, cluster.script(id))
    const consumer = new Consumer(
      { bootstrapServers: 'broker-1:9092', autoOffsetReset: 'earliest', ...course.settings },
      world.environment,
    )
    const partitions = course.logs.map((_, partition) => ({ topic: 't', partition }))
    consumer.assign(partitions)
    for (let polls = 0; ; polls++) {
      for (const { afterPolls, partition, offset } of course.seeks) {
        const log = course.logs[partition]
        if (afterPolls !== polls || log === undefined || offset > log.endOffset) continue
        consumer.seek({ topic: 't', partition }, offset)
        positions[partition] = offset
      }
      const paused = partitions.filter(({ partition }) => {
        return course.pauses.some((pause) => {
          const isTime = pause.afterPolls <= polls && polls < pause.afterPolls + pause.polls
          return pause.partition === partition && isTime
        })
      })
      consumer.resume(partitions)
      consumer.pause(paused)
      const isQuiet = partitions.every((at) => paused.includes(at) || !next(at.partition))
      const isLast = polls > 25 && isQuiet
      const records = await consumer.poll({ timeoutMs: isQuiet ? 2000 : 60_000 })
      assert.equal(records.count === 0, isQuiet, 'something comes where there is something')
      assert.ok(records.partitions().every((at) => !paused.some((p) => isSame(p, at))))
      for (const record of records) {
        const wanted = next(record.partition)
        const { offset, timestamp, key, value } = record
        const found = { offset, timestamp, key: key?.toString() ?? null, value: String(value) }
        assert.deepEqual(found, wanted && { ...wanted })
        positions[record.partition] = offset + 1
      }
      if (isLast) break
    }
    await consumer.close()
  })
}

test('exactly what a log has is read, whatever its batches are and whatever fails', async () => {
  const logs = fc.array(logSteps, { minLength: 1, maxLength: 3 })
  const course = fc.record({
    logs,
    faults: fc.array(faults, { maxLength: 12, size: 'max' }),
    settings,
    seeks,
    pauses,
  })
  await fc.assert(
    fc.asyncProperty(course, async ({ logs, ...rest }) => {
      await readAll({ logs: logs.map((steps) => new LogModel(steps)), ...rest })
    }),
    { numRuns: 40 },
  )
})

test('a partition whose leader moves while it is paused is read on at once', async () => {
  const batch = { producerId: 0, compression: 'none', hasLogAppendTime: false } as const
  const steps = [1, 2].map(() => ({ kind: 'batch' as const, isThere: [true], ...batch }))
  await readAll({
    logs: [new LogModel(steps)],
    faults: ['none', 'move leader'],
    settings: { maxPartitionFetchBytes: 1 },
    seeks: [],
    pauses: [{ afterPolls: 1, polls: 1, partition: 0 }],
  })
})

/** One partition of a hundred records in batches of ten. */
function plainLog(): LogModel {
  const isThere = Array.from({ length: 10 }, () => true)
  const batch = {
    kind: 'batch',
    producerId: 0,
    compression: 'none',
    hasLogAppendTime: false,
  } as const
  return new LogModel(Array.from({ length: 10 }, () => ({ ...batch, isThere })))
}

/** Runs `use` with a consumer of partition 0 and the cluster it reads from. */
async function withConsumer(
  options: ConsumerOptions<Buffer, Buffer>,
  use: (room: {
    world: ClientWorld
    cluster: LogCluster
    broker: ScriptedBroker
    consumer: Consumer
  }) => Promise<void>,
): Promise<void> {
  const world = new ClientWorld()
  const cluster = new LogCluster([plainLog()], world.simulation.clock)
  await world.run(async () => {
    const broker = await world.broker(1, cluster.script(1))
    const consumer = new Consumer(
      { bootstrapServers: 'broker-1:9092', autoOffsetReset: 'earliest', ...options },
      world.environment,
    )
    consumer.assign([{ topic: 't', partition: 0 }])
    await use({ world, cluster, broker, consumer })
    await consumer.close()
  })
}

test('a broker that is gone for half a minute is read on from when it is back', async () => {
  await withConsumer({ maxPollRecords: 30, maxPartitionFetchBytes: 1 }, async (room) => {
    const { world, cluster, broker, consumer } = room
    const offsets = async (timeoutMs: number) => {
      const records = await consumer.poll({ timeoutMs })
      return [...records].map(({ offset }) => offset)
    }
    const first = await offsets(5000)
    await broker.stop()
    let last = first.at(-1)!
    // What was fetched ahead is still given; then there is nothing, and no error either.
    const untilMs = world.simulation.clock.monotonic() + 30_000
    while (world.simulation.clock.monotonic() < untilMs) last = (await offsets(5000)).at(-1) ?? last
    const back = await world.broker(1, cluster.script(1))
    for (let next = last + 1; next < 100; ) {
      for (const offset of await offsets(60_000)) assert.equal(offset, next++)
    }
    assert.ok(back.count(Fetch) > 0)
  })
})

test('a log that was cut off before the position is noticed', async () => {
  const read = async (autoOffsetReset: string) => {
    let outcome: unknown
    await withConsumer({ autoOffsetReset, maxPollRecords: 100 }, async ({ cluster, consumer }) => {
      if (autoOffsetReset === 'none') consumer.seek({ topic: 't', partition: 0 }, 0)
      for (let count = 0; count < 100; ) count += (await consumer.poll()).count
      // Another leader, in a new epoch, which has only half of what was read.
      cluster.cutOff(0, 50)
      outcome = await consumer.poll({ timeoutMs: 400_000 }).catch((error) => error)
      if (outcome instanceof Error) return
      outcome = await consumer.position({ topic: 't', partition: 0 })
    })
    return outcome
  }
  assert.equal(await read('earliest'), 50)
  const error = await read('none')
  assert.ok(error instanceof LogTruncationError)
  assert.deepEqual(error.divergent, [{ topic: 't', partition: 0, offset: 50 }])
})

test('a damaged batch is told when its turn comes, and can be passed over', async () => {
  await withConsumer({ maxPollRecords: 100 }, async ({ cluster, consumer }) => {
    cluster.logs[0]!.damage(40)
    let count = 0
    const failing = async () => {
      for (;;) count += (await consumer.poll({ timeoutMs: 5000 })).count
    }
    for (const _ of [1, 2]) {
      await assert.rejects(failing(), (error) => {
        assert.ok(error instanceof CorruptRecordError)
        assert.equal(error.offset, 40)
        return true
      })
      assert.equal(count, 40)
    }
    consumer.seek({ topic: 't', partition: 0 }, 50)
    while (count < 90) count += (await consumer.poll({ timeoutMs: 5000 })).count
    assert.equal(await consumer.position({ topic: 't', partition: 0 }), 100)
  })
})

test('without checks of checksums a damaged value is given as it is', async () => {
  await withConsumer({ maxPollRecords: 100, checkCrcs: false }, async ({ cluster, consumer }) => {
    cluster.logs[0]!.damage(40)
    let count = 0
    while (count < 100) count += (await consumer.poll({ timeoutMs: 5000 })).count
  })
})

test('what is fetched ahead is bounded, whether the application reads or not', async () => {
  const limits = { maxPartitionFetchBytes: 300, bufferMemory: 500, maxPollRecords: 1 }
  await withConsumer(limits, async ({ world, broker, consumer }) => {
    await consumer.poll()
    await sleep(world.simulation.clock, 60_000)
    const before = broker.count(Fetch)
    await sleep(world.simulation.clock, 60_000)
    assert.equal(broker.count(Fetch), before, 'nobody asks for more')
    assert.ok(before < 5)
  })
})

test('a replica that the leader names is read from, and no longer when it has less', async () => {
  const world = new ClientWorld()
  const cluster = new LogCluster([plainLog()], world.simulation.clock, { brokers: 2 })
  cluster.preferredReplica = 2
  await world.run(async () => {
    await world.broker(1, cluster.script(1))
    const replica = await world.broker(2, cluster.script(2))
    const consumer = new Consumer(
      {
        ...{ bootstrapServers: 'broker-1:9092', autoOffsetReset: 'none', clientRack: 'here' },
        ...{ maxPartitionFetchBytes: 1, maxPollRecords: 10 },
      },
      world.environment,
    )
    const at = { topic: 't', partition: 0 }
    consumer.assign([at])
    consumer.seek(at, 0)
    for (let next = 0; next < 50; next += 10) {
      const records = await consumer.poll({ timeoutMs: 5000 })
      assert.deepEqual(records.count, 10)
    }
    const asked = replica.requests.filter(({ api }) => api.key === Fetch.key)
    assert.ok(asked.length >= 5)
    assert.ok(asked.every(({ request }) => (request as FetchRequest).rackId === 'here'))
    // The replica has not heard of the rest; the leader has it, and the position is right.
    cluster.preferredReplicaEnd = 40
    let count = 50
    while (count < 100) count += (await consumer.poll({ timeoutMs: 5000 })).count
    await consumer.close()
  })
})
