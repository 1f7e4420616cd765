import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin } from '../../../src/clients/admin/admin.ts'
import { ConfigError, KafkaError, TimeoutError } from '../../../src/clients/errors.ts'
import { RoundRobinPartitioner } from '../../../src/clients/producer/partitioner.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { intSerializer, jsonSerializer } from '../../../src/clients/serializers.ts'
import { readRecords } from '../../../src/protocol/records/record-reader.ts'
import { fetch, readAll } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'

interface World {
  readonly broker: TestBroker
  readonly servers: { bootstrapServers: string }
}

async function withTopic(task: (world: World) => Promise<void>, partitions = 1) {
  await using broker = await TestBroker.start()
  const servers = { bootstrapServers: `127.0.0.1:${broker.port}` }
  await using admin = new Admin(servers)
  await admin.createTopics([{ topic: 't', partitions }])
  await task({ broker, servers })
}

test('the three ways of sending, and the bytes that arrive', async () => {
  await withTopic(async ({ broker, servers }) => {
    await using producer = new Producer({
      ...{ ...servers, lingerMs: 1 },
      keySerializer: intSerializer,
      valueSerializer: jsonSerializer<{ n: number }>(),
    })
    const headers = { trace: 'abc', empty: null }
    const first = await producer.send({
      ...{ topic: 't', key: 7, value: { n: 1 }, headers, timestamp: 1234 },
    })
    assert.deepEqual(first, {
      ...{ topic: 't', partition: 0, offset: 0, timestamp: 1234 },
      ...{ serializedKeySize: 4, serializedValueSize: 7 },
    })
    const second = await new Promise((resolve) => {
      producer.send({ topic: 't', value: { n: 2 } }, (error, metadata) => {
        resolve(error ?? metadata?.offset)
      })
    })
    assert.equal(second, 1)
    producer.post({ topic: 't', key: 8, value: null })
    await producer.flush()
    const client = await broker.connect()
    const { bytes } = await fetch(client, 't')
    const [record] = readRecords(bytes)
    assert.deepEqual(record?.key, Buffer.from([0, 0, 0, 7]))
    assert.equal(record?.timestamp, 1234)
    const found = record?.headers.map(({ key, value }) => `${key}=${value}`)
    assert.deepEqual(found, ['trace=abc', 'empty=null'])
    assert.deepEqual(await readAll(client, 't'), ['{"n":1}', '{"n":2}', null])
  })
})

for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`many records arrive once and in order, compression ${compressionType}`, async () => {
    await withTopic(async ({ broker, servers }) => {
      const settings = { ...servers, compressionType, batchSize: 2000, bufferMemory: 20_000 }
      await using producer = new Producer(settings)
      const values = Array.from({ length: 3000 }, (_, index) => `value ${index}`)
      const sent = await producer.sendBatch(values.map((value) => ({ topic: 't', value })))
      assert.deepEqual(
        sent.map(({ offset }) => offset),
        values.map((_, index) => index),
      )
      assert.deepEqual(await readAll(await broker.connect(), 't'), values)
    })
  })
}

test('acks 0 and 1, without idempotence; round robin', async () => {
  await withTopic(async ({ broker, servers }) => {
    for (const acks of ['0', '1']) {
      const partitioner = new RoundRobinPartitioner()
      const settings = { ...servers, acks, enableIdempotence: false, lingerMs: 0, partitioner }
      await using producer = new Producer(settings)
      const records = [1, 2, 3, 4].map((n) => ({ topic: 't', value: `${acks} ${n}` }))
      const sent = await producer.sendBatch(records)
      assert.deepEqual(
        sent.map(({ partition }) => partition),
        [0, 1, 0, 1],
      )
      assert.equal(sent[3]!.offset >= 0, acks === '1')
    }
    const client = await broker.connect()
    assert.deepEqual(await readAll(client, 't', 1), ['0 2', '0 4', '1 2', '1 4'])
  }, 2)
})

