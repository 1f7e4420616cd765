import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ErrorCode } from '../../src/common/errors.ts'
import { recordsBuffer, responseCodec } from '../../src/protocol/compile.ts'
import { decodeResponseHeader } from '../../src/protocol/header.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import {
  batchOf,
  createTopic,
  fetch,
  fetchRequest,
  produce,
  readAll,
  recordsIn,
} from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'
import { TestClient } from '../support/test-client.ts'

/** A request header with an arbitrary API, and a body. */
function rawRequest(apiKey: number, apiVersion: number, body = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(14)
  header.writeInt32BE(10 + body.length, 0)
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(apiVersion, 6)
  header.writeInt32BE(77, 8)
  header.writeInt16BE(-1, 12)
  return Buffer.concat([header, body])
}

test('ApiVersions lists what is served, and answers an unknown version in version 0', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  for (let version = 0; version <= 4; version++) {
    const { errorCode, apiKeys } = await client.send(ApiVersions, version, {
      clientSoftwareName: 'test',
      clientSoftwareVersion: '1',
    })
    assert.equal(errorCode, ErrorCode.NONE)
    assert.ok(apiKeys.some(({ apiKey, maxVersion }) => apiKey === 0 && maxVersion === 13))
  }
  client.socket.write(rawRequest(18, 99, Buffer.from([0])))
  const frame = await client.nextFrame()
  const { correlationId, bodyOffset } = decodeResponseHeader(frame, 0, frame.length, ApiVersions, 0)
  const body = responseCodec(ApiVersions, 0).decode(frame, bodyOffset, frame.length)
  assert.equal(correlationId, 77)
  assert.equal(body.errorCode, ErrorCode.UNSUPPORTED_VERSION)
  assert.deepEqual(
    body.apiKeys.map((range) => ({ ...range })),
    [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
  )
})

