/**
 * What one answer to a fetch brought for one partition, of which the records are made one after the
 * other, as far as they are asked for.
 *
 * Not given out are records before the position (a batch is sent whole, wherever in it the position
 * is), control batches, and under read_committed those of aborted transactions. For the latter the
 * answer names producers and the first offset of their transaction; the transaction ends with its
 * abort marker:
 *
 * ```
 * aborted: producer 7 from 12        offset  10 11 12 13 14 15     given out: 10, 13
 *                                    producer 3  3  7  3  7  abort of 7
 * ```
 */
import { KafkaError } from '../../common/errors.ts'
import { BatchIterator } from '../../protocol/records/batch-iterator.ts'
import { ControlRecordType, readControlRecordType } from '../../protocol/records/control-record.ts'
import {
  CONTROL_MASK,
  hasValidCrc,
  LAST_OFFSET_DELTA_AT,
  type RecordBatchHeader,
  readInt32,
  readInt64,
  TIMESTAMP_TYPE_MASK,
  TRANSACTIONAL_MASK,
} from '../../protocol/records/record-batch.ts'
import { RecordReader } from '../../protocol/records/record-reader.ts'
import type { Deserializer } from '../deserializers.ts'
import { ConsumerRecord, type RecordSource } from './consumer-record.ts'
import { CorruptRecordError } from './errors.ts'
import type { PartitionState } from './partition-state.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** How records are read, the same for all of a consumer. */
export interface ReadingOptions<Key, Value> {
  readonly checkCrcs: boolean
  readonly keyDeserializer: Deserializer<Key> | undefined
  readonly valueDeserializer: Deserializer<Value> | undefined
}

export class FetchedRecords<Key, Value> {
  readonly state: PartitionState
  /** The bytes of whole batches. */
  readonly sizeInBytes: number
  /** The offset after all of them. */
  readonly endOffset: number
  readonly #jumps: number
  readonly #bytes: Buffer
  readonly #options: ReadingOptions<Key, Value>
  readonly #batches: BatchIterator
  /** By first offset; null means that nothing is hidden. */
  readonly #aborted: readonly AbortedTransaction[] | null
  #nextAborted = 0
  readonly #abortedProducers = new Set<number>()
  #reader: RecordReader | undefined
  #source: RecordSource<Key, Value> | undefined
  #isDone = false
  /** Of the next record given out, and of the leader that appended the one before. */
  offset: number
  epoch = -1

  /**
   * For what was asked from the `fetchOffset` of a partition on. The walk over the batches ends
   * before one that is cut off or damaged in its frame.
   */
  constructor(
    state: PartitionState,
    bytes: Buffer,
    aborted: readonly AbortedTransaction[] | null,
    options: ReadingOptions<Key, Value>,
  ) {
    this.state = state
    this.offset = state.fetchOffset
    this.#jumps = state.jumps
    this.#bytes = bytes
    this.#options = options
    const { end, endOffset } = walk(bytes, state.fetchOffset)
    this.sizeInBytes = end
    this.endOffset = endOffset
    this.#batches = new BatchIterator(bytes, 0, end)
    this.#aborted = aborted?.length ? aborted.toSorted(byFirstOffset) : null
  }

  /** Whether the partition has jumped elsewhere since. */
  get isStale(): boolean {
    return this.state.jumps !== this.#jumps
  }

  /** Whether all has been given out. */
  get isDone(): boolean {
    return this.#isDone
  }

  /**
   * Appends at most `max` records to `into` and moves `offset` on. Throws CorruptRecordError for a
   * record that cannot be read; what came before it has been appended then.
   */
  take(max: number, into: ConsumerRecord<Key, Value>[]): number {
    let taken = 0
    while (taken < max) {
      const reader = this.#reader ?? this.#nextBatch()
      if (reader === undefined) {
        this.offset = this.endOffset
        this.#isDone = true
        break
      }
      taken += this.#takeFrom(reader, max - taken, into)
    }
    return taken
  }

