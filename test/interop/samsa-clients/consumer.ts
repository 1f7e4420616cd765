/** What our consumer reads, whoever wrote it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import {
  Consumer,
  type ConsumerOptions,
  Producer,
  ShareConsumer,
} from '../../../src/clients/index.ts'
import { codecs, java } from '../harness/clients.ts'
import { recordLine, type Stage, soon } from './stage.ts'

type Settings = Partial<ConsumerOptions<Buffer, Buffer>>

/** Reads partitions to where they end now, as `recordLine` writes it; each in order. */
async function ourDump(stage: Stage, topics: Record<string, number>, settings: Settings = {}) {
  await using consumer = new Consumer({ ...stage.servers, ...settings })
  const partitions = Object.entries(topics).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  )
  consumer.assign(partitions)
  consumer.seekToBeginning()
  const ends = await consumer.endOffsets(partitions)
  const lines = new Map<string, string[]>()
  for (const name of ends.keys()) lines.set(name, [])
  const isRead = async () => {
    for (const at of partitions) {
      if ((await consumer.position(at)) < ends.get(`${at.topic}-${at.partition}`)!) return false
    }
    return true
  }
  while (!(await isRead())) {
    for (const record of await consumer.poll({ timeoutMs: 1000 })) {
      const name = `${record.topic}-${record.partition}`
      lines.get(name)!.push(recordLine(record))
    }
  }
  return new Map(
    Object.entries(topics).map(([topic, count]) => [
      topic,
      Array.from({ length: count }, (_, partition) => lines.get(`${topic}-${partition}`)!).flat(),
    ]),
  )
}

/** Both consumers see the same in these topics; returns how many records that were. */
async function readAlike(
  stage: Stage,
  topics: Record<string, number>,
  isolationLevel = 'read_uncommitted',
): Promise<number> {
  const theirs = await stage.javaDump(topics, isolationLevel)
  const ours = await ourDump(stage, topics, { isolationLevel })
  let count = 0
  for (const [topic, lines] of theirs) {
    assert.ok(lines.length > 0, `${topic} has records`)
    assert.deepEqual(ours.get(topic), lines, topic)
    count += lines.length
  }
  return count
}

/** What Java wrote, in each compression, and what we wrote ourselves. */
async function compressions(stage: Stage): Promise<void> {
  const topics = codecs.map((codec) => `theirs-${codec}`)
  const created = topics.map((topic) => ({ topic, partitions: 3 }))
  await stage.createTopics(...created, {
    ...{ topic: 'theirs-append-time', partitions: 1 },
    configs: { 'message.timestamp.type': 'LogAppendTime' },
  })
  const plain = codecs.flatMap((codec) => [`theirs-${codec}`, '3', codec, '0.5'])
  const appendTime = ['theirs-append-time', '1', 'lz4', '0.2']
  await java('SampleTopics', [stage.broker.address, 'plain', ...plain, ...appendTime])
  const read = await readAlike(stage, {
    ...Object.fromEntries(topics.map((topic) => [topic, 3])),
    ...Object.fromEntries(codecs.map((codec) => [`ours-${codec}`, 3])),
    'theirs-append-time': 1,
  })
  assert.ok(read > 3000, `${read} records`)
}

/** Aborted records are left out, wherever transactions lie across each other. */
async function transactions(stage: Stage): Promise<void> {
  const topics = { transactions: 2, 'theirs-transactions': 2 }
  await stage.createTopics({ topic: 'theirs-transactions', partitions: 2 })
  await java('SampleTopics', [stage.broker.address, 'transactions', 'theirs-transactions'])
  const committed = await readAlike(stage, topics, 'read_committed')
  const all = await readAlike(stage, topics)
  assert.ok(committed < all)
}

