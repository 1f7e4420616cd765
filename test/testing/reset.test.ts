import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin, Consumer, Producer } from '../../src/clients/index.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/messages/consumer-group-heartbeat.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { ShareGroupHeartbeat } from '../../src/protocol/messages/share-group-heartbeat.ts'
import { connect, joinClassic, joinConsumer, joinShare, startCluster, valuesOf } from './support.ts'

test('after a reset everything is as after the start', async (t) => {
  const kafka = await startCluster(t, { topics: { t: { partitions: 2 } } })
  const config = { bootstrapServers: kafka.bootstrapServers }
  const admin = new Admin(config)
  const producer = new Producer({ ...config, transactionalId: 'tx', lingerMs: 0 })
  t.after(() => producer.close({ timeoutMs: 0 }))
  t.after(() => admin.close())
  const [classic, consumer, share] = [
    ...[await connect(t, kafka), await connect(t, kafka), await connect(t, kafka)],
  ] as const

  await kafka.produce('t', ['a', 'b'])
  await kafka.createTopics({ other: {} })
  await admin.createPartitions([{ topic: 't', totalCount: 4 }])
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send({ topic: 't', value: 'open' })
  await joinClassic(classic, 'classic')
  await joinConsumer(consumer, 'consumer')
  await joinShare(share, 'share')
  await admin.alterGroupOffsets('committed', [{ topic: 't', partition: 0, offset: 1 }])
  await admin.alterClientQuotas([
    { entity: { 'client-id': 'slow' }, quotas: { producer_byte_rate: 1 } },
  ])
  await admin.alterConfigs([
    { type: 'topic', name: 't', set: { 'retention.ms': '1' } },
    { type: 'broker', name: '', set: { 'message.max.bytes': '70' } },
    { type: 'group', name: 'consumer', set: { 'consumer.session.timeout.ms': '46000' } },
  ])
  kafka.faults.answer('ListGroups', 'UNKNOWN_SERVER_ERROR')

  await kafka.reset()

  const topics = await admin.listTopics({ includeInternal: true })
  assert.deepEqual(
    topics.map(({ name, partitions }) => [name, partitions.length]),
    [['t', 2]],
  )
  assert.deepEqual(await valuesOf(kafka), [])
  assert.deepEqual(await admin.listGroups(), [])
  assert.deepEqual(await admin.listTransactions(), [])
  assert.deepEqual(await admin.describeClientQuotas([]), [])
  assert.deepEqual(await admin.listGroupOffsets('committed'), [])
  const resources = await admin.listConfigResources(['group', 'broker', 'clientMetrics'])
  assert.ok(!resources.some(({ name }) => name === 'consumer'))
  const described = await admin.describeConfigs([
    { type: 'topic', name: 't', keys: ['retention.ms', 'max.message.bytes'] },
  ])
  const sources = described.get('topic t')!.map(({ source }) => source)
  assert.deepEqual(sources, ['DEFAULT_CONFIG', 'DEFAULT_CONFIG'])

  // Everything can be done again, by the same names, and from the first offset on.
  await kafka.produce('t', [{ partition: 0, value: 'again' }])
  const [record] = await kafka.readTopic('t')
  assert.deepEqual([record!.value, record!.offset], ['again', 0])
  await using second = new Producer({ ...config, transactionalId: 'tx', lingerMs: 0 })
  await second.initTransactions()
  second.beginTransaction()
  await second.send({ topic: 't', value: 'committed', partition: 1 })
  await second.commitTransaction()
  assert.deepEqual(await valuesOf(kafka), ['again', 'committed'])
  await joinClassic(classic, 'classic')
  await joinConsumer(consumer, 'consumer')
  await kafka.waitForGroup('classic', { members: 1 })
  await kafka.waitForGroup('consumer', { members: 1 })
})

test('connections stay over a reset, and those who have them go on', async (t) => {
  const kafka = await startCluster(t)
  const config = { bootstrapServers: kafka.bootstrapServers, lingerMs: 0, retryBackoffMs: 5 }
  await using producer = new Producer(config)
  const client = await connect(t, kafka)
  for (const round of ['first', 'second', 'third']) {
    await producer.send({ topic: 't', value: round })
    assert.deepEqual(await valuesOf(kafka), [round])
    assert.equal((await client.send(Metadata, 9, { topics: null })).topics.length, 1)
    await kafka.reset()
  }
})

test('after a reset brokers that were killed or paused run, and nobody waits on', async (t) => {
  const kafka = await startCluster(t)
  await kafka.broker(1).kill()
  await kafka.reset()
  await kafka.broker(1).pause()
  await kafka.reset()
  const fault = kafka.faults.drop('Metadata')
  const client = await connect(t, kafka)
  const dropped = client.send(Metadata, 9, { topics: [] })
  const rejection = assert.rejects(dropped, /connection closed/)
  await fault.waitForHit()
  await kafka.reset()
  await rejection
  await kafka.produce('t', ['a'])
  assert.deepEqual(await valuesOf(kafka), ['a'])
})

test('members of groups that a reset takes away are told that they are not known', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  await joinConsumer(client, 'consumer')
  await joinShare(client, 'share')
  const heartbeats = [
    (memberId: string) => {
      const member = { groupId: 'consumer', memberId, memberEpoch: 1, topicPartitions: [] }
      return client.send(ConsumerGroupHeartbeat, 1, member)
    },
    (memberId: string) => {
      return client.send(ShareGroupHeartbeat, 1, { groupId: 'share', memberId, memberEpoch: 1 })
    },
  ]
  for (const beat of heartbeats) assert.equal((await beat('stranger')).errorCode, 25)
  await kafka.reset()
  // The offsets topic is there again.
  await joinClassic(client, 'another')
  for (const [index, name] of ['consumer', 'share'].entries()) {
    const beat = heartbeats[index]!
    assert.equal((await beat('stranger')).errorCode, 69)
    assert.equal((await beat(`member-of-${name}`)).errorCode, 25)
  }
  await joinConsumer(client, 'consumer')
  await joinShare(client, 'share')
  for (const [index, name] of ['consumer', 'share'].entries()) {
    assert.equal((await heartbeats[index]!(`member-of-${name}`)).errorCode, 0)
  }
})

for (const groupProtocol of ['classic', 'consumer'] as const) {
  test(`a consumer (${groupProtocol}) lives on over a reset`, async (t) => {
    const kafka = await startCluster(t)
    const consumer = new Consumer({
      ...{ bootstrapServers: kafka.bootstrapServers, groupId: 'g', groupProtocol },
      ...{ autoOffsetReset: 'earliest', autoCommitIntervalMs: 20 },
      ...(groupProtocol === 'classic' ? { heartbeatIntervalMs: 50 } : {}),
    })
    const seen = new Set<string>()
    consumer.subscribe('t')
    const running = consumer.run({
      eachRecord: ({ value }) => {
        seen.add(String(value))
      },
    })
    for (const round of ['first', 'second', 'third']) {
      await kafka.produce('t', [round])
      await kafka.waitForGroup('g', { members: 1, caughtUp: true })
      assert.ok(seen.has(round))
      await kafka.reset()
    }
    await consumer.close()
    await running
  })
}
