import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer } from '../../src/clients/index.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { connect, joinClassic, joinConsumer, startCluster, valuesOf } from './support.ts'

const HOUR_MS = 3_600_000

test('retention deletes what has become too old', async (t) => {
  const kafka = await startCluster(t, {
    topics: { short: { configs: { 'retention.ms': HOUR_MS } }, t: {} },
  })
  await kafka.produce('short', ['old'])
  await kafka.produce('t', ['stays'])
  await kafka.advanceTime(HOUR_MS / 2)
  assert.deepEqual(await valuesOf(kafka, 'short'), ['old'])
  await kafka.advanceTime(HOUR_MS)
  assert.deepEqual(await valuesOf(kafka, 'short'), [])
  assert.deepEqual(await valuesOf(kafka), ['stays'])
})

test('members that are not heard of leave their groups', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  await joinClassic(client, 'classic')
  await joinConsumer(client, 'consumer')
  await kafka.waitForGroup('classic', { members: 1, state: 'Stable' })
  await kafka.waitForGroup('consumer', { members: 1 })
  await kafka.advanceTime(60_000)
  await kafka.waitForGroup('classic', { members: 0, state: 'Empty' })
  await kafka.waitForGroup('consumer', { members: 0, state: 'Empty' })
  // Connections are not idle ones because of that.
  assert.equal((await client.send(Metadata, 9, { topics: [] })).brokers.length, 1)
})

test('a transaction that is left open is aborted', async (t) => {
  const kafka = await startCluster(t)
  const producer = new Producer({
    ...{ bootstrapServers: kafka.bootstrapServers, transactionalId: 'x', lingerMs: 0 },
    transactionTimeoutMs: 60_000,
  })
  t.after(() => producer.close({ timeoutMs: 0 }))
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send({ topic: 't', value: 'left' })
  await kafka.produce('t', ['behind'])
  assert.deepEqual(await valuesOf(kafka), [])
  await kafka.advanceTime(2 * 60_000)
  assert.deepEqual(await valuesOf(kafka), ['behind'])
})

test('records get the time that it is for the brokers', async (t) => {
  const kafka = await startCluster(t, {
    topics: { t: { configs: { 'message.timestamp.type': 'LogAppendTime' } } },
  })
  await kafka.produce('t', ['now'])
  await kafka.advanceTime(10 * HOUR_MS)
  await kafka.produce('t', ['later'])
  const [first, second] = await kafka.readTopic('t')
  assert.ok(second!.timestamp - first!.timestamp >= 10 * HOUR_MS)
  await assert.rejects(kafka.advanceTime(-1), RangeError)
})
