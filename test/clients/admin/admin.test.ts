import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Admin } from '../../../src/clients/admin/admin.ts'
import { PartialFailureError } from '../../../src/clients/errors.ts'
import { CreateAcls } from '../../../src/protocol/messages/create-acls.ts'
import { DescribeAcls } from '../../../src/protocol/messages/describe-acls.ts'
import { Metadata } from '../../../src/protocol/messages/metadata.ts'
import { batchOf, produce } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'
import { TransactionalProducer } from '../../support/transactional-producer.ts'
import { ClientWorld, metadataAnswer } from '../support/client-world.ts'
import { answer, requestOf } from '../support/scripted-broker.ts'

async function withAdmin(
  task: (admin: Admin, broker: TestBroker) => Promise<void>,
  settings: Record<string, string> = {},
) {
  await using broker = await TestBroker.start(settings)
  await using admin = new Admin({ bootstrapServers: `127.0.0.1:${broker.port}` })
  await task(admin, broker)
}

test('topics are created, described, grown, trimmed and deleted', async () => {
  await withAdmin(async (admin, broker) => {
    const created = await admin.createTopics([
      { topic: 'a', partitions: 2, configs: { 'retention.ms': '1000000' } },
      { topic: 'b', assignments: [[1], [1], [1]] },
    ])
    assert.equal(created.get('a')?.partitions, 2)
    const validated = await admin.createTopics([{ topic: 'c' }], { validateOnly: true })
    assert.equal(validated.size, 1)
    const names = (await admin.listTopics()).map(({ name }) => name)
    assert.deepEqual(names.sort(), ['a', 'b'])
    await admin.createPartitions([{ topic: 'a', totalCount: 4 }])
    const described = await admin.describeTopics(['a', 'b'])
    assert.equal(described.get('a')?.partitions.length, 4)
    assert.equal(described.get('b')?.partitions[2]?.leaderId, 1)
    await produce(await broker.connect(), 'a', batchOf(['1', '2', '3']))
    const at = { topic: 'a', partition: 0 }
    const trimmed = await admin.deleteRecords([{ ...at, beforeOffset: 2 }])
    assert.deepEqual(trimmed, [{ ...at, lowWatermark: 2 }])
    const offsets = await admin.listOffsets([
      { ...at, at: 'latest' },
      { topic: 'b', partition: 1, at: 'earliest' },
      { topic: 'a', partition: 1, at: 5 },
    ])
    assert.deepEqual(
      offsets.map(({ offset }) => offset),
      [3, 0, -1],
    )
    await admin.deleteTopics(['a', 'b'])
    assert.deepEqual(await admin.listTopics(), [])
  })
})

