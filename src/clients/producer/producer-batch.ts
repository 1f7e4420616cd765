/**
 * Records for one partition that go out together, and those who wait to hear of them.
 *
 * Keys and values are copied into the batch's memory at once, so an application may use its buffers
 * again. Only records that somebody asked about cost more than their bytes.
 */
import type { CompressionType } from '../../common/compression/compression.ts'
import type { KafkaError } from '../../common/errors.ts'
import {
  BASE_SEQUENCE_AT,
  CRC_AT,
  computeBatchCrc,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  writeInt64,
} from '../../protocol/records/record-batch.ts'
import {
  type BatchProducer,
  RecordBatchWriter,
} from '../../protocol/records/record-batch-writer.ts'
import type { PartitionQueue } from './record-accumulator.ts'

/** Where a record has been written. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 where the broker did not say: with acks=0, and for a batch it had already. */
  readonly offset: number
  /** In milliseconds since the epoch: the record's own, or the broker's with LogAppendTime. */
  readonly timestamp: number
  /** In bytes; -1 for null. */
  readonly serializedKeySize: number
  readonly serializedValueSize: number
}

/** Called once for a record: with an error, or where it has been written. */
export type SendCallback = (
  error: KafkaError | undefined,
  metadata: RecordMetadata | undefined,
) => void

/** A record in bytes, on its way into a batch. */
export interface SerializedRecord {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  readonly done: SendCallback | undefined
}

/** What a batch takes before its first record, and the most a record takes besides its data. */
export const BATCH_OVERHEAD = 61
const RECORD_OVERHEAD = 36

/** The most bytes that a record takes in a batch. */
export function sizeBound({ key, value, headers }: SerializedRecord): number {
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) {
    size += 10 + header.key.length * 3 + (header.value?.length ?? 0)
  }
  return size
}

interface Completion {
  readonly index: number
  readonly timestamp: number
  readonly keySize: number
  readonly valueSize: number
  readonly done: SendCallback
}

export interface BatchOptions {
  readonly queue: PartitionQueue
  /** Its place in the order of the partition; parts of a batch that was split share it. */
  readonly order: number
  /** On the monotonic clock. */
  readonly createdMs: number
  readonly memory: Buffer
  readonly compression: CompressionType
  readonly compressionLevel: number | undefined
}

export class ProducerBatch {
  readonly queue: PartitionQueue
  readonly order: number
  readonly createdMs: number
  readonly memory: Buffer
  readonly #writer: RecordBatchWriter
  #completions: Completion[] = []
  #bytes: Buffer | undefined
  #producer: BatchProducer | undefined
  recordCount = 0
  /** Those who wait have been told: whatever comes back is of no interest to them. */
  isComplete = false
  /** No more records are taken. */
  isSealed = false
  /** How often it was sent. */
  attempts = 0
  /** On the monotonic clock: not to be sent again before. */
  notBeforeMs = 0
  /** -1 until it has been given one. A batch keeps it as long as the broker may know it. */
  baseSequence = -1

  constructor(options: BatchOptions) {
    this.queue = options.queue
    this.order = options.order
    this.createdMs = options.createdMs
    this.memory = options.memory
    const { memory, compression, compressionLevel } = options
    this.#writer = new RecordBatchWriter(
      compressionLevel === undefined
        ? { memory, compression }
        : { memory, compression, compressionLevel },
    )
  }

  /** Bytes of the batch; of one that is to be compressed, before that. */
  get sizeInBytes(): number {
    return this.#bytes?.length ?? this.#writer.sizeInBytes
  }

  /** What compression has left of each byte: 1 for nothing gained. Known when it is finished. */
  get compressionRatio(): number {
    return (this.#bytes?.length ?? this.#writer.sizeInBytes) / this.#writer.sizeInBytes
  }

  /** Takes a record if there is room for it. */
  tryAppend(record: SerializedRecord, bound: number): boolean {
    if (this.isSealed || this.#writer.sizeInBytes + bound > this.memory.length) return false
    this.#writer.append(record)
    this.noteRecord(record)
    return true
  }

  /** Takes note of who waits for the record appended last. */
  noteRecord({ timestamp, key, value, done }: SerializedRecord): void {
    const index = this.recordCount++
    if (done === undefined) return
    const keySize = key?.length ?? -1
    this.#completions.push({ index, timestamp, keySize, valueSize: value?.length ?? -1, done })
  }

  /** The batch as it goes out, marked as that of `producer`. Takes no more records from now on. */
  bytes(producer: BatchProducer): Buffer {
    this.isSealed = true
    if (this.#bytes === undefined) this.#bytes = this.#writer.finish(producer)
    else if (this.#producer !== producer) stampProducer(this.#bytes, producer)
    this.#producer = producer
    return this.#bytes
  }

  get finishedBytes(): Buffer | undefined {
    return this.#bytes
  }

  /** The callback for the record at `index`, for a batch that is being split. */
  callbackAt(index: number): SendCallback | undefined {
    return this.#completions.find((completion) => completion.index === index)?.done
  }

  /** Tells those who wait. What they throw goes to `onThrow`: it concerns nobody else. */
  complete(
    error: KafkaError | undefined,
    baseOffset: number,
    logAppendTimeMs: number,
    onThrow: (error: unknown) => void,
  ): void {
    const completions = this.#completions
    this.#completions = []
    this.isComplete = true
    const { topic, partition } = this.queue
    for (const { index, timestamp, keySize, valueSize, done } of completions) {
      try {
        if (error !== undefined) {
          done(error, undefined)
          continue
        }
        done(undefined, {
          ...{ topic, partition, serializedKeySize: keySize, serializedValueSize: valueSize },
          offset: baseOffset < 0 ? -1 : baseOffset + index,
          timestamp: logAppendTimeMs < 0 ? timestamp : logAppendTimeMs,
        })
      } catch (thrown) {
        onThrow(thrown)
      }
    }
  }
}

/** Marks a whole batch as that of another producer: for one that is sent again in a new epoch. */
function stampProducer(batch: Buffer, producer: BatchProducer): void {
  writeInt64(batch, PRODUCER_ID_AT, producer.producerId ?? -1)
  batch.writeInt16BE(producer.producerEpoch ?? -1, PRODUCER_EPOCH_AT)
  batch.writeInt32BE(producer.baseSequence ?? -1, BASE_SEQUENCE_AT)
  batch.writeInt32BE(computeBatchCrc(batch, 0, batch.length) | 0, CRC_AT)
}
