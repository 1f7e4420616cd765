import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SimulatedNetwork } from '../../sim/simulated-network.ts'
import { Simulation } from '../../sim/simulation.ts'
import type { Connection } from '../../src/common/network.ts'

function makeNetwork(seed: number, maxPieceBytes?: number) {
  const simulation = new Simulation({ seed })
  const { clock, random } = simulation
  const network = new SimulatedNetwork({ clock, random, maxPieceBytes, observe: simulation.note })
  return { simulation, network }
}

/** One end of a connection, with all that it was told. */
class End {
  readonly connection: Connection
  readonly pieces: Buffer[] = []
  drains = 0
  closedWith: { error: Error | undefined } | undefined
  /** Memory for one read; used for each, as a slab is. */
  readonly #memory = Buffer.alloc(100_000)

  constructor(connection: Connection) {
    this.connection = connection
    connection.start({
      allocate: () => this.#memory,
      received: (length) => {
        assert.equal(this.closedWith, undefined, 'nothing follows the end')
        this.pieces.push(Buffer.from(this.#memory.subarray(0, length)))
        this.#memory.fill(0xdd)
      },
      drained: () => {
        this.drains += 1
      },
      closed: (error) => {
        assert.equal(this.closedWith, undefined, 'closed once')
        this.closedWith = { error }
      },
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces)
  }
}

async function connectEnds({ simulation, network }: ReturnType<typeof makeNetwork>) {
  const accepted: End[] = []
  return await simulation.run(async () => {
    const listener = await network
      .host('server')
      .listen({ host: '', port: 9092 }, (connection) => accepted.push(new End(connection)))
    const client = new End(
      await network.host('client').connect({ host: 'server', port: listener.port }),
    )
    return { client, server: accepted[0]!, listener }
  })
}

test('bytes arrive in order, in pieces; memory is handed back when it is taken', async () => {
  const writes = fc.array(fc.array(fc.nat(40_000), { minLength: 1, maxLength: 3 }), {
    maxLength: 8,
  })
  let pieces = 0
  await fc.assert(
    fc.asyncProperty(writes, fc.nat(), async (sizes, seed) => {
      const world = makeNetwork(seed, 5000)
      const { client, server } = await connectEnds(world)
      const sent: Buffer[] = []
      let taken = 0
      for (const [index, each] of sizes.entries()) {
        const buffers = each.map((size, part) => Buffer.alloc(size, 16 * index + part + 1))
        sent.push(...buffers.map((buffer) => Buffer.from(buffer)))
        client.connection.write(buffers, () => {
          taken += 1
          for (const buffer of buffers) buffer.fill(0xee)
        })
        assert.equal(taken, 0, 'never within the call')
      }
      server.connection.write([Buffer.from('hello')])
      client.connection.end()
      await world.simulation.pass(10_000)
      assert.ok(server.bytes.equals(Buffer.concat(sent)))
      assert.equal(client.bytes.toString().length <= 5, true)
      assert.equal(taken, sizes.length)
      assert.equal(client.connection.bufferedBytes, 0)
      assert.deepEqual(server.closedWith, { error: undefined })
      assert.deepEqual(client.closedWith, { error: undefined })
      pieces = Math.max(pieces, server.pieces.length)
    }),
    { numRuns: 50 },
  )
  assert.ok(pieces > 20)
})

test('a reader that pauses stops the writer, and lets it go on', async () => {
  const world = makeNetwork(3)
  const { client, server } = await connectEnds(world)
  server.connection.pause()
  const megabyte = Buffer.alloc(1024 * 1024, 7)
  for (let count = 0; count < 4; count++) client.connection.write([megabyte])
  await world.simulation.pass(1000)
  assert.equal(server.pieces.length, 0)
  assert.ok(client.connection.bufferedBytes >= 3 * megabyte.length)
  assert.equal(client.drains, 0)
  server.connection.resume()
  await world.simulation.pass(10_000)
  assert.equal(server.bytes.length, 4 * megabyte.length)
  assert.equal(client.drains, 1)
})

test('through a cut nothing comes until it is healed, and then everything does', async () => {
  const world = makeNetwork(4)
  const { client, server } = await connectEnds(world)
  world.network.cut('client', 'server')
  client.connection.write([Buffer.from('late')])
  await world.simulation.pass(10_000)
  assert.equal(server.bytes.length, 0)
  const attempt = world.network
    .host('client')
    .connect({ host: 'server', port: 9092, timeoutMs: 500 })
  await assert.rejects(
    world.simulation.run(() => attempt),
    { code: 'ETIMEDOUT' },
  )
  world.network.heal()
  await world.simulation.pass(1000)
  assert.equal(server.bytes.toString(), 'late')
  assert.equal(server.closedWith, undefined)
})

test('a dropped connection fails at both ends, a killed host only at its peer', async () => {
  const dropped = makeNetwork(5)
  const ends = await connectEnds(dropped)
  dropped.network.dropConnections('server', 1)
  await dropped.simulation.pass(1000)
  assert.match(String(ends.client.closedWith?.error), /reset/)
  assert.match(String(ends.server.closedWith?.error), /reset/)

  const killed = makeNetwork(6)
  const { client, server } = await connectEnds(killed)
  let taken = false
  server.connection.write([Buffer.from('lost')], () => {
    taken = true
  })
  killed.network.killHost('server')
  await killed.simulation.pass(1000)
  assert.match(String(client.closedWith?.error), /reset/)
  assert.equal(server.closedWith, undefined)
  assert.equal(taken, false)
  await assert.rejects(
    killed.simulation.run(() =>
      killed.network.host('client').connect({ host: 'server', port: 9092 }),
    ),
    { code: 'ECONNREFUSED' },
  )
})

test('a port is taken once, and free again after close', async () => {
  const world = makeNetwork(7)
  const { listener, client } = await connectEnds(world)
  const host = world.network.host('server')
  await assert.rejects(
    host.listen({ host: '', port: 9092 }, () => {}),
    { code: 'EADDRINUSE' },
  )
  await listener.close()
  await host.listen({ host: '', port: 9092 }, () => {})
  const one = await host.listen({ host: '', port: 0 }, () => {})
  const two = await host.listen({ host: '', port: 0 }, () => {})
  assert.notEqual(one.port, two.port)
  client.connection.destroy()
  client.connection.write([Buffer.from('ignored')])
  await world.simulation.pass(100)
  assert.deepEqual(client.closedWith, { error: undefined })
})

test('the same seed has the same course, another one another', async () => {
  const course = async (seed: number) => {
    const world = makeNetwork(seed)
    const { client, server } = await connectEnds(world)
    for (let count = 0; count < 20; count++) client.connection.write([Buffer.alloc(10_000, count)])
    server.connection.write([Buffer.from('x')])
    await world.simulation.pass(500)
    return world.simulation.fingerprint
  }
  assert.equal(await course(8), await course(8))
  assert.notEqual(await course(8), await course(9))
})
