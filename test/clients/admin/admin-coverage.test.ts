/** Whether the admin client has all that a broker serves, and the calls that nobody else tries. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Admin } from '../../../src/clients/admin/admin.ts'
import { Consumer } from '../../../src/clients/consumer/consumer.ts'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { ShareConsumer } from '../../../src/clients/share-consumer/share-consumer.ts'
import { batchOf, produce } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'

type Call = keyof Admin & string

/** The calls through which each API can be had. */
const CALLS: Readonly<Record<string, readonly Call[]>> = {
  ListOffsets: ['listOffsets'],
  Metadata: ['listTopics', 'describeTopics', 'waitForTopic'],
  OffsetCommit: ['alterGroupOffsets'],
  OffsetFetch: ['listGroupOffsets'],
  LeaveGroup: ['removeMembersFromGroup'],
  DescribeGroups: ['describeClassicGroups', 'describeGroups'],
  ListGroups: ['listGroups'],
  ApiVersions: ['brokerApiVersions', 'describeFeatures'],
  CreateTopics: ['createTopics'],
  DeleteTopics: ['deleteTopics'],
  DeleteRecords: ['deleteRecords'],
  InitProducerId: ['fenceProducers'],
  WriteTxnMarkers: ['abortTransaction'],
  DescribeAcls: ['describeAcls'],
  CreateAcls: ['createAcls'],
  DeleteAcls: ['deleteAcls'],
  DescribeConfigs: ['describeConfigs'],
  AlterReplicaLogDirs: ['alterReplicaLogDirs'],
  DescribeLogDirs: ['describeLogDirs'],
  CreatePartitions: ['createPartitions'],
  DeleteGroups: ['deleteGroups'],
  ElectLeaders: ['electLeaders'],
  IncrementalAlterConfigs: ['alterConfigs'],
  AlterPartitionReassignments: ['alterPartitionReassignments'],
  ListPartitionReassignments: ['listPartitionReassignments'],
  OffsetDelete: ['deleteGroupOffsets'],
  DescribeClientQuotas: ['describeClientQuotas'],
  AlterClientQuotas: ['alterClientQuotas'],
  DescribeUserScramCredentials: ['describeUserScramCredentials'],
  DescribeQuorum: ['describeMetadataQuorum'],
  UpdateFeatures: ['updateFeatures'],
  DescribeCluster: ['describeCluster'],
  DescribeProducers: ['describeProducers'],
  UnregisterBroker: ['unregisterBroker'],
  DescribeTransactions: ['describeTransactions'],
  ListTransactions: ['listTransactions'],
  ConsumerGroupDescribe: ['describeConsumerGroups', 'describeGroups'],
  ListConfigResources: ['listConfigResources'],
  DescribeTopicPartitions: ['describeTopicPartitions'],
  ShareGroupDescribe: ['describeShareGroups'],
  DescribeShareGroupOffsets: ['listShareGroupOffsets'],
  AlterShareGroupOffsets: ['alterShareGroupOffsets'],
  DeleteShareGroupOffsets: ['deleteShareGroupOffsets'],
}

/** For producers and consumers, for other brokers, or in the place of something newer. */
const NOT_FOR_ADMIN = [
  ...['Produce', 'Fetch', 'FindCoordinator', 'JoinGroup', 'Heartbeat', 'SyncGroup'],
  ...['OffsetForLeaderEpoch', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'EndTxn'],
  ...['TxnOffsetCommit', 'ConsumerGroupHeartbeat', 'ShareGroupHeartbeat', 'ShareFetch'],
  ...['ShareAcknowledge', 'InitializeShareGroupState', 'ReadShareGroupState'],
  ...['WriteShareGroupState', 'DeleteShareGroupState', 'ReadShareGroupStateSummary'],
  'AlterConfigs',
]

/** Calls of which brokers of Samsa do not serve the API. */
const NOT_SERVED: readonly Call[] = ['alterUserScramCredentials']

test('the admin client has a call for all that brokers serve, and no other', () => {
  const text = readFileSync(new URL('../../../docs/apis.md', import.meta.url), 'utf8')
  const served = [...text.matchAll(/^\| \d+ \| (\w+) \|/gm)].map(([, name]) => name!)
  assert.deepEqual(
    served.filter((name) => !NOT_FOR_ADMIN.includes(name)),
    Object.keys(CALLS),
  )
  const calls = new Set<string>([...Object.values(CALLS).flat(), ...NOT_SERVED])
  const others = ['constructor', 'close', 'metrics', 'clientId']
  const methods: string[] = Object.getOwnPropertyNames(Admin.prototype)
  assert.deepEqual(methods.filter((name) => !others.includes(name)).sort(), [...calls].sort())
})

async function withAdmin(
  task: (admin: Admin, broker: TestBroker, bootstrapServers: string) => Promise<void>,
) {
  await using broker = await TestBroker.start({ 'group.initial.rebalance.delay.ms': '0' })
  const bootstrapServers = `127.0.0.1:${broker.port}`
  await using admin = new Admin({ bootstrapServers, clientId: 'admin' })
  await task(admin, broker, bootstrapServers)
}

