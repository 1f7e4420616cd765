/**
 * A disk in memory that behaves as badly as a real one may.
 *
 *  - `losePower` takes back any subset of what was not made durable: sectors of files (see
 *    SimulatedFile) and names in folders. `killProcess` takes nothing back: the kernel lives on.
 *  - Reads and syncs take time, and during it other things happen.
 *  - It fails (EIO) and fills up (ENOSPC) when told to.
 *
 * Names are made durable by `syncDirectory` only. Until then a power cut undoes changes of names in
 * one of two ways, chosen by `nameLoss`:
 *
 *  - `ordered`, as with a journalling file system: changes are undone from the latest on, all over
 *    the disk, and syncing any folder makes everything before durable.
 *  - `perDirectory`, all that POSIX promises: each folder loses its latest changes independently,
 *    and syncing a folder says nothing about others. Not even its own name in the folder above it.
 */
import type { Clock } from '../src/common/clock.ts'
import {
  type Disk,
  DiskError,
  type DiskErrorCode,
  type DiskFile,
  type DiskLock,
  type FileStat,
} from '../src/common/disk.ts'
import type { SeededRandom } from './seeded-random.ts'
import { SimulatedFile } from './simulated-file.ts'

/** Chances from 0 to 1 that an operation fails with EIO; can be changed at any time. */
export interface DiskFaults {
  readError: number
  /** A failing write may have written some of its bytes. */
  writeError: number
  syncError: number
  /** Bytes that all files may have together; what exceeds it fails with ENOSPC, halfway through. */
  capacityBytes: number
}

export interface SimulatedDiskOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly nameLoss?: 'ordered' | 'perDirectory'
  /** The longest a read or sync usually takes. One in a hundred takes ten times as long. */
  readonly maxDelayMs?: number
  /** Told of each change and each sync, for a trace. */
  readonly observe?: (event: string) => void
}

type Entry = SimulatedFile | Folder

class Folder {
  entries = new Map<string, Entry>()
  /** What a power cut cannot take back. */
  durableEntries = new Map<string, Entry>()
  /**
   * Changes since, oldest first. `entry` is what the name stands for after it, if anything. Changes
   * with the same `order` are one, and happen together or not at all.
   */
  pending: { name: string; entry: Entry | undefined; order: number }[] = []
  modifiedMs: number

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }
}

export class SimulatedDisk implements Disk {
  readonly faults: DiskFaults = {
    readError: 0,
    writeError: 0,
    syncError: 0,
    capacityBytes: Number.POSITIVE_INFINITY,
  }
  readonly #clock: Clock
  readonly #random: SeededRandom
  readonly #nameLoss: 'ordered' | 'perDirectory'
  readonly #maxDelayMs: number
  readonly #observe: (event: string) => void
  readonly #root = new Folder(0)
  readonly #locks = new Set<string>()
  #usedBytes = 0
  #nextOrder = 0
  /** Counts the processes that have used this disk; what belongs to an earlier one is dead. */
  #incarnation = 0

  constructor(options: SimulatedDiskOptions) {
    this.#clock = options.clock
    this.#random = options.random
    this.#nameLoss = options.nameLoss ?? 'ordered'
    this.#maxDelayMs = options.maxDelayMs ?? 2
    this.#observe = options.observe ?? (() => {})
  }

  /** The process dies: its files, locks and operations under way are gone, its writes are not. */
  killProcess(): void {
    this.#incarnation += 1
    this.#locks.clear()
  }

