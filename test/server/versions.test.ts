import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { responseCodec } from '../../src/protocol/compile.ts'
import { decodeResponseHeader } from '../../src/protocol/header.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { apiByKey } from '../../src/protocol/messages/index.ts'
import { type Api, ZERO_UUID } from '../../src/protocol/schema.ts'
import { batchOf, createTopic, fetchRequest, produce } from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'

/** A request of each API that finds something to do, in a version, on the topic `t`. */
function requestOf(
  name: string,
  version: number,
  topicId: string,
  logDir: string,
): Record<string, unknown> {
  const partition = { partitionIndex: 0, partition: 0 }
  const resource = { resourceType: 2, resourceName: 't' }
  const rule = { operation: 3, permissionType: 3 }
  const anyRule = { ...rule, resourceNameFilter: null, principalFilter: null, hostFilter: null }
  const producer = { transactionalId: 'tx', producerId: 5, producerEpoch: 0 }
  const byId = (since: number) => (version >= since ? { topicId } : {})
  const byName = (since: number) => (version < since ? { topic: 't', name: 't' } : {})
  const asked = { ...byName(13), ...byId(13) }
  const sharer = { groupId: 's', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const shareState = (state: object) => ({
    ...{ groupId: 's', topics: [{ topicId, partitions: [{ partition: 0, ...state }] }] },
  })
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
    OffsetCommit: {
      ...{ groupId: 'g', memberId: '' },
      topics: [
        {
          ...{ ...byName(10), ...byId(10) },
          partitions: [{ ...partition, committedOffset: 1, committedMetadata: null }],
        },
      ],
    },
    OffsetFetch:
      version < 8
        ? { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }
        : {
            groups: [
              {
                groupId: 'g',
                topics: [{ ...byName(10), ...byId(10), partitionIndexes: [0] }],
              },
            ],
          },
    JoinGroup: {
      ...{ groupId: `g${version}`, memberId: '', sessionTimeoutMs: 10_000 },
      ...(version >= 5 ? { groupInstanceId: 'i' } : {}),
      ...{ protocolType: 'consumer', protocols: [{ name: 'p', metadata: Buffer.alloc(0) }] },
    },
    SyncGroup: {
      ...{ groupId: 'g0', generationId: 1, memberId: 'm', assignments: [] },
      ...{ protocolType: 'consumer', protocolName: 'p' },
    },
    Heartbeat: { groupId: 'g0', generationId: 1, memberId: 'm' },
    LeaveGroup: {
      groupId: 'g0',
      ...(version < 3 ? { memberId: 'm' } : { members: [{ memberId: 'm' }] }),
    },
    DescribeGroups: { groups: ['g0'], includeAuthorizedOperations: false },
    ListGroups: {},
    DeleteGroups: { groupsNames: ['nobody'] },
    OffsetDelete: {
      groupId: 'g',
      topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
    },
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
    AddPartitionsToTxn:
      version < 4
        ? {
            ...{ v3AndBelowTransactionalId: 'tx', v3AndBelowProducerId: 5 },
            ...{ v3AndBelowProducerEpoch: 0, v3AndBelowTopics: [{ name: 't', partitions: [0] }] },
          }
        : { transactions: [{ ...producer, topics: [{ name: 't', partitions: [0] }] }] },
    AddOffsetsToTxn: { ...producer, groupId: 'g' },
    EndTxn: { ...producer, committed: true },
    WriteTxnMarkers: {
      markers: [
        {
          ...{ producerId: 5, producerEpoch: 0, transactionResult: true, coordinatorEpoch: 0 },
          topics: [{ name: 't', partitionIndexes: [0] }],
        },
      ],
    },
    TxnOffsetCommit: {
      ...{ ...producer, groupId: 'g' },
      topics: [
        {
          name: 't',
          partitions: [{ ...partition, committedOffset: 1, committedMetadata: null }],
        },
      ],
    },
    DescribeProducers: { topics: [{ name: 't', partitionIndexes: [0] }] },
    DescribeTransactions: { transactionalIds: ['tx'] },
    ListTransactions: { stateFilters: [], producerIdFilters: [] },
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
    ConsumerGroupHeartbeat: {
      ...{ groupId: 'c', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000 },
      ...{ subscribedTopicNames: ['t'], topicPartitions: [] },
    },
    ConsumerGroupDescribe: { groupIds: ['c'] },
    ListConfigResources: {},
    AlterReplicaLogDirs: {
      dirs: [{ path: logDir, topics: [{ name: 't', partitions: [0] }] }],
    },
    DescribeUserScramCredentials: { users: null },
    ElectLeaders: { topicPartitions: null },
    AlterPartitionReassignments: {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas: [1] }] }],
    },
    ListPartitionReassignments: { topics: null },
    UpdateFeatures: { featureUpdates: [] },
    DescribeAcls: { resourceTypeFilter: 1, ...anyRule },
    CreateAcls: {
      creations: [{ ...rule, resourceType: 2, resourceName: 't', principal: 'User:a', host: '*' }],
    },
    DeleteAcls: { filters: [{ resourceTypeFilter: 1, ...anyRule }] },
    DescribeQuorum: {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    },
    UnregisterBroker: { brokerId: 77 },
    ShareGroupHeartbeat: { ...sharer, memberEpoch: 0, subscribedTopicNames: ['t'] },
    ShareGroupDescribe: { groupIds: ['s'], includeAuthorizedOperations: false },
    ShareFetch: {
      ...{
        ...sharer,
        shareSessionEpoch: 0,
        maxWaitMs: 0,
        minBytes: 0,
        maxRecords: 1,
        batchSize: 1,
      },
      topics: [{ topicId, partitions: [{ ...partition, acknowledgementBatches: [] }] }],
      forgottenTopicsData: [],
    },
    ShareAcknowledge: {
      // The first, and then the second request of the session that the last ShareFetch opened.
      ...{ ...sharer, shareSessionEpoch: version },
      topics: [{ topicId, partitions: [{ ...partition, acknowledgementBatches: [] }] }],
    },
    InitializeShareGroupState: shareState({ stateEpoch: 9, startOffset: 0 }),
    ReadShareGroupState: shareState({ leaderEpoch: 0 }),
    WriteShareGroupState: shareState({
      ...{ stateEpoch: 9, leaderEpoch: 0, startOffset: 1, stateBatches: [] },
    }),
    ReadShareGroupStateSummary: shareState({ leaderEpoch: 0 }),
    DeleteShareGroupState: shareState({}),
    DescribeShareGroupOffsets: { groups: [{ groupId: 's', topics: null }] },
    AlterShareGroupOffsets: {
      groupId: 'other',
      topics: [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset: 0 }] }],
    },
    DeleteShareGroupOffsets: { groupId: 'other', topics: [{ topicName: 't' }] },
    DescribeClientQuotas: { components: [], strict: false },
    AlterClientQuotas: {
      entries: [{ entity: [{ entityType: 'user', entityName: 'x' }], ops: [] }],
      validateOnly: false,
    },
  }
  const request = requests[name]
  assert.ok(request, `this test has no request for ${name}, which the broker advertises`)
  return request
}

