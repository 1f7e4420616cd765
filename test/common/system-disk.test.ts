import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { DiskError } from '../../src/common/disk.ts'
import { type FileCalls, SystemDisk } from '../../src/common/system-disk.ts'
import { testDisk } from './disk-contract.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'samsa-disk-'))
after(() => fs.rmSync(root, { recursive: true }))

const disk = new SystemDisk()
const path = (name: string) => join(root, name)

fs.mkdirSync(path('contract'))
testDisk(disk, path('contract'))

const fails = (code: string, run: () => unknown) =>
  assert.throws(run, (error) => error instanceof DiskError && error.code === code)

test('what is written is read, however little the system does at a time', async () => {
  // Each call is interrupted or cut short as the next of these numbers says.
  let mood: number[] = []
  const limit = (length: number) => {
    const next = mood.shift() ?? length
    if (next === 0) throw Object.assign(new Error('interrupted'), { code: 'EINTR' })
    return Math.min(next, length)
  }
  const calls = {
    writevSync(fd: number, buffers: Uint8Array[], position: number) {
      const whole = Buffer.concat(buffers)
      return fs.writeSync(fd, whole, 0, limit(whole.length), position)
    },
    readSync: (fd: number, target: Buffer, offset: number, length: number, position: number) =>
      fs.readSync(fd, target, offset, limit(length), position),
    read(
      fd: number,
      target: Buffer,
      offset: number,
      length: number,
      position: number,
      done: (error: Error | null, read: number) => void,
    ) {
      try {
        fs.read(fd, target, offset, limit(length), position, done)
      } catch (error) {
        queueMicrotask(() => done(error as Error, 0))
      }
    },
  } as unknown as FileCalls
  const file = new SystemDisk(calls).open(path('moody'), { create: true })
  const moods = fc.array(fc.nat(9), { maxLength: 30 })
  const buffers = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(buffers, fc.nat(50), moods, async (parts, position, whims) => {
      mood = [...whims]
      const whole = Buffer.concat(parts)
      file.truncate(0)
      file.writeSync(parts, position)
      const target = Buffer.alloc(whole.length + 5, 0xee)
      assert.equal(file.readSync(target, position), whole.length)
      assert.deepEqual(target.subarray(0, whole.length), whole)
      mood = [...whims]
      target.fill(0xee)
      assert.equal(await file.read(target, position), whole.length)
      assert.deepEqual(target.subarray(0, whole.length), whole)
    }),
    { numRuns: 60 },
  )
  file.close()
})

test('a file closed during a read keeps its descriptor until the read has ended', async () => {
  let start: () => void = () => {}
  const descriptors: number[] = []
  const read = ((...args: Parameters<typeof fs.read>) => {
    descriptors.push(args[0])
    start = () => fs.read(...args)
  }) as unknown as FileCalls['read']
  const slow = new SystemDisk({ ...fs, read })
  const first = slow.open(path('first'), { create: true })
  first.writeSync([Buffer.from('first')], 0)
  const target = Buffer.alloc(5)
  const reading = first.read(target, 0)
  first.close()
  const second = disk.open(path('second'), { create: true })
  second.writeSync([Buffer.from('other')], 0)
  start()
  assert.equal(await reading, 5)
  assert.equal(target.toString(), 'first')
  assert.throws(() => fs.fstatSync(descriptors[0]!), { code: 'EBADF' })
  second.close()
})

test('a lock is refused to all others in the process, by whatever name', async () => {
  const lockPath = path('.lock')
  const lock = disk.lock(lockPath)
  fs.symlinkSync(lockPath, path('alias'))
  for (const name of [lockPath, `${root}/../${basename(root)}/.lock`, path('alias')]) {
    fails('LOCKED', () => new SystemDisk().lock(name))
  }
  assert.equal(await lockInWorker(lockPath), 'LOCKED')
  assert.equal(disk.stat(lockPath)?.size, 0)
  assert.ok(disk.list(root).every((name) => !name.includes('journal')))
  lock.release()
  lock.release()
  assert.equal(await lockInWorker(lockPath), 'taken')
  disk.lock(lockPath).release()
})

test('a lock is refused to other processes, and dies with its own', async () => {
  const lockPath = path('.lock')
  const held = disk.lock(lockPath)
  assert.equal((await lockInProcess(lockPath)).outcome, 'LOCKED')
  held.release()
  const other = await lockInProcess(lockPath)
  assert.equal(other.outcome, 'taken')
  fails('LOCKED', () => disk.lock(lockPath))
  other.process.kill('SIGKILL')
  await once(other.process, 'exit')
  disk.lock(lockPath).release()
})

test('what cannot be locked is refused with the reason, and left as it is', () => {
  fs.writeFileSync(path('precious'), 'not a lock file, but longer than an empty one'.repeat(20))
  fails('EINVAL', () => disk.lock(path('precious')))
  assert.match(fs.readFileSync(path('precious'), 'utf8'), /^not a lock/)
  fails('ENOENT', () => disk.lock(path('no/such/folder/.lock')))
  fails('EISDIR', () => disk.lock(root))
})

const LOCK_PROGRAM = `
  const { SystemDisk } = await import(${JSON.stringify(
    new URL('../../src/common/system-disk.ts', import.meta.url).href,
  )})
  let outcome = 'taken'
  try {
    globalThis.lock = new SystemDisk().lock(LOCK_PATH)
  } catch (error) {
    outcome = error.code
  }
`

async function lockInWorker(lockPath: string): Promise<string> {
  const program = `
    const LOCK_PATH = ${JSON.stringify(lockPath)}
    ${LOCK_PROGRAM}
    const { parentPort } = await import('node:worker_threads')
    parentPort.postMessage(outcome)
    globalThis.lock?.release()
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const [outcome] = await once(worker, 'message')
  await worker.terminate()
  return outcome
}

/** A process that gets the lock stays until it is killed. Nothing may be written to its stderr. */
async function lockInProcess(
  lockPath: string,
): Promise<{ outcome: string; process: ChildProcess }> {
  const program = `
    const LOCK_PATH = ${JSON.stringify(lockPath)}
    ${LOCK_PROGRAM}
    process.stdout.write(outcome)
    if (outcome === 'taken') setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program])
  after(() => child.kill('SIGKILL'))
  let complaints = ''
  child.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  const [outcome] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  assert.equal(complaints, '')
  return { outcome: String(outcome), process: child }
}
