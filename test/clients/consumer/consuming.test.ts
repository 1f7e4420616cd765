/** The ways of consuming, and what of it is committed, against a broker in this process. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemEnvironment } from '../../../src/clients/environment.ts'
import {
  Admin,
  Consumer,
  type ConsumerInterceptor,
  type ConsumerOptions,
  ConsumerRecords,
  Producer,
  type RebalanceListener,
  stringDeserializer,
  type TopicPartition,
} from '../../../src/clients/index.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { LineLogger } from '../../../src/common/logger.ts'
import { TestBroker } from '../../support/test-broker.ts'

let broker: TestBroker
let bootstrapServers: string
let producer: Producer
let admin: Admin
let names = 0

before(async () => {
  broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
  bootstrapServers = `127.0.0.1:${broker.port}`
  producer = new Producer({ bootstrapServers, lingerMs: 0 })
  admin = new Admin({ bootstrapServers })
})

after(async () => {
  await producer.close()
  await admin.close()
  await broker[Symbol.asyncDispose]()
})

/** A topic with records `v0`, `v1`, … spread over its partitions, and a group that reads it. */
async function room(count: number, partitions = 1) {
  const topic = `topic-${names++}`
  await admin.createTopics([{ topic, partitions }])
  await producer.sendBatch(
    Array.from({ length: count }, (_, i) => ({ topic, partition: i % partitions, value: `v${i}` })),
  )
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  return { topic, groupId: `group-${topic}`, all }
}

function consumerOf(
  groupId: string,
  options: ConsumerOptions<Buffer, string> = {},
  environment = systemEnvironment(),
): Consumer<Buffer, string> {
  return new Consumer(
    {
      ...{ bootstrapServers, groupId, autoOffsetReset: 'earliest', fetchMaxWaitMs: 50 },
      ...{ valueDeserializer: stringDeserializer, ...options },
    },
    environment,
  )
}

/** What a group has committed, by partition. */
async function committed(groupId: string, partitions: TopicPartition[]) {
  await using consumer = consumerOf(groupId, { enableAutoCommit: false })
  const offsets = await consumer.committed(partitions)
  return partitions.map(({ topic, partition }) => offsets.get(`${topic}-${partition}`)?.offset)
}

test('for await: what is committed by itself was worked on', async () => {
  const { groupId, all } = await room(10)
  const consumer = consumerOf(groupId)
  consumer.assign(all)
  for await (const { offset } of consumer) {
    assert.equal(await consumer.position(all[0]!), offset + 1)
    if (offset === 4) break
  }
  await consumer.close()
  // The loop was left at record 4, and nobody knows whether it was done.
  assert.deepEqual(await committed(groupId, all), [4])
})

test('for await: a further loop goes on where the one before was left', async () => {
  const { groupId, all } = await room(10)
  const consumer = consumerOf(groupId)
  consumer.assign(all)
  const seen: number[] = []
  for await (const { offset } of consumer) {
    seen.push(offset)
    if (offset === 2) break
  }
  const thrown = new Error('in the loop')
  await assert.rejects(async () => {
    for await (const { offset } of consumer) {
      seen.push(offset)
      if (offset === 5) throw thrown
    }
  }, thrown)
  const records = await consumer.poll()
  seen.push(...[...records].map(({ offset }) => offset))
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await consumer.close()
  assert.deepEqual(await committed(groupId, all), [10])
})

test('for await: a seek in the loop takes effect with the next record', async () => {
  const { groupId, all } = await room(10)
  await using consumer = consumerOf(groupId)
  consumer.assign(all)
  const seen: number[] = []
  for await (const { offset } of consumer) {
    seen.push(offset)
    if (seen.length === 2) consumer.seek(all[0]!, 8)
    if (offset === 9) break
  }
  assert.deepEqual(seen, [0, 1, 8, 9])
})

