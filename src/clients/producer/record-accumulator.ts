/**
 * Where records wait to be sent: a queue of batches for each partition, in memory that is bounded
 * by `buffer.memory` and used again.
 *
 * Who sends decides when; this decides only what belongs together. Batches of a partition leave in
 * the order in which they were begun, and one that comes back to be sent again goes to its place.
 */
import type { Clock } from '../../common/clock.ts'
import type { CompressionType } from '../../common/compression/compression.ts'
import type { BatchProducer } from '../../protocol/records/record-batch-writer.ts'
import { readRecords } from '../../protocol/records/record-reader.ts'
import { BatchMemory } from './batch-memory.ts'
import {
  BATCH_OVERHEAD,
  ProducerBatch,
  type SerializedRecord,
  sizeBound,
} from './producer-batch.ts'

/** The batches of one partition. */
export interface PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** In order; only the last takes records. Those that are under way are not among them. */
  readonly batches: ProducerBatch[]
  /** Batches that are under way. */
  readonly inFlight: Set<ProducerBatch>
  /** Of the batch that comes next. */
  nextSequence: number
  nextOrder: number
  /** The leader has written a batch of the producer's present epoch. */
  isEstablished: boolean
}

export interface RecordAccumulatorOptions {
  /** `batch.size`. */
  readonly batchBytes: number
  /** `buffer.memory`. */
  readonly maxBytes: number
  readonly compression: CompressionType
  readonly compressionLevel: number | undefined
}

export type AppendResult = 'appended' | 'began a batch' | 'filled a batch' | 'no memory'

export class RecordAccumulator {
  readonly #options: RecordAccumulatorOptions
  readonly #topics = new Map<string, (PartitionQueue | undefined)[]>()
  /** Queues with batches that are not under way. */
  readonly waiting = new Set<PartitionQueue>()
  readonly #memory: BatchMemory
  #batchCount = 0

  constructor(options: RecordAccumulatorOptions) {
    this.#options = options
    this.#memory = new BatchMemory(options)
  }

  /** `buffer.memory`. */
  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** Bytes of memory in use by batches, those under way included. */
  get usedBytes(): number {
    return this.#memory.usedBytes
  }

  /** Batches that are not done, those under way included. */
  get batchCount(): number {
    return this.#batchCount
  }

  /** Every queue there has been. */
  *queues(): Iterable<PartitionQueue> {
    for (const queues of this.#topics.values()) {
      for (const queue of queues) if (queue !== undefined) yield queue
    }
  }

  /**
   * Adds a record; `no memory` if that must wait until a batch is done. The clock is looked at only
   * when a batch begins.
   */
  append(
    topic: string,
    partition: number,
    record: SerializedRecord,
    clock: Pick<Clock, 'monotonic'>,
  ): AppendResult {
    const queue = this.#queue(topic, partition)
    const bound = sizeBound(record)
    const last = queue.batches.at(-1)
    if (last?.tryAppend(record, bound)) return 'appended'
    const bytes = this.#memory.bytesForBatch(topic, BATCH_OVERHEAD + bound)
    if (bytes === undefined) return 'no memory'
    const isFilled = last !== undefined && !last.isSealed
    if (last !== undefined) last.isSealed = true
    const batch = this.#begin(queue, queue.nextOrder++, clock.monotonic(), bytes)
    batch.tryAppend(record, bound)
    queue.batches.push(batch)
    this.waiting.add(queue)
    return isFilled ? 'filled a batch' : 'began a batch'
  }

  /** Takes the first batch out of a queue: it is under way. */
  take(queue: PartitionQueue): ProducerBatch {
    const batch = queue.batches.shift()!
    batch.isSealed = true
    if (queue.batches.length === 0) this.waiting.delete(queue)
    queue.inFlight.add(batch)
    return batch
  }

  /** Puts a batch that was under way back to its place. */
  putBack(batch: ProducerBatch): void {
    const { queue } = batch
    queue.inFlight.delete(batch)
    const at = queue.batches.findIndex(({ order }) => order > batch.order)
    queue.batches.splice(at < 0 ? queue.batches.length : at, 0, batch)
    this.waiting.add(queue)
  }

  /** The batch as it goes out, marked as that of `producer`. */
  finish(batch: ProducerBatch, producer: BatchProducer): Buffer {
    const isFirst = batch.finishedBytes === undefined
    const bytes = batch.bytes(producer)
    if (isFirst) this.#memory.noteRatio(batch.queue.topic, batch.compressionRatio)
    return bytes
  }

  /** A batch is done with: its memory is free. */
  release(batch: ProducerBatch): void {
    const { queue } = batch
    queue.inFlight.delete(batch)
    const at = queue.batches.indexOf(batch)
    if (at >= 0) queue.batches.splice(at, 1)
    if (queue.batches.length === 0) this.waiting.delete(queue)
    this.#batchCount -= 1
    this.#memory.release(batch.memory)
  }

  /**
   * Puts two batches of half the records in place of one that was too large for the broker. They
   * cover the same sequences. The one they replace must be under way and have more than a record.
   */
  split(batch: ProducerBatch): void {
    this.#memory.forgetRatio(batch.queue.topic)
    const records = readRecords(batch.finishedBytes!)
    const middle = records.length >> 1
    const parts = [records.slice(0, middle), records.slice(middle)].map((half, index) => {
      const first = index * middle
      const serialized = half.map(({ timestamp, key, value, headers }, at) => {
        return { timestamp, key, value, headers, done: batch.callbackAt(first + at) }
      })
      const bounds = serialized.map(sizeBound)
      const bytes = bounds.reduce((sum, bound) => sum + bound, BATCH_OVERHEAD)
      const part = this.#begin(batch.queue, batch.order, batch.createdMs, bytes)
      for (const [at, record] of serialized.entries()) part.tryAppend(record, bounds[at]!)
      part.isSealed = true
      part.attempts = batch.attempts
      if (batch.baseSequence >= 0) part.baseSequence = addSequence(batch.baseSequence, first)
      return part
    })
    for (const part of parts) this.putBack(part)
    this.release(batch)
  }

  #begin(queue: PartitionQueue, order: number, createdMs: number, bytes: number): ProducerBatch {
    const { compression, compressionLevel } = this.#options
    const memory = this.#memory.take(bytes)
    this.#batchCount += 1
    return new ProducerBatch({ queue, order, createdMs, memory, compression, compressionLevel })
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#topics.get(topic)
    if (queues === undefined) {
      queues = []
      this.#topics.set(topic, queues)
    }
    let queue = queues[partition]
    if (queue === undefined) {
      const inFlight = new Set<ProducerBatch>()
      const start = { nextSequence: 0, nextOrder: 0, isEstablished: false }
      queue = { topic, partition, batches: [], inFlight, ...start }
      queues[partition] = queue
    }
    return queue
  }
}

/** Sequences start again at 0 after 2^31 - 1. */
export function addSequence(sequence: number, count: number): number {
  return (sequence + count) & 0x7fff_ffff
}
