import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../src/common/errors.ts'
import { decodeResponseHeader } from '../../src/protocol/header.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { OffsetForLeaderEpoch } from '../../src/protocol/messages/offset-for-leader-epoch.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { buildRecordBatch } from '../../src/protocol/records/record-batch-writer.ts'
import { ZERO_UUID } from '../../src/protocol/schema.ts'
import {
  batchOf,
  createTopic,
  fetch,
  fetchRequest,
  listOffset,
  produce,
  readAll,
  recordsIn,
} from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'

test('what is produced is fetched, in order, in every version', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const topicId = await createTopic(client, 't')
  let next = 0
  for (let version = 3; version <= 13; version++) {
    const { responses } = await client.send(Produce, version, {
      acks: version % 2 === 0 ? 1 : -1,
      timeoutMs: 1000,
      topicData: [
        {
          ...(version >= 13 ? { topicId } : { name: 't' }),
          partitionData: [{ index: 0, records: batchOf([`a${version}`, `b${version}`]) }],
        },
      ],
    })
    const partition = responses[0]!.partitionResponses[0]!
    assert.equal(partition.errorCode, ErrorCode.NONE)
    assert.equal(partition.baseOffset, next)
    next += 2
  }
  const expected = Array.from({ length: 11 }, (_, i) => [`a${i + 3}`, `b${i + 3}`]).flat()
  for (let version = 4; version <= 18; version++) {
    const { topics, ...rest } = fetchRequest('t')
    const partitions = topics[0]!.partitions.map((partition) => ({
      ...partition,
      currentLeaderEpoch: -1,
    }))
    const response = await client.send(Fetch, version, {
      ...rest,
      topics: [{ ...(version >= 13 ? { topicId } : { topic: 't' }), partitions }],
    })
    const partition = response.responses[0]!.partitions[0]!
    assert.equal(partition.highWatermark, next)
    const records = recordsIn(partition.records as Buffer)
    assert.deepEqual(
      records,
      expected.map((value, offset) => ({ offset, value })),
    )
  }
})

test('acks=0 has no response, and an error closes the connection', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const request = (name: string) => ({
    acks: 0,
    timeoutMs: 1000,
    topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['x']) }] }],
  })
  client.post(Produce, 9, request('t'))
  // The next response on the connection is that of the next request.
  assert.deepEqual(await readAll(client, 't'), ['x'])
  client.post(Produce, 9, request('unknown'))
  await client.closed
})

test('pipelined requests are answered in order, also behind a fetch that waits', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const waiting = client.post(Fetch, 12, fetchRequest('t', { maxWaitMs: 30_000 }))
  const ids = []
  for (let i = 0; i < 20; i++) {
    ids.push(
      client.post(Produce, 9, {
        acks: 1,
        timeoutMs: 1000,
        topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([`v${i}`]) }] }],
      }),
    )
  }
  const answered = []
  for (let i = 0; i <= ids.length; i++) {
    const frame = await client.nextFrame()
    answered.push(frame.readInt32BE(0))
  }
  assert.deepEqual(answered, [waiting, ...ids])
  assert.equal((await readAll(client, 't')).length, 20)
})

test('a fetch waits for minBytes and is woken by a produce', async () => {
  await using broker = await TestBroker.start()
  const consumer = await broker.connect()
  const producer = await broker.connect()
  await createTopic(producer, 't')
  const { length } = batchOf(['0123456789'])
  const waiting = fetch(consumer, 't', { minBytes: length * 3, maxWaitMs: 30_000 })
  let isDone = false
  void waiting.then(() => {
    isDone = true
  })
  for (let i = 0; i < 3; i++) {
    // A round trip on the same connection would wait behind the fetch, so another one is used.
    await listOffset(producer, 't', -1)
    assert.equal(isDone, false, `answered with ${i} of 3 batches`)
    await produce(producer, 't', batchOf(['0123456789']))
  }
  assert.equal(recordsIn((await waiting).bytes).length, 3)
})

