/**
 * Bad input over plain sockets. What is expected in each case is what Apache Kafka 4.2 does: run
 * with `--target kafka`, the same table holds there. After every case another client is served.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, startBroker } from './harness/broker.ts'
import { type Case, cases, type Outcome } from './harness/hostile-cases.ts'
import { settings } from './harness/settings.ts'
import {
  apiVersions,
  BodyReader,
  open as connect,
  createTopics,
  metadata,
  readFrame,
  requestFrame,
  untilLed,
} from './harness/wire.ts'
import { createWorkspace } from './harness/workspace.ts'

/** How long a broker may take to close or answer before that counts as waiting for more. */
const patienceMs = 1_500

const opened = new Set<Socket>()

/** A connection that ends with the test at the latest: a failure must not keep us waiting. */
async function open(port: number): Promise<Socket> {
  const socket = await connect(port)
  opened.add(socket)
  socket.once('close', () => opened.delete(socket))
  return socket
}

after(() => {
  for (const socket of opened) socket.destroy()
})

async function outcomeOf(socket: Socket): Promise<{ outcome: Outcome; frame?: Buffer }> {
  try {
    const frame = await readFrame(socket, patienceMs)
    return frame === undefined ? { outcome: 'closes' } : { outcome: 'answers', frame }
  } catch {
    return { outcome: 'waits' }
  }
}

/** Another client's whole way through the broker. */
async function assertServes(broker: Broker): Promise<void> {
  assert.ok((await apiVersions(broker.port)).length > 10)
  assert.ok((await metadata(broker.port, ['served']))[0]?.error === 0)
  await untilLed(broker.port, 'served', 0)
}

/** Lines that the broker has logged; continuation lines of a stack trace count as lines. */
const logLines = (broker: Broker): string[] => broker.log().split('\n').slice(0, -1)

async function runCase(broker: Broker, one: Case): Promise<void> {
  const { bytes, ends, optionalApi, check } = one
  const listed = (await apiVersions(broker.port)).map((range) => range.apiKey)
  const isUnknown = optionalApi !== undefined && !listed.includes(optionalApi)
  const outcome = isUnknown ? 'closes' : one.outcome
  const before = logLines(broker).length
  const socket = await open(broker.port)
  socket.write(bytes)
  if (ends === true) socket.end()
  const seen = await outcomeOf(socket)
  socket.destroy()
  assert.equal(seen.outcome, outcome)
  if (seen.frame !== undefined) check?.(new BodyReader(seen.frame.subarray(4)))
  await assertServes(broker)
  if (settings.target === 'samsa') {
    const said = logLines(broker).slice(before)
    assert.ok(said.length <= 1, `more than one line:\n${said.join('\n')}`)
    if (outcome === 'closes' && ends !== true) {
      assert.equal(said.length, 1, 'a connection that is closed for its bytes is logged')
    }
  }
}

/** How many sockets the broker has open. */
function openSockets(broker: Broker): number {
  const folder = `/proc/${broker.pid}/fd`
  const isSocket = (name: string): boolean => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:')
    } catch {
      // Closed since the folder was read.
      return false
    }
  }
  return readdirSync(folder).filter(isSocket).length
}

function residentMegabytes(broker: Broker): number {
  const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

/**
 * Opens connections a few at a time: what overflows a listener's backlog (50 in Apache Kafka) is
 * open for the client long before the broker knows of it.
 */
async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Math.min(20, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => open(port)))))
  }
  return sockets
}

/** Waits until a condition holds; fails with what is said of it after `limitMs`. */
async function until(limitMs: number, holds: () => boolean, otherwise: () => string) {
  const limit = Date.now() + limitMs
  while (!holds()) {
    if (Date.now() > limit) assert.fail(otherwise())
    await sleep(50)
  }
}

const isClosed = async (socket: Socket): Promise<boolean> => {
  for (let waited = 0; waited < 50 && !socket.destroyed; waited++) {
    socket.resume()
    await sleep(100)
  }
  return socket.destroyed
}

