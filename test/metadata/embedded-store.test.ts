import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimulatedDisk } from '../../sim/simulated-disk.ts'
import { Simulation } from '../../sim/simulation.ts'
import { sleep } from '../../src/common/clock.ts'
import { EmbeddedStore } from '../../src/metadata/embedded-store.ts'
import { isMetadataError, type MetadataStore } from '../../src/metadata/metadata-store.ts'
import { testMetadataStore } from './metadata-store-contract.ts'

const DIRECTORY = '/data'
const DISK_FULL_AT = 2000

function makeWorld(seed: number, nameLoss: 'ordered' | 'perDirectory' = 'ordered') {
  const simulation = new Simulation({ seed })
  const { clock, random } = simulation
  const disk = new SimulatedDisk({ clock, random, nameLoss })
  disk.makeDirectory(DIRECTORY)
  disk.settle()
  const open = (snapshotAfterBytes?: number) =>
    EmbeddedStore.open({ disk, clock, directory: DIRECTORY, snapshotAfterBytes })
  return { simulation, clock, random, disk, open }
}

/** Everything a session can see, as plain data. */
async function dump(store: MetadataStore, path = '/'): Promise<Record<string, unknown>> {
  const { data, stat } = await store.get(path)
  const { names } = await store.children(path)
  const nodes: Record<string, unknown> = { [path]: { data: data.toString(), stat } }
  for (const name of names) {
    Object.assign(nodes, await dump(store, `${path === '/' ? '' : path}/${name}`))
  }
  return nodes
}

testMetadataStore('The embedded store', {
  async use(body) {
    const { simulation, open } = makeWorld(1)
    await simulation.run(async () => {
      const store = await open()
      await body(store, (session) => store.expireSession(session.sessionId))
      await store.close()
    })
  },
})

describe('The embedded store on disk', () => {
  for (const snapshotAfterBytes of [100, 1_000_000]) {
    test(`keeps everything but ephemerals, snapshots after ${snapshotAfterBytes}`, async () => {
      const { simulation, disk, open } = makeWorld(2)
      await simulation.run(async () => {
        const store = await open(snapshotAfterBytes)
        const session = await store.openSession()
        await session.create('/a', Buffer.from('1'))
        await session.create('/a/gone', Buffer.from('1'))
        await session.create('/e', Buffer.from('1'), { ephemeral: true })
        for (let version = 0; version < 20; version++) {
          await session.set('/a', Buffer.from(`v${version}`), version)
          await session.create(`/a/n${version}-`, Buffer.from('x'), { sequential: true })
        }
        await session.delete('/a/gone', 0)
        const before = await dump(session, '/a')
        disk.killProcess()
        const again = await open(snapshotAfterBytes)
        const sessionAgain = await again.openSession()
        assert.notEqual(sessionAgain.sessionId, session.sessionId)
        assert.deepEqual(await dump(sessionAgain, '/a'), before)
        assert.equal(await sessionAgain.exists('/e'), undefined)
        const { path } = await sessionAgain.create('/a/n', Buffer.from(''), { sequential: true })
        assert.equal(path, '/a/n0000000021')
        await again.close()
        const journals = disk.list(DIRECTORY).filter((name) => name.endsWith('.journal'))
        assert.ok(journals.length <= 2, `${journals}`)
        assert.equal(
          disk.list(DIRECTORY).some((name) => name.endsWith('.snapshot')),
          snapshotAfterBytes === 100,
        )
      })
    })
  }

  test('one sync serves many writes', async () => {
    const syncs: string[] = []
    const simulation = new Simulation({ seed: 3 })
    const { clock, random } = simulation
    const observe = (event: string) => {
      if (event.startsWith('sync ')) syncs.push(event)
    }
    const disk = new SimulatedDisk({ clock, random, observe })
    disk.makeDirectory(DIRECTORY)
    await simulation.run(async () => {
      const store = await EmbeddedStore.open({ disk, clock, directory: DIRECTORY })
      const session = await store.openSession()
      await session.create('/first', Buffer.alloc(0))
      syncs.length = 0
      const names = Array.from({ length: 100 }, (_, index) => `/n${index}`)
      await Promise.all(names.map((name) => session.create(name, Buffer.alloc(10))))
      assert.ok(syncs.length <= 2, `${syncs.length} syncs`)
    })
  })

  test('a full disk refuses the write and nothing else', async () => {
    const { simulation, disk, open } = makeWorld(4)
    await simulation.run(async () => {
      const store = await open()
      const session = await store.openSession()
      await session.create('/a', Buffer.from('1'))
      disk.faults.capacityBytes = DISK_FULL_AT
      const attempt = session.multi([
        { type: 'set', path: '/a', data: Buffer.alloc(DISK_FULL_AT), version: 0 },
        { type: 'create', path: '/b', data: Buffer.alloc(0) },
      ])
      await assert.rejects(attempt, { code: 'SYSTEM_ERROR' })
      assert.equal((await session.get('/a')).data.toString(), '1')
      assert.equal(await session.exists('/b'), undefined)
      await session.set('/a', Buffer.from('2'), 0)
      disk.killProcess()
      const again = await (await open()).openSession()
      assert.equal((await again.get('/a')).data.toString(), '2')
    })
  })

  test('a failed sync ends the store, and what it was to cover is unknown', async () => {
    const { simulation, clock, disk } = makeWorld(5)
    await simulation.run(async () => {
      let failure: Error | undefined
      const onFailure = (error: Error) => {
        failure = error
      }
      const store = await EmbeddedStore.open({ disk, clock, directory: DIRECTORY, onFailure })
      const session = await store.openSession()
      await session.create('/a', Buffer.from('1'))
      disk.faults.syncError = 1
      await assert.rejects(session.set('/a', Buffer.from('2'), 0), { code: 'CONNECTION_LOSS' })
      disk.faults.syncError = 0
      assert.match(String(failure), /EIO/)
      assert.equal(session.state, 'disconnected')
      await assert.rejects(session.get('/a'), { code: 'CONNECTION_LOSS' })
      await store.close()
    })
  })

  test('damage is refused, not taken for an empty store', async () => {
    const { simulation, disk, open } = makeWorld(6)
    await simulation.run(async () => {
      const session = await (await open(200)).openSession()
      for (let index = 0; index < 10; index++) await session.create(`/n${index}`, Buffer.alloc(50))
      // The snapshot in the background.
      await sleep(simulation.clock, 1000)
      disk.killProcess()
      for (const name of disk.list(DIRECTORY)) {
        const path = `${DIRECTORY}/${name}`
        const file = disk.open(path)
        const byte = Buffer.alloc(1)
        file.readSync(byte, 12)
        file.writeSync([Buffer.from([byte[0]! ^ 1])], 12)
        await assert.rejects(open(), { code: 'SYSTEM_ERROR' }, name)
        file.writeSync([byte], 12)
      }
      assert.equal((await (await (await open()).openSession()).children('/')).names.length, 10)
    })
  })
})

