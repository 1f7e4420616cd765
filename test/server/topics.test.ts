import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, errorName } from '../../src/common/errors.ts'
import { CreatePartitions } from '../../src/protocol/messages/create-partitions.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { DeleteRecords } from '../../src/protocol/messages/delete-records.ts'
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts'
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import { DescribeLogDirs } from '../../src/protocol/messages/describe-log-dirs.ts'
import { DescribeTopicPartitions } from '../../src/protocol/messages/describe-topic-partitions.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import type { RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import {
  batchOf,
  createTopic,
  describeTopic,
  fetch,
  listOffset,
  produce,
  readAll,
} from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'

type NewTopic = RequestInput<typeof CreateTopics>['topics'][number]

test('topics that cannot be created are refused as Kafka refuses them', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 'there')
  await createTopic(client, 'with.dot')
  const tries: [Partial<NewTopic> & { name: string }, string, RegExp][] = [
    [{ name: 'there' }, 'TOPIC_ALREADY_EXISTS', /^Topic 'there' already exists\.$/],
    [{ name: 'with_dot' }, 'INVALID_TOPIC_EXCEPTION', /collides with existing topic: with\.dot/],
    [{ name: '' }, 'INVALID_TOPIC_EXCEPTION', /empty string/],
    [{ name: '..' }, 'INVALID_TOPIC_EXCEPTION', /'\.\.'/],
    [{ name: 'a b' }, 'INVALID_TOPIC_EXCEPTION', /ASCII alphanumerics/],
    [{ name: 'x'.repeat(250) }, 'INVALID_TOPIC_EXCEPTION', /249/],
    [{ name: 'n', numPartitions: 0 }, 'INVALID_PARTITIONS', /non-positive/],
    [{ name: 'n', replicationFactor: 2 }, 'INVALID_REPLICATION_FACTOR', /only 1 broker/],
    [{ name: 'n', replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR', /non-positive/],
    [
      { name: 'n', configs: [{ name: 'no.such', value: '1' }] },
      'INVALID_CONFIG',
      /Unknown topic config name: no\.such/,
    ],
    [{ name: 'n', configs: [{ name: 'retention.ms', value: 'x' }] }, 'INVALID_CONFIG', /retention/],
    [
      { name: 'n', numPartitions: -1, assignments: [{ partitionIndex: 0, brokerIds: [9] }] },
      'INVALID_REPLICA_ASSIGNMENT',
      /broker 9/,
    ],
    [
      { name: 'n', numPartitions: -1, assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      'INVALID_REPLICA_ASSIGNMENT',
      /consecutive/,
    ],
    [
      { name: 'n', numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      'INVALID_REQUEST',
      /manual partition assignment/,
    ],
  ]
  for (const [topic, expected, message] of tries) {
    const manual = topic.assignments !== undefined
    const { topics } = await client.send(CreateTopics, 7, {
      topics: [{ numPartitions: 1, replicationFactor: manual ? -1 : 1, ...topic }],
    })
    const { errorCode, errorMessage } = topics[0]!
    assert.equal(errorName(errorCode), expected, JSON.stringify(topic))
    assert.match(errorMessage ?? '', message)
  }
  const duplicates = await client.send(CreateTopics, 7, {
    topics: ['d', 'd'].map((name) => ({ name, numPartitions: 1, replicationFactor: 1 })),
  })
  assert.deepEqual(
    duplicates.topics.map(({ errorCode }) => errorName(errorCode)),
    ['INVALID_REQUEST'],
  )
  const all = await client.send(Metadata, 12, { topics: null })
  assert.deepEqual(
    all.topics.map(({ name }) => name),
    ['there', 'with.dot'],
  )
})

test('validateOnly creates nothing, and a real creation tells what was made', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const request = { name: 't', numPartitions: -1, replicationFactor: -1 }
  const dry = await client.send(CreateTopics, 7, { topics: [request], validateOnly: true })
  assert.equal(dry.topics[0]!.errorCode, ErrorCode.NONE)
  assert.equal((await describeTopic(client, 't')).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const { topics } = await client.send(CreateTopics, 7, {
    topics: [{ ...request, configs: [{ name: 'retention.ms', value: '1234' }] }],
  })
  assert.equal(topics[0]!.numPartitions, 1)
  assert.equal(topics[0]!.replicationFactor, 1)
  const retention = topics[0]!.configs!.find(({ name }) => name === 'retention.ms')!
  assert.deepEqual([retention.value, retention.configSource], ['1234', 1])
})

test('asking for metadata creates a topic only where both sides allow it', async () => {
  await using broker = await TestBroker.start({ 'num.partitions': '3' })
  const client = await broker.connect()
  assert.equal((await describeTopic(client, 'a')).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal((await describeTopic(client, 'a')).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  await describeTopic(client, 'a', true)
  let found = await describeTopic(client, 'a', true)
  while (found.errorCode !== ErrorCode.NONE) found = await describeTopic(client, 'a')
  assert.deepEqual([found.errorCode, found.partitions.length], [ErrorCode.NONE, 3])
  const invalid = await describeTopic(client, 'not valid', true)
  assert.equal(invalid.errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION)
})

test('version 0 asks for all topics by an empty list, later versions by null', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const count = async (version: number, topics: [] | null) =>
    (await client.send(Metadata, version, { topics })).topics.length
  assert.equal(await count(0, []), 1)
  assert.equal(await count(1, []), 0)
  for (let version = 1; version <= 13; version++) assert.equal(await count(version, null), 1)
})

test('a deleted topic is gone at once, and its name can be used again for new data', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const firstId = await createTopic(client, 't', { partitions: 2 })
  await produce(client, 't', batchOf(['old']))
  for (let round = 0; round < 3; round++) {
    const { responses } = await client.send(DeleteTopics, 6, {
      topics: [{ name: 't' }],
      timeoutMs: 5000,
    })
    assert.equal(responses[0]!.errorCode, ErrorCode.NONE)
    const after = await describeTopic(client, 't')
    assert.equal(after.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const id = await createTopic(client, 't')
    assert.notEqual(id, firstId)
    assert.deepEqual(await readAll(client, 't'), [])
    const produced = await produce(client, 't', batchOf([`new${round}`]))
    assert.equal(produced.baseOffset, 0)
  }
  const byOldId = await client.send(Metadata, 12, {
    topics: [{ topicId: firstId, name: null }],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  })
  assert.equal(byOldId.topics[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
  await broker.close()
  await broker.open()
  assert.deepEqual(await readAll(await broker.connect(), 't'), ['new2'])
})

test('deleting is refused for what is not there, and where it is switched off', async () => {
  await using broker = await TestBroker.start({ 'delete.topic.enable': 'false' })
  const client = await broker.connect()
  const id = await createTopic(client, 't')
  const remove = async (topic: { name?: string; topicId?: string }) => {
    const request = { topics: [{ name: null, ...topic }], timeoutMs: 100 }
    const { responses } = await client.send(DeleteTopics, 6, request)
    return errorName(responses[0]!.errorCode)
  }
  assert.equal(await remove({ name: 'x' }), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await remove({ topicId: 'abcdefghijklmnopqrstuA' }), 'UNKNOWN_TOPIC_ID')
  assert.equal(await remove({ name: 't', topicId: id }), 'INVALID_REQUEST')
  assert.equal(await remove({ topicId: id }), 'TOPIC_DELETION_DISABLED')
})

test('partitions can be added, and only added', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't', { partitions: 2 })
  const extend = async (name: string, count: number) => {
    const request = { topics: [{ name, count }], timeoutMs: 100, validateOnly: false }
    const { results } = await client.send(CreatePartitions, 3, request)
    return [errorName(results[0]!.errorCode), results[0]!.errorMessage]
  }
  assert.deepEqual(await extend('t', 1), [
    'INVALID_PARTITIONS',
    'The topic t currently has 2 partition(s); 1 would not be an increase.',
  ])
  assert.deepEqual(await extend('t', 2), [
    'INVALID_PARTITIONS',
    'Topic already has 2 partition(s).',
  ])
  assert.equal((await extend('x', 2))[0], 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.deepEqual(await extend('t', 5), ['NONE', null])
  assert.equal((await produce(client, 't', batchOf(['x']), { partition: 4 })).errorCode, 0)
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  assert.equal((await describeTopic(again, 't')).partitions.length, 5)
  assert.deepEqual(await readAll(again, 't', 4), ['x'])
})

test('deleted records are out of reach, also after a restart', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  for (let i = 0; i < 5; i++) await produce(client, 't', batchOf([`v${i}`]))
  const remove = async (offset: number) => {
    const { topics } = await client.send(DeleteRecords, 2, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1000,
    })
    const { errorCode, lowWatermark } = topics[0]!.partitions[0]!
    return [errorName(errorCode), lowWatermark]
  }
  assert.deepEqual(await remove(9), ['OFFSET_OUT_OF_RANGE', -1])
  assert.deepEqual(await remove(3), ['NONE', 3])
  assert.equal((await fetch(client, 't')).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  assert.equal((await listOffset(client, 't', -2)).offset, 3)
  assert.deepEqual(await readAll(client, 't', 0, 3), ['v3', 'v4'])
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  assert.equal((await listOffset(again, 't', -2)).offset, 3)
  const cleared = await again.send(DeleteRecords, 2, {
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: -1 }] }],
    timeoutMs: 1000,
  })
  assert.equal(cleared.topics[0]!.partitions[0]!.lowWatermark, 5)
})