test('commitSync without offsets commits what was delivered, also the record at hand', async () => {
  const { groupId, all } = await room(10)
  await using consumer = consumerOf(groupId, { enableAutoCommit: false })
  consumer.assign(all)
  for await (const { offset } of consumer) {
    if (offset < 3) continue
    await consumer.commitSync()
    break
  }
  assert.deepEqual(await committed(groupId, all), [4])
  await consumer.commitSync([{ ...all[0]!, offset: 7, metadata: 'note' }])
  const found = await consumer.committed(all)
  const { topic } = all[0]!
  const expected = { ...all[0]!, offset: 7, leaderEpoch: -1, metadata: 'note' }
  assert.deepEqual(found.get(`${topic}-0`), expected)
})

test('commitAsync tells its callback, and one that throws breaks nothing', async () => {
  const { groupId, all } = await room(10)
  const lines: string[] = []
  const log = new LineLogger({ clock: new SystemClock(), sink: (line) => lines.push(line) })
  const options = { enableAutoCommit: false }
  await using consumer = consumerOf(groupId, options, systemEnvironment(log))
  consumer.assign(all)
  await consumer.poll()
  consumer.commitAsync(undefined, () => {
    throw new Error('from the callback')
  })
  const told = await new Promise<unknown[]>((resolve) => {
    consumer.commitAsync([{ ...all[0]!, offset: 3 }], (...args) => resolve(args))
  })
  assert.deepEqual(told, [undefined, [{ ...all[0]!, offset: 3 }]])
  assert.deepEqual(await committed(groupId, all), [3])
  assert.ok(lines.some((line) => line.includes('from the callback')))
})

test('batches: those that were asked past are committed', async () => {
  const { groupId, all } = await room(10)
  const consumer = consumerOf(groupId, { maxPollRecords: 4 })
  consumer.assign(all)
  let batches = 0
  for await (const records of consumer.batches()) {
    assert.ok(records instanceof ConsumerRecords)
    assert.deepEqual(records.nextOffsets()[0]!.offset, batches * 4 + records.count)
    if (++batches === 2) break
  }
  await consumer.close()
  assert.deepEqual(await committed(groupId, all), [4])
})

test('run: order in a partition, as many partitions at once as allowed', async () => {
  const { groupId, all } = await room(300, 6)
  const consumer = consumerOf(groupId, { maxPollRecords: 20 })
  consumer.assign(all)
  const next = all.map(() => 0)
  const atWork = new Set<number>()
  let most = 0
  let left = 300
  await consumer.run({
    concurrency: 3,
    async eachRecord({ partition, offset }) {
      assert.ok(!atWork.has(partition), 'one at a time in a partition')
      assert.equal(offset, next[partition]!++)
      atWork.add(partition)
      most = Math.max(most, atWork.size)
      await sleep(offset % 3)
      atWork.delete(partition)
      if (--left === 0) void consumer.close()
    },
  })
  await consumer.close()
  assert.equal(most, 3)
  assert.deepEqual(
    await committed(groupId, all),
    all.map(() => 50),
  )
})

test('run: a callback that throws ends it, and its record is not committed', async () => {
  const { groupId, all } = await room(10)
  const consumer = consumerOf(groupId)
  consumer.assign(all)
  const poison = new Error('poison')
  const eachRecord = ({ offset }: { offset: number }) => {
    if (offset === 6) throw poison
  }
  await assert.rejects(consumer.run({ eachRecord }), poison)
  assert.equal(await consumer.position(all[0]!), 6)
  await consumer.close()
  assert.deepEqual(await committed(groupId, all), [6])
})

test('run: onError decides whether a record is tried again, passed over, or the end', async () => {
  const { groupId, all } = await room(10)
  const consumer = consumerOf(groupId, { retryBackoffMs: 1 })
  consumer.assign(all)
  const calls: number[] = []
  const run = consumer.run({
    async eachRecord({ offset }) {
      calls.push(offset)
      if (offset === 2 && calls.filter((at) => at === 2).length < 3) throw new Error('twice')
      if (offset === 5 || offset === 8) throw new Error('always')
    },
    onError: (_, { offset }) => (offset === 2 ? 'retry' : offset === 5 ? 'skip' : 'stop'),
  })
  await assert.rejects(run, /always/)
  assert.deepEqual(calls, [0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8])
  await consumer.close()
  assert.deepEqual(await committed(groupId, all), [8])
})

