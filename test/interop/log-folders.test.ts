/**
 * Folders change hands. What Apache Kafka wrote is served by our broker, which finds topics it has
 * no metadata of and takes their ids from `partition.metadata`; what our broker wrote is served by
 * Apache Kafka. "The same" is what a Java consumer can know of each record: offset, timestamp and
 * its type, leader epoch, key, value, headers, and which of them an aborted transaction hides.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, handToKafka, startBroker } from './harness/broker.ts'
import { run } from './harness/children.ts'
import { java } from './harness/clients.ts'
import { dumpPartitions } from './harness/dump-log.ts'
import { produceSamples, samples, sampleTopics } from './harness/samples.ts'
import { createTopics, deleteRecords, metadata, untilLed } from './harness/wire.ts'
import { createWorkspace, type Workspace } from './harness/workspace.ts'

const isolations = ['read_uncommitted', 'read_committed'] as const

interface Served {
  /** Every record of every topic, a line each, per isolation level. */
  records: Record<(typeof isolations)[number], string>
  /** The ids in partition.metadata, by partition folder. */
  topicIds: Record<string, string>
}

function topicIds(dataFolder: string, topics: string[]): Record<string, string> {
  const ids: Record<string, string> = {}
  for (const topic of topics) {
    const name = topic.split('=')[0]
    ids[`${name}`] = readFileSync(join(dataFolder, `${name}-0`, 'partition.metadata'), 'utf8')
  }
  return ids
}

/** Reads all that a broker serves of some topics (`name=partitions`). */
async function served(workspace: Workspace, broker: Broker, topics: string[]): Promise<Served> {
  for (const topic of topics) await untilLed(broker.port, topic.split('=')[0] ?? '', 0)
  const read = async (isolation: string): Promise<string> => {
    const path = workspace.path(`${isolation}.txt`)
    await java('RecordDump', [broker.address, isolation, path, ...topics])
    return readFileSync(path, 'utf8')
  }
  return {
    records: {
      read_uncommitted: await read('read_uncommitted'),
      read_committed: await read('read_committed'),
    },
    topicIds: topicIds(broker.dataFolder, topics),
  }
}

/** Compares two readings line by line: a diff of 100,000 lines helps nobody. */
function assertSame(actual: Served, expected: Served): void {
  for (const isolation of isolations) {
    const lines = actual.records[isolation].split('\n')
    const wanted = expected.records[isolation].split('\n')
    const at = wanted.findIndex((line, index) => line !== lines[index])
    if (at >= 0) assert.equal(lines[at], wanted[at], `${isolation}, line ${at + 1}`)
    assert.equal(lines.length, wanted.length, isolation)
  }
  assert.deepEqual(actual.topicIds, expected.topicIds)
}

async function copyFolder(workspace: Workspace, from: string, to: string): Promise<void> {
  // Index files of a running Kafka are 10 MiB of nothing each: the copy leaves the holes out.
  const args = ['-a', '--sparse=always', from, to]
  await run('cp', args, { errorPath: workspace.path('cp.log') })
}

/** Appends to every sample topic, which also begins a new leader epoch's records. */
async function append(broker: Broker): Promise<void> {
  for (const sample of samples) await untilLed(broker.port, sample.name, 0)
  const topics = samples.flatMap((sample) => [
    ...[sample.name, String(sample.partitions), sample.codec, '0.2'],
  ])
  await java('SampleTopics', [broker.address, 'plain', ...topics])
}

interface KafkaFolders {
  topics: string[]
  crashed: string
  clean: string
  served: Served
}

/** Runs Apache Kafka twice over a folder, for two leader epochs, and keeps it in two states. */
async function writeByKafka(workspace: Workspace): Promise<KafkaFolders> {
  const dataFolder = workspace.path('kafka')
  const options = {
    target: 'kafka',
    dataFolder,
    configs: {
      'transaction.state.log.num.partitions': '1',
      'log.flush.start.offset.checkpoint.interval.ms': '200',
    },
  } as const
  const first = await startBroker(workspace, options)
  await produceSamples(first)
  await createTopics(first.port, [{ name: 'transactions', partitions: 2 }])
  await java('SampleTopics', [first.address, 'transactions', 'transactions'])
  await first.stop()
  const second = await startBroker(workspace, options)
  await append(second)
  await deleteRecords(second.port, 'sample-none', 0, 1234)
  const topics = [...sampleTopics, 'transactions=2']
  const seen = await served(workspace, second, topics)
  const starts = join(dataFolder, 'log-start-offset-checkpoint')
  while (!readFileSync(starts, 'utf8').includes('sample-none 0 1234')) await sleep(50)
  await second.kill()
  const crashed = workspace.path('kafka-crashed')
  await copyFolder(workspace, dataFolder, crashed)
  const third = await startBroker(workspace, options)
  await untilLed(third.port, 'transactions', 1)
  await third.stop()
  return { topics, crashed, clean: dataFolder, served: seen }
}

/** What is known of the sample itself, so that an empty reading does not pass for an equal one. */
function assertMeaningful({ records }: Served): void {
  const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
  const all = records.read_uncommitted
  assert.equal(count(all, /^sample-none-0 from 1234 to /gm), 1)
  // Apache Kafka raises a partition's leader epoch by two over a shutdown and a start.
  assert.ok(count(all, / epoch 2 /g) > 100, 'records of the second leader epoch')
  assert.ok(count(all, /^append-time-0 \d+ LogAppendTime /gm) > 100, 'records with append time')
  assert.equal(count(all, /^transactions-\d \d+ /gm), 4000)
  const committed = count(records.read_committed, /^transactions-\d \d+ /gm)
  assert.ok(committed > 1000 && committed < 3000, `${committed} committed records`)
}

test('folders change hands', { timeout: 400_000 }, async (t: TestContext) => {
  const workspace = createWorkspace(t)
  const kafka = await writeByKafka(workspace)
  assertMeaningful(kafka.served)

  await t.test('a folder that Kafka left in a crash is served', async () => {
    const broker = await startBroker(workspace, { dataFolder: kafka.crashed })
    assertSame(await served(workspace, broker, kafka.topics), kafka.served)
    await broker.stop()
  })

  await t.test('a folder that Kafka shut down is served, and can be written to', async () => {
    const broker = await startBroker(workspace, { dataFolder: kafka.clean })
    assertSame(await served(workspace, broker, kafka.topics), kafka.served)
    const names = (await metadata(broker.port)).map((topic) => topic.name)
    assert.ok(!names.includes('__cluster_metadata'), "KRaft's own log is no topic")
    await append(broker)
    const grown = await served(workspace, broker, kafka.topics)
    await broker.stop()

    const to = workspace.path('kafka-again')
    await handToKafka(workspace, kafka.clean, to)
    const again = await startBroker(workspace, { target: 'kafka', dataFolder: to })
    assertSame(await served(workspace, again, kafka.topics), grown)
    await again.stop()
  })

  await t.test('a folder of ours is served by Kafka, and dumps well afterwards', async () => {
    const dataFolder = workspace.path('ours')
    const broker = await startBroker(workspace, { dataFolder })
    await produceSamples(broker)
    const seen = await served(workspace, broker, sampleTopics)
    await broker.stop()

    const to = workspace.path('ours-at-kafka')
    await handToKafka(workspace, dataFolder, to)
    const heir = await startBroker(workspace, { target: 'kafka', dataFolder: to })
    assertSame(await served(workspace, heir, sampleTopics), seen)
    await append(heir)
    await heir.stop()
    await dumpPartitions(to, ['sample-gzip-0', 'sample-none-1', 'append-time-0'])
  })
})
