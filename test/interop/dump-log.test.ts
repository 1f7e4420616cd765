/**
 * Apache Kafka's DumpLogSegments reads what the broker wrote: logs with deep iteration, offset and
 * time indexes against the log, producer snapshots. Once after a clean shutdown, and again after a
 * crash, when recovery has rebuilt indexes and snapshots. And it reads what the log cleaner leaves:
 * batches without records, delete horizons, transaction markers, indexes of what is not there.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readWholeFile } from '../../src/common/disk.ts'
import { CompactedLog, DELETE_RETENTION_MS, writeMixture } from '../storage/compacted-log.ts'
import { makeWorld, type World } from '../storage/log-harness.ts'
import { type Broker, startBroker } from './harness/broker.ts'
import { java } from './harness/clients.ts'
import { dumpPartitions } from './harness/dump-log.ts'
import { produceSamples, samples } from './harness/samples.ts'
import { createTopics, EARLIEST, listOffset, untilLed } from './harness/wire.ts'
import { createWorkspace } from './harness/workspace.ts'

const partitions = samples.flatMap((sample) =>
  Array.from({ length: sample.partitions }, (_, index) => ({ sample, index })),
)

/** Records per partition, as the running broker reports them. */
async function recordCounts(broker: Broker): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { sample, index } of partitions) {
    const end = await untilLed(broker.port, sample.name, index)
    const start = await listOffset(broker.port, sample.name, index, EARLIEST)
    assert.equal(start.error, 0)
    counts.set(`${sample.name}-${index}`, end - start.offset)
  }
  return counts
}

async function assertDumps(dataFolder: string, counts: Map<string, number>): Promise<void> {
  const all = await dumpPartitions(dataFolder, [...counts.keys()])
  for (const { sample, index } of partitions) {
    const partition = `${sample.name}-${index}`
    const dumped = all.get(partition)
    assert.ok(dumped)
    assert.equal(dumped.records, counts.get(partition), partition)
    if (sample.megabytes === 0) continue
    assert.ok(dumped.records > 100, `${partition}: ${dumped.records} records`)
    assert.ok(dumped.indexEntries > 5, `${partition}: ${dumped.indexEntries} index entries`)
    assert.ok(dumped.timeIndexEntries > 0, `${partition}: no time index entry`)
    assert.ok(dumped.producers > 0, `${partition}: no producer in any snapshot`)
    if (sample.codec === 'none' && 'segment.bytes' in sample.configs) {
      assert.ok(dumped.segments > 2, `${partition}: ${dumped.segments} segments`)
    }
  }
}

/** A checkpoint file: a version, a count, and as many lines. */
function checkpoint(...path: string[]): string[] {
  const [version, count, ...lines] = readFileSync(join(...path), 'utf8')
    .trimEnd()
    .split('\n')
  assert.equal(version, '0', path.join('/'))
  assert.equal(lines.length, Number(count), path.join('/'))
  return lines
}

/** The files beside the segments, which DumpLogSegments does not read. */
function assertCheckpoints(dataFolder: string, counts: Map<string, number>): void {
  const recoveryPoints = checkpoint(dataFolder, 'recovery-point-offset-checkpoint')
  for (const { sample, index } of partitions) {
    const partition = `${sample.name}-${index}`
    const end = counts.get(partition)
    assert.ok(
      recoveryPoints.includes(`${sample.name} ${index} ${end}`),
      `the recovery point of ${partition} is not its end, ${end}: ${recoveryPoints.join(', ')}`,
    )
    if (sample.megabytes > 0) {
      const [first] = checkpoint(dataFolder, partition, 'leader-epoch-checkpoint')
      assert.match(first ?? '', /^\d+ 0$/, `${partition}: the first leader epoch starts at 0`)
    }
    const metadata = readFileSync(join(dataFolder, partition, 'partition.metadata'), 'utf8')
    assert.match(metadata, /^version: 0\ntopic_id: [\w-]{22}\n?$/)
  }
  assert.ok(existsSync(join(dataFolder, '.kafka_cleanshutdown')), 'no clean-shutdown marker')
  const properties = readFileSync(join(dataFolder, 'meta.properties'), 'utf8')
  assert.match(properties, /^cluster\.id=[\w-]{22}$/m)
}

