/** Cleaning a log, against a model of what it may take away; and crashes at every point of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Crash, CrashingDisk } from '../../sim/crashing-disk.ts'
import { COMPRESSION_TYPES } from '../../src/common/compression/compression.ts'
import { OFFSET_MAP_SLOT_BYTES } from '../../src/storage/offset-map.ts'
import {
  CompactedLog,
  DELETE_RETENTION_MS,
  type NewKey,
  PRODUCERS,
  writeMixture,
} from './compacted-log.ts'
import { makeWorld, type World } from './log-harness.ts'

const FOLDER = '/data/t-0'

const newKey: fc.Arbitrary<NewKey> = fc.record({
  key: fc.integer({ min: 0, max: 11 }).map((n) => `key-${n}`),
  isTombstone: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  size: fc.integer({ min: 0, max: 80 }),
})

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      keys: fc.array(newKey, { minLength: 1, maxLength: 6 }),
      compression: fc.constantFrom(...COMPRESSION_TYPES),
      producer: fc.option(fc.constantFrom(...PRODUCERS), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producer: fc.constantFrom(3 as const, 4 as const),
      commit: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('roll' as const) }) },
  {
    weight: 3,
    // The map often holds fewer keys than there are.
    arbitrary: fc.record({
      kind: fc.constant('clean' as const),
      slots: fc.constantFrom(8, 12, 1000),
      retentionPassed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      isFlushed: fc.boolean(),
      losesPower: fc.boolean(),
      // How far a cleaning has come by then.
      steps: fc.integer({ min: 0, max: 100 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('kill' as const), keepsSnapshots: fc.boolean() }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Returns whether the model still knows the log after this. */
async function take(world: World, compacted: CompactedLog, next: Step): Promise<boolean> {
  const { simulation, disk } = world
  if (next.kind === 'write') compacted.write(next.keys, next.compression, next.producer)
  if (next.kind === 'end') compacted.endTransaction(next.producer, next.commit)
  if (next.kind === 'roll') compacted.log.roll()
  if (next.kind === 'clean') {
    if (next.retentionPassed) await simulation.pass(DELETE_RETENTION_MS)
    const dedupeBufferBytes = next.slots * OFFSET_MAP_SLOT_BYTES
    compacted.settings = { ...compacted.settings, dedupeBufferBytes }
    await compacted.clean()
    await compacted.check(true)
  }
  if (next.kind === 'crash') {
    if (next.isFlushed) await simulation.run(() => compacted.log.flush())
    compacted.noteCleaned(compacted.cleanableEnd())
    // It never comes to its end, unless that is before the crash.
    void compacted.cleaner.cleanOnce()
    await simulation.rest()
    for (let n = 0; n < next.steps; n++) await simulation.step()
    const mayGetHole = next.losesPower && compacted.mayGetHole
    if (next.losesPower) disk.losePower()
    else disk.killProcess()
    if (mayGetHole) {
      await compacted.reopenWithHole()
      return false
    }
    await compacted.reopen()
    await compacted.check(false)
  }
  if (next.kind === 'kill') {
    const before = producersOf(compacted)
    const { cleanerOffset } = compacted.log.cleanable
    disk.killProcess()
    if (!next.keepsSnapshots) {
      const snapshots = disk.list(FOLDER).filter((name) => name.endsWith('.snapshot'))
      for (const name of snapshots) disk.remove(`${FOLDER}/${name}`)
    }
    await compacted.open(world.newContext(), { cleanerOffset })
    assert.deepEqual(producersOf(compacted), before)
    await compacted.check(false)
  }
  return true
}

/** What a log remembers of its producers, as far as its batches say it. */
function producersOf({ log }: CompactedLog) {
  const producers = [...log.activeProducers()].map((entry) => {
    const { producerId, producerEpoch, currentTxnFirstOffset, batches } = entry
    const last = batches.at(-1)
    const { lastOffset, lastSequence } = last ?? { lastOffset: -1, lastSequence: -1 }
    return { producerId, producerEpoch, currentTxnFirstOffset, lastOffset, lastSequence }
  })
  const withData = producers.filter(({ lastOffset }) => lastOffset >= 0)
  return withData.sort((a, b) => a.producerId - b.producerId)
}

test('whatever is written and however often it is cleaned, a log keeps what it must', async () => {
  const steps = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' })
  const seed = fc.integer({ min: 1, max: 1_000_000 })
  const nameLoss = fc.constantFrom('ordered' as const, 'perDirectory' as const)
  await fc.assert(
    fc.asyncProperty(steps, seed, nameLoss, async (steps, seed, nameLoss) => {
      const world = makeWorld(seed, nameLoss)
      const compacted = new CompactedLog(world)
      await compacted.open()
      for (const next of steps) if (!(await take(world, compacted, next))) return
      compacted.log.roll()
      await compacted.clean()
      await compacted.check(true)
    }),
    { numRuns: 100, endOnFailure: true },
  )
})

/** A log that has been cleaned before, long enough ago for its tombstones to go, and its disk. */
async function makeDirtyLog(seed: number, nameLoss: 'ordered' | 'perDirectory') {
  const world = makeWorld(seed, nameLoss)
  const compacted = new CompactedLog(world, { fileDeleteDelayMs: 0 })
  const disk = new CrashingDisk(world.disk)
  await compacted.open({ ...world.newContext(), disk })
  writeMixture(compacted, 16)
  compacted.log.roll()
  assert.ok(await compacted.clean())
  await world.simulation.pass(DELETE_RETENTION_MS)
  writeMixture(compacted, 10)
  compacted.log.roll()
  await world.simulation.run(() => compacted.log.flush())
  return { world, compacted, disk }
}

/** Cleans until the disk crashes, or to the end. */
async function cleanUntilCrash(world: World, compacted: CompactedLog): Promise<void> {
  const { simulation } = world
  try {
    await simulation.run(() => compacted.cleaner.cleanOnce())
    await simulation.pass(10)
  } catch (error) {
    if (!(error instanceof Crash)) throw error
  }
}

test('a crash at any change of the disk loses nothing', async () => {
  const rehearsal = await makeDirtyLog(1, 'ordered')
  const first = rehearsal.disk.changes
  await cleanUntilCrash(rehearsal.world, rehearsal.compacted)
  const count = rehearsal.disk.changes - first
  assert.ok(count > 40, `${count} changes`)
  for (let n = 0; n < count; n++) {
    for (const crash of ['kill', 'power'] as const) {
      const nameLoss = n % 2 === 0 ? 'ordered' : 'perDirectory'
      const { world, compacted, disk } = await makeDirtyLog(1, nameLoss)
      const cleanableEnd = compacted.cleanableEnd()
      const { checkpointPoint, logEndOffset } = compacted.log
      const producers = producersOf(compacted)
      disk.crashAt = disk.changes + n
      await cleanUntilCrash(world, compacted)
      assert.ok(disk.hasCrashed)
      compacted.noteCleaned(cleanableEnd)
      if (crash === 'kill') world.disk.killProcess()
      else world.disk.losePower()
      await compacted.open(world.newContext(), { recoveryPoint: checkpointPoint })
      const place = `crash ${n} (${crash})`
      assert.equal(compacted.log.logEndOffset, logEndOffset, place)
      await compacted.check(false)
      assert.deepEqual(producersOf(compacted), producers, place)
      const leftovers = world.disk
        .list(FOLDER)
        .filter((name) => /\.(cleaned|swap|deleted)$/.test(name))
      assert.deepEqual(leftovers, [], place)
      compacted.log.roll()
      assert.ok(await compacted.clean(), place)
      await compacted.check(true)
    }
  }
})
