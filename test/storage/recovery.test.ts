/** What a log looks like after a stop that was not a clean one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWholeFile } from '../../src/common/disk.ts'
import { segmentFile } from '../../src/storage/file-names.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { append, makeBatch, makeWorld, openLog, readAll, type World } from './log-harness.ts'

const FOLDER = '/data/t-0'

/** Three batches of 2, 3 and 4 records, in one segment, the process killed. */
async function makeThreeBatches(world: World): Promise<Buffer[]> {
  const log = await openLog(world, world.newContext())
  const batches = [2, 3, 4].map((count) => makeBatch({ count, producerId: 7, ...sequence(count) }))
  for (const batch of batches) append(log, batch)
  log.commit()
  world.disk.killProcess()
  return batches
}

function sequence(count: number) {
  return { producerEpoch: 0, baseSequence: count === 2 ? 0 : count === 3 ? 2 : 5 }
}

async function reopen(world: World, options = {}): Promise<PartitionLog> {
  return openLog(world, world.newContext(), options)
}

test('a log torn at any byte is cut at the last whole batch, and goes on from there', async () => {
  const world = makeWorld()
  const batches = await makeThreeBatches(world)
  const path = segmentFile(FOLDER, 0, '.log')
  const whole = readWholeFile(world.disk, path)!
  const ends = [batches[0]!.length, batches[0]!.length + batches[1]!.length, whole.length]
  for (let size = 0; size <= whole.length; size++) {
    const file = world.disk.open(path)
    file.writeSync([whole], 0)
    file.truncate(size)
    const log = await reopen(world)
    const kept = ends.filter((end) => end <= size).length
    assert.equal(log.logEndOffset, [0, 2, 5, 9][kept], `cut at byte ${size}`)
    assert.equal(world.disk.stat(path)!.size, [0, ...ends][kept])
    assert.equal((await readAll(world, log)).length, kept)
    const next = makeBatch({ producerId: 7, producerEpoch: 0, baseSequence: [0, 2, 5, 9][kept]! })
    assert.equal(append(log, next).firstOffset, [0, 2, 5, 9][kept])
    log.commit()
    world.disk.killProcess()
  }
})

test('a flipped bit anywhere under the CRC cuts the log before its batch', async () => {
  const world = makeWorld()
  const batches = await makeThreeBatches(world)
  const path = segmentFile(FOLDER, 0, '.log')
  const whole = readWholeFile(world.disk, path)!
  const second = { start: batches[0]!.length, end: batches[0]!.length + batches[1]!.length }
  for (let at = second.start + 16; at < second.end; at++) {
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 1 << (at % 8)
    world.disk.open(path).writeSync([damaged], 0)
    const log = await reopen(world)
    assert.equal(log.logEndOffset, 2, `damaged at byte ${at}`)
    world.disk.killProcess()
  }
})

/** A log of several segments, killed after everything was flushed up to `flushed`. */
async function makeSegments(world: World): Promise<PartitionLog> {
  const log = await openLog(world, world.newContext())
  for (let index = 0; index < 40; index++) {
    append(log, makeBatch({ count: 3, valueBytes: 60, timestamps: [index * 10, 5, 7] }))
    log.commit()
  }
  assert.ok(log.segmentCount > 3)
  return log
}

test('damage in one unflushed segment removes the segments after it', async () => {
  const world = makeWorld()
  const log = await makeSegments(world)
  const { length } = await readAll(world, log)
  world.disk.killProcess()
  const bases = segmentBases(world)
  const damaged = segmentFile(FOLDER, bases[1]!, '.log')
  world.disk.open(damaged).writeSync([Buffer.from([0xff])], 70)
  const recovered = await reopen(world)
  assert.equal(recovered.logEndOffset, bases[1])
  assert.deepEqual(segmentBases(world), bases.slice(0, 2))
  assert.equal((await readAll(world, recovered)).length, bases[1]! / 3)
  assert.ok(length > bases[1]! / 3)
})

test('what was cut does not come back with the next power cut', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = makeWorld(seed)
    const [first] = await makeThreeBatches(world)
    const path = segmentFile(FOLDER, 0, '.log')
    world.disk.open(path).writeSync([Buffer.from([0xff])], first!.length + 70)
    world.disk.settle()
    assert.equal((await reopen(world)).logEndOffset, 2)
    world.disk.losePower()
    assert.equal(world.disk.stat(path)!.size, first!.length)
  }
})

