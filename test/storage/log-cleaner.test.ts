/** Which logs are cleaned, when, how far; and what comes between a cleaning and its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../../src/common/clock.ts'
import { readWholeFile } from '../../src/common/disk.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { buildRecordBatch } from '../../src/protocol/records/record-batch-writer.ts'
import { DEFAULT_CLEANER_SETTINGS } from '../../src/storage/cleaner-settings.ts'
import type { LogConfig } from '../../src/storage/log-config.ts'
import { LogManager, type LogManagerOptions } from '../../src/storage/log-manager.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { CompactedLog } from './compacted-log.ts'
import { append, makeWorld, parseBatches, smallSegments, type World } from './log-harness.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const CHECKPOINT = '/data/a/cleaner-offset-checkpoint'
const FOLDER = '/data/t-0'

/** A log manager whose topics are compacted, each with a `config` of its own. */
async function startManager(
  world: World,
  config: Record<string, Partial<LogConfig>> = {},
  options: Partial<LogManagerOptions> = {},
): Promise<LogManager> {
  const { clock, random } = world.simulation
  const base = { cleanupPolicy: ['compact'], minCleanableDirtyRatio: 0 } as const
  const manager = new LogManager({
    ...{ clock, random, disk: world.disk, logger: silentLogger, slabs: world.slabs },
    directories: ['/data/a'],
    configOf: (topic) => smallSegments({ ...base, segmentBytes: 1000, ...config[topic] }),
    tailCacheBytes: 0,
    isCleanerEnabled: false,
    ...options,
  })
  await world.simulation.run(async () => {
    await manager.claim()
    await manager.load({ clusterId: 'cluster', brokerId: 1 })
    manager.start()
  })
  return manager
}

interface Filling {
  readonly keys?: number
  readonly timestamp?: number
}

/** Appends `batches` batches of two records, and makes them durable. */
async function fill(
  world: World,
  log: PartitionLog,
  batches: number,
  { keys = 4, timestamp = 1000 }: Filling = {},
): Promise<void> {
  for (let n = 0; n < batches; n++) {
    const record = (index: number) => ({
      timestamp,
      key: Buffer.from(`key-${(n + index) % keys}`),
      value: Buffer.alloc(60, String(n)),
    })
    append(log, buildRecordBatch([record(0), record(1)]))
    log.commit()
  }
  log.highWatermark = log.logEndOffset
  await world.simulation.run(() => log.flush())
}

async function makeLog(world: World, manager: LogManager, topic: string, batches: number) {
  const log = await world.simulation.run(() => manager.getOrCreate(topic, 0, TOPIC_ID))
  await fill(world, log, batches)
  return log
}

function cleanOnce(world: World, manager: LogManager): Promise<boolean> {
  return world.simulation.run(() => manager.cleaner.cleanOnce())
}

test('the dirtiest log is cleaned first, and none below its ratio', async () => {
  const world = makeWorld()
  const manager = await startManager(world, {
    b: { minCleanableDirtyRatio: 0.5 },
    d: { cleanupPolicy: ['delete'] },
  })
  const a = await makeLog(world, manager, 'a', 40)
  const b = await makeLog(world, manager, 'b', 40)
  const d = await makeLog(world, manager, 'd', 40)
  assert.ok((await cleanOnce(world, manager)) && (await cleanOnce(world, manager)))
  assert.equal(await cleanOnce(world, manager), false)
  // Of `a` a little is dirty now, of `b` more, though not more than half.
  await fill(world, a, 12)
  await fill(world, b, 30, { keys: 1000 })
  const cleanBefore = { a: a.cleanable.cleanerOffset!, b: b.cleanable.cleanerOffset! }
  await cleanOnce(world, manager)
  assert.ok(b.cleanable.cleanerOffset! > cleanBefore.b)
  assert.equal(a.cleanable.cleanerOffset, cleanBefore.a)
  await cleanOnce(world, manager)
  assert.ok(a.cleanable.cleanerOffset! > cleanBefore.a)
  await fill(world, b, 12)
  assert.equal(await cleanOnce(world, manager), false)
  assert.equal(d.cleanable.cleanerOffset, undefined)
})