test('run: batches are committed whole, and a signal ends it after the callback', async () => {
  const { groupId, all } = await room(40, 2)
  const consumer = consumerOf(groupId, { maxPollRecords: 10 })
  consumer.assign(all)
  const abort = new AbortController()
  const done: number[] = [0, 0]
  await consumer.run({
    signal: abort.signal,
    async eachBatch({ partition, records, next }) {
      await sleep(5)
      done[partition] = next.offset
      assert.equal(records.at(-1)!.offset + 1, next.offset)
      if (done[0]! + done[1]! >= 20) abort.abort()
    },
  })
  await consumer.close()
  assert.ok(done[0]! + done[1]! < 40)
  assert.deepEqual(
    await committed(groupId, all),
    done.map((offset) => offset || 0),
  )
})

for (const groupProtocol of ['classic', 'consumer']) {
  test(`run: a partition is not given away while it is worked on (${groupProtocol})`, async () => {
    const { topic, groupId, all } = await room(400, 4)
    const owners = new Map<number, string>()
    const processed = all.map(() => [] as number[])
    let left = 400
    const work = (name: string, consumer: Consumer<Buffer, string>) =>
      consumer.run({
        concurrency: 4,
        async eachRecord({ partition, offset }) {
          assert.equal(owners.get(partition), undefined, 'nobody else works on it')
          owners.set(partition, name)
          await sleep(2)
          owners.delete(partition)
          processed[partition]!.push(offset)
          left -= 1
        },
      })
    const options = { groupProtocol, maxPollRecords: 10 }
    const first = consumerOf(groupId, options)
    const second = consumerOf(groupId, options)
    first.subscribe(topic)
    second.subscribe(topic)
    const firstRun = work('first', first)
    while (left > 350) await sleep(5)
    const secondRun = work('second', second)
    while (left > 0) await sleep(5)
    await Promise.all([first.close(), second.close()])
    await Promise.all([firstRun, secondRun])
    // Each record once, in order, by whomever: nothing was revoked under a callback's hands.
    const expected = Array.from({ length: 100 }, (_, offset) => offset)
    for (const offsets of processed) assert.deepEqual(offsets, expected)
    assert.deepEqual(await committed(groupId, all), [100, 100, 100, 100])
  })
}

test('interceptors see records and commits, and break nothing', async () => {
  const { groupId, all } = await room(10)
  const seen: string[] = []
  const failing: ConsumerInterceptor<Buffer, string> = {
    onConsume: () => assert.fail('from onConsume'),
    onCommit: () => assert.fail('from onCommit'),
    close: () => assert.fail('from close'),
  }
  const even: ConsumerInterceptor<Buffer, string> = {
    onConsume: (records) =>
      new ConsumerRecords(
        records.byPartition().map((part) => {
          const kept = part.records.filter(({ offset }) => offset % 2 === 0)
          return { topic: part.topic, partition: part.partition, next: part.next, records: kept }
        }),
      ),
    onCommit: (offsets) => seen.push(`committed ${offsets[0]!.offset}`),
    close: () => seen.push('closed'),
  }
  const consumer = consumerOf(groupId, { interceptors: [failing, even] })
  consumer.assign(all)
  const records = await consumer.poll()
  assert.deepEqual(
    [...records].map(({ offset }) => offset),
    [0, 2, 4, 6, 8],
  )
  await consumer.commitSync()
  await consumer.close()
  assert.deepEqual(seen.slice(0, 1), ['committed 10'])
  assert.equal(seen.at(-1), 'closed')
})