test('a share group is described, moved, forgotten', async () => {
  await withAdmin(async (admin, broker, bootstrapServers) => {
    await admin.createTopics([{ topic: 'a' }])
    const topic = await admin.waitForTopic('a')
    assert.equal(topic.partitions[0]?.leaderId, 1)
    await produce(await broker.connect(), 'a', batchOf(['1', '2']))
    const set = { 'share.auto.offset.reset': 'earliest' }
    await admin.alterConfigs([{ type: 'group', name: 's', set }])
    const member = new ShareConsumer({ bootstrapServers, groupId: 's', clientId: 'm' })
    member.subscribe('a')
    assert.equal((await member.poll()).count, 2)
    const group = (await admin.describeShareGroups(['s'])).get('s')
    assert.deepEqual([group?.type, group?.state, group?.assignor], ['share', 'Stable', 'simple'])
    const [described] = group!.members
    assert.deepEqual([described?.clientId, described?.subscribedTopics], ['m', ['a']])
    assert.deepEqual(described?.assignment, [{ topic: 'a', partition: 0 }])
    assert.equal(described?.instanceId, null)
    const moved = { topic: 'a', partition: 0, startOffset: 1 }
    await assert.rejects(admin.alterShareGroupOffsets('s', [moved]), {
      errorName: 'NON_EMPTY_GROUP',
    })
    await member.close()
    await admin.alterShareGroupOffsets('s', [moved])
    const [offset] = await admin.listShareGroupOffsets('s')
    assert.equal(offset?.startOffset, 1)
    await admin.deleteShareGroupOffsets('s', ['a'])
    assert.equal((await admin.listShareGroupOffsets('s'))[0]?.startOffset ?? -1, -1)
    await assert.rejects(admin.describeShareGroups(['x']), { errorName: 'GROUP_ID_NOT_FOUND' })
  })
})

test('consumer groups of both protocols are described, and members removed', async () => {
  await withAdmin(async (admin, _, bootstrapServers) => {
    await admin.createTopics([{ topic: 'a' }])
    const assigned = [{ topic: 'a', partition: 0 }]
    const join = async (options: object) => {
      const member = new Consumer({ bootstrapServers, ...options })
      member.subscribe('a')
      while (member.assignment().length === 0) await member.poll({ timeoutMs: 20 })
      return member
    }
    await using _new = await join({ groupId: 'new', groupProtocol: 'consumer' })
    await using _old = await join({ groupId: 'old', groupInstanceId: 'i' })
    const groups = await admin.describeGroups(['new', 'old'])
    const told = [...groups.values()].map(({ type, state, members }) => {
      return [type, state, members[0]?.assignment, members[0]?.instanceId]
    })
    assert.deepEqual(told, [
      ['consumer', 'Stable', assigned, null],
      ['classic', 'Stable', assigned, 'i'],
    ])
    const described = (await admin.describeConsumerGroups(['new'])).get('new')
    assert.deepEqual(described?.members[0]?.targetAssignment, assigned)
    assert.equal(described?.members[0]?.isUpgraded, true)
    await admin.removeMembersFromGroup('old', [{ instanceId: 'i' }])
    const emptied = (await admin.describeClassicGroups(['old'])).get('old')
    assert.equal(emptied?.state, 'Empty')
  })
})

test('topics in pages, the quorum, and what is asked in vain', async () => {
  await withAdmin(async (admin, _, bootstrapServers) => {
    await admin.createTopics([{ topic: 'a', partitions: 3 }])
    const pages = await admin.describeTopicPartitions(['a'])
    assert.equal([...pages.values()][0]?.partitions.length, 3)
    const quorum = await admin.describeMetadataQuorum()
    assert.equal(quorum.leaderId, 1)
    assert.deepEqual(
      quorum.voters.map(({ replicaId }) => replicaId),
      [1],
    )
    assert.deepEqual(quorum.observers, [])
    await assert.rejects(admin.unregisterBroker(7), { errorName: 'BROKER_ID_NOT_REGISTERED' })
    const nobody = { errorName: 'RESOURCE_NOT_FOUND' }
    await assert.rejects(admin.describeUserScramCredentials(['alice']), nobody)
    const moved = { topic: 'a', partition: 0, replicas: [1, 2] }
    await assert.rejects(admin.alterPartitionReassignments([moved]), {
      errorName: 'INVALID_REPLICA_ASSIGNMENT',
    })
    await using producer = new Producer({ bootstrapServers, transactionalId: 'tx' })
    await producer.initTransactions()
    producer.beginTransaction()
    const at = { topic: 'a', partition: 0 }
    await producer.send({ ...at, value: 'v' })
    const openSince = async () => {
      const [described] = await admin.describeProducers([at])
      const [found] = described!.producers
      return { ...found!, ...at }
    }
    const hanging = await openSince()
    assert.equal(hanging.transactionStartOffset, 0)
    await admin.abortTransaction(hanging)
    assert.equal((await openSince()).transactionStartOffset, undefined)
    const values = admin.metrics()['admin-client-metrics']
    assert.ok(values['request-total'] > 5 && values['connection-count'] >= 1)
    assert.equal(values['failed-request-total'], 0)
  })
})