test('what is active, unstable, not durable or too young stays as it is', async () => {
  const world = makeWorld()
  const now = () => world.simulation.clock.now()
  const compacted = new CompactedLog(world, { minCompactionLagMs: 5000 })
  await compacted.open()
  const { log } = compacted
  const end = () => log.cleanable.assess(now())?.firstUncleanableOffset ?? 0
  const keys = [1, 2, 3, 4].map((n) => ({ key: `${n}`, isTombstone: false, size: 50 }))
  for (let n = 0; n < 10; n++) compacted.write(keys)
  assert.equal(end(), 0, 'too young')
  await world.simulation.pass(6000)
  assert.ok(end() > 0 && end() < log.logEndOffset)
  log.roll()
  assert.ok(end() < log.logEndOffset, 'not durable')
  await world.simulation.run(() => log.flush())
  assert.equal(end(), log.logEndOffset)
  const firstOfTransaction = log.logEndOffset
  compacted.write(keys, 'none', 3)
  log.roll()
  for (let n = 0; n < 10; n++) compacted.write(keys)
  await world.simulation.run(() => log.flush())
  await world.simulation.pass(6000)
  assert.equal(end(), firstOfTransaction, 'unstable')
  compacted.endTransaction(3, true)
  log.highWatermark = log.logEndOffset
  assert.ok(end() > firstOfTransaction)
})

test('a log is cleaned for max.compaction.lag.ms, however little there is to gain', async () => {
  const world = makeWorld()
  const config = { minCleanableDirtyRatio: 0.99, maxCompactionLagMs: 60_000 }
  const manager = await startManager(world, { a: config })
  const log = await makeLog(world, manager, 'a', 0)
  const timestamp = world.simulation.clock.now()
  await fill(world, log, 20, { timestamp })
  assert.ok(await cleanOnce(world, manager), 'all is dirty')
  await fill(world, log, 20, { timestamp })
  assert.equal(await cleanOnce(world, manager), false)
  await world.simulation.pass(61_000)
  assert.ok(await cleanOnce(world, manager))
})

test('the checkpoint says how far logs are clean, in the format of Kafka', async () => {
  const world = makeWorld()
  const manager = await startManager(world)
  const log = await makeLog(world, manager, 'a', 40)
  await cleanOnce(world, manager)
  const { cleanerOffset } = log.cleanable
  const content = () => readWholeFile(world.disk, CHECKPOINT)?.toString()
  assert.equal(content(), `0\n1\na 0 ${cleanerOffset}\n`)
  world.disk.losePower()
  const second = await startManager(world)
  const again = second.get('a', 0)!
  assert.equal(again.cleanable.cleanerOffset, cleanerOffset)
  const dirty = again.cleanable.assess(world.simulation.clock.now())
  assert.ok(dirty === undefined || dirty.firstDirtyOffset === cleanerOffset)
  // A follower that is cut back must clean again what then takes the place of what was cut.
  await world.simulation.run(() => again.truncateTo(10))
  assert.equal(content(), '0\n1\na 0 10\n')
  await world.simulation.run(() => second.delete('a', 0))
  assert.equal(content(), '0\n0\n')
})

test('a checkpoint beyond the end of the log, or below its start, is not believed', async () => {
  const world = makeWorld()
  const compacted = new CompactedLog(world)
  await compacted.open(world.newContext(), { cleanerOffset: 500 })
  const { log } = compacted
  await fill(world, log, 40)
  const firstDirty = () => log.cleanable.assess(0)?.firstDirtyOffset
  assert.equal(firstDirty(), 0)
  await world.simulation.run(() => compacted.cleaner.cleanOnce())
  await fill(world, log, 40)
  assert.equal(firstDirty(), log.cleanable.cleanerOffset)
  log.deleteRecordsBefore(100)
  assert.equal(firstDirty(), 100)
})

test('a damaged log is left alone, and the others are cleaned', async () => {
  const world = makeWorld()
  const manager = await startManager(world)
  const a = await makeLog(world, manager, 'a', 40)
  const b = await makeLog(world, manager, 'b', 20)
  const path = '/data/a/a-0/00000000000000000000.log'
  const file = world.disk.open(path)
  const damage = Buffer.alloc(1, 0xff)
  file.writeSync([damage], 300)
  const before = readWholeFile(world.disk, path)
  await cleanOnce(world, manager)
  await cleanOnce(world, manager)
  assert.ok(manager.cleaner.isUncleanable(a))
  assert.deepEqual(readWholeFile(world.disk, path), before)
  assert.ok(b.cleanable.cleanerOffset! > 0)
  assert.deepEqual(strangers(world, '/data/a/a-0'), [])
  assert.equal(await cleanOnce(world, manager), false)
})

function strangers(world: World, folder: string): string[] {
  return world.disk.list(folder).filter((name) => /\.(cleaned|swap)$/.test(name))
}