test('a topic that is deleted under a consumer and made anew is read on', async () => {
  const { topic, groupId, all } = await room(10)
  await using consumer = consumerOf(groupId, {
    ...{ allowAutoCreateTopics: false, retryBackoffMs: 10, retryBackoffMaxMs: 50 },
  })
  consumer.assign(all)
  let count = 0
  while (count < 10) count += (await consumer.poll()).count
  await admin.deleteTopics([topic])
  assert.equal((await consumer.poll({ timeoutMs: 300 })).count, 0)
  await admin.createTopics([{ topic, partitions: 1 }])
  await producer.send({ topic, partition: 0, value: 'new' })
  const records = await consumer.poll({ timeoutMs: 10_000 })
  assert.deepEqual(
    [...records].map(({ value }) => value),
    ['new'],
  )
})

for (const groupProtocol of ['classic', 'consumer']) {
  test(`closed or unsubscribed while it polls, a consumer is gone (${groupProtocol})`, async () => {
    const { topic, groupId, all } = await room(10)
    const calls: string[] = []
    const consumer = consumerOf(groupId, { groupProtocol, enableAutoCommit: false })
    const listener: RebalanceListener = {
      onPartitionsAssigned: (given: TopicPartition[]) => {
        if (given.length > 0) calls.push('assigned')
      },
      // Also when the consumer is closed, partitions are its own until this is over.
      async onPartitionsRevoked() {
        await consumer.commitSync()
        calls.push('revoked')
      },
    }
    consumer.subscribe(topic, listener)
    assert.equal((await consumer.poll()).count, 10)
    const idle = consumer.poll()
    await consumer.unsubscribe()
    assert.equal((await idle).count, 0)
    assert.deepEqual(consumer.assignment(), [])
    consumer.subscribe(topic, listener)
    while (consumer.assignment().length === 0) await consumer.poll({ timeoutMs: 50 })
    const failing = assert.rejects(consumer.poll(), { name: 'ClosedError' })
    await consumer.close()
    await failing
    await assert.rejects(consumer.poll(), { name: 'ClosedError' })
    assert.deepEqual(calls, ['assigned', 'revoked', 'assigned', 'revoked'])
    assert.deepEqual(await committed(groupId, all), [10])
    // The last member is gone, so that the group can be deleted.
    await admin.deleteGroups([groupId])
  })
}

test('close awaits callbacks under way, which may still commit', async () => {
  const { groupId, all } = await room(10)
  const consumer = consumerOf(groupId, { enableAutoCommit: false })
  consumer.assign(all)
  let closing: Promise<void> | undefined
  await consumer.run({
    async eachRecord({ topic, partition, offset }) {
      closing ??= consumer.close()
      await sleep(20)
      await consumer.commitSync([{ topic, partition, offset: offset + 1 }])
    },
  })
  await closing
  assert.deepEqual(await committed(groupId, all), [1])
})

test('run: a callback that is stuck costs the consumer its place', async () => {
  const { topic, groupId, all } = await room(1)
  const consumer = consumerOf(groupId, { groupProtocol: 'consumer', maxPollIntervalMs: 300 })
  const lost: TopicPartition[] = []
  consumer.subscribe(topic, {
    onPartitionsLost: (partitions) => void lost.push(...partitions),
  })
  const members = async () => {
    const groups = await admin.describeConsumerGroups([groupId])
    return groups.get(groupId)!.members.length
  }
  let calls = 0
  await consumer.run({
    async eachRecord() {
      calls += 1
      if (calls === 1) while ((await members()) > 0) await sleep(20)
      // Somebody else may have had it meanwhile: it comes again after the group was joined again.
      else void consumer.close()
    },
  })
  await consumer.close()
  assert.deepEqual(lost, all)
  assert.equal(calls, 2)
  assert.deepEqual(await committed(groupId, all), [1])
})

test('what kept a partition from being read is not told when it has been mended', async () => {
  const { groupId, all } = await room(10)
  await using consumer = consumerOf(groupId, { autoOffsetReset: 'none', retryBackoffMs: 1 })
  consumer.assign(all)
  for (const _ of [1, 2]) {
    await assert.rejects(consumer.poll(), { name: 'NoOffsetForPartitionError' })
    // Long enough for attempts that nobody has asked for.
    await sleep(50)
  }
  await consumer.commitSync([{ ...all[0]!, offset: 7 }])
  const [record] = await consumer.poll()
  assert.equal(record!.offset, 7)
})
