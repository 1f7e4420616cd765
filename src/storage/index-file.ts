/**
 * A file of fixed-size, ascending entries: what an offset index and a time index have in common.
 *
 * Kafka maps its index files into memory. Here an index has two lives. While its segment is being
 * written, the entries are in memory, in the file's own layout, and nothing is written: after a
 * crash recovery makes them anew from the segment, as it does in Kafka. `save` writes them, when
 * the segment is rolled, flushed or closed. After `unload`, only the number of entries is kept, and
 * a lookup is a binary search by small reads of the file, so that thousands of old segments cost
 * next to no memory.
 */
import type { Disk, DiskFile } from '../common/disk.ts'

/** At or below this many entries a search reads the rest at once instead of halving on. */
const BLOCK_ENTRIES = 512

/** Compares the entry at byte `at` of `bytes` with what is looked for: negative if it is less. */
export type EntryOrder = (bytes: Buffer, at: number) => number

const NOTHING = Buffer.alloc(0)

export class IndexFile {
  readonly path: string
  readonly entrySize: number
  readonly #disk: Disk
  /** The entries while they are in memory; of its length, `#count` entries are in use. */
  #bytes: Buffer | undefined
  #count = 0
  /** How many of the entries in memory the file has already. */
  #saved = 0

  constructor(disk: Disk, path: string, entrySize: number) {
    this.#disk = disk
    this.path = path
    this.entrySize = entrySize
  }

  get count(): number {
    return this.#count
  }

  get isInMemory(): boolean {
    return this.#bytes !== undefined
  }

  /** Begins an empty index in memory; `save` will replace what the file holds. */
  startEmpty(): void {
    this.#bytes = NOTHING
    this.#count = 0
    this.#saved = 0
  }

  /**
   * Takes over an existing file without reading it. Returns false where its length is not right.
   */
  attach(): boolean {
    const size = this.#disk.stat(this.path)?.size
    if (size === undefined || size % this.entrySize !== 0) return false
    this.#bytes = undefined
    this.#count = size / this.entrySize
    return true
  }

  /** Brings the entries of an attached file into memory, to append to them. */
  load(): void {
    if (this.#bytes !== undefined) return
    const bytes = Buffer.alloc(this.#count * this.entrySize)
    if (bytes.length > 0) {
      this.#withFile((file) => {
        if (file.readSync(bytes, 0) !== bytes.length) throw new Error(`${this.path} has shrunk`)
      })
    }
    this.#bytes = bytes
    this.#saved = this.#count
  }

  /**
   * Adds room for one entry; the caller fills it in the returned buffer at the returned position.
   */
  append(): { bytes: Buffer; at: number } {
    let bytes = this.#bytes
    if (bytes === undefined) throw new Error(`${this.path} is not in memory`)
    const at = this.#count * this.entrySize
    if (at + this.entrySize > bytes.length) {
      bytes = Buffer.alloc(Math.max(32 * this.entrySize, bytes.length * 2))
      this.#bytes!.copy(bytes, 0, 0, at)
      this.#bytes = bytes
    }
    this.#count += 1
    return { bytes, at }
  }

  /** Drops all entries from the `count`-th on. */
  truncate(count: number): void {
    if (count >= this.#count) return
    this.load()
    this.#count = count
    this.#saved = Math.min(this.#saved, count)
  }

  /** Writes what the file does not have yet, and cuts it to length. */
  save(): DiskFile | undefined {
    const bytes = this.#bytes
    if (bytes === undefined) return undefined
    const file = this.#disk.open(this.path, { create: true })
    try {
      const from = this.#saved * this.entrySize
      const end = this.#count * this.entrySize
      if (end > from) file.writeSync([bytes.subarray(from, end)], from)
      if (file.size() !== end) file.truncate(end)
      this.#saved = this.#count
    } catch (error) {
      file.close()
      throw error
    }
    return file
  }

  /** Forgets the entries in memory; `save` must have written them. */
  unload(): void {
    if (this.#saved === this.#count) this.#bytes = undefined
  }

  /** The `n`-th entry, as a buffer and the position of the entry in it. */
  entry(n: number): { bytes: Buffer; at: number } {
    if (n < 0 || n >= this.#count) throw new Error(`${this.path} has no entry ${n}`)
    if (this.#bytes !== undefined) return { bytes: this.#bytes, at: n * this.entrySize }
    return { bytes: this.#withFile((file) => this.#readEntries(file, n, 1)), at: 0 }
  }

  /** The last entry for which `order` is not positive, or undefined where there is none. */
  floor(order: EntryOrder): { bytes: Buffer; at: number } | undefined {
    if (this.#count === 0) return undefined
    const bytes = this.#bytes
    if (bytes !== undefined) return this.#floorWithin(bytes, 0, this.#count, order)
    return this.#withFile((file) => {
      let low = 0
      let high = this.#count
      while (high - low > BLOCK_ENTRIES) {
        const middle = (low + high) >>> 1
        if (order(this.#readEntries(file, middle, 1), 0) <= 0) low = middle
        else high = middle
      }
      return this.#floorWithin(this.#readEntries(file, low, high - low), 0, high - low, order)
    })
  }

  #floorWithin(bytes: Buffer, from: number, to: number, order: EntryOrder) {
    let low = from - 1
    let high = to
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (order(bytes, middle * this.entrySize) <= 0) low = middle
      else high = middle
    }
    return low < from ? undefined : { bytes, at: low * this.entrySize }
  }

  #readEntries(file: DiskFile, n: number, count: number): Buffer {
    const bytes = Buffer.alloc(count * this.entrySize)
    const read = file.readSync(bytes, n * this.entrySize)
    if (read !== bytes.length) throw new Error(`${this.path} ends before entry ${n + count}`)
    return bytes
  }

  #withFile<T>(use: (file: DiskFile) => T): T {
    const file = this.#disk.open(this.path, { readOnly: true })
    try {
      return use(file)
    } finally {
      file.close()
    }
  }
}
