/**
 * What share fetches have brought and the application has not been given yet.
 *
 * An answer has whole batches, and says which of their offsets are locked for us: only those are
 * given out. Locked offsets at which there is no record (control batches, compaction) are
 * acknowledged as gaps, and those of a damaged batch are rejected, by themselves. Records whose
 * lock has expired meanwhile, or ended with the session, are dropped: somebody else will have them.
 */
import { KafkaError } from '../../common/errors.ts'
import type { ShareFetchResponse } from '../../protocol/messages/share-fetch.ts'
import { BatchIterator } from '../../protocol/records/batch-iterator.ts'
import {
  CONTROL_MASK,
  hasValidCrc,
  type RecordBatchHeader,
  readRecordBatchHeader,
  TIMESTAMP_TYPE_MASK,
} from '../../protocol/records/record-batch.ts'
import { RecordReader } from '../../protocol/records/record-reader.ts'
import type { RecordSource } from '../consumer/consumer-record.ts'
import type { Deserializer } from '../deserializers.ts'
import type { ClientEnvironment } from '../environment.ts'
import { partitionName, type TopicPartition } from '../topic-partition.ts'
import { AcknowledgeCode } from './acknowledgements.ts'
import type { SharePartition } from './in-flight-records.ts'
import type { ShareAnswer } from './share-broker.ts'
import { ShareRecord } from './share-record.ts'

export interface ShareBufferOptions<Key, Value> {
  readonly environment: ClientEnvironment
  readonly keyDeserializer: Deserializer<Key> | undefined
  readonly valueDeserializer: Deserializer<Value> | undefined
  readonly checkCrcs: boolean
}

/** Records for the application, and what is to be acknowledged without it. */
export interface BufferedRecords<Key, Value> {
  readonly partition: SharePartition
  readonly records: ShareRecord<Key, Value>[]
  readonly codes: ReadonlyMap<number, number>
}

type PartitionResponse = ShareFetchResponse['responses'][number]['partitions'][number]
type AcquiredRecords = PartitionResponse['acquiredRecords'][number]

interface Fetched {
  readonly partition: SharePartition
  readonly bytes: Buffer
  readonly acquired: readonly AcquiredRecords[]
  /** On the monotonic clock: when the locks end. */
  readonly expiresMs: number
  isHeld(): boolean
}

export class ShareBuffer<Key, Value> {
  readonly #options: ShareBufferOptions<Key, Value>
  #fetched: Fetched[] = []

  constructor(options: ShareBufferOptions<Key, Value>) {
    this.#options = options
  }

  /** Takes what an answer has of the partitions that it was asked for. */
  add({ asked, response, isHeld }: ShareAnswer): void {
    const nowMs = this.#options.environment.clock.monotonic()
    for (const { topicId, partitions } of response.responses) {
      for (const { partitionIndex, records: bytes, acquiredRecords } of partitions) {
        if (acquiredRecords.length === 0) continue
        const partition = asked.find((each) => {
          return each.topicId === topicId && each.partition === partitionIndex
        })
        if (partition === undefined) continue
        const acquired = acquiredRecords.toSorted((a, b) => a.firstOffset - b.firstOffset)
        const expiresMs = nowMs + response.acquisitionLockTimeoutMs
        this.#fetched.push({ partition, bytes, acquired, expiresMs, isHeld })
      }
    }
  }

  /** Forgets all of it. */
  clear(): void {
    this.#fetched = []
  }

  /** Takes out whole answers, until there are `enough` records or nothing is left. */
  take(enough: number): BufferedRecords<Key, Value>[] {
    const nowMs = this.#options.environment.clock.monotonic()
    const taken: BufferedRecords<Key, Value>[] = []
    let count = 0
    while (count < enough && this.#fetched.length > 0) {
      const fetched = this.#fetched.shift()!
      if (fetched.expiresMs <= nowMs || !fetched.isHeld()) continue
      const read = this.#read(fetched)
      count += read.records.length
      taken.push(read)
    }
    return taken
  }

  #read({ partition, bytes, acquired }: Fetched): BufferedRecords<Key, Value> {
    const counts = new Map<number, number>()
    for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        counts.set(offset, deliveryCount)
      }
    }
    const records: ShareRecord<Key, Value>[] = []
    const codes = new Map<number, number>()
    const batches = new BatchIterator(bytes)
    try {
      while (batches.next()) {
        const { position: at, sizeInBytes } = batches
        this.#readBatch({ partition, bytes, at, sizeInBytes, counts, records, codes })
      }
    } catch (error) {
      // Where the next batch would be, nobody knows: what is left counts as damaged as well.
      if (!(error instanceof KafkaError)) throw error
      this.#reject(partition, counts.keys(), codes, error)
      counts.clear()
    }
    for (const offset of counts.keys()) codes.set(offset, AcknowledgeCode.gap)
    return { partition, records, codes }
  }

  /** Moves the records of a batch that are locked from `counts` to `records`. */
  #readBatch(batch: {
    readonly partition: SharePartition
    readonly bytes: Buffer
    readonly at: number
    readonly sizeInBytes: number
    readonly counts: Map<number, number>
    readonly records: ShareRecord<Key, Value>[]
    readonly codes: Map<number, number>
  }): void {
    const { partition, bytes, at, sizeInBytes, counts, records, codes } = batch
    const header = readRecordBatchHeader(bytes, at)
    if ((header.attributes & CONTROL_MASK) !== 0) return
    try {
      if (this.#options.checkCrcs && !hasValidCrc(bytes, at, sizeInBytes)) {
        throw new KafkaError('CORRUPT_MESSAGE', 'the checksum of the batch does not match')
      }
      const reader = new RecordReader(bytes, at)
      const source = this.#sourceOf(partition, reader)
      const { baseOffset, baseTimestamp } = source
      while (reader.next()) {
        const { offset, timestamp, fieldsAt } = reader
        const deliveryCount = counts.get(offset)
        if (deliveryCount === undefined) continue
        counts.delete(offset)
        const [offsetDelta, timestampDelta] = [offset - baseOffset, timestamp - baseTimestamp]
        records.push(new ShareRecord(source, offsetDelta, timestampDelta, fieldsAt, deliveryCount))
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const { baseOffset, lastOffsetDelta } = header
      const end = baseOffset + lastOffsetDelta
      const damaged = [...counts.keys()].filter((offset) => offset >= baseOffset && offset <= end)
      this.#reject(partition, damaged, codes, error)
      for (const offset of damaged) counts.delete(offset)
    }
  }

  #reject(
    partition: TopicPartition,
    offsets: Iterable<number>,
    codes: Map<number, number>,
    error: KafkaError,
  ): void {
    for (const offset of offsets) codes.set(offset, AcknowledgeCode.reject)
    const { log } = this.#options.environment
    log.warn(`rejecting records of ${partitionName(partition)} that cannot be read`, error)
  }

  #sourceOf({ topic, partition }: TopicPartition, reader: RecordReader): RecordSource<Key, Value> {
    const batch: RecordBatchHeader = reader.batch
    const isLogAppendTime = (batch.attributes & TIMESTAMP_TYPE_MASK) !== 0
    const { keyDeserializer, valueDeserializer } = this.#options
    return {
      ...{ topic, partition, leaderEpoch: batch.partitionLeaderEpoch },
      timestampType: isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
      baseOffset: batch.baseOffset,
      baseTimestamp: isLogAppendTime ? batch.maxTimestamp : batch.baseTimestamp,
      ...{ bytes: reader.bytes, keyDeserializer, valueDeserializer },
    }
  }
}