/** Many connections at once: idle ones, ones that break off, ones that announce much. */
async function crowds(t: TestContext, broker: Broker, socketsBefore: number): Promise<void> {
  await t.test('2,000 idle connections', async () => {
    const idle = await openMany(broker.port, 2_000)
    await until(
      20_000,
      () => openSockets(broker) >= socketsBefore + 2_000,
      () => `${openSockets(broker)} open sockets`,
    )
    await assertServes(broker)
    assert.equal(idle.filter((socket) => socket.destroyed).length, 0)
    for (const socket of idle) socket.destroy()
  })

  await t.test('200 connections reset within a frame', async () => {
    const sockets = await openMany(broker.port, 200)
    for (const socket of sockets) socket.write(Buffer.from([0, 0, 1, 0, 0, 18]))
    await sleep(200)
    for (const socket of sockets) socket.resetAndDestroy()
    await assertServes(broker)
  })

  await t.test('memory and sockets return', async () => {
    const before = residentMegabytes(broker)
    const greedy = await openMany(broker.port, 20)
    const announced = Buffer.alloc(1 << 20)
    announced.writeInt32BE(20 << 20)
    for (const socket of greedy) socket.write(announced)
    await sleep(500)
    await assertServes(broker)
    for (const socket of greedy) socket.destroy()
    // What is still open is the slow client's connection.
    await until(
      20_000,
      () => openSockets(broker) <= socketsBefore + 2,
      () => `${openSockets(broker)} open sockets, ${socketsBefore} before`,
    )
    await assertServes(broker)
    const grown = (): number => residentMegabytes(broker) - before
    const limit = settings.target === 'samsa' ? 64 : 1_024
    await until(
      30_000,
      () => grown() < limit,
      () => `${Math.round(grown())} MB more than before`,
    )
    t.diagnostic(
      `resident: ${Math.round(before)} MB, then ${Math.round(residentMegabytes(broker))}`,
    )
  })
}

test('bad input', { timeout: 300_000 }, async (t) => {
  const workspace = createWorkspace(t)
  const broker = await startBroker(workspace, { dataFolder: workspace.path('data') })
  await createTopics(broker.port, [{ name: 'served' }])
  await assertServes(broker)
  const socketsBefore = openSockets(broker)

  // One byte a second takes its time: it goes on while the other cases run.
  const slow = await open(broker.port)
  const slowFrame = requestFrame(18, 0, Buffer.alloc(0))
  const slowWriting = (async () => {
    for (const byte of slowFrame) {
      slow.write(Buffer.of(byte))
      await sleep(1_000)
    }
  })()
  const slowAnswer = readFrame(slow, 120_000)

  for (const one of cases()) await t.test(one.name, () => runCase(broker, one))

  await crowds(t, broker, socketsBefore)

  await t.test('a client that sends one byte a second is answered', async () => {
    await slowWriting
    const frame = await slowAnswer
    assert.equal(frame?.readInt16BE(4), 0)
    slow.destroy()
  })

  await broker.stop()
})

test('connection limits', { timeout: 120_000 }, async (t) => {
  const workspace = createWorkspace(t)

  await t.test('max.connections.per.ip: one too many is closed at once', async () => {
    const configs = { 'max.connections.per.ip': '5' }
    const broker = await startBroker(workspace, { dataFolder: workspace.path('per-ip'), configs })
    await sleep(500) // The connections that looked whether it is up still count for a moment.
    const held = await openMany(broker.port, 5)
    const refused = await open(broker.port)
    assert.ok(await isClosed(refused), 'the sixth connection stays open')
    held.pop()?.destroy()
    await sleep(300)
    await assertAnswers(broker)
    for (const socket of held) socket.destroy()
    await broker.stop()
  })

  await t.test('max.connections: one too many waits for its turn', async () => {
    const configs = { 'max.connections': '5' }
    const broker = await startBroker(workspace, { dataFolder: workspace.path('all'), configs })
    await sleep(500)
    const held = await openMany(broker.port, 5)
    const waiting = await open(broker.port)
    waiting.write(requestFrame(18, 0, Buffer.alloc(0)))
    assert.equal((await outcomeOf(waiting)).outcome, 'waits')
    held.pop()?.destroy()
    assert.equal((await outcomeOf(waiting)).outcome, 'answers')
    for (const socket of [...held, waiting]) socket.destroy()
    await broker.stop()
  })

  await t.test('connections.max.idle.ms: an idle connection is closed', async () => {
    const configs = { 'connections.max.idle.ms': '1500' }
    const broker = await startBroker(workspace, { dataFolder: workspace.path('idle'), configs })
    assert.ok(await isClosed(await open(broker.port)))
    await assertAnswers(broker)
    await broker.stop()
  })
})

async function assertAnswers(broker: Broker): Promise<void> {
  assert.ok((await apiVersions(broker.port)).length > 10)
}
