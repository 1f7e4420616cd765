/** Reads topics whole, for a test to compare with what it expects. */

import type { CallLimits } from '../clients/cluster/call-limits.ts'
import type { ClusterClient } from '../clients/cluster/cluster-client.ts'
import { type Admin, type Deserializer, KafkaError, stringDeserializer } from '../clients/index.ts'
import { errorName } from '../common/errors.ts'
import { Fetch, type FetchResponse } from '../protocol/messages/fetch.ts'
import { BatchIterator } from '../protocol/records/batch-iterator.ts'
import { ControlRecordType, readControlRecordType } from '../protocol/records/control-record.ts'
import {
  CONTROL_MASK,
  readRecordBatchHeader,
  TRANSACTIONAL_MASK,
} from '../protocol/records/record-batch.ts'
import { type RecordHeader, readRecords } from '../protocol/records/record-reader.ts'

/** A record as it lies in its topic. */
export interface TopicRecord<Key = string, Value = string> {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly key: Key | null
  /** Null is a tombstone. */
  readonly value: Value | null
  readonly headers: readonly RecordHeader[]
}

export interface ReadTopicOptions<Key = string, Value = string> {
  /** How keys and values are made of bytes: as text, unless something else is given. */
  readonly deserializers?: {
    readonly key?: Deserializer<Key>
    readonly value?: Deserializer<Value>
  }
  /**
   * `read_committed`, as without it, leaves out what was aborted, and ends where a transaction is
   * open that may still be.
   */
  readonly isolationLevel?: 'read_committed' | 'read_uncommitted'
  /** How long it may take, in milliseconds. */
  readonly timeoutMs?: number
}

/** A record whose key and value are still bytes. */
type RawRecord = ReturnType<typeof readRecords>[number]
type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

/** A partition, and how to ask for it. */
interface Source {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly leaderId: number
  readonly isolationLevel: 'read_committed' | 'read_uncommitted'
  readonly start: number
  /** The offset before which reading ends. */
  readonly end: number
}

const FETCH_BYTES = 4 * 1024 * 1024

export class TopicReader {
  readonly #admin: Admin
  readonly #cluster: ClusterClient

  constructor(admin: Admin, cluster: ClusterClient) {
    this.#admin = admin
    this.#cluster = cluster
  }

  /**
   * The records of all partitions, ordered by partition and offset, as far as they were there when
   * it was called. Throws UNKNOWN_TOPIC_OR_PARTITION, and what a deserializer throws.
   */
  async read<Key, Value>(
    topic: string,
    options: ReadTopicOptions<Key, Value>,
  ): Promise<TopicRecord<Key, Value>[]> {
    const { deserializers = {}, isolationLevel = 'read_committed', timeoutMs } = options
    const readKey = deserializers.key ?? (stringDeserializer as Deserializer<unknown>)
    const readValue = deserializers.value ?? (stringDeserializer as Deserializer<unknown>)
    const limits = this.#cluster.limits({ timeoutMs })
    const sources = await this.#sources(topic, undefined, isolationLevel, timeoutMs)
    const parts = sources.map(async (source) => {
      const { partition } = source
      const found: TopicRecord<Key, Value>[] = []
      for await (const raw of this.#records(source, limits)) {
        const { offset, timestamp, headers } = raw
        const context = { topic, partition, offset, timestamp, headers }
        const key = raw.key === null ? null : (readKey(raw.key, topic, context) as Key)
        const value = raw.value === null ? null : (readValue(raw.value, topic, context) as Value)
        found.push({ partition, offset, timestamp, key, value, headers })
      }
      return found
    })
    return (await Promise.all(parts)).flat()
  }

  /** Whether a partition has a committed record at `offset` or after it. */
  async hasRecordsFrom(topic: string, partition: number, offset: number): Promise<boolean> {
    const [source] = await this.#sources(topic, [partition], 'read_committed', undefined)
    if (source === undefined || offset >= source.end) return false
    const start = Math.max(offset, source.start)
    for await (const _ of this.#records({ ...source, start }, this.#cluster.limits())) return true
    return false
  }

  /** The partitions of a topic, or some of them, from where they begin to where they end. */
  async #sources(
    topic: string,
    wanted: readonly number[] | undefined,
    isolationLevel: 'read_committed' | 'read_uncommitted',
    timeoutMs: number | undefined,
  ): Promise<Source[]> {
    const { topicId, partitions } = (await this.#admin.describeTopics([topic], { timeoutMs })).get(
      topic,
    )!
    const chosen = partitions.filter(({ partition }) => wanted?.includes(partition) ?? true)
    const offsets = async (at: 'earliest' | 'latest') => {
      const queries = chosen.map(({ partition }) => ({ topic, partition, at }))
      const found = await this.#admin.listOffsets(queries, { isolationLevel, timeoutMs })
      return new Map(found.map(({ partition, offset }) => [partition, offset]))
    }
    const [starts, ends] = await Promise.all([offsets('earliest'), offsets('latest')])
    return chosen.map(({ partition, leaderId }) => ({
      ...{ topic, topicId, partition, leaderId, isolationLevel },
      start: starts.get(partition)!,
      end: ends.get(partition)!,
    }))
  }

  async *#records(source: Source, limits: CallLimits): AsyncGenerator<RawRecord> {
    let position = source.start
    while (position < source.end) {
      limits.check()
      const fetched = await this.#fetch(source, position, limits)
      for (const { records, nextOffset } of dataBatches(fetched)) {
        for (const record of records) {
          if (record.offset >= position && record.offset < source.end) yield record
        }
        position = nextOffset
      }
    }
  }

  async #fetch(source: Source, fetchOffset: number, limits: CallLimits): Promise<FetchedPartition> {
    const { topic, topicId, partition, leaderId, isolationLevel } = source
    return await this.#cluster.retry(limits, async () => {
      const wanted = { partition, fetchOffset, partitionMaxBytes: FETCH_BYTES }
      const request = {
        ...{ maxWaitMs: 0, minBytes: 0 },
        isolationLevel: isolationLevel === 'read_committed' ? 1 : 0,
        topics: [{ topic, topicId, partitions: [wanted] }],
      }
      const response = await this.#cluster.sendTo(leaderId, Fetch, request, limits)
      const fetched = response.responses[0]?.partitions[0]
      const errorCode = fetched?.errorCode ?? response.errorCode
      if (errorCode === 0 && fetched !== undefined) return fetched
      const what = `Partition ${topic}-${partition} could not be read`
      throw new KafkaError(errorName(errorCode), what)
    })
  }
}

/** The batches of data in what was fetched, without those of transactions that were aborted. */
function* dataBatches({ records, abortedTransactions }: FetchedPartition) {
  if (records === null) return
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const abortedProducers = new Set<number>()
  const batches = new BatchIterator(records)
  while (batches.next()) {
    const header = readRecordBatchHeader(records, batches.position)
    const nextOffset = header.baseOffset + header.lastOffsetDelta + 1
    while (aborted.length > 0 && aborted[0]!.firstOffset < nextOffset) {
      abortedProducers.add(aborted.shift()!.producerId)
    }
    const found = readRecords(records, batches.position)
    const isControl = (header.attributes & CONTROL_MASK) !== 0
    const isTransactional = (header.attributes & TRANSACTIONAL_MASK) !== 0
    const isAborted = isTransactional && abortedProducers.has(header.producerId)
    if (isControl && readControlRecordType(found[0]?.key ?? null) === ControlRecordType.ABORT) {
      abortedProducers.delete(header.producerId)
    }
    yield { nextOffset, records: isControl || isAborted ? [] : found }
  }
}
