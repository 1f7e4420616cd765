/**
 * The aborted transactions of a segment: those whose abort marker is in it. The file exists only
 * where there are any.
 *
 * ```
 * at  field             bytes
 *  0  version           2      always 0
 *  2  producerId        8
 * 10  firstOffset       8      of the transaction's first record
 * 18  lastOffset        8      of its marker
 * 26  lastStableOffset  8      when the marker was written
 * ```
 */
import { type Disk, readWholeFile } from '../common/disk.ts'
import { readInt16, readInt64, writeInt64 } from '../protocol/records/record-batch.ts'
import { segmentFile, TRANSACTION_INDEX_SUFFIX } from './file-names.ts'

const ENTRY_SIZE = 34

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export class TransactionIndex {
  readonly path: string
  readonly #disk: Disk
  readonly #baseOffset: number
  #exists: boolean
  #count = 0

  constructor(disk: Disk, directory: string, baseOffset: number, suffix = '') {
    this.#disk = disk
    this.#baseOffset = baseOffset
    this.path = segmentFile(directory, baseOffset, TRANSACTION_INDEX_SUFFIX + suffix)
    const size = disk.stat(this.path)?.size
    this.#exists = size !== undefined
    this.#count = Math.floor((size ?? 0) / ENTRY_SIZE)
  }

  get exists(): boolean {
    return this.#exists
  }

  append(transaction: AbortedTransaction): void {
    const entry = Buffer.alloc(ENTRY_SIZE)
    writeInt64(entry, 2, transaction.producerId)
    writeInt64(entry, 10, transaction.firstOffset)
    writeInt64(entry, 18, transaction.lastOffset)
    writeInt64(entry, 26, transaction.lastStableOffset)
    const file = this.#disk.open(this.path, { create: true })
    try {
      file.writeSync([entry], this.#count * ENTRY_SIZE)
    } finally {
      file.close()
    }
    this.#exists = true
    this.#count += 1
  }

  /** All entries, in the order of their markers. */
  read(): AbortedTransaction[] {
    if (!this.#exists) return []
    const bytes = readWholeFile(this.#disk, this.path) ?? Buffer.alloc(0)
    const transactions: AbortedTransaction[] = []
    for (let at = 0; at + ENTRY_SIZE <= bytes.length; at += ENTRY_SIZE) {
      if (readInt16(bytes, at) !== 0)
        throw new Error(`${this.path} has an entry of unknown version`)
      transactions.push({
        producerId: readInt64(bytes, at + 2),
        firstOffset: readInt64(bytes, at + 10),
        lastOffset: readInt64(bytes, at + 18),
        lastStableOffset: readInt64(bytes, at + 26),
      })
    }
    return transactions
  }

  /** Drops the transactions whose marker is at or above `offset`. */
  truncateTo(offset: number): void {
    if (!this.#exists) return
    const kept = this.read().filter((transaction) => transaction.lastOffset < offset).length
    if (kept === this.#count) return
    const file = this.#disk.open(this.path)
    try {
      file.truncate(kept * ENTRY_SIZE)
    } finally {
      file.close()
    }
    this.#count = kept
  }

  async sync(): Promise<void> {
    if (!this.#exists) return
    const file = this.#disk.open(this.path)
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }

  /** Whether a file found on disk can be this index. */
  isPlausible(): boolean {
    if (!this.#exists) return true
    const size = this.#disk.stat(this.path)?.size ?? 0
    if (size % ENTRY_SIZE !== 0) return false
    const bytes = readWholeFile(this.#disk, this.path)!
    let previous = this.#baseOffset - 1
    for (let at = 0; at < bytes.length; at += ENTRY_SIZE) {
      const lastOffset = readInt64(bytes, at + 18)
      if (readInt16(bytes, at) !== 0 || lastOffset <= previous) return false
      previous = lastOffset
    }
    return true
  }

  /** Empties the index. */
  reset(): void {
    if (!this.#exists) return
    this.#disk.remove(this.path)
    this.#exists = false
    this.#count = 0
  }
}
