import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Admin, IllegalStateError, Producer } from '../../src/clients/index.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { TestCluster } from '../../src/testing/index.ts'
import { connect, joinClassic, startCluster, valuesOf } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'samsa-test-'))
test.after(() => rmSync(folder, { recursive: true }))

for (const storage of ['memory', { folder }] as const) {
  const where = typeof storage === 'string' ? storage : 'a folder'
  test(`a broker that is killed and restarted has what it had written in ${where}`, async (t) => {
    const kafka = await startCluster(t, { storage })
    const { bootstrapServers } = kafka
    await kafka.produce('t', ['a', 'b'])
    const client = await connect(t, kafka)
    await client.send(Metadata, 9, { topics: [] })
    const unanswered = client.send(Metadata, 9, { topics: [] })
    const cut = assert.rejects(unanswered, /connection closed/)
    await kafka.broker(1).kill()
    assert.equal(kafka.broker(1).state, 'stopped')
    await cut
    await client.closed
    await kafka.broker(1).kill()
    await kafka.broker(1).restart()
    assert.equal(kafka.broker(1).state, 'running')
    assert.equal(kafka.bootstrapServers, bootstrapServers)
    assert.deepEqual(await valuesOf(kafka), ['a', 'b'])
    await kafka.broker(1).restart()
    assert.deepEqual(await valuesOf(kafka), ['a', 'b'])
  })
}

test('clients get over a broker that is killed while they send', async (t) => {
  const kafka = await startCluster(t)
  await using producer = new Producer({
    ...{ bootstrapServers: kafka.bootstrapServers, lingerMs: 0 },
    ...{ retryBackoffMs: 5, reconnectBackoffMs: 5, reconnectBackoffMaxMs: 20 },
  })
  const sent: string[] = []
  let acknowledged = 0
  for (let life = 0; life < 4; life++) {
    const sending = Array.from({ length: 25 }, (_, index) => {
      const value = `${life}-${index}`
      sent.push(value)
      return producer.send({ topic: 't', value }).then(() => {
        acknowledged += 1
      })
    })
    if (life > 0) await kafka.broker(1).kill()
    else await sending[0]
    await kafka.broker(1).restart()
    await Promise.all(sending)
  }
  assert.equal(acknowledged, 100)
  assert.deepEqual(await valuesOf(kafka), sent)
})

test('a broker that is dead cannot be reached, and its parts cannot be asked for', async (t) => {
  const kafka = await startCluster(t)
  const admin = new Admin({ bootstrapServers: kafka.bootstrapServers })
  t.after(() => admin.close())
  await admin.listTopics()
  await kafka.broker(1).kill()
  await assert.rejects(admin.listTopics({ timeoutMs: 50 }), { errorName: 'REQUEST_TIMED_OUT' })
  await assert.rejects(kafka.createTopics({ other: {} }), IllegalStateError)
  await assert.rejects(kafka.broker(1).pause(), IllegalStateError)
})

test('a broker that is paused answers nothing until it goes on', async (t) => {
  const kafka = await startCluster(t)
  const [client, member] = [await connect(t, kafka), await connect(t, kafka)]
  await joinClassic(member, 'g')
  await client.send(Metadata, 9, { topics: [] })
  await kafka.broker(1).pause()
  assert.equal(kafka.broker(1).state, 'paused')
  let isAnswered = false
  const answer = client.send(Metadata, 9, { topics: [] }).then(() => {
    isAnswered = true
  })
  // New connections are made, as the kernel would, and are not heard either.
  const late = await connect(t, kafka)
  const lateAnswer = late.send(Metadata, 9, { topics: [] })
  // Nor does time pass for it: the member's session ends when the broker goes on.
  await kafka.advanceTime(60_000)
  const probe = await TestCluster.start()
  await probe.produce('t', ['a'])
  await probe.stop()
  assert.equal(isAnswered, false)
  await kafka.broker(1).resume()
  await Promise.all([answer, lateAnswer])
  await kafka.waitForGroup('g', { state: 'Empty', members: 0 })
})

test('a broker that is paused can be killed, and a cluster of such brokers stopped', async (t) => {
  const kafka = await startCluster(t)
  await kafka.produce('t', ['a'])
  await kafka.broker(1).pause()
  await kafka.broker(1).kill()
  await kafka.broker(1).restart()
  assert.deepEqual(await valuesOf(kafka), ['a'])
  await kafka.broker(1).pause()
  await kafka.stop()
})
