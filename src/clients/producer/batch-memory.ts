/**
 * The memory of a producer's batches: never more than `buffer.memory`, and used again.
 *
 * Records lie in it uncompressed, while `batch.size` is meant for what is sent. So a topic whose
 * batches have shrunk in compression gets more memory for each: as much as would have come out at
 * `batch.size`, by what came of those before.
 */
import type { CompressionType } from '../../common/compression/compression.ts'

export interface BatchMemoryOptions {
  /** `batch.size`. */
  readonly batchBytes: number
  /** `buffer.memory`. */
  readonly maxBytes: number
  readonly compression: CompressionType
}

/** The most memory for a batch, in multiples of its size when it is sent. */
const MAX_MULTIPLE = 16
/** How much the newest batch says about the next one. */
const WEIGHT = 0.25

export class BatchMemory {
  readonly #options: BatchMemoryOptions
  /** Pieces that are not in use, by their size. */
  readonly #idle = new Map<number, Buffer[]>()
  /** What compression leaves of each byte, by topic. */
  readonly #ratios = new Map<string, number>()
  #usedBytes = 0
  #idleBytes = 0

  constructor(options: BatchMemoryOptions) {
    this.#options = options
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** How much a new batch takes, at least `leastBytes`; undefined if that must wait. */
  bytesForBatch(topic: string, leastBytes: number): number | undefined {
    const { batchBytes, maxBytes } = this.#options
    const left = maxBytes - this.#usedBytes
    const wanted = Math.min(batchBytes / (this.#ratios.get(topic) ?? 1), maxBytes / MAX_MULTIPLE)
    let bytes = batchBytes
    while (bytes > 0 && bytes * 2 <= wanted && bytes * 2 <= left) bytes *= 2
    bytes = Math.max(bytes, leastBytes)
    // A record larger than all memory may pass alone; it could never be sent otherwise.
    return this.#usedBytes > 0 && bytes > left ? undefined : bytes
  }

  take(bytes: number): Buffer {
    this.#usedBytes += bytes
    const idle = this.#idle.get(bytes)?.pop()
    if (idle === undefined) return Buffer.allocUnsafeSlow(bytes)
    this.#idleBytes -= bytes
    return idle
  }

  release(memory: Buffer): void {
    const bytes = memory.length
    const { batchBytes, maxBytes } = this.#options
    this.#usedBytes -= bytes
    // Other sizes are those of single large records, and not worth keeping.
    if (!Number.isInteger(Math.log2(bytes / batchBytes))) return
    if (this.#usedBytes + this.#idleBytes + bytes > maxBytes) return
    const idle = this.#idle.get(bytes)
    if (idle === undefined) this.#idle.set(bytes, [memory])
    else idle.push(memory)
    this.#idleBytes += bytes
  }

  /** What came of a batch: `ratio` is the part that compression has left of it. */
  noteRatio(topic: string, ratio: number): void {
    if (this.#options.compression === 'none') return
    const known = this.#ratios.get(topic)
    const next = known === undefined ? ratio : known + (ratio - known) * WEIGHT
    this.#ratios.set(topic, Math.max(next, 1 / MAX_MULTIPLE))
  }

  /** A batch of the topic was too large for the broker: the next ones start small. */
  forgetRatio(topic: string): void {
    this.#ratios.delete(topic)
  }
}
