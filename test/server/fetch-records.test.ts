import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../src/common/errors.ts'
import { type FetchParams, fetchRecords } from '../../src/server/fetch-records.ts'
import type { Partition } from '../../src/server/partition.ts'
import { ReadBudget } from '../../src/server/read-budget.ts'
import type { LogRead } from '../../src/storage/log-read.ts'

/** A partition whose reads end when the test says so. */
function slowPartition() {
  const reading = Promise.withResolvers<LogRead>()
  let released = 0
  const partition = {
    checkLeader() {},
    readableEnd: () => 10,
    highWatermark: 10,
    lastStableOffset: 10,
    log: { read: () => reading.promise, logStartOffset: 0 },
  } as unknown as Partition
  const finish = () => {
    const range = { sizeInBytes: 3, firstOffset: 0, nextOffset: 10, source: 'disk' as const }
    const release = () => {
      released += 1
    }
    reading.resolve({ chunks: [Buffer.from('old')], ...range, release })
  }
  return { partition, finish, released: () => released }
}

const params: FetchParams = {
  ...{ minBytes: 1, maxBytes: 100, maxWaitMs: 0, isolation: 'high-watermark', replicaId: -1 },
  partitions: [
    {
      ...{ topic: 't', topicId: '', partitionIndex: 0, currentLeaderEpoch: -1, fetchOffset: 0 },
      ...{ lastFetchedEpoch: -1, maxBytes: 100, errorCode: 0 },
    },
  ],
}

test('what was read of a topic is not served as another that has taken its name', async () => {
  const { partition, finish, released } = slowPartition()
  let current: Partition | undefined = partition
  const source = { partition: () => current, partitionToRead: () => current! }
  const budget = new ReadBudget(1000)
  const fetching = fetchRecords(source, params, budget)
  assert.ok(fetching instanceof Promise)
  assert.equal(budget.usedBytes, 100)
  current = slowPartition().partition
  finish()
  const result = await fetching
  assert.equal(result.partitions[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  assert.deepEqual(result.partitions[0]!.records, [])
  assert.equal(released(), 1)
  result.release()
  assert.equal(budget.usedBytes, 0)
})

test('a read from disk counts until it has been sent', async () => {
  const { partition, finish, released } = slowPartition()
  const source = { partition: () => partition, partitionToRead: () => partition }
  const budget = new ReadBudget(1000)
  const fetching = fetchRecords(source, params, budget)
  finish()
  const result = await fetching
  assert.deepEqual(result.partitions[0]!.records.map(String), ['old'])
  assert.equal(budget.usedBytes, 3)
  assert.equal(released(), 0)
  result.release()
  assert.equal(budget.usedBytes, 0)
  assert.equal(released(), 1)
})
