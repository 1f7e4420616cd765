/** The consumer without a group, against a broker in this process. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  Admin,
  Consumer,
  type ConsumerOptions,
  type ConsumerRecord,
  DeserializationError,
  IllegalStateError,
  jsonDeserializer,
  NoOffsetForPartitionError,
  OffsetOutOfRangeError,
  Producer,
  stringDeserializer,
  WakeupError,
} from '../../../src/clients/index.ts'
import { TestBroker } from '../../support/test-broker.ts'

let broker: TestBroker
let bootstrapServers: string
let producer: Producer
let admin: Admin
let topics = 0

before(async () => {
  broker = await TestBroker.start()
  bootstrapServers = `127.0.0.1:${broker.port}`
  producer = new Producer({ bootstrapServers, lingerMs: 0 })
  admin = new Admin({ bootstrapServers })
})

after(async () => {
  await producer.close()
  await admin.close()
  await broker[Symbol.asyncDispose]()
})

/** A topic of its own, with `count` records `v0`, `v1`, … spread over its partitions. */
async function topicOf(count: number, partitions = 1): Promise<string> {
  const topic = `topic-${topics++}`
  await admin.createTopics([{ topic, partitions }])
  const records = Array.from({ length: count }, (_, i) => {
    return { topic, partition: i % partitions, key: `k${i}`, value: `v${i}` }
  })
  await producer.sendBatch(records)
  return topic
}