test('what fails is told apart from what succeeds, at once', async () => {
  await withAdmin(async (admin) => {
    await admin.createTopics([{ topic: 'a' }])
    const both = admin.createTopics([{ topic: 'a' }, { topic: 'b' }, { topic: 'no/name' }])
    await assert.rejects(both, (error: unknown) => {
      assert.ok(error instanceof PartialFailureError)
      assert.deepEqual([...error.results.keys()], ['b'])
      const names = [...error.failures].map(([name, { errorName }]) => `${name} ${errorName}`)
      assert.deepEqual(names, ['a TOPIC_ALREADY_EXISTS', 'no/name INVALID_TOPIC_EXCEPTION'])
      return error.errorName === 'TOPIC_ALREADY_EXISTS'
    })
    const unknown = { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' }
    await assert.rejects(admin.deleteTopics(['x']), unknown)
    await assert.rejects(admin.describeTopics(['a', 'x']), unknown)
    await assert.rejects(admin.listOffsets([{ topic: 'x', partition: 0, at: 'latest' }]), unknown)
    await assert.rejects(admin.describeClassicGroups(['x']), { errorName: 'GROUP_ID_NOT_FOUND' })
    const election = admin.electLeaders('preferred', [{ topic: 'a', partition: 0 }])
    await assert.rejects(election, { errorName: 'ELECTION_NOT_NEEDED' })
  })
})

test('configurations and features', async () => {
  await withAdmin(async (admin) => {
    await admin.createTopics([{ topic: 'a', configs: { 'cleanup.policy': 'delete' } }])
    const topic = { type: 'topic', name: 'a' } as const
    await admin.alterConfigs([
      { ...topic, set: { 'retention.ms': '5000000' }, append: { 'cleanup.policy': 'compact' } },
      { type: 'broker', name: '1', set: { 'log.cleaner.threads': '2' } },
    ])
    const options = { includeSynonyms: true, includeDocumentation: true }
    const keys = ['cleanup.policy', 'retention.ms']
    const found = await admin.describeConfigs([{ ...topic, keys }], options)
    const values = found.get('topic a')?.map(({ name, value, type }) => [name, value, type])
    const expected = [
      ['cleanup.policy', 'delete,compact', 'LIST'],
      ['retention.ms', '5000000', 'LONG'],
    ]
    assert.deepEqual(values?.sort(), expected)
    const broker = await admin.describeConfigs([{ type: 'broker', name: '1' }])
    const threads = broker.get('broker 1')?.find(({ name }) => name === 'log.cleaner.threads')
    assert.deepEqual([threads?.value, threads?.source], ['2', 'DYNAMIC_BROKER_CONFIG'])
    await assert.rejects(admin.alterConfigs([{ ...topic, set: { 'retention.ms': 'x' } }]), {
      errorName: 'INVALID_CONFIG',
    })
    assert.ok((await admin.listConfigResources(['topic'])).some(({ name }) => name === 'a'))
    const { finalized } = await admin.describeFeatures()
    assert.equal(finalized.get('transaction.version'), 2)
    await admin.updateFeatures({ 'share.version': { level: 0, change: 'unsafeDowngrade' } })
    assert.equal((await admin.describeFeatures()).finalized.get('share.version'), undefined)
    assert.equal((await admin.describeCluster()).brokers[0]?.id, 1)
    const served = await admin.brokerApiVersions(1)
    assert.equal(served.find(({ name }) => name === 'Metadata')?.usable, 13)
  })
})

test('groups and their offsets', async () => {
  await withAdmin(async (admin) => {
    await admin.createTopics([{ topic: 'a', partitions: 2 }])
    const at = { topic: 'a', partition: 1 }
    await admin.alterGroupOffsets('g', [{ ...at, offset: 7, metadata: 'by hand' }])
    const committed = [{ ...at, offset: 7, leaderEpoch: -1, metadata: 'by hand' }]
    assert.deepEqual(await admin.listGroupOffsets('g'), committed)
    assert.deepEqual(await admin.listGroupOffsets('g', { partitions: [at] }), committed)
    assert.deepEqual(
      (await admin.listGroups({ states: ['Empty'] })).map(({ groupId }) => groupId),
      ['g'],
    )
    const group = (await admin.describeClassicGroups(['g'])).get('g')
    assert.deepEqual([group?.state, group?.members], ['Empty', []])
    await assert.rejects(admin.alterGroupOffsets('g', [{ topic: 'x', partition: 0, offset: 1 }]), {
      errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await admin.deleteGroupOffsets('g', [at])
    assert.deepEqual(await admin.listGroupOffsets('g'), [])
    await admin.deleteGroups(['g'])
    assert.deepEqual(await admin.listGroups(), [])
  })
})

test('quotas, log folders, producers and transactions', async () => {
  await withAdmin(async (admin, broker) => {
    await admin.createTopics([{ topic: 'a' }])
    const entity = { user: 'alice', 'client-id': null }
    await admin.alterClientQuotas([{ entity, quotas: { producer_byte_rate: 1e6 } }])
    const filters = [{ type: 'user', match: { name: 'alice' } }] as const
    const quota = { entity, quotas: { producer_byte_rate: 1e6 } }
    assert.deepEqual(await admin.describeClientQuotas(filters), [quota])
    assert.deepEqual(await admin.describeClientQuotas(filters, { strict: true }), [])
    await admin.alterClientQuotas([{ entity, quotas: { producer_byte_rate: null } }])
    assert.deepEqual(await admin.describeClientQuotas(filters), [])

    const producer = await new TransactionalProducer(await broker.connect(), 'tx').init()
    await producer.add('a')
    await produce(await broker.connect(), 'a', batchOf(['1']))
    const described = (await admin.describeTransactions(['tx'])).get('tx')
    assert.deepEqual(described?.partitions, [{ topic: 'a', partition: 0 }])
    assert.equal(described?.state, 'Ongoing')
    assert.equal((await admin.listTransactions({ states: ['Ongoing'] })).length, 1)
    await admin.fenceProducers(['tx'])
    assert.notEqual((await admin.describeTransactions(['tx'])).get('tx')?.state, 'Ongoing')
    const producers = await admin.describeProducers([{ topic: 'a', partition: 0 }])
    assert.equal(producers[0]?.partition, 0)

    const dirs = (await admin.describeLogDirs([1])).get(1)
    const path = join(broker.folder, 'data')
    assert.equal(dirs?.[0]?.path, path)
    const replica = dirs?.[0]?.replicas.find(({ topic }) => topic === 'a')
    assert.ok(replica !== undefined && replica.sizeInBytes > 0)
    const move = { brokerId: 1, topic: 'a', partition: 0, path: '/nowhere' }
    await assert.rejects(admin.alterReplicaLogDirs([move]), { errorName: 'LOG_DIR_NOT_FOUND' })
    assert.deepEqual(await admin.listPartitionReassignments(), [])
  })
})

test('access rules go out in their form, and are refused where nobody keeps them', async () => {
  const topic = { resourceType: 'topic', resourceName: 'a', patternType: 'prefixed' } as const
  const alice = { principal: 'User:alice', host: '*', operation: 'alterConfigs' } as const
  const rule = { ...topic, ...alice, permission: 'deny' } as const
  await withAdmin(async (admin) => {
    const disabled = { errorName: 'SECURITY_DISABLED' }
    await assert.rejects(admin.createAcls([rule]), disabled)
    await assert.rejects(admin.describeAcls(), disabled)
    await assert.rejects(admin.deleteAcls([{ resourceType: 'topic' }]), disabled)
  })
  const world = new ClientWorld()
  await world.run(async () => {
    const wire = { operation: 11, permissionType: 2, principal: 'User:alice', host: '*' }
    const wireTopic = { resourceType: 2, resourceName: 'a', patternType: 4 }
    const broker = await world.broker(1, ({ api }) => {
      if (api.key === Metadata.key) return metadataAnswer([1])
      if (api.key === CreateAcls.key) {
        return answer(CreateAcls, { results: [{ errorCode: 0, errorMessage: null }] })
      }
      if (api.key !== DescribeAcls.key) return undefined
      const resources = [{ ...wireTopic, acls: [wire] }]
      return answer(DescribeAcls, { errorCode: 0, errorMessage: null, resources })
    })
    const admin = new Admin({ bootstrapServers: 'broker-1:9092' }, world.environment)
    await admin.createAcls([rule])
    assert.deepEqual(await admin.describeAcls({ resourceType: 'topic' }), [rule])
    const asked = broker.requests.flatMap((request) => requestOf(CreateAcls, request) ?? [])
    const { patternType, ...named } = wireTopic
    const creation = { ...named, ...wire, resourcePatternType: patternType }
    assert.deepEqual(asked, [{ creations: [creation] }])
    admin.close()
  })
})