test('the cluster, its topics in pages, and its log directories can be described', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 'a', { partitions: 3 })
  await createTopic(client, 'b', { partitions: 2 })
  await produce(client, 'a', batchOf(['x']))
  const cluster = await client.send(DescribeCluster, 2, {
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: false,
  })
  assert.match(cluster.clusterId, /^[\w-]{22}$/)
  assert.equal(cluster.controllerId, 1)
  assert.deepEqual(
    cluster.brokers.map(({ brokerId, host, port }) => ({ brokerId, host, port })),
    [{ brokerId: 1, host: '127.0.0.1', port: broker.port }],
  )
  const seen = []
  let cursor: ResponseOf<typeof DescribeTopicPartitions>['nextCursor'] = null
  do {
    const request = { topics: [], responsePartitionLimit: 2, cursor }
    const page: ResponseOf<typeof DescribeTopicPartitions> = await client.send(
      DescribeTopicPartitions,
      0,
      request,
    )
    seen.push(page.topics.map(({ name, partitions }) => `${name}:${partitions.length}`).join())
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(seen, ['a:2', 'a:1,b:1', 'b:1'])
  const dirs = await client.send(DescribeLogDirs, 4, { topics: null })
  assert.equal(dirs.results.length, 1)
  const [directory] = dirs.results
  assert.ok(directory!.totalBytes > 0 && directory!.usableBytes > 0)
  const sizes = directory!.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, partitionSize }) => [name, partitionIndex, partitionSize]),
  )
  assert.deepEqual(sizes.sort(), [
    ['a', 0, batchOf(['x']).length],
    ...[
      ['a', 1, 0],
      ['a', 2, 0],
      ['b', 0, 0],
      ['b', 1, 0],
    ],
  ])
})