  /** The machine loses power, and with it any of what was not made durable. */
  losePower(): void {
    this.killProcess()
    const keepUpTo = this.#random.between(this.#oldestPending(), this.#nextOrder)
    const seen = new Set<SimulatedFile>()
    const restore = (folder: Folder) => {
      const orders = folder.pending.map(({ order }) => order)
      const end =
        this.#nameLoss === 'ordered' ? keepUpTo : this.#random.pick([...orders, this.#nextOrder])
      makeNamesDurable(folder, end)
      folder.pending = []
      folder.entries = new Map(folder.durableEntries)
      for (const entry of folder.entries.values()) {
        if (entry instanceof Folder) {
          restore(entry)
        } else if (!seen.has(entry)) {
          seen.add(entry)
          entry.losePower(this.#random)
        }
      }
    }
    restore(this.#root)
    this.#usedBytes = [...seen].reduce((sum, file) => sum + file.size, 0)
    this.#observe(`power lost, ${seen.size} files with ${this.#usedBytes} bytes left`)
  }

  /** Makes all names and contents durable, as on a machine that has been idle for long. */
  settle(): void {
    this.#forEachFolder((folder) => {
      makeNamesDurable(folder, this.#nextOrder)
      for (const entry of folder.entries.values()) {
        if (entry instanceof SimulatedFile) entry.settle()
      }
    })
  }

  open(path: string, options: { create?: boolean; readOnly?: boolean } = {}): DiskFile {
    const { folder, name } = this.#locate(path)
    let entry = folder.entries.get(name)
    if (entry instanceof Folder) throw failure('EISDIR', path)
    if (entry === undefined) {
      if (options.create !== true) throw failure('ENOENT', path)
      entry = new SimulatedFile(this.#clock.now())
      this.#change(folder, name, entry)
      this.#observe(`create ${path}`)
    }
    return this.#handle(path, entry, options.readOnly ?? false)
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#find(path)
    if (entry === undefined) return undefined
    const isDirectory = entry instanceof Folder
    return { size: isDirectory ? 4096 : entry.size, isDirectory, modifiedMs: entry.modifiedMs }
  }

  list(path: string): string[] {
    return [...this.#folder(path).entries.keys()].sort()
  }

  makeDirectory(path: string): void {
    let folder = this.#root
    for (const name of steps(path)) {
      let entry = folder.entries.get(name)
      if (entry instanceof SimulatedFile) throw failure('ENOTDIR', path)
      if (entry === undefined) {
        entry = new Folder(this.#clock.now())
        this.#change(folder, name, entry)
        this.#observe(`makeDirectory ${path}`)
      }
      folder = entry
    }
  }

  remove(path: string): void {
    const entry = this.#find(path)
    if (entry === undefined) return
    if (entry instanceof Folder) throw failure('EISDIR', path)
    const { folder, name } = this.#locate(path)
    this.#usedBytes -= entry.size
    this.#change(folder, name, undefined)
    this.#observe(`remove ${path}`)
  }

  removeDirectory(path: string): void {
    const target = this.#find(path)
    if (target === undefined) return
    if (target instanceof SimulatedFile) throw failure('ENOTDIR', path)
    for (const [name, entry] of [...target.entries]) {
      if (entry instanceof Folder) this.removeDirectory(`${path}/${name}`)
      else this.remove(`${path}/${name}`)
    }
    const { folder, name } = this.#locate(path)
    this.#change(folder, name, undefined)
    this.#observe(`removeDirectory ${path}`)
  }

  rename(from: string, to: string): void {
    const source = this.#locate(from)
    const target = this.#locate(to)
    const entry = source.folder.entries.get(source.name)
    if (entry === undefined) throw failure('ENOENT', from)
    const replaced = target.folder.entries.get(target.name)
    if (replaced === entry) return
    if (replaced instanceof Folder) {
      if (!(entry instanceof Folder)) throw failure('EISDIR', to)
      if (replaced.entries.size > 0) throw failure('ENOTEMPTY', to)
    } else if (replaced !== undefined) {
      if (entry instanceof Folder) throw failure('ENOTDIR', to)
      this.#usedBytes -= replaced.size
    }
    // One change in two places: both carry the same number, so neither is undone alone.
    const order = this.#nextOrder
    this.#change(target.folder, target.name, entry)
    this.#nextOrder = order
    this.#change(source.folder, source.name, undefined)
    this.#observe(`rename ${from} to ${to}`)
  }

  async syncDirectory(path: string): Promise<void> {
    const folder = this.#folder(path)
    const order = this.#nextOrder
    await this.#delay()
    this.#failSometimes(this.faults.syncError, path)
    if (this.#nameLoss === 'ordered') {
      this.#forEachFolder((each) => makeNamesDurable(each, order))
    } else {
      makeNamesDurable(folder, order)
    }
    this.#observe(`syncDirectory ${path}`)
  }

  lock(path: string): DiskLock {
    const key = steps(path).join('/')
    if (this.#locks.has(key)) throw failure('LOCKED', path)
    this.open(path, { create: true }).close()
    this.#locks.add(key)
    const incarnation = this.#incarnation
    return {
      release: () => {
        if (incarnation === this.#incarnation) this.#locks.delete(key)
      },
    }
  }

  space(): { totalBytes: number; usableBytes: number } {
    const totalBytes = Math.min(this.faults.capacityBytes, 2 ** 40)
    return { totalBytes, usableBytes: Math.max(totalBytes - this.#usedBytes, 0) }
  }

  #handle(path: string, file: SimulatedFile, readOnly: boolean): DiskFile {
    const incarnation = this.#incarnation
    let closed = false
    const check = () => {
      if (closed || incarnation !== this.#incarnation) throw failure('EBADF', path)
    }
    const checkWrite = () => {
      check()
      if (readOnly) throw failure('EBADF', path)
    }
    return {
      path,
      size: () => {
        check()
        return file.size
      },
      readSync: (target, position) => {
        check()
        this.#failSometimes(this.faults.readError, path)
        return file.read(target, position)
      },
      read: async (target, position) => {
        check()
        await this.#delay()
        this.#failSometimes(this.faults.readError, path)
        return file.read(target, position)
      },
      writeSync: (buffers, position) => {
        checkWrite()
        this.#write(file, path, buffers, position)
      },
      truncate: (size) => {
        checkWrite()
        this.#failSometimes(this.faults.writeError, path)
        this.#usedBytes += size - file.size
        file.truncate(size)
        file.modifiedMs = this.#clock.now()
        this.#observe(`truncate ${path} to ${size}`)
      },
      sync: async () => {
        check()
        const { succeed, fail } = file.beginSync()
        await this.#delay()
        try {
          this.#failSometimes(this.faults.syncError, path)
        } catch (error) {
          fail()
          throw error
        }
        succeed()
        this.#observe(`sync ${path}`)
      },
      close: () => {
        closed = true
      },
    }
  }

  #write(
    file: SimulatedFile,
    path: string,
    buffers: readonly Uint8Array[],
    position: number,
  ): void {
    const bytes = Buffer.concat(buffers)
    const fails = this.#random.chance(this.faults.writeError)
    const growth = Math.max(position + bytes.length - file.size, 0)
    const excess = Math.max(this.#usedBytes + growth - this.faults.capacityBytes, 0)
    let length = fails ? this.#random.between(0, bytes.length) : bytes.length
    // What overwrites old bytes has its place on the disk already.
    length = Math.min(length, bytes.length - Math.min(excess, growth))
    const sizeBefore = file.size
    file.write(bytes.subarray(0, length), position)
    file.modifiedMs = this.#clock.now()
    this.#usedBytes += file.size - sizeBefore
    this.#observe(`write ${path} at ${position}: ${length} of ${bytes.length} bytes`)
    if (fails) throw failure('EIO', path)
    if (length < bytes.length) throw failure('ENOSPC', path)
  }

  #failSometimes(chance: number, path: string): void {
    if (chance > 0 && this.#random.chance(chance)) {
      this.#observe(`EIO for ${path}`)
      throw failure('EIO', path)
    }
  }

  /** Resolves after a while; never if the process has died by then. */
  #delay(): Promise<void> {
    const incarnation = this.#incarnation
    const factor = this.#random.chance(0.01) ? 10 : 1
    return new Promise((resolve) => {
      this.#clock.schedule(this.#random.fraction() * this.#maxDelayMs * factor, () => {
        if (incarnation === this.#incarnation) resolve()
      })
    })
  }

  #change(folder: Folder, name: string, entry: Entry | undefined): void {
    if (entry === undefined) folder.entries.delete(name)
    else folder.entries.set(name, entry)
    folder.modifiedMs = this.#clock.now()
    folder.pending.push({ name, entry, order: this.#nextOrder++ })
  }

  #find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root
    for (const name of steps(path)) {
      if (!(entry instanceof Folder)) return undefined
      entry = entry.entries.get(name)
    }
    return entry
  }

  #folder(path: string): Folder {
    const entry = this.#find(path)
    if (entry === undefined) throw failure('ENOENT', path)
    if (entry instanceof SimulatedFile) throw failure('ENOTDIR', path)
    return entry
  }

  #locate(path: string): { folder: Folder; name: string } {
    const names = steps(path)
    const name = names.pop()
    if (name === undefined) throw failure('EISDIR', path)
    return { folder: this.#folder(names.join('/')), name }
  }

  #forEachFolder(visit: (folder: Folder) => void): void {
    const walk = (folder: Folder) => {
      visit(folder)
      for (const entry of folder.entries.values()) if (entry instanceof Folder) walk(entry)
    }
    walk(this.#root)
  }

  #oldestPending(): number {
    let oldest = this.#nextOrder
    this.#forEachFolder(({ pending }) => {
      if (pending.length > 0) oldest = Math.min(oldest, pending[0]!.order)
    })
    return oldest
  }
}

/** Carries a folder's pending changes before number `end` over to what is durable. */
function makeNamesDurable(folder: Folder, end: number): void {
  while (folder.pending.length > 0 && folder.pending[0]!.order < end) {
    const { name, entry } = folder.pending.shift()!
    if (entry === undefined) folder.durableEntries.delete(name)
    else folder.durableEntries.set(name, entry)
  }
}

function steps(path: string): string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.')
}

function failure(code: DiskErrorCode, path: string): DiskError {
  return new DiskError(code, path, `${code}: ${path}`)
}
