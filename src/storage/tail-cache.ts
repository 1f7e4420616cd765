/**
 * The last batches of all logs, in memory: what consumers that keep up read, without touching the
 * disk and without a copy.
 *
 * A batch of some size stays where the socket put it: the cache holds a lease on its slab, and a
 * read hands out the very view that was appended. A small batch is copied instead, into an arena
 * that it shares with other small batches of all logs; otherwise a hundred bytes could keep a
 * megabyte of slab from being used again. In the arena, batches of one log that follow each other
 * form a run, which is one entry and one chunk of a read.
 *
 * One budget serves the whole broker. It counts the memory that is kept from other use (each slab
 * once, however many batches of it are cached) and something for each entry, and is kept by
 * evicting the oldest entry of all logs. What is cached of a log is always a whole tail of it, from
 * some offset up to its end, so that a lookup is a comparison and a binary search.
 */
import type { Lease, Slab, SlabPool } from '../common/slab.ts'
import {
  BATCH_LENGTH_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD,
  readInt32,
  readInt64,
} from '../protocol/records/record-batch.ts'
import { LeasedRead, type LogRead, type ReadOptions } from './log-read.ts'

/** Batches below this size are copied. */
const SMALL_BATCH_BYTES = 4096
/** A run ends at this size, which bounds how far a read must step to its first batch. */
const MAX_RUN_BYTES = 16 * 1024
const ARENA_BYTES = 256 * 1024
/** What the bookkeeping of an entry costs, roughly. */
const ENTRY_OVERHEAD_BYTES = 160
/** Most chunks of one read; beyond that a system call is better spent on the next read. */
const MAX_CHUNKS = 256

/** A piece of memory of which something is cached. */
interface Pin {
  readonly lease: Lease
  entries: number
}

/** One batch, or a run of small ones. */
interface Entry {
  readonly owner: LogTail
  readonly pin: Pin
  readonly memory: Buffer
  readonly start: number
  end: number
  readonly baseOffset: number
  lastOffset: number
  /** Bytes that the owner has been given up to the end of this entry, since it began. */
  total: number
  /** The next entry to be evicted after this, of whatever log. */
  newer: Entry | undefined
  evicted: boolean
}

export interface TailCacheOptions {
  /** 0 switches the cache off. */
  readonly maxBytes: number
  readonly slabs: SlabPool
}

export class TailCache {
  readonly #maxBytes: number
  readonly #slabs: SlabPool
  readonly #pins = new Map<object, Pin>()
  #pinnedBytes = 0
  #oldest: Entry | undefined
  #newest: Entry | undefined
  /** The arena that small batches are being copied into, and how far it is filled. */
  #arena: Slab | undefined
  #arenaUsed = 0

  constructor(options: TailCacheOptions) {
    this.#maxBytes = options.maxBytes
    this.#slabs = options.slabs
  }

  /** What the cached batches keep from other use, in bytes. */
  get pinnedBytes(): number {
    return this.#pinnedBytes
  }

  /** A place for the batches of one more log. */
  createTail(): LogTail {
    return new LogTail(this)
  }