test('a full disk ends a cleaning, and harms neither the log nor the next cleaning', async () => {
  const world = makeWorld()
  const manager = await startManager(world)
  const log = await makeLog(world, manager, 'a', 40)
  const { totalBytes, usableBytes } = world.disk.space()
  world.disk.faults.capacityBytes = totalBytes - usableBytes + 500
  assert.equal(await cleanOnce(world, manager), false)
  assert.ok(log.isOnline)
  assert.deepEqual(strangers(world, '/data/a/a-0'), [])
  world.disk.faults.capacityBytes = Number.POSITIVE_INFINITY
  assert.ok(await cleanOnce(world, manager))
})

test('a disk that fails takes its logs offline, as with any other write', async () => {
  const world = makeWorld()
  const manager = await startManager(world)
  const log = await makeLog(world, manager, 'a', 40)
  world.disk.faults.syncError = 1
  assert.equal(await cleanOnce(world, manager), false)
  assert.equal(log.isOnline, false)
})

/** Begins a cleaning, does something after a while, and waits for both. */
async function interrupt(
  compacted: CompactedLog,
  world: World,
  afterMs: number,
  action: () => Promise<unknown>,
): Promise<boolean> {
  return await world.simulation.run(async () => {
    const cleaning = compacted.cleaner.cleanOnce()
    await sleep(world.simulation.clock, afterMs)
    await action()
    return await cleaning
  })
}

async function makeDirty(world: World): Promise<CompactedLog> {
  const compacted = new CompactedLog(world)
  await compacted.open(world.newContext(0))
  for (let n = 0; n < 40; n++) {
    const key = { key: `key-${n % 5}`, isTombstone: n % 9 === 0, size: 70 }
    compacted.write([key, { ...key, key: `other-${n % 7}` }])
  }
  await world.simulation.run(() => compacted.log.flush())
  return compacted
}

test('a truncation at any moment of a cleaning leaves the log that is left', async () => {
  let given = 0
  for (let afterMs = 0; afterMs < 120; afterMs += 2) {
    const world = makeWorld()
    const compacted = await makeDirty(world)
    const cutAt = 30 + Math.floor(afterMs % 20)
    const cleaned = await interrupt(compacted, world, afterMs, () =>
      compacted.log.truncateTo(cutAt),
    )
    if (!cleaned) given += 1
    const { logEndOffset } = compacted.log
    assert.equal(logEndOffset, cutAt, `cut after ${afterMs} ms`)
    // All batches have two records.
    compacted.written.splice(cutAt - (cutAt % 2))
    assert.deepEqual(strangers(world, FOLDER), [])
    assert.ok((compacted.log.cleanable.cleanerOffset ?? 0) <= logEndOffset)
    await compacted.readable()
  }
  assert.ok(given > 3 && given < 60, `${given} cleanings were given up`)
})

test('a deletion, a stop and retention at any moment of a cleaning', async () => {
  const actions: ((compacted: CompactedLog) => Promise<unknown>)[] = [
    async ({ log }) => await log.delete(),
    async ({ log }) => await log.close(),
    async ({ cleaner }) => await cleaner.stop(),
    async ({ log }) => {
      log.deleteRecordsBefore(24)
      log.removeOldSegments()
    },
  ]
  for (const [index, action] of actions.entries()) {
    for (let afterMs = 0; afterMs < 80; afterMs += 4) {
      const world = makeWorld()
      const compacted = await makeDirty(world)
      await interrupt(compacted, world, afterMs, () => action(compacted))
      if (index < 2) continue
      assert.ok(compacted.log.isOnline)
      assert.deepEqual(strangers(world, FOLDER), [])
      compacted.written.splice(0, compacted.log.logStartOffset)
      compacted.noteCleaned(compacted.log.logEndOffset)
      await compacted.readable()
    }
  }
})

test('readers and searches that are under way get what was there, or what is', async () => {
  for (let afterMs = 0; afterMs < 90; afterMs += 1.5) {
    const world = makeWorld()
    const compacted = await makeDirty(world)
    const { log } = compacted
    const read = { maxOffset: log.logEndOffset, minOneBatch: true }
    const found: unknown[] = []
    await interrupt(compacted, world, afterMs, async () => {
      const reads = [0, 13, 40, 61].map(async (offset) => {
        const result = await log.read(offset, 400, read)
        found.push(parseBatches(Buffer.concat(result.chunks)).at(0)!.header.baseOffset >= 0)
        result.release()
      })
      const { timestamp } = compacted.written.at(-1)!
      const searches = [timestamp, -3].map(async (wanted) => {
        found.push((await log.offsetForTimestamp(wanted))!.offset >= 0)
      })
      await Promise.all([...reads, ...searches])
    })
    assert.deepEqual(found, new Array(6).fill(true), `after ${afterMs} ms`)
    assert.ok(log.isOnline)
  }
})

