import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { Admin } from '../../../src/clients/admin/admin.ts'
import { stringDeserializer } from '../../../src/clients/deserializers.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import {
  ShareConsumer,
  type ShareConsumerOptions,
} from '../../../src/clients/share-consumer/share-consumer.ts'
import type { ShareRecord } from '../../../src/clients/share-consumer/share-record.ts'
import { TestBroker } from '../../support/test-broker.ts'

type Options = Omit<ShareConsumerOptions<Buffer, string>, 'bootstrapServers' | 'group.id'>

interface World {
  readonly broker: TestBroker
  readonly admin: Admin
  readonly producer: Producer
  consumer(options?: Options): ShareConsumer<Buffer, string>
}

/** A port that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** A broker with a topic `t` that share group `g` reads from its beginning. */
async function withWorld(
  task: (world: World) => Promise<void>,
  {
    settings = {},
    partitions = 1,
  }: { settings?: Record<string, string>; partitions?: number } = {},
): Promise<void> {
  await using broker = await TestBroker.start(settings)
  const bootstrapServers = `127.0.0.1:${broker.port}`
  await using admin = new Admin({ bootstrapServers })
  await using producer = new Producer({ bootstrapServers })
  await admin.createTopics([{ topic: 't', partitions }])
  const groupConfigs = { 'share.auto.offset.reset': 'earliest' }
  await admin.alterConfigs([{ type: 'group', name: 'g', set: groupConfigs }])
  const consumers: ShareConsumer<Buffer, string>[] = []
  const consumer = (options: Options = {}) => {
    const made = new ShareConsumer<Buffer, string>({
      ...{ bootstrapServers, groupId: 'g', valueDeserializer: stringDeserializer },
      ...options,
    })
    made.subscribe('t')
    consumers.push(made)
    return made
  }
  try {
    await task({ broker, admin, producer, consumer })
  } finally {
    for (const each of consumers) await each.close()
  }
}

async function send(producer: Producer, values: readonly string[], partition = 0): Promise<void> {
  await producer.sendBatch(values.map((value) => ({ topic: 't', partition, value })))
}

const valuesOf = (records: Iterable<ShareRecord<Buffer, string>>) =>
  [...records].map(({ value }) => value)

test('in implicit mode the next poll accepts what the last one gave', async () => {
  await withWorld(
    async ({ producer, consumer }) => {
      await producer.send({ topic: 't', partition: 0, key: 'k', value: 'a', headers: { h: 'x' } })
      const first = consumer()
      const [record] = await first.poll()
      assert.equal(record?.value, 'a')
      assert.equal(record?.deliveryCount, 1)
      assert.equal(record?.key?.toString(), 'k')
      assert.equal(record?.header('h')?.toString(), 'x')
      assert.equal(first.acquisitionLockTimeoutMs, 30_000)
      await send(producer, ['b', 'c'], 1)
      const more = await first.poll()
      assert.deepEqual(valuesOf(more), ['b', 'c'])
      assert.deepEqual(more.partitions(), [{ topic: 't', partition: 1 }])
      assert.equal((await first.poll({ timeoutMs: 0 })).count, 0)
      const committed = await first.commitSync()
      assert.deepEqual(committed, [])
      await first.close()
      const second = consumer()
      assert.equal((await second.poll({ timeoutMs: 200 })).count, 0)
    },
    { partitions: 2 },
  )
})

test('what is not accepted is delivered again, and counted', async () => {
  await withWorld(async ({ producer, consumer }) => {
    await send(producer, ['accept', 'release', 'reject', 'nothing'])
    const first = consumer({ shareAcknowledgementMode: 'explicit' })
    const records = [...(await first.poll())]
    assert.throws(() => first.acknowledge({ topic: 't', partition: 0, offset: 9 }), {
      name: 'IllegalStateError',
    })
    first.acknowledge(records[0]!)
    first.acknowledge(records[1]!, 'release')
    first.acknowledge(records[2]!, 'reject')
    await assert.rejects(first.poll(), {
      message: 'All records must be acknowledged in explicit acknowledgement mode.',
    })
    assert.deepEqual(await first.commitSync(), [{ topic: 't', partition: 0, offsets: [0, 1, 2] }])
    assert.throws(() => first.acknowledge(records[0]!), { name: 'IllegalStateError' })
    await first.close()
    const second = consumer()
    const again = [...(await second.poll())]
    assert.deepEqual(valuesOf(again), ['release', 'nothing'])
    assert.deepEqual(
      again.map(({ deliveryCount }) => deliveryCount),
      [2, 2],
    )
  })
})

test('a loop left by an error gives back the record it was at, and those after', async () => {
  await withWorld(async ({ producer, consumer }) => {
    await send(producer, ['a', 'b', 'c'])
    const member = consumer()
    const seen: string[] = []
    const loop = async () => {
      for await (const { value } of member) {
        seen.push(value!)
        if (seen.length === 2) throw new Error('no')
      }
    }
    await assert.rejects(loop, { message: 'no' })
    for await (const { value, deliveryCount } of member) {
      seen.push(`${value} ${deliveryCount}`)
      if (value === 'c') break
    }
    assert.deepEqual(seen, ['a', 'b', 'b 2', 'c 2'])
    assert.deepEqual(valuesOf(await member.poll()), ['c'])
  })
})

test('a commit within a loop covers only what the loop has come to', async () => {
  await withWorld(async ({ producer, consumer }) => {
    await send(producer, ['a', 'b', 'c'])
    const member = consumer()
    for await (const record of member) {
      if (record.offset === 1) break
      assert.deepEqual(await member.commitSync(), [{ topic: 't', partition: 0, offsets: [0] }])
    }
    assert.deepEqual(valuesOf(await member.poll()), ['b', 'c'])
  })
})

