/** What every Disk does, whatever it is made of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Disk, DiskError, readWholeFile, replaceFile } from '../../src/common/disk.ts'

/** Runs the tests on `disk`, in its folder `root`, which is there and empty. */
export function testDisk(disk: Disk, root: string): void {
  const path = (name: string) => `${root}/${name}`
  testContents(disk, root, path)
  testNames(disk, root, path)
  testRefusals(disk, root, path)
}

function fails(code: string, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof DiskError && error.code === code)
}

function testContents(disk: Disk, root: string, path: (name: string) => string): void {
  test('files grow and shrink, and keep their contents over a rename', async () => {
    const file = disk.open(path('a'), { create: true })
    file.writeSync([Buffer.from('abc'), Buffer.alloc(0), Buffer.from('def')], 0)
    file.truncate(4)
    file.truncate(6)
    await file.sync()
    assert.equal(file.size(), 6)
    file.close()
    file.close()
    disk.open(path('b'), { create: true }).close()
    disk.rename(path('a'), path('b'))
    await disk.syncDirectory(root)
    assert.equal(disk.stat(path('a')), undefined)
    assert.deepEqual(readWholeFile(disk, path('b')), Buffer.from('abcd\0\0'))
    await replaceFile(disk, path('b'), Buffer.from('new'))
    assert.deepEqual(readWholeFile(disk, path('b')), Buffer.from('new'))
    assert.equal(disk.stat(`${path('b')}.tmp`), undefined)
  })

  test('a file holds what was written last at each place, and zeros between', async () => {
    const action = fc.oneof(
      fc.record({
        buffers: fc.array(fc.uint8Array({ maxLength: 900 }), { maxLength: 4 }),
        at: fc.nat(3000),
      }),
      fc.record({ size: fc.nat(4000) }),
    )
    const file = disk.open(path('model'), { create: true })
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
        file.truncate(0)
        let expected = Buffer.alloc(0)
        const resized = (size: number) => Buffer.concat([expected, Buffer.alloc(8000)], size)
        for (const each of actions) {
          if ('size' in each) {
            file.truncate(each.size)
            expected = resized(each.size)
          } else {
            const whole = Buffer.concat(each.buffers)
            file.writeSync(each.buffers, each.at)
            if (whole.length === 0) continue
            expected = resized(Math.max(expected.length, each.at + whole.length))
            whole.copy(expected, each.at)
          }
        }
        assert.equal(file.size(), expected.length)
        assert.deepEqual(readWholeFile(disk, path('model')), expected)
        const target = Buffer.alloc(100, 0xee)
        const length = await file.read(target, Math.max(0, expected.length - 50))
        assert.equal(length, Math.min(50, expected.length))
        assert.deepEqual(target.subarray(0, length), expected.subarray(-50))
        assert.deepEqual(target.subarray(length), Buffer.alloc(100 - length, 0xee))
      }),
      { numRuns: 60 },
    )
    file.close()
    disk.remove(path('model'))
  })
}

function testNames(disk: Disk, root: string, path: (name: string) => string): void {
  test('folders are made, listed in order, renamed and removed', () => {
    const folder = path('x/y/z')
    disk.makeDirectory(folder)
    disk.makeDirectory(folder)
    for (const name of ['b', 'a', 'C']) disk.open(`${folder}/${name}`, { create: true }).close()
    assert.deepEqual(disk.list(folder), ['C', 'a', 'b'])
    assert.equal(disk.stat(folder)?.isDirectory, true)
    disk.remove(`${folder}/a`)
    disk.remove(`${folder}/a`)
    assert.deepEqual(disk.list(folder), ['C', 'b'])
    const open = disk.open(`${folder}/b`)
    disk.rename(path('x/y'), path('x/w'))
    open.writeSync([Buffer.from('moved')], 0)
    open.close()
    assert.equal(readWholeFile(disk, path('x/w/z/b'))?.toString(), 'moved')
    disk.removeDirectory(path('x'))
    disk.removeDirectory(path('x'))
    assert.equal(disk.stat(path('x')), undefined)
    const { totalBytes, usableBytes } = disk.space(root)
    assert.ok(totalBytes >= usableBytes && usableBytes > 0)
  })

  test('what is open outlives its name', () => {
    const file = disk.open(path('short-lived'), { create: true })
    file.writeSync([Buffer.from('here')], 0)
    disk.remove(path('short-lived'))
    assert.equal(disk.stat(path('short-lived')), undefined)
    const target = Buffer.alloc(4)
    assert.equal(file.readSync(target, 0), 4)
    assert.equal(target.toString(), 'here')
    file.close()
  })
}

function testRefusals(disk: Disk, root: string, path: (name: string) => string): void {
  test('failures carry the code of the system', async () => {
    fails('ENOENT', () => disk.open(path('missing')))
    fails('ENOENT', () => disk.open(path('missing/file'), { create: true }))
    fails('ENOENT', () => disk.list(path('missing')))
    fails('ENOENT', () => disk.rename(path('missing'), path('elsewhere')))
    fails('ENOENT', () => disk.space(path('missing')))
    fails('EISDIR', () => disk.open(root))
    await assert.rejects(disk.syncDirectory(path('missing')), DiskError)
    disk.open(path('readable'), { create: true }).close()
    fails('EEXIST', () => disk.makeDirectory(path('readable')))
    fails('ENOTDIR', () => disk.makeDirectory(path('readable/folder')))
    fails('ENOTDIR', () => disk.list(path('readable')))
    disk.makeDirectory(path('folder'))
    fails('EISDIR', () => disk.rename(path('readable'), path('folder')))
    fails('ENOTDIR', () => disk.rename(path('folder'), path('readable')))
    const file = disk.open(path('readable'), { readOnly: true })
    fails('EBADF', () => file.writeSync([Buffer.from('x')], 0))
    file.close()
    fails('EBADF', () => file.size())
    await assert.rejects(file.sync(), { code: 'EBADF' })
  })

  test('a lock is refused to all others, by whatever name, until it is released', () => {
    const lock = disk.lock(path('.lock'))
    const folder = root.slice(root.lastIndexOf('/') + 1)
    for (const name of [path('.lock'), `${root}/../${folder}//.lock`]) {
      fails('LOCKED', () => disk.lock(name))
    }
    assert.equal(disk.stat(path('.lock'))?.size, 0)
    lock.release()
    const next = disk.lock(path('.lock'))
    lock.release()
    fails('LOCKED', () => disk.lock(path('.lock')))
    next.release()
  })
}
