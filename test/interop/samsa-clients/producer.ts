/** What our producer writes, and Java reads. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isFatal,
  KafkaError,
  Producer,
  type ProducerRecord,
  type RecordMetadata,
} from '../../../src/clients/index.ts'
import { codecs } from '../harness/clients.ts'
import { recordsOfEveryShape } from './records.ts'
import { inOrder, recordLine, type SeenRecord, type Stage, soon } from './stage.ts'

type Bytes = Uint8Array

/** What must be read of a record, by what the producer said of it. */
function sent(record: ProducerRecord<Bytes, Bytes>, metadata: RecordMetadata): SeenRecord {
  const headers = (record.headers ?? []) as { key: string; value: string | Bytes | null }[]
  const { topic, partition, offset, timestamp } = metadata
  assert.equal(timestamp, record.timestamp)
  assert.equal(metadata.serializedKeySize, record.key?.length ?? -1)
  assert.equal(metadata.serializedValueSize, record.value?.length ?? -1)
  return {
    ...{ topic, partition, offset, timestamp, key: record.key ?? null, value: record.value },
    headers: headers.map(({ key, value }) => {
      return { key, value: typeof value === 'string' ? Buffer.from(value) : value }
    }),
  }
}

/** Each compression: whatever a record looks like, Java reads it as it was sent. */
async function compressions(stage: Stage): Promise<void> {
  const topics = codecs.map((codec) => `ours-${codec}`)
  await stage.createTopics(...topics.map((topic) => ({ topic, partitions: 3 })))
  const expected = new Map<string, string[]>()
  for (const [index, compressionType] of codecs.entries()) {
    const topic = topics[index]!
    await using producer = new Producer<Bytes, Bytes>({ ...stage.servers, compressionType })
    const records = recordsOfEveryShape(topic, 400)
    const all = await producer.sendBatch(records)
    const seen = records.map((record, at) => sent(record, all[at]!))
    expected.set(topic, inOrder(seen).map(recordLine))
  }
  const found = await stage.javaDump(Object.fromEntries(topics.map((topic) => [topic, 3])))
  for (const topic of topics) assert.deepEqual(found.get(topic), expected.get(topic))
}

/** Whoever is to have a record before it counts as sent. */
async function acknowledgements(stage: Stage): Promise<void> {
  const expected = new Map<string, number>()
  for (const acks of ['0', '1', 'all']) {
    const topic = `acks-${acks}`
    await stage.createTopics({ topic, partitions: 1 })
    const settings = { ...stage.servers, acks, enableIdempotence: acks === 'all', lingerMs: 0 }
    await using producer = new Producer(settings)
    for (let i = 0; i < 100; i++) producer.post({ topic, value: `${i}` })
    const { offset } = await producer.send({ topic, value: 'last' })
    assert.equal(offset, acks === '0' ? -1 : 100)
    expected.set(topic, 101)
  }
  const found = await stage.javaDump({ 'acks-0': 1, 'acks-1': 1, 'acks-all': 1 })
  for (const [topic, count] of expected) assert.equal(found.get(topic)!.length, count, topic)
}

/** The broker dies and comes back while records are on their way. */
async function restart(stage: Stage): Promise<void> {
  const topic = 'restart'
  await stage.createTopics({ topic, partitions: 1 })
  await using producer = new Producer({ ...stage.servers, lingerMs: 1, batchSize: 500 })
  const offsets: Promise<number>[] = []
  let isOver = false
  const sending = (async () => {
    for (let i = 0; !isOver || i % 100 !== 0; i++) {
      offsets.push(producer.send({ topic, value: `${i}` }).then(({ offset }) => offset))
      if (i % 20 === 0) await sleep(5)
    }
  })()
  await sleep(300)
  await stage.restartBroker()
  await sleep(300)
  isOver = true
  await sending
  const all = await Promise.all(offsets)
  const lines = (await stage.javaDump({ [topic]: 1 })).get(topic)!
  assert.equal(lines.length, offsets.length, 'each record is there once')
  const values = lines.map((line) => {
    return Buffer.from(line.split(' ').at(-1)!.slice(2), 'hex').toString()
  })
  assert.deepEqual(
    values,
    offsets.map((_, i) => `${i}`),
  )
  // A batch that the broker had already may come back without its place.
  for (const [i, offset] of all.entries()) assert.ok(offset === i || offset === -1)
}

/** What was committed and what was not, offsets of a group among it; and who is fenced. */
async function transactions(stage: Stage): Promise<void> {
  const topic = 'transactions'
  await stage.createTopics({ topic, partitions: 2 })
  const open = () => new Producer({ ...stage.servers, transactionalId: 'ours', lingerMs: 1 })
  await using one = open()
  await one.initTransactions()
  const at = { topic, partition: 0 }
  for (let round = 0; round < 6; round++) {
    one.beginTransaction()
    const value = `${round % 2 === 0 ? 'committed' : 'aborted'} ${round}`
    one.post({ ...at, value })
    await one.send({ topic, partition: 1, value })
    await one.sendOffsetsToTransaction([{ ...at, offset: round * 10 }], 'of-transactions')
    if (round % 2 === 0) await one.commitTransaction()
    else await one.abortTransaction()
  }
  const [committed] = await stage.admin.listGroupOffsets('of-transactions', { requireStable: true })
  assert.equal(committed?.offset, 40)

  one.beginTransaction()
  await one.send({ ...at, value: 'of the fenced' })
  await using two = open()
  await two.initTransactions()
  await assert.rejects(
    (async () => {
      await one.send({ ...at, value: 'too late' })
      await one.commitTransaction()
    })(),
    (error) => error instanceof KafkaError,
  )
  await assert.rejects(one.abortTransaction(), isFatal)
  two.beginTransaction()
  await two.send({ ...at, value: 'committed 6' })
  await two.commitTransaction()
  two.beginTransaction()
  await two.send({ ...at, value: 'left open' })
  await two.close()
  await soon(async () => {
    const described = await stage.admin.describeTransactions(['ours'])
    assert.equal(described.get('ours')?.state, 'CompleteAbort', 'closing has aborted it')
  })

  const lines = (await stage.javaDump({ [topic]: 2 }, 'read_committed')).get(topic)!
  const values = lines.map((line) => {
    return Buffer.from(line.split(' ').at(-1)!.slice(2), 'hex').toString()
  })
  const rounds = ['committed 0', 'committed 2', 'committed 4']
  assert.deepEqual(values, [...rounds, 'committed 6', ...rounds])
}

export async function proveProducer(t: TestContext, stage: Stage): Promise<void> {
  await t.test('each compression, read by Java', () => compressions(stage))
  await t.test('acks 0, 1 and all', () => acknowledgements(stage))
  await t.test('transactions, and who is fenced', () => transactions(stage))
  await t.test('each record once and in order through a kill', () => restart(stage))
}
