import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin, ConfigError, Producer, TimeoutError } from '../../src/clients/index.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { ListGroups } from '../../src/protocol/messages/list-groups.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { buildRecordBatch } from '../../src/protocol/records/record-batch-writer.ts'
import { API_BY_NAME } from '../../src/testing/api-by-name.ts'
import { batchOf, produce } from '../support/requests.ts'
import { connect, startCluster, valuesOf } from './support.ts'

/** What retention leaves alone when time is advanced. */
function recent(values: readonly string[]): Buffer {
  return buildRecordBatch(
    values.map((value) => ({ timestamp: Date.now(), value: Buffer.from(value) })),
  )
}

test('faults can be had for every API that is served, and for no other', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  const { apiKeys } = await client.send(ApiVersions, 3, {
    ...{ clientSoftwareName: 'test', clientSoftwareVersion: '1' },
  })
  const served = apiKeys.map(({ apiKey }) => apiKey).sort((a, b) => a - b)
  // Metrics of clients are served where somebody receives them.
  const telemetry = [API_BY_NAME.GetTelemetrySubscriptions.key, API_BY_NAME.PushTelemetry.key]
  const known = Object.values(API_BY_NAME).map(({ key }) => key)
  const expected = known.filter((key) => !telemetry.includes(key)).sort((a, b) => a - b)
  assert.deepEqual(served, expected)
})

test('a request that is dropped is not handled; the client gives up and tries again', async (t) => {
  const kafka = await startCluster(t)
  const fault = kafka.faults.drop('Produce', { times: 1 })
  await using producer = new Producer({
    ...{ bootstrapServers: kafka.bootstrapServers, lingerMs: 0 },
    ...{ requestTimeoutMs: 100, retryBackoffMs: 5, reconnectBackoffMs: 5 },
  })
  await producer.send({ topic: 't', value: 'a' })
  assert.equal(fault.hits, 1)
  assert.equal(fault.isActive, false)
  assert.deepEqual(await valuesOf(kafka), ['a'])
})

test('after a request that was dropped nothing is answered on its connection', async (t) => {
  const kafka = await startCluster(t)
  const fault = kafka.faults.drop('ListGroups')
  const [first, second] = [await connect(t, kafka), await connect(t, kafka)]
  first.post(ListGroups, 4, {})
  first.post(Metadata, 9, { topics: [] })
  await fault.waitForHit()
  assert.equal((await second.send(Metadata, 9, { topics: [] })).brokers.length, 1)
  const isCut = assert.rejects(first.nextFrame(), /connection closed/)
  await kafka.reset()
  await isCut
  assert.equal((await second.send(ListGroups, 4, {})).errorCode, 0)
})

test('what is delayed is handled in its time and order, and what follows after it', async (t) => {
  const kafka = await startCluster(t)
  const fault = kafka.faults.delay('Produce', { ms: 3_600_000, times: 1 })
  const [client, other] = [await connect(t, kafka), await connect(t, kafka)]
  const request = (value: string) => ({
    ...{ acks: 1, timeoutMs: 5000 },
    topicData: [{ name: 't', partitionData: [{ index: 0, records: recent([value]) }] }],
  })
  client.post(Produce, 9, request('first'))
  client.post(Produce, 9, request('second'))
  await fault.waitForHit()
  await produce(other, 't', recent(['overtakes']))
  assert.deepEqual(await valuesOf(kafka), ['overtakes'])
  await kafka.advanceTime(3_600_000)
  await client.nextFrame()
  await client.nextFrame()
  assert.deepEqual(await valuesOf(kafka), ['overtakes', 'first', 'second'])
})

test('requests are answered with an error, a response, or what a function says', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  const metadata = () => client.send(Metadata, 9, { topics: [{ name: 't' }] })
  kafka.faults.answer('Metadata', 'LEADER_NOT_AVAILABLE', { times: 1 })
  assert.equal((await metadata()).topics[0]!.errorCode, 5)
  assert.equal((await metadata()).topics[0]!.errorCode, 0)
  const nowhere = { brokers: [], controllerId: -1, topics: [], clusterId: 'elsewhere' }
  const fault = kafka.faults.answer('Metadata', nowhere)
  assert.equal((await metadata()).clusterId, 'elsewhere')
  // The newest fault comes first.
  const asked: unknown[] = []
  using _ = kafka.faults.answer('Metadata', (request, { apiVersion, clientId, brokerId }) => {
    asked.push(
      request.topics?.map(({ name }) => name),
      apiVersion,
      clientId,
      brokerId,
    )
    return 'TOPIC_AUTHORIZATION_FAILED'
  })
  assert.equal((await metadata()).topics[0]!.errorCode, 29)
  assert.deepEqual(asked, [['t'], 9, 'test', 1])
  kafka.faults.clear()
  assert.equal((await metadata()).clusterId, kafka.clusterId)
  assert.equal(fault.hits, 1)
})

