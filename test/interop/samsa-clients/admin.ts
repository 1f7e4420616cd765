/** Every call of our admin client gives a sensible result. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Admin, Producer } from '../../../src/clients/index.ts'
import { nodeId } from '../harness/broker.ts'
import { settings } from '../harness/settings.ts'
import { type Stage, soon } from './stage.ts'

const topic = 'administered'
const group = 'administered-group'
const shareGroup = 'administered-share'
const transactionalId = 'administered-transaction'
const at = { topic, partition: 0 }

type Method = Exclude<keyof Admin, 'clientId' | 'close' | 'metrics' | typeof Symbol.asyncDispose>

interface Case {
  readonly call: Method
  readonly check: (admin: Admin, stage: Stage) => Promise<void>
}

const refused = (errorName: string) => ({ errorName })

/** Samsa does not, and says so. */
async function keepsPasswords(admin: Admin): Promise<boolean> {
  const served = await admin.brokerApiVersions(nodeId)
  const found = served.find(({ name }) => name === 'AlterUserScramCredentials')
  return found?.usable !== undefined
}

/** In this order: some need what those before them have made. */
const cases: readonly Case[] = [
  {
    call: 'createTopics',
    async check(admin) {
      const configs = { 'retention.ms': '7200000' }
      await admin.createTopics([{ topic: 'only-checked' }], { validateOnly: true })
      const created = await admin.createTopics([{ topic, partitions: 2, configs }])
      assert.equal(created.get(topic)?.partitions, 2)
      await assert.rejects(admin.createTopics([{ topic }]), refused('TOPIC_ALREADY_EXISTS'))
    },
  },
  { call: 'waitForTopic', check: async (admin) => void (await admin.waitForTopic(topic)) },
  {
    call: 'listTopics',
    async check(admin) {
      const names = (await admin.listTopics()).map(({ name }) => name)
      assert.ok(names.includes(topic) && !names.includes('only-checked'), `${names}`)
    },
  },
  {
    call: 'createPartitions',
    async check(admin) {
      await admin.createPartitions([{ topic, totalCount: 3 }])
      const fewer = admin.createPartitions([{ topic, totalCount: 1 }])
      await assert.rejects(fewer, refused('INVALID_PARTITIONS'))
    },
  },
  {
    call: 'describeTopics',
    async check(admin) {
      await soon(async () => {
        const found = (await admin.describeTopics([topic])).get(topic)
        const leaders = found?.partitions.map(({ leaderId }) => leaderId)
        assert.deepEqual(leaders, [nodeId, nodeId, nodeId])
      })
      const unknown = admin.describeTopics(['no-such-topic'])
      await assert.rejects(unknown, refused('UNKNOWN_TOPIC_OR_PARTITION'))
    },
  },
  {
    call: 'describeTopicPartitions',
    async check(admin) {
      const options = { partitionsPerResponse: 1 }
      const found = (await admin.describeTopicPartitions([topic], options)).get(topic)
      assert.equal(found?.partitions.length, 3)
    },
  },
  {
    call: 'listOffsets',
    async check(admin, { servers }) {
      await using producer = new Producer(servers)
      const values = ['1', '2', '3', '4']
      // Of now, or retention may take them away at any moment.
      const startMs = Date.now()
      await producer.sendBatch(values.map((value, i) => ({ ...at, value, timestamp: startMs + i })))
      const queries = (['earliest', 'latest', 'maxTimestamp', startMs + 2] as const).map(
        (point) => ({ ...at, at: point }),
      )
      for (const [i, offset] of [0, 4, 3, 2].entries()) {
        assert.equal((await admin.listOffsets([queries[i]!]))[0]?.offset, offset)
      }
    },
  },
  {
    call: 'deleteRecords',
    async check(admin) {
      const trimmed = await admin.deleteRecords([{ ...at, beforeOffset: 2 }])
      assert.deepEqual(trimmed, [{ ...at, lowWatermark: 2 }])
      const beyond = admin.deleteRecords([{ ...at, beforeOffset: 100 }])
      await assert.rejects(beyond, refused('OFFSET_OUT_OF_RANGE'))
    },
  },
  {
    call: 'describeProducers',
    async check(admin) {
      const [found] = await admin.describeProducers([at])
      assert.equal(found?.partition, 0)
    },
  },
  {
    call: 'describeCluster',
    async check(admin, { broker }) {
      const { brokers, controllerId } = await admin.describeCluster()
      assert.deepEqual(
        brokers.map(({ id, port }) => [id, port]),
        [[nodeId, broker.port]],
      )
      assert.equal(controllerId, nodeId)
    },
  },
  {
    call: 'describeMetadataQuorum',
    async check(admin) {
      const { leaderId, voters } = await admin.describeMetadataQuorum()
      assert.deepEqual([leaderId, voters.map(({ replicaId }) => replicaId)], [nodeId, [nodeId]])
    },
  },
  {
    call: 'describeFeatures',
    async check(admin) {
      const { finalized } = await admin.describeFeatures()
      assert.equal(finalized.get('transaction.version'), 2)
    },
  },
  {
    call: 'updateFeatures',
    async check(admin) {
      const update = { 'transaction.version': { level: 99, change: 'upgrade' } } as const
      await assert.rejects(admin.updateFeatures(update), (error: { errorName: string }) => {
        return ['INVALID_UPDATE_VERSION', 'FEATURE_UPDATE_FAILED'].includes(error.errorName)
      })
    },
  },
  {
    call: 'unregisterBroker',
    async check(admin) {
      await assert.rejects(admin.unregisterBroker(77), refused('BROKER_ID_NOT_REGISTERED'))
    },
  },
  {
    call: 'brokerApiVersions',
    async check(admin) {
      const served = await admin.brokerApiVersions(nodeId)
      const produce = served.find(({ name }) => name === 'Produce')
      assert.equal(produce?.usable, 13)
    },
  },
  {
    call: 'alterConfigs',
    async check(admin) {
      const resource = { type: 'topic', name: topic } as const
      await admin.alterConfigs([
        {
          ...resource,
          set: { 'segment.bytes': '2097152' },
          append: { 'cleanup.policy': 'compact' },
        },
        { type: 'broker', name: `${nodeId}`, set: { 'log.cleaner.threads': '2' } },
      ])
      const wrong = admin.alterConfigs([{ ...resource, set: { 'segment.bytes': 'many' } }])
      await assert.rejects(wrong, refused('INVALID_CONFIG'))
    },
  },
  {
    call: 'describeConfigs',
    async check(admin) {
      const keys = ['cleanup.policy', 'segment.bytes', 'retention.ms']
      const found = await admin.describeConfigs([{ type: 'topic', name: topic, keys }], {
        ...{ includeSynonyms: true, includeDocumentation: true },
      })
      const entries = found.get(`topic ${topic}`)!.map(({ name, value, source }) => {
        return `${name}=${value} ${source}`
      })
      assert.deepEqual(entries.sort(), [
        'cleanup.policy=delete,compact DYNAMIC_TOPIC_CONFIG',
        'retention.ms=7200000 DYNAMIC_TOPIC_CONFIG',
        'segment.bytes=2097152 DYNAMIC_TOPIC_CONFIG',
      ])
    },
  },
  {
    call: 'listConfigResources',
    async check(admin) {
      const found = await admin.listConfigResources(['topic'])
      assert.ok(found.some(({ name }) => name === topic))
    },
  },
  {
    call: 'alterGroupOffsets',
    async check(admin) {
      await admin.alterGroupOffsets(group, [{ ...at, offset: 3, metadata: 'by hand' }])
      const unknown = admin.alterGroupOffsets(group, [{ topic: 'none', partition: 0, offset: 1 }])
      await assert.rejects(unknown, refused('UNKNOWN_TOPIC_OR_PARTITION'))
    },
  },
  {
    call: 'listGroupOffsets',
    async check(admin) {
      const committed = [{ ...at, offset: 3, leaderEpoch: -1, metadata: 'by hand' }]
      assert.deepEqual(await admin.listGroupOffsets(group), committed)
    },
  },
  {
    call: 'listGroups',
    async check(admin) {
      const found = (await admin.listGroups()).find(({ groupId }) => groupId === group)
      assert.equal(found?.state, 'Empty')
    },
  },
  {
    call: 'describeClassicGroups',
    async check(admin) {
      const found = (await admin.describeClassicGroups([group])).get(group)
      assert.deepEqual([found?.state, found?.members], ['Empty', []])
    },
  },
  {
    call: 'describeGroups',
    async check(admin) {
      assert.equal((await admin.describeGroups([group])).get(group)?.type, 'classic')
    },
  },
  {
    call: 'describeConsumerGroups',
    async check(admin) {
      const unknown = admin.describeConsumerGroups(['no-such-group'])
      await assert.rejects(unknown, refused('GROUP_ID_NOT_FOUND'))
    },
  },
  {
    call: 'removeMembersFromGroup',
    async check(admin) {
      const unknown = admin.removeMembersFromGroup(group, [{ instanceId: 'nobody' }])
      await assert.rejects(unknown, refused('UNKNOWN_MEMBER_ID'))
    },
  },
  {
    call: 'deleteGroupOffsets',
    async check(admin) {
      await admin.deleteGroupOffsets(group, [at])
      assert.deepEqual(await admin.listGroupOffsets(group), [])
    },
  },
  {
    call: 'deleteGroups',
    async check(admin) {
      await admin.alterGroupOffsets(group, [{ ...at, offset: 1 }])
      await admin.deleteGroups([group])
      const gone = admin.deleteGroups([group])
      await assert.rejects(gone, refused('GROUP_ID_NOT_FOUND'))
    },
  },
  {
    call: 'alterShareGroupOffsets',
    async check(admin) {
      await admin.alterShareGroupOffsets(shareGroup, [{ ...at, startOffset: 3 }])
    },
  },
  {
    call: 'listShareGroupOffsets',
    async check(admin) {
      const [found] = await admin.listShareGroupOffsets(shareGroup, { partitions: [at] })
      assert.equal(found?.startOffset, 3)
    },
  },
  {
    call: 'describeShareGroups',
    async check(admin) {
      const found = (await admin.describeShareGroups([shareGroup])).get(shareGroup)
      assert.deepEqual([found?.type, found?.state], ['share', 'Empty'])
    },
  },
  {
    call: 'deleteShareGroupOffsets',
    async check(admin) {
      await admin.deleteShareGroupOffsets(shareGroup, [topic])
      await admin.deleteGroups([shareGroup])
    },
  },
  {
    call: 'electLeaders',
    async check(admin) {
      const election = admin.electLeaders('preferred', [at])
      await assert.rejects(election, refused('ELECTION_NOT_NEEDED'))
    },
  },
  {
    call: 'alterPartitionReassignments',
    async check(admin) {
      const move = admin.alterPartitionReassignments([{ ...at, replicas: [77] }])
      await assert.rejects(move, refused('INVALID_REPLICA_ASSIGNMENT'))
    },
  },
  {
    call: 'listPartitionReassignments',
    async check(admin) {
      assert.deepEqual(await admin.listPartitionReassignments(), [])
    },
  },
  {
    call: 'describeLogDirs',
    async check(admin, { broker }) {
      const dirs = (await admin.describeLogDirs([nodeId])).get(nodeId)
      assert.equal(dirs?.[0]?.path, broker.dataFolder)
      const replica = dirs[0].replicas.find((one) => one.topic === topic && one.partition === 0)
      assert.ok(replica !== undefined && replica.sizeInBytes > 0, JSON.stringify(dirs))
    },
  },
  {
    call: 'alterReplicaLogDirs',
    async check(admin) {
      const move = admin.alterReplicaLogDirs([{ ...at, brokerId: nodeId, path: '/nowhere' }])
      await assert.rejects(move, refused('LOG_DIR_NOT_FOUND'))
    },
  },
  {
    call: 'alterClientQuotas',
    async check(admin) {
      const entity = { user: 'alice', 'client-id': null }
      await admin.alterClientQuotas([{ entity, quotas: { producer_byte_rate: 1e6 } }])
    },
  },
  {
    call: 'describeClientQuotas',
    async check(admin) {
      const entity = { user: 'alice', 'client-id': null }
      const filters = [{ type: 'user', match: { name: 'alice' } }] as const
      const expected = [{ entity, quotas: { producer_byte_rate: 1e6 } }]
      await soon(async () => {
        assert.deepEqual(await admin.describeClientQuotas(filters), expected)
      })
      await admin.alterClientQuotas([{ entity, quotas: { producer_byte_rate: null } }])
    },
  },
  {
    call: 'alterUserScramCredentials',
    async check(admin) {
      const credential = { user: 'alice', mechanism: 'SCRAM-SHA-256', iterations: 4096 } as const
      const bytes = { salt: Buffer.alloc(16, 1), saltedPassword: Buffer.alloc(32, 2) }
      const alter = admin.alterUserScramCredentials([{ ...credential, ...bytes }])
      if (await keepsPasswords(admin)) await alter
      else await assert.rejects(alter, refused('UNSUPPORTED_VERSION'))
    },
  },
  {
    call: 'describeUserScramCredentials',
    async check(admin) {
      if (!(await keepsPasswords(admin))) {
        const unknown = { errorName: /UNSUPPORTED_VERSION|RESOURCE_NOT_FOUND/ }
        await assert.rejects(admin.describeUserScramCredentials(['alice']), unknown)
        return
      }
      const expected = [{ mechanism: 'SCRAM-SHA-256', iterations: 4096 }]
      await soon(async () => {
        const found = await admin.describeUserScramCredentials(['alice'])
        assert.deepEqual(found.get('alice'), expected)
      })
      await admin.alterUserScramCredentials([{ user: 'alice', mechanism: 'SCRAM-SHA-256' }])
      const unknown = admin.describeUserScramCredentials(['nobody'])
      await assert.rejects(unknown, refused('RESOURCE_NOT_FOUND'))
    },
  },
  {
    call: 'describeTransactions',
    async check(admin, { servers }) {
      await using producer = new Producer({ ...servers, transactionalId })
      await producer.initTransactions()
      producer.beginTransaction()
      await producer.send({ ...at, key: 'k', value: 'open' })
      const found = (await admin.describeTransactions([transactionalId])).get(transactionalId)
      assert.deepEqual([found?.state, found?.partitions], ['Ongoing', [at]])
    },
  },
  {
    call: 'listTransactions',
    async check(admin) {
      const found = (await admin.listTransactions()).map((one) => one.transactionalId)
      assert.ok(found.includes(transactionalId))
    },
  },
  {
    call: 'abortTransaction',
    async check(admin, { servers }) {
      await using producer = new Producer({ ...servers, transactionalId: 'hanging' })
      await producer.initTransactions()
      producer.beginTransaction()
      await producer.send({ ...at, key: 'k', value: 'raises the epoch' })
      await producer.commitTransaction()
      producer.beginTransaction()
      await producer.send({ ...at, key: 'k', value: 'open' })
      const findOpen = async () => {
        const [{ producers } = { producers: [] }] = await admin.describeProducers([at])
        return producers.find(({ transactionStartOffset }) => transactionStartOffset !== undefined)
      }
      const { producerId, producerEpoch, coordinatorEpoch } = (await findOpen())!
      const transaction = { ...at, producerId, coordinatorEpoch: Math.max(coordinatorEpoch, 0) }
      const older = admin.abortTransaction({ ...transaction, producerEpoch: producerEpoch - 1 })
      await assert.rejects(older, refused('INVALID_PRODUCER_EPOCH'))
      await admin.abortTransaction({ ...transaction, producerEpoch })
      assert.equal(await findOpen(), undefined)
    },
  },
  {
    call: 'fenceProducers',
    async check(admin, { servers }) {
      await using producer = new Producer({ ...servers, transactionalId })
      await producer.initTransactions()
      await admin.fenceProducers([transactionalId])
      producer.beginTransaction()
      await assert.rejects(
        producer
          .send({ ...at, key: 'k', value: 'too late' })
          .then(() => producer.commitTransaction()),
      )
    },
  },
  ...(['describeAcls', 'createAcls', 'deleteAcls'] as const).map(
    (call): Case => ({
      call,
      async check(admin) {
        const named = { resourceType: 'topic', resourceName: topic } as const
        const alice = { principal: 'User:alice', host: '*', operation: 'read' } as const
        const rule = { ...named, patternType: 'literal', ...alice, permission: 'allow' } as const
        const asked = {
          describeAcls: () => admin.describeAcls(),
          createAcls: () => admin.createAcls([rule]),
          deleteAcls: () => admin.deleteAcls([{ resourceType: 'topic' }]),
        }[call]()
        // Neither broker keeps rules unless it is told to.
        await assert.rejects(asked, refused('SECURITY_DISABLED'))
      },
    }),
  ),
  {
    call: 'deleteTopics',
    async check(admin) {
      await admin.deleteTopics([topic])
      await assert.rejects(admin.deleteTopics([topic]), refused('UNKNOWN_TOPIC_OR_PARTITION'))
    },
  },
]

export async function proveAdmin(t: TestContext, stage: Stage): Promise<void> {
  await t.test('no call is left out', () => {
    const all = Object.getOwnPropertyNames(Admin.prototype)
    const called = new Set<string>(cases.map(({ call }) => call))
    const left = all.filter((name) => !called.has(name))
    // These ask no broker.
    assert.deepEqual(left.sort(), ['clientId', 'close', 'constructor', 'metrics'])
  })
  for (const { call, check } of cases) {
    await t.test(`${call}, ${settings.target}`, () => check(stage.admin, stage))
  }
}
