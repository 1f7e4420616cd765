/** When a log rolls, what retention takes away, and how offsets are found by time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DiskError, readWholeFile } from '../../src/common/disk.ts'
import type { LogConfig } from '../../src/storage/log-config.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import {
  append,
  makeBatch,
  makeWorld,
  openLog,
  parseBatches,
  readAll,
  smallSegments,
  type World,
} from './log-harness.ts'

async function newLog(config: Partial<LogConfig> = {}) {
  const world = makeWorld()
  const log = await openLog(world, world.newContext(), { config: smallSegments(config) })
  return { world, log }
}

function fill(log: PartitionLog, count: number, timestamps = [1000]): void {
  for (let index = 0; index < count; index++) {
    append(log, makeBatch({ timestamps, valueBytes: 100 }))
  }
  log.commit()
  log.highWatermark = log.logEndOffset
}

const LARGE = { segmentBytes: 1_000_000 }

test('a segment rolls when it is full', async () => {
  const { world, log } = await newLog({ segmentBytes: 1000 })
  fill(log, 30)
  assert.equal(log.segmentCount, 6)
  for (const name of world.disk.list('/data/t-0')) {
    if (name.endsWith('.log')) assert.ok(world.disk.stat(`/data/t-0/${name}`)!.size <= 1000)
  }
})

test('a segment rolls when its records, or else the clock, span segment.ms', async () => {
  const { log } = await newLog({ ...LARGE, segmentMs: 500 })
  fill(log, 2, [1000])
  fill(log, 1, [1500])
  assert.equal(log.segmentCount, 1)
  fill(log, 1, [1501])
  assert.equal(log.segmentCount, 2)
  const { world, log: timeless } = await newLog({ ...LARGE, segmentMs: 500 })
  fill(timeless, 1, [-1])
  await world.simulation.pass(600)
  fill(timeless, 1, [-1])
  assert.equal(timeless.segmentCount, 2)
})

test('a segment rolls when an index is full', async () => {
  const { log } = await newLog({ ...LARGE, indexIntervalBytes: 0, maxIndexSizeBytes: 80 })
  for (let index = 0; index < 30; index++) fill(log, 1, [index])
  assert.ok(log.segmentCount >= 4)
})

test('retention by size keeps at least what is asked for', async () => {
  const limits = { retentionMs: -1, retentionBytes: 2500 }
  const { world, log } = await newLog({ segmentBytes: 1000, ...limits })
  fill(log, 40)
  assert.ok(log.applyRetention())
  log.removeOldSegments()
  assert.ok(log.sizeInBytes >= 2500 && log.sizeInBytes < 3500 + 1000)
  assert.equal((await readAll(world, log))[0]!.header.baseOffset, log.logStartOffset)
  assert.equal(log.applyRetention(), false)
})

test('retention by time takes even the active segment, but nothing unreplicated', async () => {
  const { world, log } = await newLog({ segmentBytes: 1000, retentionMs: 10_000 })
  const nowMs = world.simulation.clock.now()
  fill(log, 12, [nowMs - 20_000])
  fill(log, 12, [nowMs])
  log.highWatermark = 6
  assert.ok(log.applyRetention())
  assert.ok(log.logStartOffset <= 6)
  log.highWatermark = log.logEndOffset
  assert.ok(log.applyRetention())
  assert.ok(log.logStartOffset >= 6 && log.logStartOffset <= 12)
  await world.simulation.pass(20_000)
  assert.ok(log.applyRetention())
  log.removeOldSegments()
  assert.deepEqual([log.logStartOffset, log.logEndOffset, log.sizeInBytes], [24, 24, 0])
  fill(log, 1)
  assert.equal(log.logEndOffset, 25)
})

test('a compacted topic is not subject to retention', async () => {
  const { log } = await newLog({
    segmentBytes: 1000,
    retentionBytes: 1,
    cleanupPolicy: ['compact'],
  })
  for (let index = 0; index < 20; index++) {
    append(log, makeBatch({ valueBytes: 100, key: Buffer.from('k') }))
  }
  log.commit()
  log.highWatermark = log.logEndOffset
  assert.equal(log.applyRetention(), false)
})

test('deleted segments are renamed at once and removed after file.delete.delay.ms', async () => {
  const { world, log } = await newLog({ segmentBytes: 1000, fileDeleteDelayMs: 5000 })
  fill(log, 20)
  log.deleteRecordsBefore(log.logEndOffset)
  const removed = log.removeOldSegments()
  const deleted = () => world.disk.list('/data/t-0').filter((name) => name.endsWith('.log.deleted'))
  assert.equal(deleted().length, removed)
  assert.throws(() => log.read(0, 100, { maxOffset: 20, minOneBatch: true }), {
    errorName: 'OFFSET_OUT_OF_RANGE',
  })
  await world.simulation.pass(5001)
  assert.deepEqual(deleted(), [])
})

test('a timestamp finds the first record at or after it, in whatever order they are', async () => {
  const timestamps = fc.array(
    fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 4 }),
    { minLength: 1, maxLength: 40, size: 'max' },
  )
  const compression = fc.constantFrom('none' as const, 'gzip' as const, 'lz4' as const)
  await fc.assert(
    fc.asyncProperty(timestamps, compression, fc.nat(20), async (batches, codec, start) => {
      const { world, log } = await newLog({ segmentBytes: 600, indexIntervalBytes: 100 })
      for (const of of batches) append(log, makeBatch({ timestamps: of, compression: codec }))
      log.commit()
      log.highWatermark = log.logEndOffset
      log.deleteRecordsBefore(Math.min(start, log.logEndOffset))
      const flat = batches.flat()
      for (let wanted = 0; wanted <= 61; wanted += 3) {
        const expected = flat.findIndex(
          (ts, offset) => ts >= wanted && offset >= log.logStartOffset,
        )
        const found = await world.simulation.run(() => log.offsetForTimestamp(wanted))
        assert.equal(found?.offset ?? -1, expected, `timestamp ${wanted}`)
        if (found !== undefined) assert.equal(found.timestamp, flat[expected])
      }
      const largest = await world.simulation.run(() => log.offsetForTimestamp(-3))
      assert.equal(largest?.timestamp, Math.max(...flat))
      assert.equal(largest?.offset, flat.indexOf(Math.max(...flat)))
    }),
    { numRuns: 60 },
  )
})

test('the special timestamps', async () => {
  const { world, log } = await newLog()
  const ask = (timestamp: number) => world.simulation.run(() => log.offsetForTimestamp(timestamp))
  assert.equal(await ask(-3), undefined)
  log.beginEpoch(4)
  append(log, makeBatch({ count: 5 }), { leaderEpoch: 4 })
  log.commit()
  log.deleteRecordsBefore(2)
  assert.deepEqual(await ask(-2), { offset: 2, timestamp: -1, leaderEpoch: 4 })
  assert.deepEqual(await ask(-4), { offset: 2, timestamp: -1, leaderEpoch: 4 })
  assert.deepEqual(await ask(-1), { offset: 5, timestamp: -1, leaderEpoch: 4 })
  assert.deepEqual(await ask(-5), { offset: -1, timestamp: -1, leaderEpoch: -1 })
})

test('leader epochs end where the next begins, and survive a restart', async () => {
  const { world, log } = await newLog()
  for (const epoch of [1, 1, 3, 7]) {
    append(log, makeBatch({ count: 10 }), { leaderEpoch: epoch })
  }
  log.commit()
  const expected = [
    [0, { epoch: 0, endOffset: 0 }],
    [1, { epoch: 1, endOffset: 20 }],
    [2, { epoch: 1, endOffset: 20 }],
    [3, { epoch: 3, endOffset: 30 }],
    [7, { epoch: 7, endOffset: 40 }],
    [8, { epoch: -1, endOffset: -1 }],
  ] as const
  const check = (of: PartitionLog) => {
    for (const [epoch, end] of expected) assert.deepEqual(of.endOffsetForEpoch(epoch), end)
  }
  check(log)
  world.disk.killProcess()
  const again = await openLog(world, world.newContext())
  check(again)
  await world.simulation.run(() => again.close())
  const path = '/data/t-0/leader-epoch-checkpoint'
  assert.equal(readWholeFile(world.disk, path)!.toString(), '0\n3\n1 0\n3 20\n7 30\n')
})

test('replicated batches keep their offsets and epochs', async () => {
  const { world, log } = await newLog()
  const batches = [
    makeBatch({ count: 3, baseOffset: 10, partitionLeaderEpoch: 2 }),
    makeBatch({ count: 2, baseOffset: 20, partitionLeaderEpoch: 4 }),
  ]
  const torn = makeBatch({ baseOffset: 22 }).subarray(0, 70)
  const info = append(log, Buffer.concat([...batches, torn]), { origin: 'replication' })
  assert.deepEqual([info.firstOffset, info.lastOffset], [10, 21])
  log.commit()
  assert.deepEqual(
    (await readAll(world, log)).map(({ bytes }) => bytes),
    batches,
  )
  assert.deepEqual(log.endOffsetForEpoch(2), { epoch: 2, endOffset: 20 })
  assert.throws(() => append(log, makeBatch({ baseOffset: 21 }), { origin: 'replication' }), {
    errorName: 'OFFSET_OUT_OF_RANGE',
  })
})

test('a read that a truncation overtakes gives nothing of what was cut', async () => {
  let overtaken = 0
  for (let seed = 0; seed < 40; seed++) {
    const world = makeWorld(seed)
    const log = await openLog(world, world.newContext(0), { config: smallSegments(LARGE) })
    fill(log, 20)
    await world.simulation.run(async () => {
      const truncating = log.truncateTo(10)
      const read = await log.read(5, 100_000, { maxOffset: 20, minOneBatch: true })
      const end = log.logEndOffset
      if (end === 10) overtaken += 1
      assert.equal(read.nextOffset, end)
      assert.equal(parseBatches(Buffer.concat(read.chunks)).length, end - 5)
      read.release()
      await truncating
    })
  }
  assert.ok(overtaken > 0 && overtaken < 40)
})

test('flush.messages holds the acknowledgement until the data is durable', async () => {
  const { world, log } = await newLog({ flushMessages: 2 })
  append(log, makeBatch())
  assert.equal(log.commit(), undefined)
  append(log, makeBatch())
  const durable = log.commit()
  assert.ok(durable instanceof Promise)
  await world.simulation.run(() => durable)
  assert.equal(log.recoveryPoint, 2)
})

test('flush.ms makes what was written durable in time', async () => {
  const { world, log } = await newLog({ flushMs: 1000 })
  append(log, makeBatch())
  log.commit()
  await world.simulation.pass(900)
  assert.equal(log.recoveryPoint, 0)
  await world.simulation.pass(300)
  assert.equal(log.recoveryPoint, 1)
})

test('a full disk takes the log offline; what it had before is there after a restart', async () => {
  const world = makeWorld()
  const failures: DiskError[] = []
  const log = await openLog(world, world.newContext(), {
    onStorageError: (_log, error) => failures.push(error),
  })
  fill(log, 3)
  const free = 1000
  world.disk.faults.capacityBytes = 1024 ** 4 - world.disk.space().usableBytes + free
  append(log, makeBatch({ valueBytes: 1500 }))
  assert.throws(() => log.commit(), { errorName: 'KAFKA_STORAGE_ERROR' })
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['ENOSPC'],
  )
  assert.throws(() => append(log, makeBatch()), { errorName: 'KAFKA_STORAGE_ERROR' })
  assert.throws(() => log.commit(), { errorName: 'KAFKA_STORAGE_ERROR' })
  await checkAfterRestart(world, 3)
})

test('a failed sync takes the log offline rather than pretend that it is durable', async () => {
  const { world, log } = await newLog()
  fill(log, 3)
  world.disk.faults.syncError = 1
  await assert.rejects(
    world.simulation.run(() => log.flush()),
    { errorName: 'KAFKA_STORAGE_ERROR' },
  )
  assert.equal(log.isOnline, false)
  assert.equal(log.recoveryPoint, 0)
})

async function checkAfterRestart(world: World, batches: number): Promise<void> {
  world.disk.killProcess()
  world.disk.faults.capacityBytes = Number.POSITIVE_INFINITY
  const again = await openLog(world, world.newContext())
  assert.equal((await readAll(world, again)).length, batches)
}
