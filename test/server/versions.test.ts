import assert from 'node:assert/strict'
import { test } from 'node:test'
import { responseCodec } from '../../src/protocol/compile.ts'
import { decodeResponseHeader } from '../../src/protocol/header.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { apiByKey } from '../../src/protocol/messages/index.ts'
import { type Api, ZERO_UUID } from '../../src/protocol/schema.ts'
import { batchOf, createTopic, fetchRequest, produce } from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'

/** A request of each API that finds something to do, in a version, on the topic `t`. */
function requestOf(name: string, version: number, topicId: string): Record<string, unknown> {
  const partition = { partitionIndex: 0, partition: 0 }
  const resource = { resourceType: 2, resourceName: 't' }
  const byId = (since: number) => (version >= since ? { topicId } : {})
  const byName = (since: number) => (version < since ? { topic: 't', name: 't' } : {})
  const asked = { ...byName(13), ...byId(13) }
  const requests: Record<string, Record<string, unknown>> = {
    Produce: {
      ...{ acks: 1, timeoutMs: 1000 },
      topicData: [{ ...asked, partitionData: [{ index: 0, records: batchOf(['x']) }] }],
    },
    Fetch: {
      ...fetchRequest('t'),
      topics: [{ ...fetchRequest('t').topics[0], ...asked }],
    },
    ListOffsets: {
      ...{ replicaId: -1, isolationLevel: 0 },
      topics: [{ name: 't', partitions: [{ ...partition, timestamp: 5 }] }],
    },
    Metadata: { topics: [{ name: 't' }] },
    FindCoordinator: version < 4 ? { key: 'g' } : { coordinatorKeys: ['g'] },
    ApiVersions: { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
    CreateTopics: {
      topics: [{ name: `new${version}`, numPartitions: 1, replicationFactor: 1 }],
    },
    DeleteTopics: {
      ...(version >= 6 ? { topics: [{ name: `gone${version}` }] } : { topicNames: ['gone'] }),
      timeoutMs: 1000,
    },
    DeleteRecords: {
      topics: [{ name: 't', partitions: [{ ...partition, offset: 0 }] }],
      timeoutMs: 1000,
    },
    InitProducerId: { transactionalId: null, transactionTimeoutMs: 1000 },
    OffsetForLeaderEpoch: {
      topics: [{ topic: 't', partitions: [{ ...partition, leaderEpoch: 0 }] }],
    },
    DescribeConfigs: { resources: [{ ...resource, configurationKeys: null }] },
    AlterConfigs: { resources: [{ ...resource, configs: [] }], validateOnly: false },
    DescribeLogDirs: { topics: null },
    CreatePartitions: {
      ...{ topics: [{ name: 't', count: 2 + version }], timeoutMs: 1000, validateOnly: false },
    },
    IncrementalAlterConfigs: {
      ...{ resources: [{ ...resource, configs: [] }], validateOnly: false },
    },
    DescribeCluster: {
      ...{ includeClusterAuthorizedOperations: false },
      ...(version >= 2 ? { includeFencedBrokers: false } : {}),
    },
    DescribeTopicPartitions: { topics: [{ name: 't' }] },
    ListConfigResources: {},
  }
  const request = requests[name]
  assert.ok(request, `this test has no request for ${name}, which the broker advertises`)
  return request
}

/** The error codes anywhere in a response. */
function errorCodes(value: unknown): number[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'errorCode' ? [inner as number] : errorCodes(inner),
  )
}

test('every advertised API is answered in every version', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const topicId = await createTopic(client, 't')
  assert.notEqual(topicId, ZERO_UUID)
  await produce(client, 't', batchOf(['a', 'b']))
  const { apiKeys } = await client.send(ApiVersions, 0, {})
  assert.ok(apiKeys.length >= 18)
  for (const { apiKey, maxVersion } of apiKeys) {
    const api = apiByKey(apiKey) as Api
    for (let version = api.versions.min; version <= maxVersion; version++) {
      const request = requestOf(api.name, version, topicId)
      const id = client.post(api, version, request as never)
      const frame = await client.nextFrame()
      const header = decodeResponseHeader(frame, 0, frame.length, api, version)
      assert.equal(header.correlationId, id)
      const body = responseCodec(api, version).decode(frame, header.bodyOffset, frame.length)
      const expected = { FindCoordinator: [15], DeleteTopics: [3] }[api.name] ?? [0]
      const codes = errorCodes(body).filter((code) => code !== 0 || expected.includes(0))
      assert.deepEqual(
        [...new Set(codes)],
        expected,
        `${api.name} ${version}: ${JSON.stringify(body)}`,
      )
    }
  }
  assert.deepEqual(broker.logLines, [])
})