test('memory does not give away what was aborted once the index has forgotten it', async () => {
  const world = makeWorld()
  const compacted = new CompactedLog(world)
  await compacted.open(world.newContext(1024 * 1024))
  const keys = [1, 2, 3].map((n) => ({ key: `${n}`, isTombstone: false, size: 50 }))
  compacted.write(keys, 'none', 3)
  compacted.endTransaction(3, false)
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 8; n++) compacted.write(keys, 'none', n === 0 ? 3 : 4)
    compacted.endTransaction(3, true)
    compacted.endTransaction(4, true)
    compacted.log.roll()
    await compacted.clean()
    await compacted.check(true)
  }
  assert.deepEqual(compacted.log.collectAbortedTransactions(0, compacted.log.logEndOffset), [])
})

test('cleaned segments fill up to segment.bytes, within what an index can say', async () => {
  const world = makeWorld()
  const compacted = new CompactedLog(world, { segmentBytes: 2000 })
  await compacted.open()
  const { log } = compacted
  const write = (count: number) => {
    for (let n = 0; n < count; n++) {
      compacted.write([{ key: `${n % 30}`, isTombstone: false, size: 80 }])
    }
  }
  write(60)
  log.roll()
  await compacted.clean()
  write(1)
  const far = 2 ** 31 + 200
  const batch = buildRecordBatch([{ timestamp: 5, key: Buffer.from('far'), value: null }], {
    baseOffset: far,
    partitionLeaderEpoch: 0,
  })
  append(log, batch, { origin: 'replication' })
  log.commit()
  log.highWatermark = log.logEndOffset
  log.roll()
  write(1)
  log.roll()
  const before = log.segmentCount
  await compacted.clean()
  assert.ok(log.segmentCount < before, `${log.segmentCount} segments`)
  const sizes = world.disk
    .list(FOLDER)
    .filter((name) => name.endsWith('.log'))
    .map((name) => ({
      base: Number.parseInt(name, 10),
      size: world.disk.stat(`${FOLDER}/${name}`)!.size,
    }))
  for (const { size } of sizes) assert.ok(size <= 2000)
  assert.deepEqual(sizes.map(({ base }) => base).slice(-2), [far, log.logEndOffset])
})

test('reading and writing keep to log.cleaner.io.max.bytes.per.second', async () => {
  const world = makeWorld()
  const compacted = await makeDirty(world)
  const { sizeInBytes } = compacted.log
  compacted.settings = { ...compacted.settings, ioMaxBytesPerSecond: 1000 }
  const startedMs = world.simulation.clock.now()
  await compacted.clean()
  const seconds = (world.simulation.clock.now() - startedMs) / 1000
  // It is read twice, and written in part.
  assert.ok(seconds > (1.8 * sizeInBytes) / 1000, `${seconds} s for ${sizeInBytes} bytes`)
  assert.ok(seconds < (3.5 * sizeInBytes) / 1000, `${seconds} s for ${sizeInBytes} bytes`)
})

test('the cleaner looks around every log.cleaner.backoff.ms, by the settings of then', async () => {
  const world = makeWorld()
  const settings = { ...DEFAULT_CLEANER_SETTINGS, threads: 0, backoffMs: 5000 }
  const config: Record<string, Partial<LogConfig>> = { b: { cleanupPolicy: ['delete'] } }
  const options = { isCleanerEnabled: true, cleaner: () => settings }
  const manager = await startManager(world, config, options)
  const a = await makeLog(world, manager, 'a', 40)
  const b = await makeLog(world, manager, 'b', 40)
  await world.simulation.pass(30_000)
  assert.equal(a.cleanable.cleanerOffset, undefined)
  settings.threads = 2
  await world.simulation.pass(7000)
  assert.ok(a.cleanable.cleanerOffset! > 0)
  assert.equal(b.cleanable.cleanerOffset, undefined)
  config.b = { cleanupPolicy: ['compact', 'delete'] }
  manager.updateConfig('b')
  await world.simulation.pass(7000)
  assert.ok(b.cleanable.cleanerOffset! > 0)
  await world.simulation.run(() => manager.close())
})