test('DumpLogSegments reads what the broker wrote', { timeout: 300_000 }, async (t) => {
  const workspace = createWorkspace(t)
  const dataFolder = workspace.path('data')
  let counts = new Map<string, number>()

  await t.test('after a clean shutdown', async () => {
    const broker = await startBroker(workspace, { dataFolder })
    await produceSamples(broker)
    counts = await recordCounts(broker)
    await broker.stop()
    await assertDumps(dataFolder, counts)
    assertCheckpoints(dataFolder, counts)
  })

  await t.test('after a crash and its recovery', async () => {
    const crashing = await startBroker(workspace, { dataFolder })
    assert.deepEqual(await recordCounts(crashing), counts)
    await crashing.kill()
    const recovered = await startBroker(workspace, { dataFolder })
    assert.deepEqual(await recordCounts(recovered), counts)
    await recovered.stop()
    await assertDumps(dataFolder, counts)
    assertCheckpoints(dataFolder, counts)
  })
})

/** Copies the log's folder from the simulated disk to a real one. */
function copyFolder(world: World, from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of world.disk.list(from)) {
    writeFileSync(join(to, name), readWholeFile(world.disk, `${from}/${name}`)!)
  }
}

test('DumpLogSegments reads what the log cleaner has left', { timeout: 120_000 }, async (t) => {
  const workspace = createWorkspace(t)
  const world = makeWorld()
  const compacted = new CompactedLog(world, { segmentBytes: 4000, indexIntervalBytes: 100 })
  await compacted.open()
  // In the second round tombstones and markers have their horizon, in the third it has passed.
  for (let round = 0; round < 3; round++) {
    writeMixture(compacted, 60)
    compacted.log.roll()
    assert.ok(await compacted.clean())
    await compacted.check(true)
    await world.simulation.pass(DELETE_RETENTION_MS)
    const folder = workspace.path(`round-${round}`)
    copyFolder(world, '/data/t-0', join(folder, 't-0'))
    const dumped = (await dumpPartitions(folder, ['t-0'], { areCompacted: true })).get('t-0')!
    assert.equal(dumped.records, await compacted.countRecords())
    assert.ok(dumped.segments > 2 && dumped.indexEntries > 10 && dumped.timeIndexEntries > 2)
    assert.ok(dumped.producers > 0 && dumped.abortedTransactions > 0)
  }
})

test('a topic is compacted while the broker runs', { timeout: 120_000 }, async (t) => {
  const workspace = createWorkspace(t)
  const dataFolder = workspace.path('data')
  const configs = { 'log.cleaner.backoff.ms': '100' }
  const broker = await startBroker(workspace, { dataFolder, configs })
  const topic = {
    'cleanup.policy': 'compact',
    'segment.bytes': '1048576',
    'min.cleanable.dirty.ratio': '0.01',
  }
  await createTopics(broker.port, [{ name: 'compacted', configs: topic }])
  const written = Number(await java('CompactedTopic', [broker.address, 'compacted', 'write']))
  const cleaned = (): number => {
    const path = join(dataFolder, 'cleaner-offset-checkpoint')
    if (!existsSync(path)) return 0
    const line = checkpoint(path).find((entry) => entry.startsWith('compacted 0 '))
    return Number(line?.split(' ')[2] ?? 0)
  }
  const limit = Date.now() + 30_000
  while (cleaned() < written / 2) {
    assert.ok(Date.now() < limit, `compacted up to ${cleaned()} of ${written}`)
    await sleep(100)
  }
  const read = Number(await java('CompactedTopic', [broker.address, 'compacted', 'verify']))
  assert.ok(read < written - cleaned() / 2, `${read} of ${written} records are left`)
  await broker.stop()
  const all = await dumpPartitions(dataFolder, ['compacted-0'], { areCompacted: true })
  assert.equal(all.get('compacted-0')!.records, read)
})
