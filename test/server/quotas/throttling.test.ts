import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, errorName } from '../../../src/common/errors.ts'
import { AlterClientQuotas } from '../../../src/protocol/messages/alter-client-quotas.ts'
import { CreateTopics } from '../../../src/protocol/messages/create-topics.ts'
import { DescribeClientQuotas } from '../../../src/protocol/messages/describe-client-quotas.ts'
import { Fetch } from '../../../src/protocol/messages/fetch.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { Produce } from '../../../src/protocol/messages/produce.ts'
import { batchOf, createTopic, fetchRequest, listOffset } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'
import type { TestClient } from '../../support/test-client.ts'

const LATEST = -1

type Ops = readonly (readonly [key: string, value: number | null])[]

async function alter(client: TestClient, parts: Record<string, string | null>, ops: Ops) {
  const entity = Object.entries(parts).map(([entityType, entityName]) => ({
    ...{ entityType, entityName },
  }))
  const changes = ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }))
  const { entries } = await client.send(AlterClientQuotas, 1, {
    entries: [{ entity, ops: changes }],
    validateOnly: false,
  })
  const { errorCode, errorMessage } = entries[0]!
  return [errorName(errorCode), errorMessage] as const
}

async function describe(client: TestClient, components: [string, number, string | null][]) {
  const { errorCode, entries } = await client.send(DescribeClientQuotas, 0, {
    components: components.map(([entityType, matchType, match]) => ({
      ...{ entityType, matchType, match },
    })),
    strict: true,
  })
  assert.equal(errorCode, ErrorCode.NONE)
  return entries!.map(({ entity, values }) => [
    entity.map((part) => part.entityName).join(),
    values.map(({ key, value }) => `${key}=${value}`).join(),
  ])
}

function produceRequest(topic: string, bytes: number, acks = 1) {
  const records = batchOf(['x'.repeat(bytes)])
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  return { acks, timeoutMs: 1000, topicData }
}

test('a producer above its quota is told to wait, and not heard meanwhile', async () => {
  await using broker = await TestBroker.start()
  const admin = await broker.connect()
  await createTopic(admin, 't')
  await alter(admin, { 'client-id': 'test' }, [['producer_byte_rate', 1_000_000]])
  const client = await broker.connect()
  const first = await client.send(Produce, 9, produceRequest('t', 900_000))
  assert.equal(first.throttleTimeMs, 0)
  await alter(admin, { 'client-id': 'test' }, [['producer_byte_rate', 80_000]])
  const second = await client.send(Produce, 9, produceRequest('t', 4000))
  assert.equal(second.responses[0]!.partitionResponses[0]!.errorCode, ErrorCode.NONE)
  assert.ok(second.throttleTimeMs > 500, `${second.throttleTimeMs}`)
  // Another connection of the same client that does not produce goes on.
  assert.equal((await admin.send(Metadata, 9, { topics: [] })).throttleTimeMs, 0)
  let answered = false
  const later = client.send(Metadata, 9, { topics: [] }).then(() => {
    answered = true
  })
  for (let i = 0; i < 5; i++) await admin.send(Metadata, 9, { topics: [] })
  assert.equal(answered, false)
  await later
})

test('acks=0 has no response to say it in, and waits all the same', async () => {
  await using broker = await TestBroker.start()
  const admin = await broker.connect()
  await createTopic(admin, 't')
  await alter(admin, { user: 'ANONYMOUS' }, [['producer_byte_rate', 20_000]])
  const client = await broker.connect()
  client.post(Produce, 9, produceRequest('t', 205_000, 0))
  while ((await listOffset(admin, 't', LATEST)).offset === 0);
  let answered = false
  const later = client.send(Metadata, 9, { topics: [] }).then(() => {
    answered = true
  })
  for (let i = 0; i < 5; i++) await admin.send(Metadata, 9, { topics: [] })
  assert.equal(answered, false)
  await later
})

