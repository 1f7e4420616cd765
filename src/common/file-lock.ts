/**
 * An exclusive lock on a file that the kernel drops when the process dies: Kafka's `.lock`.
 *
 * Node has no call for file locks, but brings one in: SQLite. A database in an exclusive
 * transaction holds a write lock (fcntl, or LockFileEx on Windows) on bytes 2^30 to 2^30 + 511 of
 * its file. Java's FileChannel.tryLock claims the whole file by the same calls, so each sees the
 * other. Such locks belong to the process and would not stop a second claim from within it, but
 * SQLite keeps a list of its own, by inode and over all threads: another broker of this process is
 * refused as well, by whatever name it reaches the file.
 *
 * Nothing is written: the file, made if missing, stays empty, as Java leaves it.
 *
 * One warning goes with such locks: when a process closes any descriptor of the file, it loses all
 * its locks on it. So nothing else may open the file, not even to look whether it can be opened.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { DiskError, type DiskLock } from './disk.ts'

type Sqlite = typeof import('node:sqlite')

const SQLITE_BUSY = 5
const SQLITE_NOT_A_DATABASE = 26

/** Takes the lock, or throws DiskError: LOCKED where somebody has it. */
export function takeFileLock(path: string): DiskLock {
  let database: InstanceType<Sqlite['DatabaseSync']> | undefined
  try {
    const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as Sqlite
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    throw lockError(path, error)
  }
  const held = database
  return { release: () => held.close() }
}

/** SQLite says only that it failed; the reason is asked for again, in the system's terms. */
function lockError(path: string, error: unknown): DiskError {
  const { errcode, message } = error as Error & { errcode?: number }
  const fail = (code: string, text: string) => new DiskError(code, path, text, { cause: error })
  if (errcode === SQLITE_BUSY) return fail('LOCKED', `${path} is locked by another process`)
  if (errcode === SQLITE_NOT_A_DATABASE) {
    return fail('EINVAL', `${path} is not a lock file: it should be empty`)
  }
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat?.isDirectory()) return fail('EISDIR', `${path} is a folder`)
    accessSync(stat === undefined ? dirname(path) : path, constants.W_OK)
  } catch (reason) {
    const { code = 'EIO', message: text } = reason as NodeJS.ErrnoException
    return fail(code, text)
  }
  return fail('EIO', `${path} cannot be locked: ${message}`)
}
