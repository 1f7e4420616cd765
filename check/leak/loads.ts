/**
 * What our clients do all the time during the leak check: each load goes on until it is told to
 * end, and gives what it has done. All of them meet back-pressure or churn, where things are most
 * easily left behind: a full buffer, a handler that is too slow, partitions paused and resumed,
 * clients opened and closed, transactions given up.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin, Consumer, Producer, ShareConsumer } from '../../src/clients/index.ts'

export interface Load {
  readonly name: string
  /** Runs until `signal` is aborted; calls `count` for each record or call. */
  run(address: string, signal: AbortSignal, count: (done: number) => void): Promise<void>
}

export const TOPIC = 'leaks'
export const PARTITIONS = 6

const value = Buffer.alloc(200, 'v')
const headers = { trace: 'abc', more: Buffer.alloc(10) }
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
  topic: TOPIC,
  partition,
}))

/** Bursts larger than the producer's buffer, so that records wait for room. */
const fullBuffer: Load = {
  name: 'producer with a full buffer',
  async run(address, signal, count) {
    const settings = { bufferMemory: 200_000, compressionType: 'lz4', lingerMs: 2 }
    await using producer = new Producer({ bootstrapServers: address, ...settings })
    while (!signal.aborted) {
      for (let i = 0; i < 2000; i++) {
        const isRoomy = producer.post({ topic: TOPIC, key: `key-${i % 100}`, value, headers })
        // Some bursts do not hold back at all, and queue up.
        if (!isRoomy && i % 500 < 250) await producer.ready()
      }
      await producer.ready()
      count(2000)
      await sleep(50)
    }
  },
}

const awaited: Load = {
  name: 'awaited sends, one in twenty of them refused',
  async run(address, signal, count) {
    const refused = Buffer.alloc(2_000_000)
    await using producer = new Producer({ bootstrapServers: address, lingerMs: 0 })
    while (!signal.aborted) {
      const sends = Array.from({ length: 20 }, (_, i) => {
        return producer.send({ topic: TOPIC, value: i === 7 ? refused : value })
      })
      const settled = await Promise.allSettled(sends)
      const written = settled.filter(({ status }) => status === 'fulfilled')
      if (written.length !== 19) throw new Error(`${written.length} of 20 records were written`)
      count(20)
      await sleep(10)
    }
  },
}

const transactions: Load = {
  name: 'transactions, every other one aborted, of producers that come and go',
  async run(address, signal, count) {
    while (!signal.aborted) {
      await using producer = new Producer({ bootstrapServers: address, transactionalId: 'leaks' })
      await producer.initTransactions()
      for (let round = 0; round < 20 && !signal.aborted; round++) {
        producer.beginTransaction()
        for (let i = 0; i < 20; i++) producer.post({ topic: TOPIC, value })
        await producer.sendOffsetsToTransaction([{ ...partitions[0]!, offset: round }], 'leaks-tx')
        if (round % 2 === 0) await producer.commitTransaction()
        else await producer.abortTransaction()
        count(20)
        await sleep(10)
      }
    }
  },
}

/** It falls behind what is written, so that its buffer is full all the time. */
const slowHandler: Load = {
  name: 'consumer with a slow handler',
  async run(address, signal, count) {
    const settings = { groupId: 'leaks-slow', autoOffsetReset: 'earliest' }
    await using consumer = new Consumer({ bootstrapServers: address, ...settings })
    consumer.subscribe(TOPIC)
    await consumer.run({
      signal,
      concurrency: 3,
      async eachBatch({ records }) {
        let bytes = 0
        for (const record of records) bytes += record.value?.length ?? 0
        if (bytes > 0) await sleep(20)
        count(records.length)
      },
    })
  },
}

const pausing: Load = {
  name: 'consumer that pauses, resumes and seeks, read_committed',
  async run(address, signal, count) {
    const settings = { isolationLevel: 'read_committed', autoOffsetReset: 'latest' }
    await using consumer = new Consumer({ bootstrapServers: address, ...settings })
    consumer.assign(partitions)
    for (let round = 0; !signal.aborted; round++) {
      const some = partitions.filter(({ partition }) => (partition + round) % 3 === 0)
      if (round % 10 === 0) consumer.resume(consumer.paused())
      else if (round % 2 === 0) consumer.pause(some)
      if (round % 50 === 0) consumer.seekToEnd()
      const records = await consumer.poll({ timeoutMs: 50 })
      for (const { key, headers: read } of records) if (key === undefined) count(read.length)
      count(records.count)
      if (round % 5 === 0) await sleep(5)
    }
  },
}

const comingAndGoing: Load = {
  name: 'members of a group that come and go, KIP-848 and classic',
  async run(address, signal, count) {
    for (let round = 0; !signal.aborted; round++) {
      const groupProtocol = round % 2 === 0 ? 'consumer' : 'classic'
      const groupId = `leaks-${groupProtocol}`
      await using consumer = new Consumer({ bootstrapServers: address, groupId, groupProtocol })
      consumer.subscribe(TOPIC)
      const limit = Date.now() + 2000
      while (Date.now() < limit && !signal.aborted) {
        count((await consumer.poll({ timeoutMs: 200 })).count)
      }
    }
  },
}

const sharing: Load = {
  name: 'share consumer',
  async run(address, signal, count) {
    await using consumer = new ShareConsumer({ bootstrapServers: address, groupId: 'leaks-share' })
    consumer.subscribe(TOPIC)
    while (!signal.aborted) {
      count((await consumer.poll({ timeoutMs: 200 })).count)
      await sleep(20)
    }
  },
}

const asking: Load = {
  name: 'admin clients, opened for a few calls each',
  async run(address, signal, count) {
    while (!signal.aborted) {
      await using admin = new Admin({ bootstrapServers: address })
      await admin.listOffsets(partitions.map((at) => ({ ...at, at: 'latest' as const })))
      await admin.describeConfigs([{ type: 'topic', name: TOPIC }])
      await admin.describeTopics(['no-such-topic']).catch(() => {})
      count(3)
      await sleep(200)
    }
  },
}

export const LOADS: readonly Load[] = [
  ...[fullBuffer, awaited, transactions],
  ...[slowHandler, pausing, comingAndGoing, sharing, asking],
]
