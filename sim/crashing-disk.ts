/**
 * A disk under a process that dies at a given change of it: the change is made or not, and nothing
 * comes after. For going through all the places at which some work can be cut short, one by one.
 */
import type { Disk, DiskFile, DiskLock, FileStat } from '../src/common/disk.ts'

/** What is thrown in place of the change, and of everything after it. */
export class Crash extends Error {
  constructor() {
    super('the process is dead')
    this.name = 'Crash'
  }
}

export class CrashingDisk implements Disk {
  /** Changes so far: creations, writes, cuts, syncs, removals, renames. */
  changes = 0
  /** The process dies in place of the change with this number, counted from 0. */
  crashAt = Number.POSITIVE_INFINITY
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  get hasCrashed(): boolean {
    return this.changes > this.crashAt
  }

  open(path: string, options: { create?: boolean; readOnly?: boolean } = {}): DiskFile {
    this.#live()
    if (options.create === true && this.#disk.stat(path) === undefined) this.#change()
    const file = this.#disk.open(path, options)
    return {
      path,
      size: () => file.size(),
      readSync: (target, position) => this.#live() ?? file.readSync(target, position),
      read: async (target, position) => this.#live() ?? (await file.read(target, position)),
      writeSync: (buffers, position) => this.#change() ?? file.writeSync(buffers, position),
      truncate: (size) => this.#change() ?? file.truncate(size),
      sync: async () => this.#change() ?? (await file.sync()),
      close: () => file.close(),
    }
  }

  stat(path: string): FileStat | undefined {
    return this.#live() ?? this.#disk.stat(path)
  }

  list(path: string): string[] {
    return this.#live() ?? this.#disk.list(path)
  }

  makeDirectory(path: string): void {
    if (this.#disk.stat(path) === undefined) this.#change()
    this.#disk.makeDirectory(path)
  }

  remove(path: string): void {
    if (this.#disk.stat(path) !== undefined) this.#change()
    this.#disk.remove(path)
  }

  removeDirectory(path: string): void {
    this.#change()
    this.#disk.removeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#change()
    this.#disk.rename(from, to)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#change()
    await this.#disk.syncDirectory(path)
  }

  lock(path: string): DiskLock {
    this.#live()
    return this.#disk.lock(path)
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    return this.#disk.space(path)
  }

  #live(): undefined {
    if (this.hasCrashed) throw new Crash()
  }

  #change(): undefined {
    this.changes += 1
    this.#live()
  }
}
