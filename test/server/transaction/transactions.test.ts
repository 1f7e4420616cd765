import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../src/common/errors.ts'
import { AddPartitionsToTxn } from '../../../src/protocol/messages/add-partitions-to-txn.ts'
import { DeleteTopics } from '../../../src/protocol/messages/delete-topics.ts'
import { DescribeProducers } from '../../../src/protocol/messages/describe-producers.ts'
import { DescribeTransactions } from '../../../src/protocol/messages/describe-transactions.ts'
import { EndTxn } from '../../../src/protocol/messages/end-txn.ts'
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts'
import { InitProducerId } from '../../../src/protocol/messages/init-producer-id.ts'
import { ListOffsets } from '../../../src/protocol/messages/list-offsets.ts'
import { ListTransactions } from '../../../src/protocol/messages/list-transactions.ts'
import { OffsetFetch } from '../../../src/protocol/messages/offset-fetch.ts'
import { Produce } from '../../../src/protocol/messages/produce.ts'
import { WriteTxnMarkers } from '../../../src/protocol/messages/write-txn-markers.ts'
import { batchOf, createTopic, fetch, produce, recordsIn } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'
import type { TestClient } from '../../support/test-client.ts'
import { TransactionalProducer } from '../../support/transactional-producer.ts'

const SETTINGS = {
  'transaction.state.log.num.partitions': '3',
  'offsets.topic.num.partitions': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '20',
}

/** The offset after what a consumer may know of. */
async function endOffset(client: TestClient, topic: string, readCommitted: boolean) {
  const { topics } = await client.send(ListOffsets, 7, {
    ...{ replicaId: -1, isolationLevel: readCommitted ? 1 : 0 },
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  return topics[0]!.partitions[0]!.offset
}

async function untilSettled(client: TestClient, topic: string): Promise<number> {
  for (;;) {
    const end = await endOffset(client, topic, false)
    if ((await endOffset(client, topic, true)) === end) return end
  }
}

/** What a read_committed consumer makes of a partition: aborted transactions left out. */
async function readCommitted(client: TestClient, topic: string): Promise<(string | null)[]> {
  const values = []
  for (let offset = 0; ; ) {
    const read = await fetch(client, topic, { offset, readCommitted: true })
    assert.equal(read.errorCode, ErrorCode.NONE)
    const { records, nextOffset } = withoutAborted(read.bytes, read.abortedTransactions ?? [])
    if (nextOffset <= offset) return values
    values.push(...records)
    offset = nextOffset
  }
}

function withoutAborted(
  bytes: Buffer,
  aborted: readonly { producerId: number; firstOffset: number }[],
): { records: (string | null)[]; nextOffset: number } {
  const records = []
  let nextOffset = -1
  const open = new Set<number>()
  for (let at = 0; at < bytes.length; ) {
    const size = 12 + bytes.readInt32BE(at + 8)
    const batch = bytes.subarray(at, at + size)
    const baseOffset = Number(batch.readBigInt64BE(0))
    const producerId = Number(batch.readBigInt64BE(43))
    nextOffset = baseOffset + batch.readInt32BE(23) + 1
    for (const transaction of aborted) {
      const hasBegun = transaction.firstOffset >= baseOffset && transaction.firstOffset < nextOffset
      if (hasBegun) open.add(transaction.producerId)
    }
    const isControl = (batch.readInt16BE(21) & 0x20) !== 0
    if (isControl) open.delete(producerId)
    else if (!open.has(producerId)) records.push(...recordsIn(batch).map(({ value }) => value))
    at += size
  }
  return { records, nextOffset }
}

async function committedOffset(client: TestClient, groupId: string, topic: string) {
  const { groups } = await client.send(OffsetFetch, 8, {
    groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }],
    requireStable: true,
  })
  const { errorCode, committedOffset: offset } = groups[0]!.topics[0]!.partitions[0]!
  return { errorCode, offset }
}