test('what cannot be understood closes its connection and is logged once', async () => {
  await using broker = await TestBroker.start({ 'socket.request.max.bytes': '100000' })
  const bystander = await broker.connect()
  await createTopic(bystander, 't')
  const tooLong = Buffer.alloc(4)
  tooLong.writeInt32BE(100_001)
  const negative = Buffer.alloc(4)
  negative.writeInt32BE(-5)
  const huge = Buffer.alloc(4)
  huge.writeInt32BE(0x7fff_ffff)
  const hostile = {
    'an unknown API': rawRequest(12345, 0),
    'a version above the served ones': rawRequest(3, 99),
    'a negative version': rawRequest(3, -1),
    'a body that ends early': rawRequest(3, 1, Buffer.from([0, 0])),
    'an absurd array length': rawRequest(3, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
    'a header that ends early': Buffer.from([0, 0, 0, 2, 0, 3]),
    'an empty frame': Buffer.from([0, 0, 0, 0]),
    'a length above the limit': tooLong,
    'a negative length': negative,
    'a length of 2 GB': huge,
    'a TLS hello': Buffer.from('16030100c8010000c40303', 'hex'),
    'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  }
  for (const [what, bytes] of Object.entries(hostile)) {
    const before = broker.logLines.length
    const client = await broker.connect()
    client.socket.write(bytes)
    await client.closed
    // The line is written when the broker, too, has seen the end of the connection.
    await readAll(bystander, 't')
    assert.equal(broker.logLines.length, before + 1, `${what}: ${broker.logLines.slice(before)}`)
  }
  assert.equal((await produce(bystander, 't', batchOf(['still here']))).errorCode, ErrorCode.NONE)
})

test('random bytes never do more than close a connection', async () => {
  await using broker = await TestBroker.start()
  const bystander = await broker.connect()
  await createTopic(bystander, 't')
  const frames = fc.record({
    apiKey: fc.integer({ min: -1, max: 80 }),
    version: fc.integer({ min: -1, max: 14 }),
    body: fc.uint8Array({ maxLength: 60 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { minLength: 1, maxLength: 8 }), async (given) => {
      const client = await TestClient.connect(broker.port)
      for (const { apiKey, version, body } of given) {
        client.socket.write(rawRequest(apiKey, version, Buffer.from(body)))
      }
      client.socket.end()
      await client.closed
    }),
    { numRuns: 200 },
  )
  assert.equal((await produce(bystander, 't', batchOf(['x']))).errorCode, ErrorCode.NONE)
  const bugs = broker.logLines.filter((line) => line.includes('ERROR'))
  assert.deepEqual(bugs, [])
})

test('a request that arrives byte by byte is served', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  for (const byte of rawRequest(18, 0)) {
    client.socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok((await client.nextFrame()).length > 10)
})

test('connections above the limits are refused and leave room when they go', async () => {
  await using broker = await TestBroker.start({ 'max.connections.per.ip': '2' })
  const first = await broker.connect()
  await broker.connect()
  await createTopic(first, 't')
  const third = await broker.connect()
  await third.closed
  assert.match(broker.logLines.at(-1) ?? '', /refused a connection from 127\.0\.0\.1, which has 2/)
  first.close()
  await first.closed
  for (;;) {
    const next = await TestClient.connect(broker.port)
    const answer = await next.send(ApiVersions, 0, {}).catch(() => undefined)
    next.close()
    if (answer !== undefined) break
  }
})

test('a connection above max.connections waits until another is closed', async () => {
  await using broker = await TestBroker.start({ 'max.connections': '2' })
  const first = await broker.connect()
  const second = await broker.connect()
  await createTopic(second, 't')
  await createTopic(first, 'u')
  const third = await broker.connect()
  let isAnswered = false
  const answer = third.send(ApiVersions, 0, {}).then(() => {
    isAnswered = true
  })
  for (let i = 0; i < 20; i++) await readAll(second, 't')
  assert.equal(isAnswered, false)
  first.close()
  await answer
  assert.equal(broker.logLines.length, 1)
  assert.match(broker.logLines[0]!, /2 connections are open/)
})

test('idle connections are closed, busy and waiting ones are not', async () => {
  await using broker = await TestBroker.start({ 'connections.max.idle.ms': '150' })
  const busy = await broker.connect()
  await createTopic(busy, 't')
  const idle = await broker.connect()
  const waiting = await broker.connect()
  const answer = waiting.send(Fetch, 12, fetchRequest('t', { maxWaitMs: 600 }))
  let isIdleClosed = false
  void idle.closed.then(() => {
    isIdleClosed = true
  })
  while (!isIdleClosed) await readAll(busy, 't')
  assert.equal((await answer).errorCode, ErrorCode.NONE)
})

test('a client that does not read its responses takes bounded memory', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't', { configs: { 'max.message.bytes': '2000000' } })
  for (let i = 0; i < 50; i++) await produce(client, 't', batchOf(['x'.repeat(1_000_000)]))
  // After a restart nothing is in the cache of log tails: every fetch reads from the disk.
  await broker.close()
  await broker.open()
  const glutton = await broker.connect()
  glutton.socket.pause()
  for (let i = 0; i < 60; i++) glutton.post(Fetch, 12, fetchRequest('t', { offset: i % 50 }))
  // Others are served meanwhile, and when the glutton reads again it gets all its answers.
  const other = await broker.connect()
  let mostBytes = 0
  for (let i = 0; i < 20; i++) {
    assert.equal((await fetch(other, 't', { offset: 49 })).errorCode, 0)
    mostBytes = Math.max(mostBytes, broker.broker.services.replicaManager.unsentDiskBytes)
  }
  assert.ok(mostBytes > 50_000_000 && mostBytes < 200_000_000, `${mostBytes} bytes`)
  glutton.socket.resume()
  for (let i = 0; i < 60; i++) {
    const frame = await glutton.nextFrame()
    const { bodyOffset } = decodeResponseHeader(frame, 0, frame.length, Fetch, 12)
    const { responses } = responseCodec(Fetch, 12).decode(frame, bodyOffset, frame.length)
    const [partition] = responses[0]!.partitions
    assert.equal(recordsIn(recordsBuffer(partition!.records))[0]!.offset, i % 50)
  }
  assert.equal(broker.broker.services.replicaManager.unsentDiskBytes, 0)
})

test('two brokers in one process share nothing', async () => {
  await using one = await TestBroker.start()
  await using other = await TestBroker.start()
  const work = async (broker: TestBroker, mark: string) => {
    const client = await broker.connect()
    await createTopic(client, 't')
    for (let i = 0; i < 200; i++) await produce(client, 't', batchOf([`${mark}${i}`]))
    return await readAll(client, 't')
  }
  const [a, b] = await Promise.all([work(one, 'a'), work(other, 'b')])
  assert.deepEqual(
    a,
    Array.from({ length: 200 }, (_, i) => `a${i}`),
  )
  assert.deepEqual(
    b,
    Array.from({ length: 200 }, (_, i) => `b${i}`),
  )
  const idOf = (broker: TestBroker) =>
    /cluster\.id=(.*)/.exec(
      readFileSync(join(broker.folder, 'data', 'meta.properties'), 'utf8'),
    )?.[1]
  assert.notEqual(idOf(one), idOf(other))
})

test('a second broker on the same folder is refused', async () => {
  await using broker = await TestBroker.start()
  await assert.rejects(TestBroker.start({ 'log.dirs': join(broker.folder, 'data') }), {
    code: 'LOCKED',
  })
})
