/**
 * A disk in memory: files and folders that nobody else sees and that go with the process. It does
 * what the machine's own disk does, faster, and refuses what that refuses, by the same codes.
 *
 * Everything is durable at once, since there is nothing to lose it to but the end of the process:
 * syncs have nothing to do. For a disk that loses what was not synced, see the simulator's.
 */
import type { Clock } from './clock.ts'
import {
  type Disk,
  DiskError,
  type DiskErrorCode,
  type DiskFile,
  type DiskLock,
  type FileStat,
} from './disk.ts'
import { GrowableBytes } from './growable-bytes.ts'

/** What the disk says it could hold: more than any process. */
const TOTAL_BYTES = 2 ** 40
/** What a folder says its size is, as on most file systems. */
const FOLDER_BYTES = 4096

class MemoryFile {
  readonly bytes = new GrowableBytes()
  modifiedMs: number
  isLocked = false

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }
}

class Folder {
  readonly entries = new Map<string, Entry>()
  modifiedMs: number

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }
}

type Entry = MemoryFile | Folder

export class MemoryDisk implements Disk {
  readonly #clock: Clock
  readonly #root: Folder

  constructor(clock: Clock) {
    this.#clock = clock
    this.#root = new Folder(clock.now())
  }

  open(path: string, options: { create?: boolean; readOnly?: boolean } = {}): DiskFile {
    let entry = this.#find(path)
    if (entry instanceof Folder) throw failure('EISDIR', path)
    if (entry === undefined) {
      const { folder, name } = this.#locate(path)
      if (options.create !== true) throw failure('ENOENT', path)
      entry = new MemoryFile(this.#clock.now())
      this.#set(folder, name, entry)
    }
    return new OpenFile(path, entry, options.readOnly ?? false, this.#clock)
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#find(path)
    if (entry === undefined) return undefined
    const isDirectory = entry instanceof Folder
    const size = isDirectory ? FOLDER_BYTES : entry.bytes.size
    return { size, isDirectory, modifiedMs: entry.modifiedMs }
  }

  list(path: string): string[] {
    return [...this.#folder(path).entries.keys()].sort()
  }

  makeDirectory(path: string): void {
    let folder = this.#root
    const names = steps(path)
    for (const [index, name] of names.entries()) {
      let entry = folder.entries.get(name)
      if (entry instanceof MemoryFile) {
        throw failure(index === names.length - 1 ? 'EEXIST' : 'ENOTDIR', path)
      }
      if (entry === undefined) {
        entry = new Folder(this.#clock.now())
        this.#set(folder, name, entry)
      }
      folder = entry
    }
  }

  remove(path: string): void {
    const entry = this.#find(path)
    if (entry === undefined) return
    if (entry instanceof Folder) throw failure('EISDIR', path)
    const { folder, name } = this.#locate(path)
    this.#set(folder, name, undefined)
  }

  removeDirectory(path: string): void {
    if (this.#find(path) === undefined) return
    const { folder, name } = this.#locate(path)
    this.#set(folder, name, undefined)
  }

  rename(from: string, to: string): void {
    const source = this.#locate(from)
    const entry = source.folder.entries.get(source.name)
    if (entry === undefined) throw failure('ENOENT', from)
    const target = this.#locate(to)
    const replaced = target.folder.entries.get(target.name)
    if (replaced === entry) return
    if (replaced instanceof Folder) {
      if (!(entry instanceof Folder)) throw failure('EISDIR', to)
      if (replaced.entries.size > 0) throw failure('ENOTEMPTY', to)
    } else if (replaced !== undefined && entry instanceof Folder) {
      throw failure('ENOTDIR', to)
    }
    this.#set(source.folder, source.name, undefined)
    this.#set(target.folder, target.name, entry)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#folder(path)
  }

  lock(path: string): DiskLock {
    this.open(path, { create: true }).close()
    const file = this.#find(path) as MemoryFile
    if (file.isLocked) throw failure('LOCKED', path)
    file.isLocked = true
    let isHeld = true
    return {
      release: () => {
        if (isHeld) file.isLocked = false
        isHeld = false
      },
    }
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    if (this.#find(path) === undefined) throw failure('ENOENT', path)
    return { totalBytes: TOTAL_BYTES, usableBytes: TOTAL_BYTES - usedBytes(this.#root) }
  }

  #set(folder: Folder, name: string, entry: Entry | undefined): void {
    if (entry === undefined) folder.entries.delete(name)
    else folder.entries.set(name, entry)
    folder.modifiedMs = this.#clock.now()
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
    return this.#folderAt(steps(path), path)
  }

  /** The folder with a name in it, and the name. */
  #locate(path: string): { folder: Folder; name: string } {
    const names = steps(path)
    const name = names.pop()
    if (name === undefined) throw failure('EBUSY', path)
    return { folder: this.#folderAt(names, path), name }
  }

  #folderAt(names: readonly string[], path: string): Folder {
    let folder = this.#root
    for (const name of names) {
      const entry = folder.entries.get(name)
      if (entry === undefined) throw failure('ENOENT', path)
      if (entry instanceof MemoryFile) throw failure('ENOTDIR', path)
      folder = entry
    }
    return folder
  }
}

class OpenFile implements DiskFile {
  readonly path: string
  readonly #file: MemoryFile
  readonly #isReadOnly: boolean
  readonly #clock: Clock
  #isClosed = false

  constructor(path: string, file: MemoryFile, isReadOnly: boolean, clock: Clock) {
    this.path = path
    this.#file = file
    this.#isReadOnly = isReadOnly
    this.#clock = clock
  }

  size(): number {
    this.#checkOpen()
    return this.#file.bytes.size
  }

  readSync(target: Uint8Array, position: number): number {
    this.#checkOpen()
    return this.#file.bytes.read(target, position)
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return this.readSync(target, position)
  }

  writeSync(buffers: readonly Uint8Array[], position: number): void {
    this.#checkWritable()
    this.#file.bytes.write(buffers, position)
    this.#file.modifiedMs = this.#clock.now()
  }

  truncate(size: number): void {
    this.#checkWritable()
    this.#file.bytes.resize(size)
    this.#file.modifiedMs = this.#clock.now()
  }

  async sync(): Promise<void> {
    this.#checkOpen()
  }

  close(): void {
    this.#isClosed = true
  }

  #checkOpen(): void {
    if (this.#isClosed) throw failure('EBADF', this.path)
  }

  #checkWritable(): void {
    if (this.#isClosed || this.#isReadOnly) throw failure('EBADF', this.path)
  }
}

/** The names on the way to `path`; there are no links, so that `..` can be resolved by itself. */
function steps(path: string): string[] {
  const names: string[] = []
  for (const step of path.split('/')) {
    if (step === '..') names.pop()
    else if (step !== '' && step !== '.') names.push(step)
  }
  return names
}

function usedBytes(entry: Entry): number {
  if (entry instanceof MemoryFile) return entry.bytes.size
  let sum = 0
  for (const inner of entry.entries.values()) sum += usedBytes(inner)
  return sum
}

function failure(code: DiskErrorCode, path: string): DiskError {
  return new DiskError(code, path, `${code}: ${path}`)
}