test('a fetch that finds nothing is answered empty when its time is up', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const { bytes, errorCode, highWatermark } = await fetch(client, 't', { maxWaitMs: 20 })
  assert.deepEqual([bytes.length, errorCode, highWatermark], [0, 0, 0])
})

test('limits are soft by one batch, and an offset within one gives it whole', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  for (let i = 0; i < 5; i++) {
    await produce(client, 't', batchOf([`a${i}`, `b${i}`, `c${i}`]))
  }
  for (const limits of [{ maxBytes: 1 }, { partitionMaxBytes: 1 }, { maxBytes: 0 }]) {
    const { bytes } = await fetch(client, 't', { ...limits, offset: 4 })
    assert.deepEqual(
      recordsIn(bytes).map(({ offset }) => offset),
      [3, 4, 5],
    )
  }
})

test('offsets beyond the log and epochs that are not the leader’s get their errors', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  await produce(client, 't', batchOf(['x']))
  const codeOf = async (options: Parameters<typeof fetch>[2]) =>
    (await fetch(client, 't', options)).errorCode
  assert.equal(await codeOf({ offset: 1 }), ErrorCode.NONE)
  assert.equal(await codeOf({ offset: 2, maxWaitMs: 30_000 }), ErrorCode.OFFSET_OUT_OF_RANGE)
  assert.equal(await codeOf({ leaderEpoch: 0 }), ErrorCode.NONE)
  assert.equal(await codeOf({ leaderEpoch: 7 }), ErrorCode.UNKNOWN_LEADER_EPOCH)
  assert.equal(await codeOf({ partition: 9 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const epoch = await client.send(OffsetForLeaderEpoch, 4, {
    topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  })
  assert.deepEqual(
    { ...epoch.topics[0]!.partitions[0]! },
    { errorCode: 0, partition: 0, leaderEpoch: 0, endOffset: 1 },
  )
})

test('records that a broker must refuse are refused with Kafka’s errors', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't', { configs: { 'max.message.bytes': '1000' } })
  const codeOf = async (records: Buffer | null, topic = 't') =>
    (await produce(client, topic, records)).errorCode
  const corrupt = batchOf(['hello'])
  corrupt[corrupt.length - 1]! ^= 1
  assert.equal(await codeOf(corrupt), ErrorCode.CORRUPT_MESSAGE)
  const oldFormat = batchOf(['hello'])
  oldFormat[16] = 1
  assert.equal(await codeOf(oldFormat), ErrorCode.INVALID_RECORD)
  const two = Buffer.concat([batchOf(['a']), batchOf(['b'])])
  assert.equal(await codeOf(two), ErrorCode.INVALID_RECORD)
  assert.equal(await codeOf(batchOf(['x'.repeat(1000)])), ErrorCode.MESSAGE_TOO_LARGE)
  assert.equal(await codeOf(batchOf(['x']), 'unknown'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(await codeOf(batchOf(['x']).subarray(0, 30)), ErrorCode.INVALID_RECORD)
  const badAcks = await produce(client, 't', batchOf(['x']), { acks: 2 })
  assert.equal(badAcks.errorCode, ErrorCode.INVALID_REQUIRED_ACKS)
  assert.equal(await codeOf(batchOf(['fine'])), ErrorCode.NONE)
  assert.deepEqual(await readAll(client, 't'), ['fine'])
})

test('records without keys are refused on a compacted topic, and named', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't', { configs: { 'cleanup.policy': 'compact' } })
  const record = (key: Buffer | null) => ({ timestamp: 1, key, value: Buffer.from('v') })
  const mixed = buildRecordBatch([record(Buffer.from('k')), record(null), record(null)])
  const refused = await produce(client, 't', mixed)
  assert.equal(refused.errorCode, ErrorCode.INVALID_RECORD)
  assert.deepEqual(
    refused.recordErrors.map(({ batchIndex }) => batchIndex),
    [1, 2],
  )
  const keyed = buildRecordBatch([record(Buffer.from('k'))])
  assert.equal((await produce(client, 't', keyed)).errorCode, ErrorCode.NONE)
})