function textConsumer(options: ConsumerOptions<string, string> = {}): Consumer<string, string> {
  return new Consumer({
    ...{ bootstrapServers, autoOffsetReset: 'earliest', fetchMaxWaitMs: 100 },
    ...{ keyDeserializer: stringDeserializer, valueDeserializer: stringDeserializer },
    ...options,
  })
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`)

async function take(consumer: Consumer<string, string>, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    for (const { value } of await consumer.poll({ timeoutMs: 10_000 })) values.push(value!)
  }
  return values
}

test('polls give every record once, in the order of its partition', async () => {
  const topic = await topicOf(1000, 3)
  await using consumer = textConsumer({ maxPollRecords: 7 })
  consumer.assign([0, 1, 2].map((partition) => ({ topic, partition })))
  const offsets = [0, 0, 0]
  let count = 0
  while (count < 1000) {
    const records = await consumer.poll({ timeoutMs: 10_000 })
    assert.ok(records.count > 0 && records.count <= 7)
    for (const record of records) {
      assert.equal(record.offset, offsets[record.partition]!++)
      assert.equal(record.value, `v${record.offset * 3 + record.partition}`)
      assert.equal(record.key, `k${record.offset * 3 + record.partition}`)
      count += 1
    }
  }
  assert.equal((await consumer.poll({ timeoutMs: 0 })).count, 0)
  assert.deepEqual(offsets, [334, 333, 333])
  assert.equal(await consumer.position({ topic, partition: 0 }), 334)
  assert.equal(consumer.currentLag({ topic, partition: 0 }), 0)
})

test('a record shows all that was written with it', async () => {
  const topic = await topicOf(0)
  const headers = { trace: 'a', other: Buffer.from([0, 1]) }
  await producer.send({ topic, key: null, value: 'x', headers, timestamp: 1_700_000_000_000 })
  await producer.send({ topic, key: 'k', value: null })
  await using consumer = textConsumer()
  consumer.assign([{ topic, partition: 0 }])
  const records: ConsumerRecord<string, string>[] = []
  while (records.length < 2) records.push(...(await consumer.poll({ timeoutMs: 10_000 })))
  const [first, second] = records
  assert.equal(first!.key, null)
  assert.equal(first!.value, 'x')
  assert.equal(first!.timestamp, 1_700_000_000_000)
  assert.equal(first!.timestampType, 'CreateTime')
  assert.equal(String(first!.header('trace')), 'a')
  assert.deepEqual(first!.header('other'), Buffer.from([0, 1]))
  assert.equal(first!.header('absent'), undefined)
  assert.equal(first!.serializedKeySize, -1)
  assert.equal(first!.serializedValueSize, 1)
  assert.equal(second!.key, 'k')
  assert.equal(second!.value, null)
  assert.deepEqual(second!.headers, [])
})

test('a record that cannot be deserialized can be passed over', async () => {
  const topic = await topicOf(0)
  await producer.sendBatch(['1', 'not JSON', '3'].map((value) => ({ topic, value })))
  await using consumer = new Consumer({
    ...{ bootstrapServers, autoOffsetReset: 'earliest' },
    valueDeserializer: jsonDeserializer<number>(),
  })
  consumer.assign([{ topic, partition: 0 }])
  const seen: (number | null | string)[] = []
  for await (const record of consumer) {
    try {
      seen.push(record.value)
    } catch (error) {
      assert.ok(error instanceof DeserializationError)
      assert.deepEqual([error.part, error.offset, String(error.bytes)], ['value', 1, 'not JSON'])
      seen.push('poison')
    }
    if (record.offset === 2) break
  }
  assert.deepEqual(seen, [1, 'poison', 3])
})

test('reading goes on where the application seeks', async () => {
  const topic = await topicOf(100)
  const at = { topic, partition: 0 }
  await using consumer = textConsumer({ maxPollRecords: 10 })
  consumer.assign([at])
  assert.deepEqual(await take(consumer, 10), numbered(10))
  consumer.seek(at, 95)
  assert.deepEqual(await take(consumer, 5), numbered(100).slice(95))
  consumer.seekToBeginning([at])
  assert.deepEqual(await take(consumer, 100), numbered(100))
  consumer.seekToEnd()
  assert.equal(await consumer.position(at), 100)
  assert.throws(() => consumer.seek({ topic, partition: 1 }, 0), IllegalStateError)
  assert.throws(() => consumer.seek(at, -1), RangeError)
})

test('a paused partition gives nothing until it is resumed', async () => {
  const topic = await topicOf(20, 2)
  const [first, second] = [0, 1].map((partition) => ({ topic, partition }))
  await using consumer = textConsumer()
  consumer.assign([first!, second!])
  consumer.pause([first!])
  assert.deepEqual(consumer.paused(), [first])
  const odd = numbered(20).filter((_, i) => i % 2 === 1)
  assert.deepEqual(await take(consumer, 10), odd)
  assert.equal((await consumer.poll({ timeoutMs: 150 })).count, 0)
  consumer.resume([first!])
  assert.deepEqual(
    await take(consumer, 10),
    numbered(20).filter((_, i) => i % 2 === 0),
  )
})

test('without a position, reading begins where auto.offset.reset says', async () => {
  const topic = await topicOf(0)
  const at = { topic, partition: 0 }
  const hourMs = 3_600_000
  await producer.send({ topic, value: 'old', timestamp: Date.now() - 2 * hourMs })
  await producer.send({ topic, value: 'young', timestamp: Date.now() - 60_000 })
  const positions: Record<string, number> = {}
  for (const autoOffsetReset of ['earliest', 'latest', 'by_duration:PT1H', 'by_duration:PT1S']) {
    await using consumer = textConsumer({ autoOffsetReset })
    consumer.assign([at])
    positions[autoOffsetReset] = await consumer.position(at)
  }
  assert.deepEqual(positions, {
    ...{ earliest: 0, latest: 2, 'by_duration:PT1H': 1, 'by_duration:PT1S': 2 },
  })
  await using consumer = textConsumer({ autoOffsetReset: 'none' })
  consumer.assign([at])
  await assert.rejects(consumer.poll({ timeoutMs: 5000 }), NoOffsetForPartitionError)
  consumer.seek(at, 1)
  assert.deepEqual(await take(consumer, 1), ['young'])
})

test('a position outside of the log is reset, or told', async () => {
  const topic = await topicOf(10)
  const at = { topic, partition: 0 }
  await admin.deleteRecords([{ ...at, beforeOffset: 4 }])
  await using resetting = textConsumer()
  resetting.assign([at])
  resetting.seek(at, 0)
  assert.deepEqual(await take(resetting, 6), numbered(10).slice(4))
  await using strict = textConsumer({ autoOffsetReset: 'none' })
  strict.assign([at])
  strict.seek(at, 1000)
  await assert.rejects(strict.poll({ timeoutMs: 5000 }), (error) => {
    assert.ok(error instanceof OffsetOutOfRangeError)
    assert.deepEqual(error.positions, [{ ...at, offset: 1000 }])
    return true
  })
  strict.seek(at, 9)
  assert.deepEqual(await take(strict, 1), ['v9'])
})

test('ends and times of partitions can be asked for', async () => {
  const topic = await topicOf(0)
  const at = { topic, partition: 0 }
  for (const timestamp of [1000, 2000, 3000]) await producer.send({ topic, value: 'x', timestamp })
  await using consumer = textConsumer()
  assert.deepEqual([...(await consumer.endOffsets([at]))], [[`${topic}-0`, 3]])
  assert.deepEqual([...(await consumer.beginningOffsets([at]))], [[`${topic}-0`, 0]])
  const found = await consumer.offsetsForTimes([{ ...at, timestamp: 1500 }])
  assert.deepEqual(found.get(`${topic}-0`), { offset: 1, timestamp: 2000, leaderEpoch: 0 })
  const none = await consumer.offsetsForTimes([{ ...at, timestamp: 5000 }])
  assert.equal(none.get(`${topic}-0`), undefined)
  assert.equal((await consumer.partitionsFor(topic)).length, 1)
  assert.equal((await consumer.listTopics()).get(topic)?.length, 1)
})

test('read_committed gives what was committed, and passes over the rest', async () => {
  const topic = await topicOf(0)
  const at = { topic, partition: 0 }
  await using writer = new Producer({ bootstrapServers, transactionalId: `tx-${topic}` })
  await writer.initTransactions()
  const write = async (value: string, commit: boolean) => {
    writer.beginTransaction()
    await writer.send({ topic, value })
    await (commit ? writer.commitTransaction() : writer.abortTransaction())
  }
  await write('a', true)
  await write('lost', false)
  await write('b', true)
  await write('lost too', false)
  writer.beginTransaction()
  await writer.send({ topic, value: 'open' })
  await using committed = textConsumer({ isolationLevel: 'read_committed' })
  committed.assign([at])
  assert.deepEqual(await take(committed, 2), ['a', 'b'])
  assert.equal((await committed.poll({ timeoutMs: 300 })).count, 0)
  // Past the markers and aborted records, up to the transaction that is open.
  assert.equal(await committed.position(at), 8)
  assert.deepEqual([...(await committed.endOffsets([at])).values()], [8])
  await using uncommitted = textConsumer()
  uncommitted.assign([at])
  assert.deepEqual(await take(uncommitted, 5), ['a', 'lost', 'b', 'lost too', 'open'])
  await writer.commitTransaction()
  assert.deepEqual(await take(committed, 1), ['open'])
})

test('wakeup ends the poll under way, or else the next one', async () => {
  const topic = await topicOf(1)
  await using consumer = textConsumer({ autoOffsetReset: 'latest' })
  consumer.assign([{ topic, partition: 0 }])
  const poll = consumer.poll()
  consumer.wakeup()
  await assert.rejects(poll, WakeupError)
  consumer.wakeup()
  await assert.rejects(consumer.poll({ timeoutMs: 0 }), WakeupError)
  consumer.seekToBeginning()
  assert.deepEqual(await take(consumer, 1), ['v0'])
})

test('a poll ends with its signal, and a loop with its consumer', async () => {
  const topic = await topicOf(1)
  const consumer = textConsumer()
  consumer.assign([{ topic, partition: 0 }])
  const seen: string[] = []
  for await (const { value } of consumer) {
    seen.push(value!)
    void consumer.close()
  }
  assert.deepEqual(seen, ['v0'])
  await using other = textConsumer({ autoOffsetReset: 'latest' })
  other.assign([{ topic, partition: 0 }])
  const reason = new Error('enough')
  const abort = new AbortController()
  const poll = other.poll({ signal: abort.signal })
  abort.abort(reason)
  await assert.rejects(poll, reason)
})

test('what does not fit the state of the consumer is refused', async () => {
  await using consumer = textConsumer()
  await assert.rejects(consumer.poll({ timeoutMs: 0 }), IllegalStateError)
  assert.throws(() => consumer.subscribe('t'), { errorName: 'INVALID_GROUP_ID' })
  await assert.rejects(consumer.commitSync([{ topic: 't', partition: 0, offset: 1 }]), {
    errorName: 'INVALID_GROUP_ID',
  })
  const topic = await topicOf(0)
  consumer.assign([{ topic, partition: 0 }])
  const poll = consumer.poll({ timeoutMs: 100 })
  await assert.rejects(consumer.poll(), IllegalStateError)
  await poll
})
