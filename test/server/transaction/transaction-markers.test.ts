import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../src/common/errors.ts'
import type { Logger } from '../../../src/common/logger.ts'
import { MetadataCache } from '../../../src/server/metadata-cache.ts'
import { localMarkerChannel } from '../../../src/server/transaction/transaction-markers.ts'

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

test('only a partition of which the controller knows nothing passes for deleted', async () => {
  const metadata = new MetadataCache('cluster')
  const written: string[] = []
  const writer = {
    async write(_marker: unknown, partitions: readonly { topic: string }[]) {
      written.push(...partitions.map(({ topic }) => topic))
      return partitions.map(() => ErrorCode.NONE)
    },
  }
  const channel = localMarkerChannel({ writer, metadata, log: SILENT })
  const partitions = ['orders', 'gone'].map((topic) => ({ topic, partitionIndex: 0 }))
  const producer = { transactionalId: 't', producerId: 1, producerEpoch: 1 }
  const markers = { ...producer, isCommit: true, clientTransactionVersion: 2, partitions }

  assert.deepEqual(await channel.write(markers, 0), ['retry', 'retry'])
  assert.deepEqual(written, [])

  const partition = { partitionIndex: 0, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }
  const topic = {
    name: 'orders',
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    partitions: [{ ...partition, offlineReplicas: [] }],
  }
  metadata.apply({ controllerId: 1, brokers: new Map(), topics: [topic] })
  assert.deepEqual(await channel.write(markers, 0), ['settled', 'settled'])
  assert.deepEqual(written, ['orders'])
})