  #takeFrom(reader: RecordReader, max: number, into: ConsumerRecord<Key, Value>[]): number {
    const source = this.#source!
    const { baseOffset, baseTimestamp } = source
    let next = this.offset
    let taken = 0
    try {
      while (taken < max) {
        if (!reader.next()) {
          // Compaction may have removed the last records of the batch, but not their offsets.
          next = Math.max(next, baseOffset + reader.batch.lastOffsetDelta + 1)
          this.#reader = undefined
          break
        }
        const offset = reader.offset
        if (offset < next) continue
        const timestampDelta = reader.timestamp - baseTimestamp
        // The same number, but as a small integer, which takes no memory of its own.
        const small = timestampDelta | 0
        const delta = small === timestampDelta ? small : timestampDelta
        into.push(new ConsumerRecord(source, offset - baseOffset, delta, reader.fieldsAt))
        next = offset + 1
        taken += 1
      }
    } catch (cause) {
      this.offset = next
      throw this.#corrupt(cause)
    }
    this.offset = next
    this.epoch = source.leaderEpoch
    return taken
  }

  /** Opens the next batch that has records to give out. */
  #nextBatch(): RecordReader | undefined {
    const batches = this.#batches
    while (batches.next()) {
      const at = batches.position
      try {
        if (this.#options.checkCrcs && !hasValidCrc(this.#bytes, at, batches.sizeInBytes)) {
          throw new KafkaError('CORRUPT_MESSAGE', 'the checksum of the batch does not match')
        }
        const reader = new RecordReader(this.#bytes, at)
        if (this.#isHidden(reader)) {
          const { baseOffset, lastOffsetDelta, partitionLeaderEpoch } = reader.batch
          this.offset = Math.max(this.offset, baseOffset + lastOffsetDelta + 1)
          this.epoch = partitionLeaderEpoch
          continue
        }
        this.#reader = reader
        this.#source = this.#sourceOf(reader.batch, reader.bytes)
        return reader
      } catch (cause) {
        throw this.#corrupt(cause)
      }
    }
    return undefined
  }

  #isHidden(reader: RecordReader): boolean {
    const { attributes, producerId, baseOffset, lastOffsetDelta } = reader.batch
    const isControl = (attributes & CONTROL_MASK) !== 0
    if (this.#aborted === null) return isControl
    const lastOffset = baseOffset + lastOffsetDelta
    let next = this.#aborted[this.#nextAborted]
    while (next !== undefined && next.firstOffset <= lastOffset) {
      this.#abortedProducers.add(next.producerId)
      this.#nextAborted += 1
      next = this.#aborted[this.#nextAborted]
    }
    if (!isControl) {
      return (attributes & TRANSACTIONAL_MASK) !== 0 && this.#abortedProducers.has(producerId)
    }
    // A marker that compaction has emptied tells nothing; what it ended is gone as well.
    if (reader.next() && readControlRecordType(reader.key()) === ControlRecordType.ABORT) {
      this.#abortedProducers.delete(producerId)
    }
    return true
  }

  #sourceOf(batch: RecordBatchHeader, bytes: Buffer): RecordSource<Key, Value> {
    const isLogAppendTime = (batch.attributes & TIMESTAMP_TYPE_MASK) !== 0
    return {
      topic: this.state.topic,
      partition: this.state.partition,
      leaderEpoch: batch.partitionLeaderEpoch,
      timestampType: isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
      baseOffset: batch.baseOffset,
      baseTimestamp: isLogAppendTime ? batch.maxTimestamp : batch.baseTimestamp,
      bytes,
      keyDeserializer: this.#options.keyDeserializer,
      valueDeserializer: this.#options.valueDeserializer,
    }
  }

  #corrupt(cause: unknown): unknown {
    if (!(cause instanceof KafkaError)) return cause
    return new CorruptRecordError({ ...pick(this.state), offset: this.offset }, cause)
  }
}

/** Where the last whole batch ends, in bytes and offsets. */
function walk(bytes: Buffer, from: number): { end: number; endOffset: number } {
  const batches = new BatchIterator(bytes)
  let end = 0
  let endOffset = from
  try {
    while (batches.next()) {
      const at = batches.position
      const lastOffset = readInt64(bytes, at) + readInt32(bytes, at + LAST_OFFSET_DELTA_AT)
      end = at + batches.sizeInBytes
      endOffset = Math.max(endOffset, lastOffset + 1)
    }
  } catch {
    // Reading meets the damaged batch again when the position has come that far.
  }
  return { end, endOffset }
}

function byFirstOffset(a: AbortedTransaction, b: AbortedTransaction): number {
  return a.firstOffset - b.firstOffset
}

function pick({ topic, partition }: PartitionState) {
  return { topic, partition }
}
