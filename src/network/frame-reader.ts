/**
 * Cuts a stream of bytes into Kafka's frames: an int32 length, then that many bytes.
 *
 * Bytes are read into slabs and frames are handed on as (memory, start, end) views of them. A frame
 * that is used beyond the call must retain the slab; if nobody did, the slab is written over from
 * its start, so a connection of small requests lives in one piece of memory.
 *
 * How large the slabs are follows what arrives: a connection starts with 8 KiB, so that thousands
 * of idle ones cost little, moves up when reads fill what they were offered or frames are large,
 * and down again after a run of small reads. A slab is chosen to hold several frames, because the
 * part of a frame at its end has to be copied to the next one. A frame announced as larger than the
 * largest slab gets memory in doubling steps as its bytes really arrive, so that a length prefix
 * alone cannot make the broker allocate.
 */
import type { Slab, SlabPool } from '../common/slab.ts'

/** The sizes that the pool keeps. */
const LEVELS = [8 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024]
const LARGEST_SLAB_BYTES = LEVELS[LEVELS.length - 1]!
const FRAMES_PER_SLAB = 4
const LENGTH_BYTES = 4
/** So many reads in a row that would have fitted a smaller slab make it smaller. */
const READS_BEFORE_SHRINKING = 256

export interface FrameSink {
  /** A whole frame: the bytes of `slab.memory` from `start` to `end`, without the length. */
  frame(slab: Slab, start: number, end: number): void

  /** False while no further frame should be delivered; `FrameReader.resume` continues. */
  readonly acceptsFrames: boolean
}

/** A length prefix that no well-behaved peer sends. The connection cannot be used further. */
export class InvalidFrameError extends Error {
  readonly length: number

  constructor(length: number, maxBytes: number) {
    super(
      length < 0
        ? `a request of negative length ${length} was announced`
        : `a request of ${length} bytes was announced, and at most ${maxBytes} are accepted`,
    )
    this.name = 'InvalidFrameError'
    this.length = length
  }
}

export class FrameReader {
  readonly #pool: SlabPool
  readonly #sink: FrameSink
  readonly #maxFrameBytes: number
  #slab: Slab | undefined
  /** Where the first byte not yet handed on lies, and where the next read goes. */
  #start = 0
  #end = 0
  #level = 0
  #offeredBytes = 0
  #smallReads = 0

  constructor(pool: SlabPool, maxFrameBytes: number, sink: FrameSink) {
    this.#pool = pool
    this.#maxFrameBytes = maxFrameBytes
    this.#sink = sink
  }

  /** Memory for the next read. */
  allocate(): Uint8Array {
    const slab = this.#slabWithRoom()
    this.#offeredBytes = slab.memory.length - this.#end
    return slab.memory.subarray(this.#end)
  }

  /** Takes note of `length` bytes read, and delivers the frames that they complete. */
  received(length: number): void {
    this.#end += length
    this.#adapt(length)
    this.resume()
  }

  /** Delivers whole frames until there is none or the sink has had enough. */
  resume(): void {
    const slab = this.#slab
    if (slab === undefined) return
    while (this.#sink.acceptsFrames && this.#end - this.#start >= LENGTH_BYTES) {
      const length = this.#frameLength(slab)
      const bodyStart = this.#start + LENGTH_BYTES
      if (bodyStart + length > this.#end) break
      this.#start = bodyStart + length
      this.#sink.frame(slab, bodyStart, bodyStart + length)
      if (this.#slab !== slab) return
    }
  }

  /** True if bytes have arrived that no frame has been made of. */
  get hasPartialFrame(): boolean {
    return this.#end > this.#start
  }

  /** Gives the memory back. Nothing may be read afterwards. */
  close(): void {
    this.#slab?.release()
    this.#slab = undefined
  }

  #frameLength(slab: Slab): number {
    const length = slab.memory.readInt32BE(this.#start)
    if (length < 0 || length > this.#maxFrameBytes) {
      throw new InvalidFrameError(length, this.#maxFrameBytes)
    }
    return length
  }

  /** The slab to read into, with at least one byte free at its end. */
  #slabWithRoom(): Slab {
    const slab = this.#slab
    if (slab === undefined) {
      this.#slab = this.#pool.acquire(LEVELS[this.#level]!)
      return this.#slab
    }
    // Not when the last frame is delivered: by then memory behind it may be on offer already.
    if (this.#start === this.#end && slab.isSoleLease) {
      this.#start = 0
      this.#end = 0
    }
    const pending = this.#end - this.#start
    const wanted = this.#wantedBytes(slab, pending)
    const levelBytes = LEVELS[this.#level]!
    const hasRoom = this.#end < slab.memory.length
    if (
      pending === 0 ? hasRoom && slab.memory.length === levelBytes : hasRoom && this.#fits(wanted)
    ) {
      return slab
    }
    const next = this.#pool.acquire(Math.max(levelBytes, wanted, pending + 1))
    slab.memory.copy(next.memory, 0, this.#start, this.#end)
    slab.release()
    this.#slab = next
    this.#start = 0
    this.#end = pending
    return next
  }

  #fits(wanted: number): boolean {
    return this.#start + wanted <= this.#slab!.memory.length
  }

  /** How much memory the frame at hand should have, as far as its announced length is believed. */
  #wantedBytes(slab: Slab, pending: number): number {
    if (pending < LENGTH_BYTES) return LENGTH_BYTES
    const announced = LENGTH_BYTES + slab.memory.readInt32BE(this.#start)
    if (announced < LENGTH_BYTES || announced > this.#maxFrameBytes + LENGTH_BYTES) return pending
    while (LEVELS[this.#level]! < Math.min(announced * FRAMES_PER_SLAB, LARGEST_SLAB_BYTES)) {
      this.#level += 1
    }
    return Math.min(announced, Math.max(LARGEST_SLAB_BYTES, pending * 2))
  }

  /** Chooses the size of the next slab by how full the reads are. */
  #adapt(length: number): void {
    if (length === this.#offeredBytes && this.#level < 3) {
      this.#level += 1
      this.#smallReads = 0
    } else if (this.#level === 0 || length > LEVELS[this.#level - 1]!) {
      this.#smallReads = 0
    } else if (++this.#smallReads === READS_BEFORE_SHRINKING) {
      this.#level -= 1
      this.#smallReads = 0
    }
  }
}