for (const version of [1, 2]) {
  const version2 = version === 2
  test(`commits are read, aborts are not; markers take offsets (v${version})`, async () => {
    await using broker = await TestBroker.start(SETTINGS)
    const client = await broker.connect()
    await createTopic(client, 't')
    const producer = await new TransactionalProducer(client, 'tx', { version2 }).init()
    const values = (name: string) => [0, 1, 2, 3, 4].map((i) => `${name}${i}`)
    for (const [name, committed] of [
      ['a', true],
      ['b', false],
      ['c', true],
      ['d', false],
    ] as const) {
      await producer.send('t', values(name))
      await producer.end(committed)
    }
    assert.equal(await untilSettled(client, 't'), 24)
    const expected = [...values('a'), ...values('c')]
    assert.deepEqual(await readCommitted(client, 't'), expected)
    await broker.close()
    await broker.open()
    const reader = await broker.connect()
    assert.deepEqual(await readCommitted(reader, 't'), expected)
    const again = new TransactionalProducer(reader, 'tx', { version2 })
    await again.init()
    assert.equal(again.producerId, producer.producerId)
    assert.ok(again.producerEpoch > producer.producerEpoch)
    assert.deepEqual(broker.logLines, [])
  })

  test(`offsets count when their transaction commits (v${version})`, async () => {
    await using broker = await TestBroker.start(SETTINGS)
    const client = await broker.connect()
    await createTopic(client, 't')
    await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const producer = await new TransactionalProducer(client, 'tx', { version2 }).init()
    assert.equal(await producer.commitOffset('g', 't', 7), ErrorCode.NONE)
    const { errorCode } = await committedOffset(client, 'g', 't')
    assert.equal(errorCode, ErrorCode.UNSTABLE_OFFSET_COMMIT)
    const stable = async () => {
      for (;;) {
        const found = await committedOffset(client, 'g', 't')
        if (found.errorCode !== ErrorCode.UNSTABLE_OFFSET_COMMIT) return found.offset
      }
    }
    await producer.end(true)
    assert.equal(await stable(), 7)
    assert.equal(await producer.commitOffset('g', 't', 9), ErrorCode.NONE)
    await producer.end(false)
    assert.equal(await stable(), 7)
    assert.equal(await producer.commitOffset('g', 'nowhere', 9), 3)
  })
}

test('an open transaction ends what read_committed sees', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't')
  const slow = await new TransactionalProducer(client, 'slow').init()
  const quick = await new TransactionalProducer(client, 'quick').init()
  await quick.send('t', ['first'])
  await quick.end(true)
  await untilSettled(client, 't')
  await slow.send('t', ['held'])
  await quick.send('t', ['back'])
  await quick.end(true)
  assert.equal(await endOffset(client, 't', true), 2)
  assert.deepEqual(await readCommitted(client, 't'), ['first'])
  await slow.end(true)
  await untilSettled(client, 't')
  assert.deepEqual(await readCommitted(client, 't'), ['first', 'held', 'back'])
})

test('a new instance fences the old one and aborts what it left open', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't')
  const old = await new TransactionalProducer(client, 'tx').init()
  await old.send('t', ['lost'])
  const first = await client.send(InitProducerId, 4, {
    transactionalId: 'tx',
    transactionTimeoutMs: 60_000,
  })
  assert.equal(first.errorCode, ErrorCode.CONCURRENT_TRANSACTIONS)
  const current = await new TransactionalProducer(client, 'tx').init()
  assert.equal(current.producerId, old.producerId)
  assert.equal(current.producerEpoch, old.producerEpoch + 2)
  await untilSettled(client, 't')
  assert.equal(await old.produce('t', ['late']), ErrorCode.INVALID_PRODUCER_EPOCH)
  assert.equal((await old.tryEnd(true, 1)).errorCode, ErrorCode.INVALID_PRODUCER_EPOCH)
  assert.equal((await old.tryEnd(true, 2)).errorCode, ErrorCode.PRODUCER_FENCED)
  assert.equal(await old.add('t'), ErrorCode.PRODUCER_FENCED)
  await current.send('t', ['kept'])
  await current.end(true)
  await untilSettled(client, 't')
  assert.deepEqual(await readCommitted(client, 't'), ['kept'])
})

test('a transaction past its timeout is aborted, and a v2 producer can go on', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't')
  const options = { version2: true, timeoutMs: 50 }
  const producer = await new TransactionalProducer(client, 'tx', options).init()
  await producer.send('t', ['too', 'slow'])
  assert.equal(await untilSettled(client, 't'), 3)
  assert.equal(await producer.produce('t', ['late']), ErrorCode.INVALID_PRODUCER_EPOCH)
  const { producerEpoch } = producer
  await producer.end(false)
  assert.equal(producer.producerEpoch, producerEpoch + 1)
  await producer.send('t', ['again'])
  await producer.end(true)
  await untilSettled(client, 't')
  assert.deepEqual(await readCommitted(client, 't'), ['again'])
})

