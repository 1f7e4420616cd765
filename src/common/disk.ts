/**
 * The file system, as everything above `src/common` sees it.
 *
 * Two rules shape this interface. First, the hot path is synchronous: an append is one vectored
 * write into the page cache, which costs microseconds, while a hop to the thread pool and back
 * costs more than the write. What can really take long (fsync, and reads that may miss the page
 * cache) is asynchronous. Second, durability is explicit, as it is on a real disk:
 *
 *  - bytes written are safe from a power cut only after `DiskFile.sync` has resolved;
 *  - a created, renamed or removed name is safe only after `Disk.syncDirectory` of its folder.
 *
 * The simulator's disk forgets everything that was not made safe in this way, so code that skips a
 * sync is found out.
 */

/** Why a disk operation failed, as the operating system names it; `LOCKED` is our own. */
export type DiskErrorCode =
  | 'ENOENT'
  | 'EEXIST'
  | 'EACCES'
  | 'EPERM'
  | 'EROFS'
  | 'ENOSPC'
  | 'EIO'
  | 'EMFILE'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'ENOTEMPTY'
  | 'LOCKED'
  | (string & {})

/** A failed disk operation. All methods of Disk and DiskFile throw (or reject with) only this. */
export class DiskError extends Error {
  readonly code: DiskErrorCode
  readonly path: string

  constructor(code: DiskErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DiskError'
    this.code = code
    this.path = path
  }
}

export interface DiskFile {
  readonly path: string

  /** The file's length in bytes. */
  size(): number

  /**
   * Fills `target` from `position` on, stopping early only at the end of the file. Returns the
   * number of bytes read. For small reads that the page cache nearly always has.
   */
  readSync(target: Uint8Array, position: number): number

  /** As `readSync`, off the main thread. `target` must not be touched until it resolves. */
  read(target: Uint8Array, position: number): Promise<number>

  /** Writes all of `buffers`, one after the other, at `position`: one system call where it can. */
  writeSync(buffers: readonly Uint8Array[], position: number): void

  /** Cuts the file, or extends it with zeros, to `size` bytes. */
  truncate(size: number): void

  /**
   * Makes the file's data and length durable (fdatasync). Includes every write made before the
   * call.
   */
  sync(): Promise<void>

  /** Closes the file once the reads and syncs under way have ended. Closing twice is allowed. */
  close(): void
}

export interface FileStat {
  /** In bytes. */
  readonly size: number
  readonly isDirectory: boolean
  /** Last change of the contents, in milliseconds since the Unix epoch. */
  readonly modifiedMs: number
}

/** An exclusive claim on a path, held until released or until the process ends, however it ends. */
export interface DiskLock {
  release(): void
}

export interface Disk {
  /**
   * Opens a file for reading and writing. `create` makes it when it is missing; otherwise a missing
   * file throws ENOENT. `readOnly` forbids writes.
   */
  open(path: string, options?: { create?: boolean; readOnly?: boolean }): DiskFile

  /** What is at `path`, or undefined where there is nothing. */
  stat(path: string): FileStat | undefined

  /** The names in a folder, sorted. */
  list(path: string): string[]

  /** Makes a folder and those above it that are missing. Does nothing if it is there. */
  makeDirectory(path: string): void

  /** Removes a file. Does nothing if it is missing. */
  remove(path: string): void

  /** Removes a folder with everything in it. Does nothing if it is missing. */
  removeDirectory(path: string): void

  /** Moves a file or folder, replacing a file that is at `to`. */
  rename(from: string, to: string): void

  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): Promise<void>

  /**
   * Takes Kafka's `.lock`: an operating-system lock on the whole file, which a Java broker on the
   * same folder respects and which the kernel drops when the process dies. Throws LOCKED when
   * another broker, in this process or another, holds it.
   */
  lock(path: string): DiskLock

  /** Room on the volume that holds `path`, in bytes. */
  space(path: string): { totalBytes: number; usableBytes: number }
}

/** The whole contents of a file, or undefined where there is none. */
export function readWholeFile(disk: Disk, path: string): Buffer | undefined {
  const stat = disk.stat(path)
  if (stat === undefined || stat.isDirectory) return undefined
  const file = disk.open(path, { readOnly: true })
  try {
    const bytes = Buffer.alloc(file.size())
    return bytes.subarray(0, file.readSync(bytes, 0))
  } finally {
    file.close()
  }
}

/**
 * Replaces a file so that after a crash there is either all of the old contents or all of the new:
 * writes `<path>.tmp`, syncs it, renames it, syncs the folder.
 */
export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  const file = disk.open(temporary, { create: true })
  try {
    file.truncate(0)
    file.writeSync([bytes], 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  await disk.syncDirectory(path.slice(0, Math.max(path.lastIndexOf('/'), 1)))
}
