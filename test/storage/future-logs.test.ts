/** Logs that move from one directory to another while they are in use, and crashes meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventLoopTurn } from '../../sim/event-loop.ts'
import { silentLogger } from '../../src/common/logger.ts'
import type { LogExchange } from '../../src/storage/future-logs.ts'
import { LogManager } from '../../src/storage/log-manager.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { append, makeBatch, makeWorld, readAll, smallSegments, type World } from './log-harness.ts'

const OWNER = { clusterId: 'cluster', brokerId: 3 }
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const [A, B] = ['/data/a', '/data/b']

async function start(world: World): Promise<LogManager> {
  const { clock, random } = world.simulation
  const manager = new LogManager({
    ...{ clock, random, disk: world.disk, slabs: world.slabs, logger: silentLogger },
    directories: [A, B],
    configOf: () => smallSegments(),
    tailCacheBytes: 0,
  })
  await world.simulation.run(async () => {
    await manager.claim()
    await manager.load(OWNER)
    manager.start()
  })
  return manager
}

/** A partition that knows one thing: whether it takes appends. */
class Writer {
  log: PartitionLog
  isStopped = false

  constructor(log: PartitionLog) {
    this.log = log
  }

  readonly exchange: LogExchange = async (makeLog) => {
    this.isStopped = true
    this.log = await makeLog()
    this.isStopped = false
  }

  write(batches: number): void {
    if (this.isStopped) return
    for (let index = 0; index < batches; index++) {
      append(this.log, makeBatch({ count: 2, valueBytes: 90 }))
    }
    this.log.commit()
    this.log.highWatermark = this.log.logEndOffset
  }
}

async function filled(world: World): Promise<{ manager: LogManager; writer: Writer }> {
  const manager = await start(world)
  const log = await world.simulation.run(() => manager.getOrCreate('t', 0, TOPIC_ID))
  const writer = new Writer(log)
  writer.write(40)
  log.deleteRecordsBefore(13)
  return { manager, writer }
}

const folders = (world: World, directory: string) =>
  world.disk.list(directory).filter((name) => name.startsWith('t-0'))

test('a log that is written to moves with all it has, and what was deleted stays so', async () => {
  const world = makeWorld()
  const { manager, writer } = await filled(world)
  const { directory } = writer.log
  const target = directory === `${A}/t-0` ? B : A
  let sawFuture = false
  await world.simulation.run(() => manager.move('t', 0, target, writer.exchange))
  while (writer.log.directory === directory) {
    writer.write(1)
    const { futureLogs } = manager.directories().find(({ path }) => path === target)!
    sawFuture ||= futureLogs.some(({ lag }) => lag > 0)
    await world.simulation.step()
  }
  assert.ok(sawFuture)
  writer.write(3)
  const { logEndOffset, highWatermark } = writer.log
  assert.ok(logEndOffset > 86)
  assert.equal(writer.log.logStartOffset, 13)
  const offsets = (await readAll(world, writer.log, 13)).map(({ header }) => header.baseOffset)
  assert.deepEqual(
    offsets,
    Array.from({ length: offsets.length }, (_, index) => 12 + 2 * index),
  )
  assert.equal(offsets.at(-1), logEndOffset - 2)
  assert.equal(manager.get('t', 0), writer.log)
  await world.simulation.pass(100_000)
  assert.deepEqual([...folders(world, A), ...folders(world, B)], ['t-0'])
  await world.simulation.run(() => manager.close())
  const again = (await start(world)).get('t', 0)!
  assert.equal(again.directory, `${target}/t-0`)
  assert.deepEqual([again.logStartOffset, again.logEndOffset], [13, logEndOffset])
  assert.deepEqual([again.highWatermark, again.topicId], [highWatermark, TOPIC_ID])
})

test('a move back, a second target, and the end of the topic give a move up', async () => {
  const world = makeWorld()
  const { manager, writer } = await filled(world)
  const { logDirectory } = writer.log
  const target = logDirectory === A ? B : A
  const move = (path: string) =>
    world.simulation.run(() => manager.move('t', 0, path, writer.exchange))
  await move(target)
  await move(target)
  assert.equal(folders(world, target).length, 1)
  await move(logDirectory)
  await world.simulation.pass(1000)
  assert.equal(writer.log.logDirectory, logDirectory)
  assert.deepEqual(folders(world, target), [])
  await move(target)
  await world.simulation.run(() => manager.delete('t', 0))
  await world.simulation.pass(100_000)
  assert.deepEqual([...folders(world, A), ...folders(world, B)], [])
  const errorOf = (path: string) => move(path).then(String, (error) => error.errorName)
  assert.equal(await errorOf('/data/c'), 'LOG_DIR_NOT_FOUND')
  assert.equal(await errorOf(B), 'UNKNOWN_TOPIC_OR_PARTITION')
})

for (const crash of ['kill', 'power'] as const) {
  test(`a crash (${crash}) during a move leaves one log, with all that was durable`, async () => {
    let isOver = false
    for (let steps = 0; !isOver; steps += 1) {
      const world = makeWorld(steps, steps % 2 === 0 ? 'ordered' : 'perDirectory')
      const { manager, writer } = await filled(world)
      await world.simulation.run(() => writer.log.flush())
      const source = writer.log
      let durable = source.logEndOffset
      const target = source.logDirectory === A ? B : A
      await world.simulation.run(() => manager.move('t', 0, target, writer.exchange))
      for (let step = 0; step < steps; step++) {
        writer.write(step % 3 === 0 ? 1 : 0)
        await world.simulation.step()
        await eventLoopTurn()
      }
      isOver = folders(world, source.logDirectory).length === 0
      durable = Math.max(durable, crash === 'kill' ? writer.log.logEndOffset : 0)
      if (crash === 'kill') world.disk.killProcess()
      else world.disk.losePower()
      const after = await start(world)
      const log = after.get('t', 0)
      assert.ok(log !== undefined, `no log after ${steps} steps`)
      assert.ok(log.logEndOffset >= durable, `${steps} steps: ${log.logEndOffset} < ${durable}`)
      assert.equal(log.topicId, TOPIC_ID)
      const batches = await readAll(world, log, Math.max(log.logStartOffset, 13))
      assert.equal(batches[0]!.header.baseOffset, 12)
      assert.equal(batches.at(-1)!.header.baseOffset, log.logEndOffset - 2)
      await world.simulation.pass(100_000)
      const left = [...folders(world, A), ...folders(world, B)]
      assert.equal(left.filter((name) => !name.endsWith('-stray')).length, 1, `${left}`)
      await world.simulation.run(() => after.close())
    }
  })
}
