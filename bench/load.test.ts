/**
 * A benchmark that cannot fail measures nothing: here single bits change on the way between the
 * load driver and a good server, and the driver must refuse every one of those runs, for the right
 * reason. Needs gcc, and so stands apart from the suite in test/: `node --test bench`.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buildCPrograms, type CPrograms, startCPeer } from './peers/c-programs.ts'
import type { Server } from './peers/server.ts'

/** Which bit to change: in the n-th connection (the handshake's is 1), and where in its bytes. */
interface Flip {
  connection: number
  direction: 'request' | 'response'
  at: number
}

function passOn(from: Socket, to: Socket, flipAt: number | undefined): void {
  let position = 0
  from.on('data', (chunk: Buffer) => {
    const index = (flipAt ?? -1) - position
    if (index >= 0 && index < chunk.length) chunk[index]! ^= 1
    position += chunk.length
    to.write(chunk)
  })
  from.on('error', () => {})
  from.on('close', () => to.destroy())
}

async function startProxy(port: number, flip?: Flip): Promise<{ port: number; close(): void }> {
  let connections = 0
  const server = createServer((client) => {
    connections += 1
    const broker = connect(port, '127.0.0.1')
    const flipAt = (direction: Flip['direction']) =>
      flip?.connection === connections && flip.direction === direction ? flip.at : undefined
    passOn(client, broker, flipAt('request'))
    passOn(broker, client, flipAt('response'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert(address !== null && typeof address === 'object')
  return { port: address.port, close: () => server.close() }
}

describe('the load driver', () => {
  let programs: CPrograms
  let peer: Server
  let folder: string
  let runs = 0

  before(async () => {
    programs = buildCPrograms()
    folder = mkdtempSync(join(tmpdir(), 'samsa-load-'))
    peer = await startCPeer(programs, folder)
  })

  after(async () => {
    await peer.stop()
    rmSync(folder, { recursive: true })
  })

  async function load(mode: string, flip?: Flip, ...options: string[]) {
    const proxy = await startProxy(peer.port, flip)
    const topic = `run-${String(++runs).padStart(2, '0')}`
    const target = ['--port', `${proxy.port}`, '--pid', `${peer.pid}`, '--topic', topic]
    const child = spawn(programs.load, [mode, ...target, '--bytes', '4000000', ...options])
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      complaint += chunk
    })
    const [code] = await once(child, 'close')
    proxy.close()
    return { code, output, complaint }
  }

  async function refuses(reason: RegExp, mode: string, flip: Flip, ...options: string[]) {
    const { code, output, complaint } = await load(mode, flip, ...options)
    assert.match(complaint, reason)
    assert.equal(code, 1)
    assert.equal(output, '')
  }

  // The head of a Produce response to a topic of 6 letters, up to the base offset.
  const correlationIdAt = 4
  const errorAt = 4 + 4 + 1 + 1 + 7 + 1 + 4
  const baseOffsetAt = errorAt + 2

  for (const mode of ['produce', 'small', 'fetch']) {
    it(`measures ${mode} and leaves nothing behind`, async () => {
      const options = ['--fill-bytes', '2000000', '--window-bytes', '1000000']
      const { code, output, complaint } = await load(mode, undefined, ...options)
      assert.equal(complaint, '')
      assert.equal(code, 0)
      const result = JSON.parse(output)
      assert.ok(result.bytes >= 4_000_000)
      assert.ok(result.requests > 0 && result.mbPerSecond > 0)
      assert.deepEqual(readdirSync(folder), [])
    })
  }

  it('wants every API it uses in the version it speaks', async () => {
    const fetchKeyAt = 4 + 4 + 2 + 1 + 7 + 1
    const flip = { connection: 1, direction: 'response', at: fetchKeyAt } as const
    await refuses(/does not offer Fetch v12/, 'produce', flip)
  })

  it('fails when a batch is refused', async () => {
    const insideTheSeventhBatch = 100_000
    const flip = { connection: 2, direction: 'request', at: insideTheSeventhBatch } as const
    await refuses(/^Produce: error 2$/m, 'produce', flip)
  })

  it('fails when a batch is lost that nobody acknowledges', async () => {
    const flip = { connection: 2, direction: 'request', at: 100_000 } as const
    await refuses(/^partition 0 ends at \d+ after \d+ records$/m, 'produce', flip, '--acks', '0')
  })

  it('fails on an error code', async () => {
    const flip = { connection: 2, direction: 'response', at: errorAt + 1 } as const
    await refuses(/^Produce: error 1$/m, 'produce', flip)
  })

  it('fails on a response out of order', async () => {
    const flip = { connection: 2, direction: 'response', at: correlationIdAt + 3 } as const
    await refuses(/^response 1 where 0 was due$/m, 'produce', flip)
  })

  it('fails on an offset given twice', async () => {
    const flip = { connection: 2, direction: 'response', at: baseOffsetAt + 7 } as const
    await refuses(/^offset \d+ again$/m, 'produce', flip)
  })

  it('fails on fetched records that are not those produced', async () => {
    const insideTheThirdBatch = 40_000
    const flip = { connection: 3, direction: 'response', at: insideTheThirdBatch } as const
    const options = ['--fill-bytes', '2000000', '--window-bytes', '1000000']
    await refuses(/is not as it was sent/, 'fetch', flip, ...options)
  })
})
