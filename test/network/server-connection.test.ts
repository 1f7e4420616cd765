import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventLoopTurn } from '../../sim/event-loop.ts'
import { SimulatedClock } from '../../sim/simulated-clock.ts'
import type { Connection, Receiver } from '../../src/common/network.ts'
import { SlabPool } from '../../src/common/slab.ts'
import { type ResponseSlot, ServerConnection } from '../../src/network/server-connection.ts'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'

/** A connection of which the test plays the operating system. */
class FakeConnection implements Connection {
  readonly remoteHost = '10.0.0.1'
  readonly remotePort = 5
  readonly localHost = '10.0.0.2'
  readonly localPort = 9092
  bufferedBytes = 0
  isPaused = false
  isDestroyed = false
  readonly writes: string[] = []
  readonly taken: (() => void)[] = []
  receiver!: Receiver

  start(receiver: Receiver): void {
    this.receiver = receiver
  }

  write(buffers: readonly Uint8Array[], onTaken?: () => void): void {
    this.writes.push(Buffer.concat(buffers).toString())
    if (onTaken !== undefined) this.taken.push(onTaken)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {}

  destroy(): void {
    this.isDestroyed = true
  }

  /** One read event that brings these frames. */
  receive(frames: readonly string[]): void {
    for (const frame of frames) {
      const bytes = Buffer.alloc(4 + frame.length)
      bytes.writeInt32BE(frame.length)
      bytes.write(frame, 4)
      const target = this.receiver.allocate()
      target.set(bytes)
      this.receiver.received(bytes.length)
    }
  }
}

function connect() {
  const connection = new FakeConnection()
  const slots: ResponseSlot[] = []
  const requests: string[] = []
  const closings: (string | undefined)[] = []
  const clock = new SimulatedClock()
  const server = new ServerConnection(
    connection,
    {
      clock,
      pool: new SlabPool({ poison: true }),
      writer: new ByteWriter(),
      maxFrameBytes: 100,
      request(slot, slab, start, end) {
        slots.push(slot)
        requests.push(slab.memory.toString('latin1', start, end))
      },
      closed: (_connection, error) => closings.push(error?.message),
    },
    'PLAINTEXT',
  )
  server.start()
  const answer = (index: number, text: string) =>
    slots[index]!.complete((writer) => writer.append(Buffer.from(text)))
  return { connection, server, slots, requests, closings, answer, clock }
}

test('responses leave in the order of requests, together if ready together', async () => {
  const { connection, requests, slots, answer } = connect()
  connection.receive(['a', 'b', 'c', 'd'])
  assert.deepEqual(requests, ['a', 'b', 'c', 'd'])
  answer(2, 'C')
  answer(1, 'B')
  await eventLoopTurn()
  assert.deepEqual(connection.writes, [])
  answer(0, 'A')
  await eventLoopTurn()
  assert.deepEqual(connection.writes, ['ABC'])
  slots[3]!.skip()
  await eventLoopTurn()
  assert.deepEqual(connection.writes.join(''), 'ABC')
  assert.throws(() => answer(0, 'again'), /twice/)
})

test('memory of a response is let go when it is taken, not before', async () => {
  const { connection, slots, answer } = connect()
  connection.receive(['a'])
  let released = 0
  slots[0]!.onSent(() => {
    released += 1
  })
  answer(0, 'A')
  await eventLoopTurn()
  assert.equal(released, 0)
  connection.taken[0]!()
  assert.equal(released, 1)
})

test('when the connection goes, work in progress keeps its memory until it ends', async () => {
  const { connection, slots, closings, answer } = connect()
  connection.receive(['a', 'b'])
  const released: number[] = []
  slots[0]!.onSent(() => released.push(0))
  slots[1]!.onSent(() => released.push(1))
  answer(1, 'B')
  connection.receiver.closed()
  assert.deepEqual(released, [1])
  answer(0, 'A')
  assert.deepEqual(released, [1, 0])
  await eventLoopTurn()
  assert.deepEqual(connection.writes, [])
  assert.deepEqual(closings, [undefined])
})

test('a client is not read from while too much is pending, and is again afterwards', async () => {
  const { connection, requests, answer } = connect()
  connection.receive(Array.from({ length: 64 }, (_, i) => `${i}`))
  assert.equal(connection.isPaused, true)
  connection.receive(['late'])
  assert.equal(requests.length, 64)
  for (let i = 0; i < 64; i++) answer(i, '.')
  await eventLoopTurn()
  assert.equal(requests.at(-1), 'late')
  assert.equal(connection.isPaused, false)
  connection.bufferedBytes = 10_000_000
  connection.receive(['x'])
  assert.equal(connection.isPaused, true)
  connection.bufferedBytes = 0
  connection.receiver.drained()
  assert.equal(connection.isPaused, false)
})

test('a muted client is answered, and heard when the longest of its times is over', async () => {
  const { connection, server, requests, answer, clock } = connect()
  connection.receive(['a'])
  server.mute(50)
  server.mute(1000)
  server.mute(200)
  assert.equal(connection.isPaused, true)
  // What had been read before is not started either.
  connection.receive(['b'])
  answer(0, 'A')
  await eventLoopTurn()
  assert.deepEqual(connection.writes, ['A'])
  assert.deepEqual(requests, ['a'])
  assert.equal(connection.isPaused, true)
  clock.step()
  assert.equal(clock.monotonic(), 1000)
  assert.deepEqual(requests, ['a', 'b'])
  assert.equal(connection.isPaused, false)
  server.mute(10)
  connection.receiver.closed()
  assert.equal(clock.nextCallMs, undefined)
})

test('a connection that is drained starts nothing more, and answers what it has', async () => {
  const { connection, server, requests, answer } = connect()
  connection.receive(['a'])
  server.drain()
  assert.equal(connection.isPaused, true)
  connection.receive(['b'])
  answer(0, 'A')
  await eventLoopTurn()
  assert.deepEqual(connection.writes, ['A'])
  assert.equal(connection.isPaused, true)
  assert.deepEqual(requests, ['a'])
  assert.equal(server.pendingRequests, 0)
})

test('a frame that cannot be closes the connection, and says why', () => {
  const { connection, closings, requests } = connect()
  const target = connection.receiver.allocate()
  target.set([0xff, 0xff, 0xff, 0xff])
  connection.receiver.received(4)
  assert.equal(connection.isDestroyed, true)
  // What was on its way is read into memory that nobody looks at.
  assert.ok(connection.receiver.allocate().length > 0)
  connection.receiver.received(1)
  connection.receiver.closed()
  assert.match(closings[0] ?? '', /negative length -1/)
  assert.deepEqual(requests, [])
})