test('a connection is closed in place of an answer', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  kafka.faults.closeConnection('Produce', { times: 1 })
  await assert.rejects(produce(client, 't', batchOf(['lost'])), /connection closed/)
  assert.deepEqual(await valuesOf(kafka), [])
})

test('a fault strikes the requests that it is for', async (t) => {
  const kafka = await startCluster(t)
  await using admin = new Admin({ bootstrapServers: kafka.bootstrapServers, clientId: 'mine' })
  const fault = kafka.faults.answer('CreateTopics', 'POLICY_VIOLATION', {
    when: ({ topics }, { clientId }) => clientId === 'mine' && topics[0]?.name === 'forbidden',
  })
  kafka.faults.answer('CreateTopics', 'POLICY_VIOLATION', { broker: 2 })
  await admin.createTopics([{ topic: 'allowed' }])
  await assert.rejects(admin.createTopics([{ topic: 'forbidden' }]), {
    errorName: 'POLICY_VIOLATION',
  })
  assert.equal(fault.hits, 1)
  // The cluster's own clients are spared.
  kafka.faults.drop('Metadata')
  kafka.faults.closeConnection('Fetch')
  await kafka.produce('t', ['a'])
  assert.deepEqual(await valuesOf(kafka), ['a'])
})

test('a Produce without an answer gets none from a fault either', async (t) => {
  const kafka = await startCluster(t)
  const request = {
    ...{ acks: 0, timeoutMs: 5000 },
    topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['lost']) }] }],
  }
  for (const inject of [
    () => kafka.faults.drop('Produce'),
    () => kafka.faults.answer('Produce', { responses: [] }),
  ]) {
    using fault = inject()
    const client = await connect(t, kafka)
    client.post(Produce, 9, request)
    assert.equal((await client.send(Metadata, 9, { topics: [] })).brokers.length, 1)
    assert.equal(fault.hits, 1)
  }
  kafka.faults.answer('Produce', 'NOT_LEADER_OR_FOLLOWER')
  const client = await connect(t, kafka)
  client.post(Produce, 9, request)
  await client.closed
  assert.deepEqual(await valuesOf(kafka), [])
})

test('the wait for a hit counts, and ends', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  const fault = kafka.faults.delay('Metadata', { ms: 0 })
  await assert.rejects(fault.waitForHit({ timeoutMs: 1 }), (error) => {
    return error instanceof TimeoutError && /Metadata had 0 of 1 hits/.test(error.message)
  })
  const third = fault.waitForHit({ count: 3 })
  for (let count = 0; count < 3; count++) await client.send(Metadata, 9, { topics: [] })
  await third
  await fault.waitForHit()
  fault.clear()
  await client.send(Metadata, 9, { topics: [] })
  assert.equal(fault.hits, 3)
})

test('faults that make no sense are refused', async (t) => {
  const kafka = await startCluster(t)
  const refused = (inject: () => unknown, message: RegExp) =>
    assert.throws(inject, (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, message)
      return true
    })
  refused(() => kafka.faults.drop('Product' as never), /no API Product; there are AddOffsets/)
  refused(() => kafka.faults.answer('Produce', 'NO_SUCH_ERROR' as never), /no error NO_SUCH_ERROR/)
  refused(() => kafka.faults.delay('Produce', { ms: Number.NaN }), /milliseconds, not NaN/)
})

test('what the test gets wrong in a fault is thrown where the runner sees it', async (t) => {
  const kafka = await startCluster(t)
  const client = await connect(t, kafka)
  const uncaught = () =>
    new Promise<Error>((resolve) => {
      process.setUncaughtExceptionCaptureCallback((error) => resolve(error as Error))
    })
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const wrong = [
    () => {
      const when = () => {
        throw new Error('from when')
      }
      return kafka.faults.drop('Metadata', { when })
    },
    () => kafka.faults.answer('Metadata', { brokers: null } as never),
    () => kafka.faults.answer('Metadata', () => 'NO_SUCH_ERROR' as never),
  ]
  const messages = [/from when/, /brokers/, /no error NO_SUCH_ERROR/]
  for (const [index, inject] of wrong.entries()) {
    using _ = inject()
    const thrown = uncaught()
    const { topics } = await client.send(Metadata, 9, { topics: [{ name: 't' }] })
    assert.equal(topics[0]!.errorCode, -1)
    assert.match((await thrown).message, messages[index]!)
    process.setUncaughtExceptionCaptureCallback(null)
  }
})