test('a consumer above its quota gets nothing, keeps its session, and goes on later', async () => {
  await using broker = await TestBroker.start()
  const admin = await broker.connect()
  await createTopic(admin, 't')
  await admin.send(Produce, 9, produceRequest('t', 100_000))
  await alter(admin, { 'client-id': null }, [['consumer_byte_rate', 19_000]])
  const client = await broker.connect()
  const request = fetchRequest('t')
  const [topic] = request.topics
  const full = await client.send(Fetch, 12, { ...request, sessionEpoch: 0 })
  assert.equal(full.throttleTimeMs, 0)
  assert.equal(full.responses.length, 1)
  const held = await client.send(Fetch, 12, {
    ...{ ...request, sessionId: full.sessionId, sessionEpoch: 1, topics: [topic!] },
  })
  assert.equal(held.responses.length, 0)
  assert.equal(held.sessionId, full.sessionId)
  assert.ok(held.throttleTimeMs > 0)
  // A full fetch that is held back leaves no session behind.
  const other = await broker.connect()
  const before = broker.broker.services.fetchSessions.size
  const refused = await other.send(Fetch, 12, { ...request, sessionEpoch: 0 })
  assert.deepEqual([refused.responses.length, refused.sessionId], [0, 0])
  assert.equal(broker.broker.services.fetchSessions.size, before)
  await alter(admin, { 'client-id': null }, [['consumer_byte_rate', null]])
  const resumed = await client.send(Fetch, 12, {
    ...{ ...request, sessionId: full.sessionId, sessionEpoch: 2, topics: [] },
  })
  assert.equal(resumed.responses.length, 1)
})

test('too many changes of topics are refused to those who know the error', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await alter(client, { user: null }, [['controller_mutation_rate', 1]])
  const topics = (name: string, numPartitions: number) => ({
    topics: [{ name, numPartitions, replicationFactor: 1 }],
  })
  const first = await client.send(CreateTopics, 7, topics('a', 12))
  assert.deepEqual([first.throttleTimeMs, first.topics[0]!.errorCode], [0, 0])
  const second = await client.send(CreateTopics, 7, topics('b', 1))
  assert.equal(second.topics[0]!.errorCode, ErrorCode.THROTTLING_QUOTA_EXCEEDED)
  assert.ok(second.throttleTimeMs > 0)
  const old = await broker.connect()
  const third = await old.send(CreateTopics, 5, topics('c', 1))
  assert.equal(third.topics[0]!.errorCode, ErrorCode.NONE)
  assert.ok(third.throttleTimeMs > 0)
})

test('quotas are described by filter, and outlive a restart', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await alter(client, { user: 'a' }, [
    ['producer_byte_rate', 1000],
    ['request_percentage', 2.5],
  ])
  await alter(client, { user: 'a', 'client-id': null }, [['consumer_byte_rate', 5]])
  await alter(client, { user: null }, [['consumer_byte_rate', 6]])
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  const [EXACT, DEFAULT, ANY] = [0, 1, 2]
  const ofA = ['a', 'producer_byte_rate=1000,request_percentage=2.5']
  assert.deepEqual(await describe(again, [['user', EXACT, 'a']]), [ofA])
  assert.deepEqual((await describe(again, [['user', ANY, null]])).sort(), [
    ['', 'consumer_byte_rate=6'],
    ofA,
  ])
  const both: [string, number, string | null][] = [
    ['user', ANY, null],
    ['client-id', DEFAULT, null],
  ]
  assert.deepEqual(await describe(again, both), [[',a', 'consumer_byte_rate=5']])
})

test('quotas that make no sense are refused in Kafka’s words', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const cases: [Record<string, string | null>, string, number, string][] = [
    [{}, 'producer_byte_rate', 1, 'Invalid empty client quota entity'],
    [{ foo: 'x' }, 'producer_byte_rate', 1, 'Unhandled client quota entity type: foo'],
    [{ user: '' }, 'producer_byte_rate', 1, 'Empty user not supported'],
    [{ ip: '::1' }, 'producer_byte_rate', 1, 'Invalid configuration key producer_byte_rate'],
    [{ ip: 'a b' }, 'connection_creation_rate', 1, 'a b is not a valid IP or resolvable host.'],
    [{ user: 'u' }, 'nix', 1, 'Invalid configuration key nix'],
    [{ user: 'u' }, 'producer_byte_rate', 0, 'Quota producer_byte_rate must be greater than 0'],
    [
      { user: 'u' },
      'request_percentage',
      Number.NaN,
      'Quota request_percentage must be greater than 0',
    ],
    [{ user: 'u' }, 'consumer_byte_rate', 1.5, 'consumer_byte_rate cannot be a fractional value.'],
    [
      { ip: '::1' },
      'connection_creation_rate',
      2 ** 31,
      'Proposed value for connection_creation_rate is too large for an INT.',
    ],
  ]
  for (const [entity, key, value, message] of cases) {
    assert.deepEqual(await alter(client, entity, [[key, value]]), ['INVALID_REQUEST', message])
  }
})