test('with v2 a repeated EndTxn is known by the epoch before', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't')
  const producer = await new TransactionalProducer(client, 'tx', { version2: true }).init()
  await producer.send('t', ['x'])
  const { transactionalId, producerId, producerEpoch } = producer
  await producer.end(true)
  assert.equal(producer.producerEpoch, producerEpoch + 1)
  await untilSettled(client, 't')
  const repeat = (committed: boolean) =>
    client.send(EndTxn, 5, { transactionalId, producerId, producerEpoch, committed })
  const repeated = await repeat(true)
  assert.equal(repeated.errorCode, ErrorCode.NONE)
  assert.equal(repeated.producerEpoch, producerEpoch + 1)
  assert.equal((await repeat(false)).errorCode, ErrorCode.INVALID_TXN_STATE)
  // An abort of nothing raises the epoch all the same, a commit of nothing is an error.
  assert.equal((await producer.tryEnd(true)).errorCode, ErrorCode.INVALID_TXN_STATE)
  await producer.end(false)
  assert.equal(producer.producerEpoch, producerEpoch + 2)
})

test('records are not taken for a transaction that does not have the partition', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't')
  const producer = await new TransactionalProducer(client, 'tx').init()
  const never = (version: number) => producer.produce('t', ['never'], { version })
  assert.equal(await never(10), ErrorCode.INVALID_TXN_STATE)
  assert.equal(await never(11), ErrorCode.TRANSACTION_ABORTABLE)
  assert.equal(await endOffset(client, 't', false), 0)
  const other = await new TransactionalProducer(client, 'other').init()
  await other.send('t', ['in'])
  await other.end(true)
  await untilSettled(client, 't')
  // Late: its transaction has ended, and must not begin again.
  assert.equal(await other.produce('t', ['late']), ErrorCode.INVALID_TXN_STATE)
  // Without a transactional id nobody can be asked.
  const records = batchOf(['x'], {
    ...{ producerId: 77, producerEpoch: 0, baseSequence: 0, transactional: true },
  })
  const { responses } = await client.send(Produce, 9, {
    ...{ acks: 1, timeoutMs: 1000 },
    topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
  })
  const { errorCode } = responses[0]!.partitionResponses[0]!
  assert.equal(errorCode, ErrorCode.INVALID_TXN_STATE)
})

test('records that are sent without waiting keep their order', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't', { partitions: 2 })
  const producer = await new TransactionalProducer(client, 'tx', { version2: true }).init()
  for (const committed of [true, false, true]) {
    const requests = ['a', 'b', 'c'].map((value) => producer.request('t', [value]))
    requests[0]!.topicData[0]!.partitionData.push(
      ...producer.request('t', ['other'], 1).topicData[0]!.partitionData,
    )
    const responses = requests.map((request) => client.send(Produce, 12, request))
    for (const { responses: topics } of await Promise.all(responses)) {
      for (const { errorCode } of topics[0]!.partitionResponses) assert.equal(errorCode, 0)
    }
    await producer.end(committed)
  }
  await untilSettled(client, 't')
  assert.deepEqual(await readCommitted(client, 't'), ['a', 'b', 'c', 'a', 'b', 'c'])
})

test('a transaction completes though its topic is gone', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 'gone')
  await createTopic(client, 't')
  const producer = await new TransactionalProducer(client, 'tx').init()
  await producer.send('gone', ['x'])
  await producer.send('t', ['y'])
  await client.send(DeleteTopics, 6, { topics: [{ name: 'gone' }], timeoutMs: 1000 })
  await producer.end(true)
  await untilSettled(client, 't')
  await producer.send('t', ['z'])
  await producer.end(true)
  await untilSettled(client, 't')
  assert.deepEqual(await readCommitted(client, 't'), ['y', 'z'])
})

test('InitProducerId refuses what it must, and lets a producer resume', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  const producer = await new TransactionalProducer(client, 'tx').init()
  const { producerId, producerEpoch } = producer
  const init = (fields: { producerId?: number; producerEpoch?: number }, timeoutMs = 1000) =>
    client.send(InitProducerId, 4, {
      ...{ transactionalId: 'tx', transactionTimeoutMs: timeoutMs, ...fields },
    })
  assert.equal((await init({}, 900_001)).errorCode, ErrorCode.INVALID_TRANSACTION_TIMEOUT)
  assert.equal((await init({}, 0)).errorCode, ErrorCode.INVALID_TRANSACTION_TIMEOUT)
  assert.equal((await init({ producerId })).errorCode, ErrorCode.INVALID_REQUEST)
  const resumed = await init({ producerId, producerEpoch })
  assert.deepEqual([resumed.errorCode, resumed.producerEpoch], [0, producerEpoch + 1])
  const repeated = await init({ producerId, producerEpoch })
  assert.deepEqual([repeated.errorCode, repeated.producerEpoch], [0, producerEpoch + 1])
  assert.equal(
    (await init({ producerId: producerId + 1, producerEpoch })).errorCode,
    ErrorCode.PRODUCER_FENCED,
  )
  await init({})
  const fenced = await init({ producerId, producerEpoch })
  assert.equal(fenced.errorCode, ErrorCode.PRODUCER_FENCED)
})