/** The error codes anywhere in a response. */
function errorCodes(value: unknown): number[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'errorCode' || key === 'partitionErrorCode' ? [inner as number] : errorCodes(inner),
  )
}

/** Where there is nothing to be found. */
const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  SyncGroup: [25],
  Heartbeat: [25],
  LeaveGroup: [25],
  DeleteGroups: [69],
  UnregisterBroker: [102],
  DescribeAcls: [54],
  CreateAcls: [54],
  DeleteAcls: [54],
  DeleteTopics: [3],
  AddPartitionsToTxn: [49],
  AddOffsetsToTxn: [49],
  EndTxn: [49],
  TxnOffsetCommit: [49],
  DescribeTransactions: [105],
}

test('every advertised API is answered in every version', async () => {
  await using broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
  const client = await broker.connect()
  const topicId = await createTopic(client, 't')
  assert.notEqual(topicId, ZERO_UUID)
  await produce(client, 't', batchOf(['a', 'b']))
  for (const [keyType, key] of ['g', 'tx'].entries()) {
    await client.send(FindCoordinator, 4, { keyType, coordinatorKeys: [key] })
  }
  const { apiKeys } = await client.send(ApiVersions, 0, {})
  assert.ok(apiKeys.length >= 18)
  for (const { apiKey, maxVersion } of apiKeys) {
    const api = apiByKey(apiKey) as Api
    for (let version = api.versions.min; version <= maxVersion; version++) {
      const request = requestOf(api.name, version, topicId, broker.broker.logDirs[0]!)
      const id = client.post(api, version, request as never)
      const frame = await client.nextFrame()
      const header = decodeResponseHeader(frame, 0, frame.length, api, version)
      assert.equal(header.correlationId, id)
      const body = responseCodec(api, version).decode(frame, header.bodyOffset, frame.length)
      // A new member of JoinGroup 4 is given an id to join with, unless it is a static one.
      const isAsked = api.name === 'JoinGroup' && version === 4
      const expected = isAsked ? [79] : (EXPECTED[api.name] ?? [0])
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

test('docs/apis.md lists what is served', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const { apiKeys } = await client.send(ApiVersions, 3, {
    ...{ clientSoftwareName: 'test', clientSoftwareVersion: '1' },
  })
  const lines = apiKeys.map(({ apiKey, minVersion, maxVersion }) => {
    const versions = minVersion === maxVersion ? `${minVersion}` : `${minVersion}–${maxVersion}`
    return `| ${apiKey} | ${apiByKey(apiKey)!.name} | ${versions} |`
  })
  const text = readFileSync(new URL('../../docs/apis.md', import.meta.url), 'utf8')
  const table = text.split('\n').filter((line) => /^\| \d/.test(line))
  assert.deepEqual(table, lines)
})