test('the checkpoint does not vouch for a segment whose indexes are not durable', async () => {
  const world = makeWorld()
  const log = await openLog(world, world.newContext())
  append(log, makeBatch({ count: 3 }))
  log.commit()
  await world.simulation.run(() => log.flush())
  log.roll()
  assert.equal(log.recoveryPoint, 3)
  assert.equal(log.checkpointPoint, 0)
  await world.simulation.pass(1000)
  assert.equal(log.checkpointPoint, 3)
})

test('a missing unflushed segment ends the log, rather than leaving a hole in it', async () => {
  const world = makeWorld()
  await makeSegments(world)
  world.disk.killProcess()
  const bases = segmentBases(world)
  world.disk.remove(segmentFile(FOLDER, bases[2]!, '.log'))
  const recovered = await reopen(world)
  assert.equal(recovered.logEndOffset, bases[2])
})

test('indexes that are missing, misshapen or of zeros are rebuilt as they were', async () => {
  const world = makeWorld()
  const log = await makeSegments(world)
  await world.simulation.run(() => log.close())
  const files = world.disk.list(FOLDER).filter((name) => /\.(index|timeindex)$/.test(name))
  const intact = new Map(
    files.map((name) => [name, readWholeFile(world.disk, `${FOLDER}/${name}`)!]),
  )
  const damages: ((path: string) => void)[] = [
    (path) => world.disk.remove(path),
    (path) => world.disk.open(path).truncate(5),
    (path) => world.disk.open(path).writeSync([Buffer.alloc(240)], 0),
  ]
  for (const damage of damages) {
    for (const name of files) damage(`${FOLDER}/${name}`)
    const again = await reopen(world, { hadCleanShutdown: true })
    await world.simulation.run(() => again.close())
    for (const [name, bytes] of intact) {
      assert.deepEqual(readWholeFile(world.disk, `${FOLDER}/${name}`), bytes, name)
    }
  }
})

test('what a cleaner or a deletion left behind is settled', async () => {
  const world = makeWorld()
  await makeThreeBatches(world)
  const leftovers = [
    '00000000000000000000.log.deleted',
    '00000000000000000005.log.cleaned',
    '00000000000000000005.index.cleaned',
    '00000000000000000009.log.swap',
    '00000000000000000077.index',
    '00000000000000000077.timeindex',
  ]
  for (const name of leftovers) world.disk.open(`${FOLDER}/${name}`, { create: true })
  const log = await reopen(world)
  assert.equal(log.logEndOffset, 9)
  for (const name of leftovers) assert.equal(world.disk.stat(`${FOLDER}/${name}`), undefined, name)
})

test('a complete swapped-in segment replaces the segments it was made from', async () => {
  const world = makeWorld()
  await makeThreeBatches(world)
  const path = segmentFile(FOLDER, 0, '.log')
  const whole = readWholeFile(world.disk, path)!
  // The cleaner kept the first and the last batch.
  const lengths = [whole.readInt32BE(8) + 12]
  lengths.push(whole.readInt32BE(lengths[0]! + 8) + 12)
  const cleaned = [whole.subarray(0, lengths[0]), whole.subarray(lengths[0]! + lengths[1]!)]
  world.disk.open(`${path}.swap`, { create: true }).writeSync(cleaned, 0)
  const log = await reopen(world, { config: { cleanupPolicy: ['compact'] } })
  assert.equal(log.logEndOffset, 9)
  const offsets = (await readAll(world, log)).map(({ header }) => header.baseOffset)
  assert.deepEqual(offsets, [0, 5])
})

test('a log in an old message format is not opened, and not destroyed', async () => {
  const world = makeWorld()
  await makeThreeBatches(world)
  const path = segmentFile(FOLDER, 0, '.log')
  world.disk.open(path).writeSync([Buffer.from([1])], 16)
  const before = readWholeFile(world.disk, path)
  await assert.rejects(reopen(world), /message format v1, which is not supported/)
  assert.deepEqual(readWholeFile(world.disk, path), before)
})

test('a log that ends before its start begins again, empty, at its start', async () => {
  const world = makeWorld()
  await makeThreeBatches(world)
  const log = await reopen(world, { logStartOffset: 100 })
  assert.deepEqual([log.logStartOffset, log.logEndOffset], [100, 100])
  assert.equal(append(log, makeBatch()).firstOffset, 100)
})

function segmentBases(world: World): number[] {
  return world.disk
    .list(FOLDER)
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number.parseInt(name, 10))
}