  /** Gives up everything, the arena included. */
  clear(): void {
    while (this.#oldest !== undefined) this.#evictOldest()
    this.#arena?.release()
    this.#arena = undefined
  }

  /** Caches a batch of `owner`, whose cached batches it continues. For LogTail. */
  add(owner: LogTail, batch: Buffer, lease: Lease, baseOffset: number, lastOffset: number): void {
    if (this.#maxBytes === 0) return
    if (batch.length < SMALL_BATCH_BYTES) this.#addSmall(owner, batch, baseOffset, lastOffset)
    else this.#insert(owner, lease, batch, 0, batch.length, baseOffset, lastOffset)
    while (this.#pinnedBytes > this.#maxBytes && this.#oldest !== undefined) this.#evictOldest()
  }

  /** Takes an entry out of its place in the order; its owner has dropped it. For LogTail. */
  unpin(entry: Entry): void {
    if (entry.evicted) return
    entry.evicted = true
    this.#pinnedBytes -= ENTRY_OVERHEAD_BYTES
    const { pin } = entry
    pin.entries -= 1
    if (pin.entries > 0) return
    this.#pins.delete(pin.lease.memory)
    this.#pinnedBytes -= pin.lease.memory.byteLength
    pin.lease.release()
  }

  #addSmall(owner: LogTail, batch: Buffer, baseOffset: number, lastOffset: number): void {
    if (this.#arena === undefined || this.#arenaUsed + batch.length > ARENA_BYTES) {
      this.#arena?.release()
      this.#arena = this.#slabs.acquire(ARENA_BYTES)
      this.#arenaUsed = 0
    }
    const arena = this.#arena
    const start = this.#arenaUsed
    const end = start + batch.length
    arena.memory.set(batch, start)
    this.#arenaUsed = end
    const last = owner.newest
    const continues = last !== undefined && last.memory === arena.memory && last.end === start
    if (continues && end - last.start <= MAX_RUN_BYTES) {
      last.end = end
      last.lastOffset = lastOffset
      last.total += batch.length
    } else {
      this.#insert(owner, arena, arena.memory, start, end, baseOffset, lastOffset)
    }
  }

  #insert(
    owner: LogTail,
    lease: Lease,
    memory: Buffer,
    start: number,
    end: number,
    baseOffset: number,
    lastOffset: number,
  ): void {
    let pin = this.#pins.get(lease.memory)
    if (pin === undefined) {
      lease.retain()
      pin = { lease, entries: 0 }
      this.#pins.set(lease.memory, pin)
      this.#pinnedBytes += lease.memory.byteLength
    }
    pin.entries += 1
    this.#pinnedBytes += ENTRY_OVERHEAD_BYTES
    const entry: Entry = {
      owner,
      pin,
      memory,
      start,
      end,
      baseOffset,
      lastOffset,
      total: (owner.newest?.total ?? 0) + end - start,
      newer: undefined,
      evicted: false,
    }
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
    owner.push(entry)
  }

  #evictOldest(): void {
    const entry = this.#oldest!
    this.#oldest = entry.newer
    if (this.#oldest === undefined) this.#newest = undefined
    if (entry.evicted) return
    entry.owner.shift(entry)
    this.unpin(entry)
  }
}

/** What is cached of one log. */
export class LogTail {
  readonly #cache: TailCache
  #entries: Entry[] = []
  /** Entries before this one are gone; they are cut off now and then. */
  #head = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  get newest(): Entry | undefined {
    return this.#entries.length > this.#head ? this.#entries.at(-1) : undefined
  }

  /** Adds the batch that was just appended. Keeps a lease of its own while the batch is cached. */
  add(batch: Buffer, lease: Lease, baseOffset: number, lastOffset: number): void {
    this.#cache.add(this, batch, lease, baseOffset, lastOffset)
  }

  /** Forgets everything: the log was cut, closed or removed. */
  clear(): void {
    for (let index = this.#head; index < this.#entries.length; index++) {
      this.#cache.unpin(this.#entries[index]!)
    }
    this.#entries = []
    this.#head = 0
  }

  /** Forgets what begins below `offset`: it was compacted. */
  forgetBelow(offset: number): void {
    let head = this.#head
    while (head < this.#entries.length && this.#entries[head]!.baseOffset < offset) {
      this.#cache.unpin(this.#entries[head]!)
      head += 1
    }
    this.#entries = this.#entries.slice(head)
    this.#head = 0
  }

