import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SeededRandom } from '../../sim/seeded-random.ts'
import { SimulatedClock } from '../../sim/simulated-clock.ts'
import { SimulatedDisk } from '../../sim/simulated-disk.ts'
import { SECTOR_SIZE } from '../../sim/simulated-file.ts'
import { Simulation } from '../../sim/simulation.ts'
import { readWholeFile, replaceFile } from '../../src/common/disk.ts'

function makeDisk(seed: number, nameLoss: 'ordered' | 'perDirectory' = 'ordered') {
  const simulation = new Simulation({ seed })
  const { clock, random } = simulation
  const disk = new SimulatedDisk({ clock, random, nameLoss })
  disk.makeDirectory('/d')
  disk.settle()
  return { simulation, disk }
}

type FileAction =
  | { type: 'write'; position: number; length: number }
  | { type: 'truncate'; size: number }
  | { type: 'sync' }
  | { type: 'failingSync' }

const fileActions: fc.Arbitrary<FileAction[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('write' as const),
        position: fc.nat(3000),
        length: fc.integer({ min: 1, max: 1500 }),
      }),
    },
    fc.record({ type: fc.constant('truncate' as const), size: fc.nat(3000) }),
    fc.constant({ type: 'sync' as const }),
    fc.constant({ type: 'failingSync' as const }),
  ),
  { maxLength: 12 },
)

/** What a file held, as a list of versions of each sector, the durable ones cut off. */
function sectorOf(contents: Buffer, sector: number): Buffer {
  const bytes = Buffer.alloc(SECTOR_SIZE)
  contents.subarray(sector * SECTOR_SIZE).copy(bytes)
  return bytes
}

test('reads give what was written; a power cut takes back only what was not synced', async () => {
  await fc.assert(
    fc.asyncProperty(fileActions, fc.nat(), async (actions, seed) => {
      const { simulation, disk } = makeDisk(seed)
      let current = Buffer.alloc(0)
      /** Contents after each action since the last good sync, with that sync's first. */
      let possible = [current]
      const file = disk.open('/d/f', { create: true })
      await simulation.run(() => disk.syncDirectory('/d'))
      for (const [index, action] of actions.entries()) {
        if (action.type === 'write') {
          const { position, length } = action
          const larger = Buffer.alloc(Math.max(current.length, position + length))
          current.copy(larger)
          larger.fill(index + 1, position, position + length)
          file.writeSync([larger.subarray(position, position + length)], position)
          current = larger
        } else if (action.type === 'truncate') {
          file.truncate(action.size)
          const resized = Buffer.alloc(action.size)
          current.copy(resized)
          current = resized
        } else {
          const fails = action.type === 'failingSync'
          disk.faults.syncError = fails ? 1 : 0
          const sync = simulation.run(() => file.sync())
          // After a failed one no later sync covers what it lost, unless it is written again.
          if (fails) await assert.rejects(sync, { code: 'EIO' })
          else await sync
          if (!fails && !actions.slice(0, index).some(({ type }) => type === 'failingSync')) {
            possible = []
          }
        }
        possible.push(current)
        assert.ok(readWholeFile(disk, '/d/f')!.equals(current))
      }
      disk.losePower()
      const survived = readWholeFile(disk, '/d/f')!
      const sizes = possible.map(({ length }) => length)
      assert.ok(survived.length >= Math.min(...sizes))
      assert.ok(survived.length <= Math.max(...sizes))
      for (let sector = 0; sector * SECTOR_SIZE < survived.length; sector++) {
        const found = sectorOf(survived, sector)
        const room = Math.min(SECTOR_SIZE, survived.length - sector * SECTOR_SIZE)
        const isKnown = possible.some((contents) => {
          const expected = sectorOf(contents, sector).subarray(0, room)
          return expected.equals(found.subarray(0, room))
        })
        assert.ok(isKnown, `sector ${sector} holds what it never held`)
      }
    }),
    { numRuns: 300 },
  )
})

/** Over many seeds, which of the outcomes occur. */
async function outcomes(run: (seed: number) => Promise<string>): Promise<Set<string>> {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) seen.add(await run(seed))
  return seen
}