test('a batch that is too large for the broker is split, a record is refused', async () => {
  await withTopic(async ({ broker, servers }) => {
    await using admin = new Admin(servers)
    const set = { 'max.message.bytes': '3000' }
    await admin.alterConfigs([{ type: 'topic', name: 't', set }])
    await using producer = new Producer({ ...servers, batchSize: 100_000, lingerMs: 20 })
    const values = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(500))
    await producer.sendBatch(values.map((value) => ({ topic: 't', value })))
    assert.deepEqual(await readAll(await broker.connect(), 't'), values)
    const large = producer.send({ topic: 't', value: 'x'.repeat(4000) })
    const tooLarge = { errorName: 'MESSAGE_TOO_LARGE' }
    await assert.rejects(large, tooLarge)
    await assert.rejects(producer.send({ topic: 't', value: 'x'.repeat(2_000_000) }), tooLarge)
    // The failure left a gap in the sequence: a new epoch bridges it.
    const { offset } = await producer.send({ topic: 't', value: 'after' })
    assert.equal(offset, 20)
  })
})

test('what throws in a serializer, an interceptor or a callback breaks no other send', async () => {
  await withTopic(async ({ servers }) => {
    const seen: string[] = []
    await using producer = new Producer<string, string>({
      ...servers,
      valueSerializer: (value) => {
        if (value === 'poison') throw new Error('cannot')
        return Buffer.from(value)
      },
      interceptors: [
        {
          onSend: (record) => ({ ...record, value: `${record.value}` }),
          onAcknowledgement: (metadata, error) => {
            seen.push(error?.name ?? `${metadata?.offset}`)
            throw new Error('logged')
          },
        },
        {
          onSend: () => {
            throw new Error('logged')
          },
        },
      ],
    })
    const poisoned = producer.send({ topic: 't', value: 'poison' })
    producer.send({ topic: 't', value: 'a' }, () => {
      throw new Error('logged')
    })
    const sent = producer.send({ topic: 't', value: 'b' })
    await assert.rejects(poisoned, { name: 'SerializationError' })
    assert.equal((await sent).offset, 1)
    assert.deepEqual(seen, ['SerializationError', '0', '1'])
  })
})

test('a topic without metadata, and a buffer without room, are waited for that long', async () => {
  await withTopic(async ({ servers }) => {
    const settings = { ...servers, maxBlockMs: 300, batchSize: 1000, bufferMemory: 2000 }
    await using producer = new Producer({ ...settings, lingerMs: 10_000, requestTimeoutMs: 1000 })
    const invalid = producer.send({ topic: 'no/such topic', value: 'x' })
    await assert.rejects(invalid, (error: unknown) => error instanceof KafkaError)
    const missing = producer.send({ topic: 't', partition: 5, value: 'x' })
    await assert.rejects(missing, { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' })
    const values = Array.from({ length: 100 }, () => 'x'.repeat(300))
    const accepted = values.map((value) => producer.post({ topic: 't', value }))
    assert.ok(accepted.includes(false))
    await producer.ready()
    await producer.flush()
  })
  await using producer = new Producer({ bootstrapServers: '127.0.0.1:1', maxBlockMs: 200 })
  await assert.rejects(producer.send({ topic: 't', value: 'x' }), TimeoutError)
  await assert.rejects(producer.partitionsFor('t'), TimeoutError)
})

test('close sends what is there; afterwards nothing is taken', async () => {
  await withTopic(async ({ broker, servers }) => {
    const producer = new Producer({ ...servers, lingerMs: 10_000 })
    const sent = producer.send({ topic: 't', value: 'last' })
    await producer.close()
    assert.equal((await sent).offset, 0)
    await assert.rejects(producer.send({ topic: 't', value: 'x' }), { name: 'ClosedError' })
    assert.deepEqual(await readAll(await broker.connect(), 't'), ['last'])
  })
})

test('settings that do not go together are refused', () => {
  const servers = { bootstrapServers: 'a:1' }
  const wrong = [
    { acks: '1' },
    { maxInFlightRequestsPerConnection: 6 },
    { retries: 0 },
    { deliveryTimeoutMs: 100 },
    { compressionType: 'rar' },
  ]
  for (const settings of wrong) {
    assert.throws(() => new Producer({ ...servers, ...settings }), ConfigError)
  }
})
