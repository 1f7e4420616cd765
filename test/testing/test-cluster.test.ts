import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  Admin,
  ConfigError,
  IllegalStateError,
  jsonDeserializer,
  Producer,
  TimeoutError,
} from '../../src/clients/index.ts'
import { TestCluster } from '../../src/testing/index.ts'
import { valuesOf } from './support.ts'

// Other tests make temporary folders too, and may do so now.
const scratch = mkdtempSync(join(tmpdir(), 'samsa-test-'))
process.env.TMPDIR = scratch
after(() => rmSync(scratch, { recursive: true }))

test('a cluster has its topics, with their settings, when it has started', async () => {
  await using kafka = await TestCluster.start({
    topics: { orders: { partitions: 3 }, state: { configs: { 'cleanup.policy': 'compact' } } },
    config: { 'message.max.bytes': 5000 },
    clusterId: 'a-cluster-of-my-own-ok',
  })
  await using admin = new Admin({ bootstrapServers: kafka.bootstrapServers })
  const topics = await admin.listTopics()
  assert.deepEqual(
    topics.map(({ name, partitions }) => [name, partitions.length]),
    [
      ['orders', 3],
      ['state', 1],
    ],
  )
  const resources = [
    { type: 'topic' as const, name: 'state', keys: ['cleanup.policy', 'max.message.bytes'] },
  ]
  const described = await admin.describeConfigs(resources)
  const entries = described.get('topic state')!.map(({ name, value }) => [name, value])
  assert.deepEqual(Object.fromEntries(entries), {
    'cleanup.policy': 'compact',
    'max.message.bytes': '5000',
  })
  assert.equal((await admin.describeCluster()).clusterId, 'a-cluster-of-my-own-ok')
  assert.equal(kafka.clusterId, 'a-cluster-of-my-own-ok')
})