test('two members share the records of a partition', async () => {
  await withWorld(async ({ producer, consumer }) => {
    const all = Array.from({ length: 200 }, (_, index) => `${index}`)
    const options = { maxPollRecords: 5, shareAcquireMode: 'record_limit' } as const
    const members = [consumer(options), consumer(options)]
    const seen: string[][] = [[], []]
    // Both are members before there is anything to have.
    await Promise.all(members.map((member) => member.poll({ timeoutMs: 300 })))
    await send(producer, all)
    const read = async (member: ShareConsumer<Buffer, string>, mine: string[]) => {
      while (seen[0]!.length + seen[1]!.length < all.length) {
        const records = await member.poll({ timeoutMs: 50 })
        assert.ok(records.count <= 5)
        mine.push(...valuesOf(records).map((value) => value!))
      }
    }
    await Promise.all(members.map((member, index) => read(member, seen[index]!)))
    assert.deepEqual(
      seen.flat().sort((a, b) => Number(a) - Number(b)),
      all,
    )
    assert.ok(seen[0]!.length > 0 && seen[1]!.length > 0)
  })
})

test('a renewed record comes back, locked anew, and can be accepted then', async () => {
  await withWorld(async ({ producer, consumer }) => {
    await send(producer, ['a', 'b'])
    const member = consumer({ 'share.acknowledgement.mode': 'explicit' })
    const [a, b] = [...(await member.poll())]
    member.acknowledge(a!, 'renew')
    member.acknowledge(b!)
    const again = await member.poll()
    assert.deepEqual(valuesOf(again), ['a'])
    for (const record of again) member.acknowledge(record)
    assert.deepEqual(await member.commitSync(), [{ topic: 't', partition: 0, offsets: [0] }])
    assert.equal((await member.poll({ timeoutMs: 100 })).count, 0)
  })
})

test('who acknowledges after the lock has expired is told', async () => {
  const settings = { 'group.share.min.record.lock.duration.ms': '1000' }
  await withWorld(
    async ({ admin, producer, consumer }) => {
      const set = { 'share.record.lock.duration.ms': '1000' }
      await admin.alterConfigs([{ type: 'group', name: 'g', set }])
      await send(producer, ['a'])
      const slow = consumer({ shareAcknowledgementMode: 'explicit' })
      const told: unknown[] = []
      slow.setAcknowledgementCommitCallback((acknowledged, error) => {
        told.push([acknowledged, error?.errorName])
      })
      const [record] = await slow.poll()
      const other = consumer()
      const [same] = await other.poll()
      assert.equal(same?.deliveryCount, 2)
      slow.acknowledge(record!)
      await assert.rejects(slow.commitSync(), (error: { failures?: Map<string, object> }) => {
        assert.deepEqual([...error.failures!.keys()], ['t-0'])
        return (error as { errorName?: string }).errorName === 'INVALID_RECORD_STATE'
      })
      assert.deepEqual(told, [[{ topic: 't', partition: 0, offsets: [0] }, 'INVALID_RECORD_STATE']])
    },
    { settings },
  )
})

test('who unsubscribes gives back what it has, and may come again', async () => {
  await withWorld(async ({ producer, consumer }) => {
    await send(producer, ['a', 'b'])
    const first = consumer({ shareAcknowledgementMode: 'explicit' })
    const [a] = [...(await first.poll())]
    first.acknowledge(a!)
    await first.unsubscribe()
    assert.deepEqual(first.subscription(), [])
    await assert.rejects(first.poll(), { name: 'IllegalStateError' })
    const [b] = await consumer().poll()
    assert.deepEqual([b?.value, b?.deliveryCount], ['b', 2])
    first.subscribe('t')
    await send(producer, ['c'])
    assert.deepEqual(valuesOf(await first.poll()), ['c'])
  })
})

test('a poll ends early by wakeup, by a signal, and by close', async () => {
  await withWorld(async ({ consumer }) => {
    const member = consumer()
    const woken = member.poll()
    await assert.rejects(member.poll(), { message: 'Another poll is under way' })
    member.wakeup()
    await assert.rejects(woken, { name: 'WakeupError' })
    const controller = new AbortController()
    const aborted = member.poll({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await assert.rejects(aborted, { message: 'enough' })
    const iteration = (async () => {
      for await (const record of member) assert.fail(record.value ?? '')
    })()
    await member.close()
    await iteration
    await assert.rejects(member.poll(), { name: 'ClosedError' })
  })
})

test('a restart of the broker is outlived', async () => {
  await withWorld(
    async ({ broker, producer, consumer }) => {
      await send(producer, ['a'])
      const member = consumer({ shareAcknowledgementMode: 'explicit' })
      const [a] = [...(await member.poll())]
      const port = broker.port
      await broker.close()
      member.acknowledge(a!)
      const polling = member.poll()
      await broker.open()
      assert.equal(broker.port, port)
      // The lock was lost with the connection, and the acknowledgement with the lock.
      const [again] = [...(await polling)]
      assert.equal(again?.value, 'a')
      member.acknowledge(again!)
      await member.commitSync()
    },
    { settings: { listeners: `PLAINTEXT://127.0.0.1:${await freePort()}` } },
  )
})

test('what a share group decides for its members cannot be set by one', () => {
  const open = (config: object) => () =>
    new ShareConsumer({ bootstrapServers: 'a:1', groupId: 'g', ...config } as never)
  assert.throws(open({ isolationLevel: 'read_committed' }), {
    message: 'isolation.level cannot be set when using a share group.',
  })
  assert.throws(open({ groupId: undefined }), /must provide a valid group.id/)
  assert.throws(open({ 'share.acquire.mode': 'all' }), /share.acquire.mode/)
})