test('what was not synced is lost, kept, torn and reordered', async () => {
  const seen = await outcomes(async (seed) => {
    const { disk } = makeDisk(seed)
    const file = disk.open('/d/f', { create: true })
    disk.settle()
    file.writeSync([Buffer.alloc(SECTOR_SIZE, 1)], 0)
    file.writeSync([Buffer.alloc(SECTOR_SIZE, 2)], SECTOR_SIZE)
    disk.losePower()
    const bytes = readWholeFile(disk, '/d/f')!
    if (bytes.length === 0) return 'lost'
    if (bytes.length % SECTOR_SIZE !== 0) return 'cut within a sector'
    return `${bytes[0]}${bytes[SECTOR_SIZE] ?? ' '}`
  })
  for (const outcome of ['lost', 'cut within a sector', '12', '1 ', '10', '02', '00']) {
    assert.ok(seen.has(outcome), `${outcome} is not among ${[...seen]}`)
  }
})

test('what was written while a sync was under way is not covered by it', async () => {
  const seen = await outcomes(async (seed) => {
    const { simulation, disk } = makeDisk(seed)
    const file = disk.open('/d/f', { create: true })
    file.writeSync([Buffer.from('a')], 0)
    disk.settle()
    file.writeSync([Buffer.from('b')], 0)
    await simulation.run(async () => {
      const sync = file.sync()
      file.writeSync([Buffer.from('c')], 0)
      await sync
    })
    disk.losePower()
    return readWholeFile(disk, '/d/f')!.toString()
  })
  assert.deepEqual([...seen].sort(), ['b', 'c'])
})

test('after a failed sync a good one does not help, but writing again does', async () => {
  const seen = (again: boolean) =>
    outcomes(async (seed) => {
      const { simulation, disk } = makeDisk(seed)
      const file = disk.open('/d/f', { create: true })
      file.writeSync([Buffer.from('a')], 0)
      disk.settle()
      file.writeSync([Buffer.from('b')], 0)
      disk.faults.syncError = 1
      await assert.rejects(simulation.run(() => file.sync()))
      disk.faults.syncError = 0
      if (again) file.writeSync([Buffer.from('b')], 0)
      await simulation.run(() => file.sync())
      disk.losePower()
      return readWholeFile(disk, '/d/f')!.toString()
    })
  assert.deepEqual([...(await seen(false))].sort(), ['a', 'b'])
  assert.deepEqual([...(await seen(true))], ['b'])
})

test('killing the process keeps every byte and drops its files, locks and timers', async () => {
  const { simulation, disk } = makeDisk(1)
  const file = disk.open('/d/f', { create: true })
  disk.lock('/d/.lock')
  assert.throws(() => disk.lock('/d//.lock'), { code: 'LOCKED' })
  file.writeSync([Buffer.from('ab'), Buffer.from('cd')], 0)
  let resolved = false
  void file.sync().then(() => {
    resolved = true
  })
  disk.killProcess()
  await simulation.pass(1000)
  assert.equal(resolved, false)
  assert.throws(() => file.writeSync([Buffer.from('x')], 0), { code: 'EBADF' })
  disk.lock('/d/.lock').release()
  disk.lock('/d/.lock')
  assert.equal(readWholeFile(disk, '/d/f')!.toString(), 'abcd')
})

test('names are lost in order, or folder by folder, unless their folder is synced', async () => {
  const run = (nameLoss: 'ordered' | 'perDirectory', synced: string | undefined) =>
    outcomes(async (seed) => {
      const { simulation, disk } = makeDisk(seed, nameLoss)
      disk.makeDirectory('/d/x')
      disk.open('/d/x/f', { create: true })
      disk.open('/d/g', { create: true })
      if (synced !== undefined) await simulation.run(() => disk.syncDirectory(synced))
      disk.losePower()
      return ['/d/x', '/d/x/f', '/d/g'].map((path) => (disk.stat(path) ? 1 : 0)).join('')
    })
  const sorted = async (...args: Parameters<typeof run>) => [...(await run(...args))].sort()
  assert.deepEqual(await sorted('ordered', undefined), ['000', '100', '110', '111'])
  assert.deepEqual(await sorted('ordered', '/d/x'), ['111'])
  const anyOfEach = ['000', '100', '101', '110', '111']
  assert.deepEqual(await sorted('perDirectory', undefined), anyOfEach)
  assert.deepEqual(await sorted('perDirectory', '/d/x'), ['000', '110', '111'])
  assert.deepEqual(await sorted('perDirectory', '/d'), ['101', '111'])
})