/**
 * Writers work on counters of their own, each write acknowledged before the next, until the power
 * goes or the process is killed at some moment; again and again on the same disk. Whatever was
 * acknowledged, or seen by a reader, must be there afterwards, and nothing that was never written.
 */
async function crashRepeatedly(seed: number): Promise<void> {
  const nameLoss = seed % 2 === 0 ? 'ordered' : 'perDirectory'
  const { simulation, clock, random, disk } = makeWorld(seed, nameLoss)
  /** Per writer: the last value acknowledged or read, and the last one given to the store. */
  const known = new Map<string, number>()
  const tried = new Map<string, number>()
  for (let life = 0; life < 6; life++) {
    const processClock = clock.process()
    let failure: unknown
    const verify = async (session: MetadataStore) => {
      for (const [path, value] of known) {
        const { data, stat } = await session.get(path)
        const found = Number(data.toString())
        const label = `seed ${seed}, life ${life}, ${path}`
        assert.ok(found >= value, `${label}: ${value} was acknowledged, ${found} is there`)
        assert.ok(found <= tried.get(path)!, `${label}: ${found} was never written`)
        assert.equal(stat.version, found, label)
        known.set(path, found)
      }
      const { names } = await session.children('/')
      assert.deepEqual(
        names.filter((name) => name.startsWith('e')),
        [],
        'no ephemeral survives',
      )
    }
    const write = async (session: MetadataStore, path: string) => {
      if (!known.has(path)) {
        tried.set(path, tried.get(path) ?? 0)
        await session.create(path, Buffer.from('0')).catch((error: unknown) => {
          if (!isMetadataError(error, 'NODE_EXISTS')) throw error
        })
      }
      for (;;) {
        const { stat } = await session.get(path)
        known.set(path, stat.version)
        const next = stat.version + 1
        tried.set(path, next)
        await session.set(path, Buffer.from(`${next}`), stat.version)
        known.set(path, next)
      }
    }
    const live = async () => {
      const store = await EmbeddedStore.open({
        disk,
        clock: processClock,
        directory: DIRECTORY,
        snapshotAfterBytes: random.pick([100, 1000, 20_000]),
      })
      const session = await store.openSession()
      await verify(session)
      await session.create('/e', Buffer.alloc(0), { ephemeral: true })
      await Promise.all(['/a', '/b', '/c'].map((path) => write(session, path)))
    }
    live().catch((error: unknown) => {
      failure = error
    })
    await simulation.rest()
    const crashAtMs = clock.monotonic() + random.fraction() * random.pick([3, 30, 150])
    while ((clock.nextCallMs ?? Number.POSITIVE_INFINITY) < crashAtMs) await simulation.step()
    if (failure !== undefined) throw failure
    processClock.stop()
    if (random.chance(0.7)) disk.losePower()
    else disk.killProcess()
  }
}

test('The embedded store keeps what it acknowledged over crashes at any moment', async () => {
  for (let seed = 0; seed < 120; seed++) await crashRepeatedly(seed)
})