  /** Reads from `startOffset`; undefined where that is not, or no longer, in memory. */
  read(startOffset: number, maxBytes: number, options: ReadOptions): LogRead | undefined {
    const first = this.#entries[this.#head]
    if (first === undefined || startOffset < first.baseOffset) return undefined
    const gathered = new Gathering(maxBytes, options)
    for (let index = this.#find(startOffset); index < this.#entries.length; index++) {
      if (!gathered.add(this.#entries[index]!, startOffset)) break
    }
    return gathered.finish(startOffset)
  }

  /** Bytes of the batches between two offsets; undefined where `from` is not in memory. */
  sizeBetween(from: number, to: number): number | undefined {
    const first = this.#entries[this.#head]
    if (first === undefined || from < first.baseOffset) return undefined
    return Math.max(0, this.#totalBelow(to) - this.#totalBelow(from))
  }

  /** As `total` of an entry, up to the first batch that reaches `offset`. */
  #totalBelow(offset: number): number {
    const entry = this.#entries[this.#find(offset)]
    if (entry === undefined) return this.newest!.total
    let at = entry.start
    while (at < entry.end) {
      const last = readInt64(entry.memory, at) + readInt32(entry.memory, at + LAST_OFFSET_DELTA_AT)
      if (last >= offset) break
      at += LOG_OVERHEAD + readInt32(entry.memory, at + BATCH_LENGTH_AT)
    }
    return entry.total - (entry.end - at)
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** Drops the oldest entry, which is the one that the cache evicts. */
  shift(entry: Entry): void {
    if (this.#entries[this.#head] !== entry) throw new Error('evicted out of order')
    this.#head += 1
    if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  /** Index of the first entry that reaches `offset`. */
  #find(offset: number): number {
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Puts a read together from entries, until one of the limits is reached. */
class Gathering {
  readonly #maxBytes: number
  readonly #options: ReadOptions
  readonly #chunks: Buffer[] = []
  readonly #leases: Lease[] = []
  #size = 0
  #firstOffset = -1
  #nextOffset = -1
  /** The piece that the next entry may continue. */
  #memory: Buffer | undefined
  #start = 0
  #end = 0

  constructor(maxBytes: number, options: ReadOptions) {
    this.#maxBytes = maxBytes
    this.#options = options
  }

  /** Adds what of `entry` is wanted. Returns whether there may be more. */
  add(entry: Entry, startOffset: number): boolean {
    const whole =
      entry.baseOffset >= startOffset &&
      entry.lastOffset < this.#options.maxOffset &&
      this.#size + entry.end - entry.start <= this.#maxBytes
    if (whole) {
      this.#append(entry, entry.start, entry.end, entry.baseOffset, entry.lastOffset + 1)
      return this.#chunks.length < MAX_CHUNKS
    }
    let at = entry.start
    while (at < entry.end) {
      const baseOffset = readInt64(entry.memory, at)
      const end = at + LOG_OVERHEAD + readInt32(entry.memory, at + BATCH_LENGTH_AT)
      const nextOffset = baseOffset + readInt32(entry.memory, at + LAST_OFFSET_DELTA_AT) + 1
      if (nextOffset > startOffset && !this.#addBatch(entry, at, end, baseOffset, nextOffset)) {
        return false
      }
      at = end
    }
    return this.#chunks.length < MAX_CHUNKS
  }

  #addBatch(entry: Entry, start: number, end: number, base: number, next: number): boolean {
    if (base >= this.#options.maxOffset) return false
    const fits = this.#size + end - start <= this.#maxBytes
    if (!fits && !(this.#size === 0 && this.#options.minOneBatch)) return false
    this.#append(entry, start, end, base, next)
    return true
  }

  #append(entry: Entry, start: number, end: number, baseOffset: number, nextOffset: number): void {
    if (this.#firstOffset < 0) this.#firstOffset = baseOffset
    this.#nextOffset = nextOffset
    this.#size += end - start
    if (this.#memory === entry.memory && this.#end === start) {
      this.#end = end
      return
    }
    this.#closePiece()
    this.#memory = entry.memory
    this.#start = start
    this.#end = end
    const { lease } = entry.pin
    if (this.#leases.at(-1)?.memory === lease.memory) return
    lease.retain()
    this.#leases.push(lease)
  }

  #closePiece(): void {
    if (this.#memory === undefined) return
    const whole = this.#start === 0 && this.#end === this.#memory.length
    this.#chunks.push(whole ? this.#memory : this.#memory.subarray(this.#start, this.#end))
  }

  finish(startOffset: number): LogRead {
    this.#closePiece()
    const empty = this.#size === 0
    const range = {
      sizeInBytes: this.#size,
      firstOffset: empty ? startOffset : this.#firstOffset,
      nextOffset: empty ? startOffset : this.#nextOffset,
    }
    return new LeasedRead(this.#chunks, this.#leases, range, 'memory')
  }
}