/** Where a group begins that has committed nothing. */
async function offsetResets(stage: Stage): Promise<void> {
  const topic = 'resets'
  await stage.createTopics({ topic, partitions: 1 })
  await using producer = new Producer(stage.servers)
  const hour = 3_600_000
  for (const [i, ageMs] of [3 * hour, 2 * hour, hour / 2, 0].entries()) {
    await producer.send({ topic, value: `${i}`, timestamp: Date.now() - ageMs })
  }
  const at = { topic, partition: 0 }
  for (const [autoOffsetReset, expected] of [
    ['earliest', 0],
    ['latest', 4],
    ['by_duration:PT1H', 2],
  ] as const) {
    await using consumer = new Consumer({ ...stage.servers, autoOffsetReset })
    consumer.assign([at])
    assert.equal(await consumer.position(at), expected, autoOffsetReset)
  }
  await using consumer = new Consumer({
    ...{ ...stage.servers, groupId: 'nothing-committed', autoOffsetReset: 'none' },
  })
  consumer.assign([at])
  await assert.rejects(consumer.poll({ timeoutMs: 10_000 }), { name: 'NoOffsetForPartitionError' })
  const found = await consumer.offsetsForTimes([{ ...at, timestamp: Date.now() - hour }])
  assert.equal(found.get('resets-0')?.offset, 2)
  await consumer.commitSync([{ ...at, offset: 3 }])
  const [record] = await consumer.poll({ timeoutMs: 10_000 })
  assert.equal(record?.offset, 3)
}

/** A static member that comes back in time finds its partitions as it left them. */
async function staticMembership(stage: Stage, groupProtocol: string): Promise<void> {
  const topic = `static-${groupProtocol}`
  const groupId = topic
  await stage.createTopics({ topic, partitions: 4 })
  const open = (groupInstanceId: string) => {
    const options = { ...stage.servers, groupId, groupProtocol, groupInstanceId }
    const consumer = new Consumer({ ...options, autoOffsetReset: 'earliest' })
    const changes: string[] = []
    consumer.subscribe(topic, {
      onPartitionsAssigned: (partitions) => void changes.push(`+${partitions.length}`),
      onPartitionsRevoked: (partitions) => void changes.push(`-${partitions.length}`),
    })
    return { consumer, changes }
  }
  const one = open('one')
  let two = open('two')
  const settle = async () => {
    await soon(async () => {
      await Promise.all([one, two].map(({ consumer }) => consumer.poll({ timeoutMs: 100 })))
      const sizes = [one, two].map(({ consumer }) => consumer.assignment().length)
      assert.deepEqual(sizes, [2, 2])
    })
  }
  await settle()
  const mine = one.consumer.assignment()
  const before = [...one.changes]
  await two.consumer.close()
  two = open('two')
  await settle()
  assert.deepEqual(one.consumer.assignment(), mine)
  assert.deepEqual(one.changes, before, 'the other member heard nothing of it')
  await one.consumer.close()
  await two.consumer.close()
}

/** Two of a share group work through a topic; what is given back comes again. */
async function shareGroup(stage: Stage): Promise<void> {
  const topic = 'shared-by-two'
  const groupId = 'two-that-share'
  await stage.createTopics({ topic, partitions: 2 })
  const set = { 'share.auto.offset.reset': 'earliest' }
  await stage.admin.alterConfigs([{ type: 'group', name: groupId, set }])
  await using producer = new Producer(stage.servers)
  const values = Array.from({ length: 200 }, (_, i) => `${i}`)
  await producer.sendBatch(values.map((value, i) => ({ topic, partition: i % 2, value })))
  const accepted: string[] = []
  const released = new Set<string>()
  const work = async () => {
    const mode = { shareAcknowledgementMode: 'explicit' }
    await using consumer = new ShareConsumer({ ...stage.servers, groupId, ...mode })
    consumer.subscribe(topic)
    const limit = Date.now() + 30_000
    while (accepted.length < values.length && Date.now() < limit) {
      for (const record of await consumer.poll({ timeoutMs: 200 })) {
        const value = `${record.value}`
        const isFirst = record.deliveryCount === 1 && Number(value) % 10 === 0
        if (isFirst) released.add(value)
        else accepted.push(value)
        consumer.acknowledge(record, isFirst ? 'release' : 'accept')
      }
      await consumer.commitSync()
    }
  }
  await Promise.all([work(), work()])
  assert.deepEqual(
    accepted.toSorted((a, b) => Number(a) - Number(b)),
    values,
  )
  assert.equal(released.size, 20)
}

export async function proveConsumer(t: TestContext, stage: Stage): Promise<void> {
  await t.test('what Java and we wrote, in each compression', () => compressions(stage))
  await t.test('read_committed as Java reads it', () => transactions(stage))
  await t.test('each auto.offset.reset', () => offsetResets(stage))
  await t.test('static members, classic', () => staticMembership(stage, 'classic'))
  await t.test('static members, KIP-848', () => staticMembership(stage, 'consumer'))
  await t.test('a share group', () => shareGroup(stage))
}