test('what is produced is read, of all partitions and in order', async () => {
  await using kafka = await TestCluster.start({ topics: { orders: { partitions: 2 } } })
  const headers = { trace: 'abc' }
  const placed = await kafka.produce('orders', [
    { partition: 1, key: 'k', value: { total: 3 }, headers, timestamp: 12 },
    { partition: 0, value: 'first' },
    { partition: 0, value: Buffer.from('second'), key: Buffer.from('b') },
    { partition: 0, key: 'gone', value: null },
  ])
  assert.deepEqual(
    placed.map(({ partition, offset }) => [partition, offset]),
    [
      [1, 0],
      [0, 0],
      [0, 1],
      [0, 2],
    ],
  )
  const read = await kafka.readTopic('orders')
  assert.deepEqual(
    read.map(({ partition, offset, key, value }) => [partition, offset, key, value]),
    [
      [0, 0, null, 'first'],
      [0, 1, 'b', 'second'],
      [0, 2, 'gone', null],
      [1, 0, 'k', '{"total":3}'],
    ],
  )
  assert.equal(read[3]!.timestamp, 12)
  assert.deepEqual(read[3]!.headers, [{ key: 'trace', value: Buffer.from('abc') }])
  const deserializers = { value: jsonDeserializer<{ total: number }>() }
  await kafka.createTopics({ totals: {} })
  await kafka.produce('totals', [{ value: { total: 1 } }, { value: { total: 2 } }])
  const totals = await kafka.readTopic('totals', { deserializers })
  assert.deepEqual(
    totals.map(({ value }) => value?.total),
    [1, 2],
  )
  await assert.rejects(kafka.readTopic('missing'), { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('more than one fetch, and records that were deleted, are no obstacle', async () => {
  await using kafka = await TestCluster.start({ topics: { large: {} } })
  const large = Array.from({ length: 60 }, (_, index) => `${index} ${'x'.repeat(100_000)}`)
  await kafka.produce('large', large)
  await kafka.admin.deleteRecords([{ topic: 'large', partition: 0, beforeOffset: 7 }])
  assert.deepEqual(await valuesOf(kafka, 'large'), large.slice(7))
})

test('what was aborted is left out, and so is what may still be', async () => {
  await using kafka = await TestCluster.start({ topics: { t: {} } })
  const config = { bootstrapServers: kafka.bootstrapServers, lingerMs: 0 }
  await using aborting = new Producer({ ...config, transactionalId: 'aborting' })
  await using committing = new Producer({ ...config, transactionalId: 'committing' })
  for (const producer of [aborting, committing]) {
    await producer.initTransactions()
    producer.beginTransaction()
  }
  await committing.send({ topic: 't', value: 'committed 1' })
  await aborting.send({ topic: 't', value: 'aborted' })
  await kafka.produce('t', ['plain'])
  await committing.send({ topic: 't', value: 'committed 2' })
  await committing.commitTransaction()
  assert.deepEqual(await valuesOf(kafka, 't'), ['committed 1'])
  await aborting.abortTransaction()
  assert.deepEqual(await valuesOf(kafka, 't'), ['committed 1', 'plain', 'committed 2'])
  const all = await kafka.readTopic('t', { isolationLevel: 'read_uncommitted' })
  assert.equal(all.length, 4)
})

test('topics that nobody made are made, unless that is switched off', async () => {
  await using lenient = await TestCluster.start()
  await lenient.produce('new', ['a'])
  assert.deepEqual(await valuesOf(lenient, 'new'), ['a'])
  await using strict = await TestCluster.start({ autoCreateTopics: false })
  const unknown = { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' }
  await assert.rejects(strict.produce('new', ['a']), unknown)
  await assert.rejects(strict.admin.describeTopics(['new']), unknown)
})

test('the wait for a group says what is missing', async () => {
  await using kafka = await TestCluster.start({ topics: { t: { partitions: 2 } } })
  await assert.rejects(kafka.waitForGroup('g', { timeoutMs: 1 }), (error) => {
    return error instanceof TimeoutError && /Group g does not exist/.test(error.message)
  })
  await kafka.produce('t', [
    { partition: 0, value: 'a' },
    { partition: 0, value: 'b' },
  ])
  await kafka.admin.alterGroupOffsets('g', [{ topic: 't', partition: 0, offset: 1 }])
  await assert.rejects(
    kafka.waitForGroup('g', { caughtUp: true, timeoutMs: 1 }),
    /is at offset 1 of t-0, with records behind it/,
  )
  await assert.rejects(kafka.waitForGroup('g', { timeoutMs: 1 }), /is Empty, not Stable/)
  await assert.rejects(kafka.waitForGroup('g', { members: 2, timeoutMs: 1 }), /has 0 members/)
  const waiting = kafka.waitForGroup('g', { caughtUp: true, state: 'Empty' })
  await kafka.admin.alterGroupOffsets('g', [{ topic: 't', partition: 0, offset: 2 }])
  assert.equal((await waiting).groupId, 'g')
})

test('a group has caught up though a marker of a transaction is behind its offset', async () => {
  await using kafka = await TestCluster.start({ topics: { t: {} } })
  const config = { bootstrapServers: kafka.bootstrapServers, transactionalId: 'x' }
  await using producer = new Producer(config)
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send({ topic: 't', value: 'a' })
  await producer.commitTransaction()
  await kafka.admin.alterGroupOffsets('g', [{ topic: 't', partition: 0, offset: 1 }])
  await kafka.waitForGroup('g', { caughtUp: true })
})

test('wrong options are refused, with what is allowed', async () => {
  const refused = (options: object, message: RegExp) =>
    assert.rejects(TestCluster.start(options), (error) => {
      assert.ok(error instanceof ConfigError, String(error))
      assert.match(error.message, message)
      return true
    })
  await refused({ brokers: 3 }, /brokers is 3, but a cluster can have 1 so far/)
  await refused({ brokers: 0 }, /1 at least, not 0/)
  await refused({ topic: {} }, /Unknown option topic\. Allowed are brokers, topics/)
  await refused({ storage: 'disk' }, /'memory', 'temporary folder' or \{ folder \}, not 'disk'/)
  await refused({ port: 70_000 }, /from 0 to 65535, not 70000/)
  await refused({ config: { 'log.dirs': '/x' } }, /log\.dirs cannot be set: see the option storage/)
  await refused({ config: { 'mesage.max.bytes': 1 } }, /Unknown .*: mesage\.max\.bytes/)
  await refused({ config: { 'num.partitions': 'many' } }, /many for configuration num\.partitions/)
  await refused({ topics: { t: { configs: { 'cleanup.policy': 'no' } } } }, /cleanup\.policy/)
})

test('a cluster that is not running says so, and can be stopped twice', async () => {
  const kafka = await TestCluster.start()
  assert.throws(() => kafka.broker(2), RangeError)
  await assert.rejects(kafka.open(), IllegalStateError)
  await kafka.stop()
  await kafka.stop()
  assert.throws(() => kafka.bootstrapServers, IllegalStateError)
  await assert.rejects(kafka.produce('t', ['a']), IllegalStateError)
  assert.throws(() => new TestCluster().bootstrapServers, IllegalStateError)
})

test('a start that fails leaves nothing behind', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as net.AddressInfo
  const start = TestCluster.start({ port, storage: 'temporary folder' })
  await assert.rejects(start, { code: 'EADDRINUSE' })
  taken.close()
  assert.deepEqual(readdirSync(scratch), [])
  await using kafka = await TestCluster.start({ port })
  assert.equal(kafka.bootstrapServers, `127.0.0.1:${port}`)
})

test('a folder keeps what was in it for the next cluster; a temporary one goes', async () => {
  const folder = join(scratch, 'made', 'as-needed')
  const options = { storage: { folder }, topics: { t: {} } }
  const first = await TestCluster.start(options)
  await first.produce('t', ['kept'])
  const { clusterId } = first
  await first.stop()
  const second = await TestCluster.start(options)
  assert.deepEqual(await valuesOf(second, 't'), ['kept'])
  assert.equal(second.clusterId, clusterId)
  await second.stop()
  const other = TestCluster.start({ ...options, clusterId: 'another' })
  await assert.rejects(other, /one of cluster .*, not of another/)
  rmSync(join(scratch, 'made'), { recursive: true })

  const temporary = await TestCluster.start({ storage: 'temporary folder', topics: { t: {} } })
  const [made] = readdirSync(scratch)
  assert.match(made!, /^samsa-testing-/)
  assert.ok(existsSync(join(scratch, made!, 't-0')))
  await temporary.stop()
  assert.deepEqual(readdirSync(scratch), [])
})

test('the log of the brokers goes where it is wanted', async () => {
  const lines: string[] = []
  const kafka = await TestCluster.start({ log: (line) => lines.push(line) })
  await kafka.stop()
  assert.ok(lines.some((line) => /INFO \[KafkaServer id=1\] started/.test(line)))
})

test('fifty clusters in one process do not know of each other', async () => {
  const numbers = Array.from({ length: 50 }, (_, index) => index)
  const clusters = await Promise.all(numbers.map(() => TestCluster.start({ topics: { t: {} } })))
  assert.equal(new Set(clusters.map((kafka) => kafka.bootstrapServers)).size, 50)
  await Promise.all(clusters.map((kafka, index) => kafka.produce('t', [String(index)])))
  await clusters[7]!.stop()
  for (const [index, kafka] of clusters.entries()) {
    if (index !== 7) assert.deepEqual(await valuesOf(kafka, 't'), [String(index)])
  }
  await Promise.all(clusters.map((kafka) => kafka.stop()))
})
