/**
 * A disk as one process sees it. When the process dies, its files are closed and its locks are
 * gone; what it had written stays. What it was waiting for never comes, and what it still tries,
 * in the moments until its last calls have returned, is refused.
 */
import {
  type Disk,
  DiskError,
  type DiskFile,
  type DiskLock,
  type FileStat,
} from '../../common/disk.ts'

export class ProcessDisk implements Disk {
  readonly #disk: Disk
  readonly #files = new Set<DiskFile>()
  readonly #locks = new Set<DiskLock>()
  #isDead = false

  constructor(disk: Disk) {
    this.#disk = disk
  }

  kill(): void {
    this.#isDead = true
    for (const file of this.#files) file.close()
    for (const lock of this.#locks) lock.release()
    this.#files.clear()
    this.#locks.clear()
  }

  open(path: string, options?: { create?: boolean; readOnly?: boolean }): DiskFile {
    this.#live(path)
    const file = this.#disk.open(path, options)
    this.#files.add(file)
    return {
      path,
      size: () => this.#live(path) ?? file.size(),
      readSync: (target, position) => this.#live(path) ?? file.readSync(target, position),
      read: (target, position) => this.#whileAlive(path, () => file.read(target, position)),
      writeSync: (buffers, position) => this.#live(path) ?? file.writeSync(buffers, position),
      truncate: (size) => this.#live(path) ?? file.truncate(size),
      sync: () => this.#whileAlive(path, () => file.sync()),
      close: () => {
        if (this.#files.delete(file)) file.close()
      },
    }
  }

  stat(path: string): FileStat | undefined {
    return this.#live(path) ?? this.#disk.stat(path)
  }

  list(path: string): string[] {
    return this.#live(path) ?? this.#disk.list(path)
  }

  makeDirectory(path: string): void {
    this.#live(path)
    this.#disk.makeDirectory(path)
  }

  remove(path: string): void {
    this.#live(path)
    this.#disk.remove(path)
  }

  removeDirectory(path: string): void {
    this.#live(path)
    this.#disk.removeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#live(from)
    this.#disk.rename(from, to)
  }

  syncDirectory(path: string): Promise<void> {
    return this.#whileAlive(path, () => this.#disk.syncDirectory(path))
  }

  lock(path: string): DiskLock {
    this.#live(path)
    const lock = this.#disk.lock(path)
    this.#locks.add(lock)
    return {
      release: () => {
        if (this.#locks.delete(lock)) lock.release()
      },
    }
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    return this.#live(path) ?? this.#disk.space(path)
  }

  #live(path: string): undefined {
    if (this.#isDead) throw new DiskError('EBADF', path, `the broker that had ${path} is dead`)
  }

  /** What `operation` comes to; nothing ever, if the process has died by then. */
  async #whileAlive<Result>(path: string, operation: () => Promise<Result>): Promise<Result> {
    this.#live(path)
    try {
      const result = await operation()
      if (!this.#isDead) return result
    } catch (error) {
      if (!this.#isDead) throw error
    }
    return await new Promise<never>(() => {})
  }
}
