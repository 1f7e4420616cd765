/**
 * The machine's own file system.
 *
 * The operating system may write or read less than it was asked to, and may be interrupted; both
 * are hidden here. Whatever goes wrong comes out as a DiskError with the system's own code.
 *
 * A file that is closed while reads or syncs are under way keeps its descriptor until they have
 * ended: the number could otherwise be given to another file in the meantime, and be read instead.
 */
import * as nodeFs from 'node:fs'
import { type Disk, DiskError, type DiskFile, type DiskLock, type FileStat } from './disk.ts'
import { takeFileLock } from './file-lock.ts'

/** The system calls whose partial success has to be dealt with; tests give their own. */
export type FileCalls = Pick<typeof nodeFs, 'read' | 'readSync' | 'writevSync'>

/** `error`, thrown by node:fs, as a DiskError. */
function diskError(error: unknown, path: string): DiskError {
  if (error instanceof DiskError) return error
  const { code = 'EIO', message } = error as NodeJS.ErrnoException
  return new DiskError(code, path, message, { cause: error })
}

/** Runs `call`, turning what it throws into a DiskError. */
function at<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw diskError(error, path)
  }
}

function isTransient(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EINTR' || code === 'EAGAIN'
}

/** Runs `call` until the system does not interrupt it. */
function uninterrupted(call: () => number): number {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (!isTransient(error)) throw error
    }
  }
}

class SystemFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  readonly #calls: FileCalls
  #closed = false
  /** Reads and syncs under way. */
  #pending = 0

  constructor(path: string, fd: number, calls: FileCalls) {
    this.path = path
    this.#fd = fd
    this.#calls = calls
  }

  size(): number {
    return this.#now(() => nodeFs.fstatSync(this.#fd).size)
  }

  readSync(target: Uint8Array, position: number): number {
    return this.#now(() => {
      let done = 0
      while (done < target.length) {
        const length = target.length - done
        const read = uninterrupted(() =>
          this.#calls.readSync(this.#fd, target, done, length, position + done),
        )
        if (read === 0) break
        done += read
      }
      return done
    })
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#later(async () => {
      let done = 0
      while (done < target.length) {
        const read = await this.#readOnce(target, done, position + done)
        if (read === 0) break
        done += read
      }
      return done
    })
  }

  #readOnce(target: Uint8Array, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const attempt = () => {
        const length = target.length - offset
        this.#calls.read(this.#fd, target, offset, length, position, (error, read) => {
          if (error === null) resolve(read)
          else if (isTransient(error)) attempt()
          else reject(error)
        })
      }
      attempt()
    })
  }

  writeSync(buffers: readonly Uint8Array[], position: number): void {
    this.#now(() => {
      let total = 0
      for (const buffer of buffers) total += buffer.length
      let rest = buffers
      let done = 0
      while (done < total) {
        const written = uninterrupted(() =>
          this.#calls.writevSync(this.#fd, rest as Uint8Array[], position + done),
        )
        if (written === 0) throw new DiskError('EIO', this.path, `nothing written to ${this.path}`)
        done += written
        if (done < total) rest = withoutFirst(rest, written)
      }
    })
  }

  truncate(size: number): void {
    this.#now(() => nodeFs.ftruncateSync(this.#fd, size))
  }

  sync(): Promise<void> {
    return this.#later(
      () =>
        new Promise((resolve, reject) => {
          nodeFs.fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)))
        }),
    )
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#pending === 0) at(this.path, () => nodeFs.closeSync(this.#fd))
  }

  #now<T>(call: () => T): T {
    this.#checkOpen()
    return at(this.path, call)
  }

  async #later<T>(call: () => Promise<T>): Promise<T> {
    this.#checkOpen()
    this.#pending += 1
    try {
      return await call()
    } catch (error) {
      throw diskError(error, this.path)
    } finally {
      this.#pending -= 1
      if (this.#closed && this.#pending === 0) nodeFs.closeSync(this.#fd)
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new DiskError('EBADF', this.path, `${this.path} is closed`)
  }
}

/** `buffers` without their first `count` bytes. */
function withoutFirst(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  const rest: Uint8Array[] = []
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(buffer.subarray(skip))
    skip = Math.max(skip - buffer.length, 0)
  }
  return rest
}

export class SystemDisk implements Disk {
  readonly #calls: FileCalls
  /** Keeps locks from being collected, and so released, while their holder looks away. */
  readonly #locks = new Set<DiskLock>()

  constructor(calls: FileCalls = nodeFs) {
    this.#calls = calls
  }

  open(path: string, options: { create?: boolean; readOnly?: boolean } = {}): DiskFile {
    const { O_RDONLY, O_RDWR, O_CREAT } = nodeFs.constants
    const flags = (options.readOnly ? O_RDONLY : O_RDWR) | (options.create ? O_CREAT : 0)
    return at(path, () => {
      const fd = nodeFs.openSync(path, flags, 0o644)
      return new SystemFile(path, fd, this.#calls)
    })
  }

  stat(path: string): FileStat | undefined {
    return at(path, () => {
      const stat = nodeFs.statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return undefined
      return {
        size: stat.size,
        isDirectory: stat.isDirectory(),
        modifiedMs: Math.floor(stat.mtimeMs),
      }
    })
  }

  list(path: string): string[] {
    return at(path, () => nodeFs.readdirSync(path).sort())
  }

  makeDirectory(path: string): void {
    at(path, () => nodeFs.mkdirSync(path, { recursive: true }))
  }

  remove(path: string): void {
    at(path, () => {
      try {
        nodeFs.unlinkSync(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    })
  }

  removeDirectory(path: string): void {
    at(path, () => nodeFs.rmSync(path, { recursive: true, force: true }))
  }

  rename(from: string, to: string): void {
    at(from, () => nodeFs.renameSync(from, to))
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows has no such thing; there a rename is durable in its own time.
    if (process.platform === 'win32') return
    const fd = at(path, () => nodeFs.openSync(path, 'r'))
    try {
      await new Promise<void>((resolve, reject) => {
        nodeFs.fsync(fd, (error) => (error === null ? resolve() : reject(error)))
      })
    } catch (error) {
      throw diskError(error, path)
    } finally {
      nodeFs.closeSync(fd)
    }
  }

  lock(path: string): DiskLock {
    const taken = takeFileLock(path)
    const lock: DiskLock = {
      release: () => {
        if (this.#locks.delete(lock)) taken.release()
      },
    }
    this.#locks.add(lock)
    return lock
  }

  space(path: string): { totalBytes: number; usableBytes: number } {
    return at(path, () => {
      const { blocks, bavail, bsize } = nodeFs.statfsSync(path)
      return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
    })
  }
}