test('an idempotent producer’s batch that comes twice is stored once', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const { producerId, producerEpoch, errorCode } = await client.send(InitProducerId, 4, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
  })
  assert.equal(errorCode, ErrorCode.NONE)
  const options = { producerId, producerEpoch }
  const first = await produce(client, 't', batchOf(['a', 'b'], { ...options, baseSequence: 0 }))
  const again = await produce(client, 't', batchOf(['a', 'b'], { ...options, baseSequence: 0 }))
  assert.deepEqual([first.errorCode, first.baseOffset], [ErrorCode.NONE, 0])
  assert.deepEqual([again.errorCode, again.baseOffset], [ErrorCode.NONE, 0])
  const gap = await produce(client, 't', batchOf(['d'], { ...options, baseSequence: 5 }))
  assert.equal(gap.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  await broker.close()
  await broker.open()
  const after = await broker.connect()
  const next = await produce(after, 't', batchOf(['c'], { ...options, baseSequence: 2 }))
  assert.deepEqual([next.errorCode, next.baseOffset], [ErrorCode.NONE, 2])
  assert.deepEqual(await readAll(after, 't'), ['a', 'b', 'c'])
})

test('a fetch session sends only what changed', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const topicId = await createTopic(client, 't', { partitions: 3 })
  const partitions = [0, 1, 2].map((partition) => ({
    ...{ partition, fetchOffset: 0, partitionMaxBytes: 1000 },
  }))
  const session = (sessionId: number, sessionEpoch: number, topics: unknown[] = []) =>
    client.send(Fetch, 13, {
      ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 100_000, sessionId, sessionEpoch },
      topics: topics as [],
      forgottenTopicsData: [],
    })
  const opened = await session(0, 0, [{ topicId, partitions }])
  assert.ok(opened.sessionId > 0)
  assert.equal(opened.responses[0]!.partitions.length, 3)
  const idle = await session(opened.sessionId, 1)
  assert.deepEqual(idle.responses, [])
  await produce(client, 't', batchOf(['x']), { partition: 1 })
  const woken = await session(opened.sessionId, 2)
  assert.deepEqual(
    woken.responses[0]!.partitions.map(({ partitionIndex }) => partitionIndex),
    [1],
  )
  const stale = await session(opened.sessionId, 2)
  assert.equal(stale.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  const closed = await session(opened.sessionId, -1, [{ topicId, partitions }])
  assert.equal(closed.sessionId, 0)
  const gone = await session(opened.sessionId, 3)
  assert.equal(gone.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
})

test('an unknown topic id is an error of its partitions', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const topicId = 'abcdefghijklmnopqrstuA'
  const fetched = await client.send(Fetch, 13, {
    ...{ maxWaitMs: 10_000, minBytes: 1, maxBytes: 1000, forgottenTopicsData: [] },
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 9 }] }],
  })
  assert.notEqual(topicId, ZERO_UUID)
  assert.equal(fetched.responses[0]!.partitions[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
  const produced = await client.send(Produce, 13, {
    ...{ acks: 1, timeoutMs: 100 },
    topicData: [{ topicId, partitionData: [{ index: 0, records: batchOf(['x']) }] }],
  })
  const partition = produced.responses[0]!.partitionResponses[0]!
  assert.equal(partition.errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
})

test('responses are framed with the header that their version has', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const id = client.post(Fetch, 11, fetchRequest('t'))
  const frame = await client.nextFrame()
  assert.deepEqual(decodeResponseHeader(frame, 0, frame.length, Fetch, 11), {
    correlationId: id,
    bodyOffset: 4,
  })
})