test('a rename happens or does not; replaceFile gives all the old or all the new', async () => {
  for (const nameLoss of ['ordered', 'perDirectory'] as const) {
    const seen = await outcomes(async (seed) => {
      const { simulation, disk } = makeDisk(seed, nameLoss)
      await simulation.run(() => replaceFile(disk, '/d/f', Buffer.alloc(2000, 'a')))
      let done = false
      void replaceFile(disk, '/d/f', Buffer.alloc(3000, 'b')).then(() => {
        done = true
      })
      const steps = seed % 4
      for (let step = 0; step < steps; step++) await simulation.step()
      disk.losePower()
      const bytes = readWholeFile(disk, '/d/f')!
      if (done) assert.equal(bytes[0], 'b'.charCodeAt(0))
      if (bytes.equals(Buffer.alloc(2000, 'a'))) return 'old'
      return bytes.equals(Buffer.alloc(3000, 'b')) ? 'new' : 'torn'
    })
    assert.deepEqual([...seen].sort(), ['new', 'old'])
  }
})

test('a full disk takes what fits, and room comes back', () => {
  const { disk } = makeDisk(1)
  disk.faults.capacityBytes = 1000
  const file = disk.open('/d/f', { create: true })
  file.writeSync([Buffer.alloc(900)], 0)
  assert.throws(() => file.writeSync([Buffer.alloc(200, 1)], 900), { code: 'ENOSPC' })
  assert.equal(file.size(), 1000)
  assert.equal(disk.space().usableBytes, 0)
  file.writeSync([Buffer.alloc(500, 2)], 0)
  file.truncate(100)
  file.writeSync([Buffer.alloc(200)], 100)
  disk.remove('/d/f')
  disk.open('/d/g', { create: true }).writeSync([Buffer.alloc(1000)], 0)
})

test('failures are EIO and pass', async () => {
  const { simulation, disk } = makeDisk(1)
  const file = disk.open('/d/f', { create: true })
  file.writeSync([Buffer.from('abc')], 0)
  disk.faults.readError = 1
  disk.faults.writeError = 1
  const target = Buffer.alloc(3)
  assert.throws(() => file.readSync(target, 0), { code: 'EIO' })
  await assert.rejects(
    simulation.run(() => file.read(target, 0)),
    { code: 'EIO' },
  )
  assert.throws(() => file.writeSync([Buffer.from('xyz')], 3), { code: 'EIO' })
  assert.throws(() => file.truncate(0), { code: 'EIO' })
  disk.faults.readError = 0
  assert.equal(await simulation.run(() => file.read(target, 1)), Math.min(file.size() - 1, 3))
  assert.equal(target.toString('latin1', 0, 2), 'bc')
})

test('what the file system refuses, it refuses by the usual names', () => {
  const disk = new SimulatedDisk({ clock: new SimulatedClock(), random: new SeededRandom(1) })
  assert.throws(() => disk.open('/a/b', { create: true }), { code: 'ENOENT' })
  assert.throws(() => disk.list('/a'), { code: 'ENOENT' })
  disk.makeDirectory('/a/b/c')
  assert.throws(() => disk.open('/a', { create: true }), { code: 'EISDIR' })
  assert.throws(() => disk.open('/a/f'), { code: 'ENOENT' })
  const file = disk.open('/a/f', { create: true })
  assert.throws(() => disk.open('/a/f', { readOnly: true }).truncate(1), { code: 'EBADF' })
  assert.throws(() => disk.makeDirectory('/a/f/x'), { code: 'ENOTDIR' })
  assert.throws(() => disk.rename('/a/f', '/a/b'), { code: 'EISDIR' })
  assert.throws(() => disk.rename('/a/x', '/a/y'), { code: 'ENOENT' })
  disk.rename('/a/f', '/a/b/g')
  file.writeSync([Buffer.from('still open')], 0)
  assert.equal(readWholeFile(disk, '/a/b/g')!.toString(), 'still open')
  disk.rename('/a/b', '/a/z')
  assert.deepEqual(disk.list('/a/z'), ['c', 'g'])
  disk.removeDirectory('/a/z')
  disk.remove('/a/z')
  assert.deepEqual(disk.list('/a'), [])
  assert.equal(disk.stat('/a/z'), undefined)
})