test('transactions and their producers can be listed, described, and ended by hand', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't')
  const idle = await new TransactionalProducer(client, 'idle').init()
  const producer = await new TransactionalProducer(client, 'busy').init()
  await producer.send('t', ['x'])
  const list = async (version: number, filter: object) => {
    const asked = { stateFilters: [], producerIdFilters: [], ...filter }
    const response = await client.send(ListTransactions, version, asked)
    const ids = response.transactionStates.map(({ transactionalId }) => transactionalId)
    return [ids.sort(), response.unknownStateFilters]
  }
  assert.deepEqual(await list(0, {}), [['busy', 'idle'], []])
  assert.deepEqual(await list(0, { stateFilters: ['Ongoing', 'What'] }), [['busy'], ['What']])
  assert.deepEqual(await list(0, { producerIdFilters: [idle.producerId] }), [['idle'], []])
  assert.deepEqual(await list(1, { stateFilters: ['Ongoing'], durationFilter: 60_000 }), [[], []])
  assert.deepEqual(await list(2, { transactionalIdPattern: 'b.*' }), [['busy'], []])
  const { transactionStates } = await client.send(DescribeTransactions, 0, {
    transactionalIds: ['busy', 'nobody'],
  })
  const [described, unknown] = transactionStates
  assert.equal(described!.transactionState, 'Ongoing')
  assert.deepEqual(described!.topics, [{ topic: 't', partitions: [0] }])
  assert.equal(unknown!.errorCode, ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
  const { topics } = await client.send(DescribeProducers, 0, {
    topics: [{ name: 't', partitionIndexes: [0, 1] }],
  })
  const [present, missing] = topics[0]!.partitions
  assert.equal(present!.activeProducers[0]!.currentTxnStartOffset, 0)
  assert.equal(missing!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const { producerId, producerEpoch } = producer
  const marker = { producerId, producerEpoch, transactionResult: false, coordinatorEpoch: 5 }
  const write = async (fields: object, version = 1) => {
    const asked = [{ name: 't', partitionIndexes: [0] }]
    const markers = [{ ...marker, topics: asked, ...fields }]
    const response = await client.send(WriteTxnMarkers, version, { markers })
    return response.markers[0]!.topics[0]!.partitions[0]!.errorCode
  }
  assert.equal(await write({ transactionVersion: 2 }, 2), ErrorCode.INVALID_PRODUCER_EPOCH)
  assert.equal(await write({}), ErrorCode.NONE)
  assert.equal(await untilSettled(client, 't'), 2)
  assert.equal(await write({ coordinatorEpoch: 4 }), ErrorCode.TRANSACTION_COORDINATOR_FENCED)
  // In version 2 the partition knows that this one is there already.
  assert.equal(await write({ transactionVersion: 2 }, 2), ErrorCode.NONE)
  assert.equal(await endOffset(client, 't', false), 2)
})

test('brokers add to, and verify, several transactions at once', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await createTopic(client, 't', { partitions: 2 })
  const a = await new TransactionalProducer(client, 'a').init()
  const b = await new TransactionalProducer(client, 'b').init()
  const ask = async (partitions: number[], verifyOnly: boolean) => {
    const transactions = [a, b].map(({ transactionalId, producerId, producerEpoch }) => ({
      ...{ transactionalId, producerId, producerEpoch, verifyOnly },
      topics: [{ name: 't', partitions }],
    }))
    transactions[1]!.producerEpoch += 1
    const response = await client.send(AddPartitionsToTxn, 4, { transactions })
    assert.equal(response.errorCode, ErrorCode.NONE)
    return response.resultsByTransaction.map(({ topicResults }) =>
      topicResults[0]!.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    )
  }
  const fenced = ErrorCode.PRODUCER_FENCED
  assert.deepEqual(await ask([0], false), [[0], [fenced]])
  const abortable = ErrorCode.TRANSACTION_ABORTABLE
  assert.deepEqual(await ask([0, 1], true), [
    [0, abortable],
    [fenced, fenced],
  ])
  const missing = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const skipped = ErrorCode.OPERATION_NOT_ATTEMPTED
  assert.deepEqual((await ask([0, 5], false))[0], [skipped, missing])
})

test('no client writes what coordinators remember', async () => {
  await using broker = await TestBroker.start(SETTINGS)
  const client = await broker.connect()
  await new TransactionalProducer(client, 'tx').init()
  const { errorCode } = await produce(client, '__transaction_state', batchOf(['x']))
  assert.equal(errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION)
})
