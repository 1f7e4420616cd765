/** Requests that many tests make, in a recent version, with the rest of their fields filled in. */
import assert from 'node:assert/strict'
import { recordsBuffer } from '../../src/protocol/compile.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { BatchIterator } from '../../src/protocol/records/batch-iterator.ts'
import {
  buildRecordBatch,
  type RecordBatchOptions,
} from '../../src/protocol/records/record-batch-writer.ts'
import { readRecords } from '../../src/protocol/records/record-reader.ts'
import type { TestClient } from './test-client.ts'

/** A batch of records with these values, without keys, all of the same time. */
export function batchOf(values: readonly string[], options: RecordBatchOptions = {}): Buffer {
  const records = values.map((value) => ({ timestamp: 1_000_000, value: Buffer.from(value) }))
  return buildRecordBatch(records, options)
}

/** Creates a topic, which must succeed, and returns its id. */
export async function createTopic(
  client: TestClient,
  name: string,
  options: { partitions?: number; configs?: Record<string, string> } = {},
): Promise<string> {
  const configs = Object.entries(options.configs ?? {})
  const { topics } = await client.send(CreateTopics, 7, {
    topics: [
      {
        name,
        numPartitions: options.partitions ?? 1,
        replicationFactor: 1,
        configs: configs.map(([key, value]) => ({ name: key, value })),
      },
    ],
  })
  assert.equal(topics[0]!.errorCode, 0, topics[0]!.errorMessage ?? '')
  return topics[0]!.topicId
}

/** Produces to one partition and returns what the broker says of it. */
export async function produce(
  client: TestClient,
  topic: string,
  records: Buffer | null,
  options: { partition?: number; acks?: number; version?: number } = {},
) {
  const response = await client.send(Produce, options.version ?? 9, {
    acks: options.acks ?? 1,
    timeoutMs: 5000,
    topicData: [{ name: topic, partitionData: [{ index: options.partition ?? 0, records }] }],
  })
  return response.responses[0]!.partitionResponses[0]!
}

export interface FetchOptions {
  partition?: number
  offset?: number
  minBytes?: number
  maxBytes?: number
  partitionMaxBytes?: number
  maxWaitMs?: number
  leaderEpoch?: number
  readCommitted?: boolean
}

/** A Fetch request for one partition by name. */
export function fetchRequest(topic: string, options: FetchOptions = {}) {
  return {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.maxBytes ?? 50_000_000,
    isolationLevel: options.readCommitted ? 1 : 0,
    topics: [
      {
        topic,
        partitions: [
          {
            partition: options.partition ?? 0,
            fetchOffset: options.offset ?? 0,
            currentLeaderEpoch: options.leaderEpoch ?? -1,
            partitionMaxBytes: options.partitionMaxBytes ?? 50_000_000,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
  }
}

/** Fetches from one partition without a session. */
export async function fetch(client: TestClient, topic: string, options: FetchOptions = {}) {
  const response = await client.send(Fetch, 12, fetchRequest(topic, options))
  assert.equal(response.errorCode, 0)
  const partition = response.responses[0]!.partitions[0]!
  return { ...partition, bytes: recordsBuffer(partition.records) }
}

/** The values of all records in a run of batches, with their offsets. */
export function recordsIn(bytes: Buffer): { offset: number; value: string | null }[] {
  const found = []
  const batches = new BatchIterator(bytes)
  while (batches.next()) {
    for (const { offset, value } of readRecords(bytes, batches.position)) {
      found.push({ offset, value: value?.toString() ?? null })
    }
  }
  return found
}

/** Every value of a partition from `offset` to its end. */
export async function readAll(
  client: TestClient,
  topic: string,
  partition = 0,
  offset = 0,
): Promise<(string | null)[]> {
  const values = []
  for (let at = offset; ; ) {
    const { bytes, errorCode } = await fetch(client, topic, { partition, offset: at })
    assert.equal(errorCode, 0)
    const records = recordsIn(bytes).filter((record) => record.offset >= at)
    if (records.length === 0) return values
    values.push(...records.map(({ value }) => value))
    at = records.at(-1)!.offset + 1
  }
}

/** Asks for the offset at a timestamp, or at a special point (-1 latest, -2 earliest). */
export async function listOffset(client: TestClient, topic: string, timestamp: number) {
  const { topics } = await client.send(ListOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
  })
  return topics[0]!.partitions[0]!
}

/** Metadata of one topic. */
export async function describeTopic(client: TestClient, name: string, mayCreate = false) {
  const { topics } = await client.send(Metadata, 12, {
    topics: [{ name }],
    allowAutoTopicCreation: mayCreate,
    includeTopicAuthorizedOperations: false,
  })
  return topics[0]!
}
