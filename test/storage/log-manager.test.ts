/**
 * All logs of a broker: directories, checkpoints, deletion, failures, and who may have a folder.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWholeFile } from '../../src/common/disk.ts'
import { silentLogger } from '../../src/common/logger.ts'
import type { LogConfig } from '../../src/storage/log-config.ts'
import {
  type DirectoryFailure,
  LogManager,
  type LogManagerOptions,
} from '../../src/storage/log-manager.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { append, makeBatch, makeWorld, readAll, smallSegments, type World } from './log-harness.ts'

const OWNER = { clusterId: 'cluster', brokerId: 3 }
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg'

interface Managed {
  readonly manager: LogManager
  readonly failures: DirectoryFailure[]
}

function newManager(world: World, options: Partial<LogManagerOptions> = {}): Managed {
  const failures: DirectoryFailure[] = []
  const { clock, random } = world.simulation
  const manager = new LogManager({
    clock,
    random,
    disk: world.disk,
    logger: silentLogger,
    slabs: world.slabs,
    directories: ['/data/a', '/data/b'],
    configOf: () => smallSegments(),
    tailCacheBytes: 0,
    onDirectoryFailure: (failure) => failures.push(failure),
    ...options,
  })
  return { manager, failures }
}

async function start(world: World, options: Partial<LogManagerOptions> = {}): Promise<Managed> {
  const managed = newManager(world, options)
  await world.simulation.run(async () => {
    await managed.manager.claim()
    await managed.manager.load(OWNER)
    managed.manager.start()
  })
  return managed
}

function create(world: World, { manager }: Managed, topic: string, partition = 0, id = TOPIC_ID) {
  return world.simulation.run(() => manager.getOrCreate(topic, partition, id))
}

function fill(log: PartitionLog, batches: number): void {
  for (let index = 0; index < batches; index++) append(log, makeBatch({ count: 2, valueBytes: 90 }))
  log.commit()
  log.highWatermark = log.logEndOffset
}

test('logs spread over the directories and are found again after a clean stop', async () => {
  const world = makeWorld()
  const first = await start(world)
  for (let partition = 0; partition < 4; partition++) {
    fill(await create(world, first, 't', partition), 20 + partition)
  }
  const counts = first.manager.directories().map(({ logs }) => logs.length)
  assert.deepEqual(counts, [2, 2])
  first.manager.get('t', 1)!.deleteRecordsBefore(7)
  await world.simulation.run(() => first.manager.close())
  for (const directory of ['/data/a', '/data/b']) {
    assert.ok(world.disk.stat(`${directory}/.kafka_cleanshutdown`))
  }
  const second = await start(world)
  assert.equal(world.disk.stat('/data/a/.kafka_cleanshutdown'), undefined)
  for (let partition = 0; partition < 4; partition++) {
    const log = second.manager.get('t', partition)!
    assert.equal(log.logEndOffset, 40 + 2 * partition)
    assert.equal(log.recoveryPoint, log.logEndOffset)
    assert.equal(log.highWatermark, log.logEndOffset)
    assert.equal(log.topicId, TOPIC_ID)
  }
  assert.equal(second.manager.get('t', 1)!.logStartOffset, 7)
})

test('a log of an earlier topic of the same name is set aside', async () => {
  const world = makeWorld()
  const { disk } = world
  const first = await start(world, { directories: ['/data/a'] })
  fill(await create(world, first, 't', 0, OTHER_ID), 3)
  await world.simulation.run(() => first.manager.close())
  const second = await start(world, { directories: ['/data/b'] })
  fill(await create(world, second, 't', 0, TOPIC_ID), 5)
  await world.simulation.run(() => second.manager.close())
  const both = newManager(world)
  await world.simulation.run(async () => {
    await both.manager.claim()
    await both.manager.load(OWNER, new Map([['t', TOPIC_ID]]))
  })
  assert.equal(both.manager.get('t', 0)!.directory, '/data/b/t-0')
  assert.equal(both.manager.get('t', 0)!.logEndOffset, 10)
  const [stray] = disk.list('/data/a').filter((name) => /^t-0\.[0-9a-f]{32}-stray$/.test(name))
  assert.ok(stray, `${disk.list('/data/a')}`)
  assert.ok(disk.list(`/data/a/${stray}`).some((name) => name.endsWith('.log')))
})

test('a directory whose maker was killed at once is as safe as any other', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = makeWorld(seed, 'perDirectory')
    world.disk.makeDirectory('/data/a')
    world.disk.killProcess()
    await start(world, { directories: ['/data/a'] })
    world.disk.losePower()
    assert.ok(world.disk.stat('/data/a'), `seed ${seed}`)
  }
})

test('the files of a directory are what Kafka writes', async () => {
  const world = makeWorld()
  const managed = await start(world, { directories: ['/data/a'] })
  const log = await create(world, managed, 'orders', 5)
  fill(log, 20)
  log.deleteRecordsBefore(3)
  await world.simulation.run(() => managed.manager.close())
  const text = (name: string) => readWholeFile(world.disk, `/data/a/${name}`)?.toString()
  assert.equal(text('recovery-point-offset-checkpoint'), '0\n1\norders 5 40\n')
  assert.equal(text('log-start-offset-checkpoint'), '0\n1\norders 5 3\n')
  assert.equal(text('replication-offset-checkpoint'), '0\n1\norders 5 40\n')
  assert.equal(text('.kafka_cleanshutdown'), '{"version":0,"brokerEpoch":-1}')
  assert.equal(text('orders-5/partition.metadata'), `version: 0\ntopic_id: ${TOPIC_ID}\n`)
  const properties = text('meta.properties')!
  assert.match(properties, /^cluster\.id=cluster$/m)
  assert.match(properties, /^node\.id=3$/m)
  assert.match(properties, /^version=1$/m)
  assert.match(properties, /^directory\.id=[A-Za-z0-9_-]{22}$/m)
})

test('a directory of another cluster or broker is refused, and left as it is', async () => {
  const world = makeWorld()
  const write = (text: string) => {
    world.disk.makeDirectory('/data/a')
    const file = world.disk.open('/data/a/meta.properties', { create: true })
    file.truncate(0)
    file.writeSync([Buffer.from(text)], 0)
  }
  write('version=0\nbroker.id=3\ncluster.id=elsewhere\n')
  await assert.rejects(start(world), /belongs to the cluster elsewhere/)
  world.disk.killProcess()
  write('version=1\nnode.id=4\ncluster.id=cluster\n')
  await assert.rejects(start(world), /belongs to the broker 4/)
  world.disk.killProcess()
  write('#x\nversion=0\nbroker.id=3\ncluster.id=cluster\n')
  await start(world)
})

test('a directory that another broker has is not touched', async () => {
  const world = makeWorld()
  const first = await start(world)
  await assert.rejects(start(world, { directories: ['/data/c', '/data/b'] }), { code: 'LOCKED' })
  await world.simulation.run(() => first.manager.close())
  await start(world, { directories: ['/data/c', '/data/b'] })
})

test('a stop before the logs are loaded leaves no mark of a clean one', async () => {
  const world = makeWorld()
  const first = await start(world)
  fill(await create(world, first, 't'), 30)
  await world.simulation.run(() => first.manager.checkpointRecoveryPoints())
  const before = readWholeFile(world.disk, '/data/a/recovery-point-offset-checkpoint')
  world.disk.killProcess()
  const { manager } = newManager(world)
  await world.simulation.run(async () => {
    await manager.claim()
    await manager.close()
  })
  assert.equal(world.disk.stat('/data/a/.kafka_cleanshutdown'), undefined)
  assert.deepEqual(readWholeFile(world.disk, '/data/a/recovery-point-offset-checkpoint'), before)
})

test('a topic that is deleted and created again has nothing of the first', async () => {
  for (const nameLoss of ['ordered', 'perDirectory'] as const) {
    const world = makeWorld(7, nameLoss)
    const managed = await start(world)
    const old = await create(world, managed, 't')
    fill(old, 50)
    old.deleteRecordsBefore(60)
    await world.simulation.run(() => old.flush())
    await world.simulation.run(() => managed.manager.checkpointRecoveryPoints())
    await world.simulation.run(() => managed.manager.checkpointLogStartOffsets())
    await world.simulation.run(() => managed.manager.delete('t', 0))
    const log = await create(world, managed, 't', 0, OTHER_ID)
    assert.deepEqual([log.logStartOffset, log.logEndOffset], [0, 0])
    fill(log, 3)
    await world.simulation.run(() => log.flush())
    world.disk.losePower()
    const again = (await start(world)).manager.get('t', 0)!
    assert.deepEqual([again.logStartOffset, again.logEndOffset], [0, 6])
  }
})

test('a log found under the same name with another topic id is deleted first', async () => {
  const world = makeWorld()
  const managed = await start(world)
  fill(await create(world, managed, 't'), 5)
  const log = await create(world, managed, 't', 0, OTHER_ID)
  assert.equal(log.logEndOffset, 0)
  assert.equal(log.topicId, OTHER_ID)
  const names = [...world.disk.list('/data/a'), ...world.disk.list('/data/b')]
  assert.ok(names.some((name) => /^t-0\.[0-9a-f]{32}-delete$/.test(name)))
  await world.simulation.pass(61_000)
  const after = [...world.disk.list('/data/a'), ...world.disk.list('/data/b')]
  assert.ok(!after.some((name) => name.endsWith('-delete')))
})

test('a failing disk takes its directory offline, and only that', async () => {
  const world = makeWorld()
  const managed = await start(world)
  const logs = await Promise.all([0, 1].map((partition) => create(world, managed, 't', partition)))
  const [one, two] = logs as [PartitionLog, PartitionLog]
  fill(one, 2)
  fill(two, 2)
  append(one, makeBatch())
  world.disk.faults.writeError = 1
  assert.throws(() => one.commit(), { errorName: 'KAFKA_STORAGE_ERROR' })
  world.disk.faults.writeError = 0
  assert.equal(managed.failures.length, 1)
  assert.deepEqual(managed.failures[0]!.logs, [one])
  assert.equal(managed.failures[0]!.remaining, 1)
  fill(two, 2)
  assert.equal((await readAll(world, two)).length, 4)
  const online = managed.manager.directories().map(({ isOnline }) => isOnline)
  assert.deepEqual(online.sort(), [false, true])
  await world.simulation.run(() => managed.manager.close())
  const failed = managed.failures[0]!.path
  assert.equal(world.disk.stat(`${failed}/.kafka_cleanshutdown`), undefined)
  const again = await start(world)
  assert.equal(again.manager.get('t', one.partition)!.logEndOffset, 4)
  assert.equal(again.manager.get('t', two.partition)!.logEndOffset, 8)
})

test('a partition whose log is in an offline directory gets no other log', async () => {
  const world = makeWorld()
  const managed = await start(world)
  const log = await create(world, managed, 't')
  append(log, makeBatch())
  world.disk.faults.writeError = 1
  assert.throws(() => log.commit(), { errorName: 'KAFKA_STORAGE_ERROR' })
  world.disk.faults.writeError = 0
  const { manager } = managed
  const again = world.simulation.run(() => manager.getOrCreate('t', 0, TOPIC_ID, false))
  await assert.rejects(again, { errorName: 'KAFKA_STORAGE_ERROR' })
  const other = await world.simulation.run(() => manager.getOrCreate('new', 0, OTHER_ID, true))
  assert.notEqual(other.logDirectory, log.logDirectory)
})

test('a log that cannot be opened does not stop the others, and stays unclean', async () => {
  const world = makeWorld()
  const first = await start(world, { directories: ['/data/a'] })
  const broken = await create(world, first, 'broken')
  fill(broken, 3)
  broken.deleteRecordsBefore(2)
  fill(await create(world, first, 'sound'), 3)
  await world.simulation.run(() => first.manager.close())
  const path = '/data/a/broken-0/leader-epoch-checkpoint'
  const good = readWholeFile(world.disk, path)!
  world.disk.open(path).writeSync([Buffer.from('nonsense')], 0)
  const second = await start(world, { directories: ['/data/a'] })
  assert.equal(second.manager.get('broken', 0), undefined)
  assert.equal(second.manager.get('sound', 0)!.logEndOffset, 6)
  await world.simulation.run(() => second.manager.close())
  assert.equal(world.disk.stat('/data/a/.kafka_cleanshutdown'), undefined)
  world.disk.open(path).truncate(0)
  world.disk.open(path).writeSync([good], 0)
  const third = await start(world, { directories: ['/data/a'] })
  assert.equal(third.manager.get('broken', 0)!.logStartOffset, 2)
})

test('folders that are no logs are left alone', async () => {
  const world = makeWorld()
  for (const name of ['/data/a/metadata', '/data/a/lost+found', '/data/a/x-future-y']) {
    world.disk.makeDirectory(name)
  }
  const { manager } = await start(world)
  assert.deepEqual(manager.logs(), [])
  assert.ok(world.disk.stat('/data/a/metadata'))
})

test('retention runs by itself, and respects changed configuration', async () => {
  const world = makeWorld()
  let config: Partial<LogConfig> = { retentionMs: -1 }
  const managed = await start(world, {
    configOf: () => smallSegments(config),
    intervals: { retentionCheckMs: 1000, recoveryPointCheckpointMs: 500 },
  })
  const log = await create(world, managed, 't')
  fill(log, 40)
  await world.simulation.pass(3000)
  assert.equal(log.logStartOffset, 0)
  config = { retentionMs: -1, retentionBytes: 3000 }
  managed.manager.updateConfig('t')
  await world.simulation.pass(3000)
  assert.ok(log.logStartOffset > 0)
  world.disk.losePower()
  const again = (await start(world)).manager.get('t', 0)!
  assert.ok(again.logStartOffset >= log.logStartOffset)
  assert.ok((await readAll(world, again)).length > 0)
})
