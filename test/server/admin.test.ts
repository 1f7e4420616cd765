import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, errorName } from '../../src/common/errors.ts'
import * as reassigning from '../../src/protocol/messages/alter-partition-reassignments.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/messages/consumer-group-heartbeat.ts'
import { DescribeQuorum } from '../../src/protocol/messages/describe-quorum.ts'
import { DescribeTopicPartitions } from '../../src/protocol/messages/describe-topic-partitions.ts'
import { ElectLeaders } from '../../src/protocol/messages/elect-leaders.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import * as listing from '../../src/protocol/messages/list-partition-reassignments.ts'
import { ShareGroupHeartbeat } from '../../src/protocol/messages/share-group-heartbeat.ts'
import { UpdateFeatures } from '../../src/protocol/messages/update-features.ts'
import { batchOf, createTopic, produce } from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'
import type { TestClient } from '../support/test-client.ts'

const CLIENT = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

async function update(client: TestClient, updates: [string, number, number][], version = 1) {
  const { errorCode, errorMessage } = await client.send(UpdateFeatures, version, {
    featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType]) => ({
      ...{ feature, maxVersionLevel, upgradeType },
    })),
  })
  return [errorName(errorCode), errorMessage?.split('error: ')[1] ?? null]
}

test('features are finalized at their highest, and change all together or not at all', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const finalized = async (of: TestClient) => {
    const { finalizedFeatures } = await of.send(ApiVersions, 4, CLIENT)
    return Object.fromEntries(
      finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
    )
  }
  const highest = { 'group.version': 1, 'share.version': 1, 'transaction.version': 2 }
  assert.deepEqual(await finalized(client), highest)
  const [UPGRADE, SAFE] = [1, 2]
  const refused: [[string, number, number], RegExp][] = [
    [['nix', 1, UPGRADE], /for feature nix\. Local controller 1 does not support this feature\.$/],
    [['transaction.version', 3, UPGRADE], /only supports versions 0-2$/],
    [['transaction.version', 1, UPGRADE], /^Invalid update version 1 .* Can't downgrade the/],
    [['transaction.version', -1, SAFE], /cannot be less than 0/],
    [['transaction.version', 1, 9], /does not support the given upgrade type/],
  ]
  for (const [change, text] of refused) {
    const outcome = await update(client, [['share.version', 0, SAFE], change])
    assert.equal(outcome[0], 'FEATURE_UPDATE_FAILED')
    assert.match(outcome[1] ?? '', text)
  }
  assert.deepEqual(await finalized(client), highest)
  const down: [string, number, number][] = [
    ['share.version', 0, SAFE],
    ['transaction.version', 1, SAFE],
  ]
  assert.deepEqual(await update(client, down, 2), ['NONE', null])
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  assert.deepEqual(await finalized(again), { 'group.version': 1, 'transaction.version': 1 })
  // Older clients fail on supported features that begin at 0.
  assert.deepEqual((await again.send(ApiVersions, 3, CLIENT)).supportedFeatures, [])
  assert.equal((await again.send(ApiVersions, 4, CLIENT)).supportedFeatures.length, 3)
})

test('groups of a kind are refused while its feature is not in force', async () => {
  await using broker = await TestBroker.start({
    'group.coordinator.rebalance.protocols': 'classic,consumer',
  })
  const client = await broker.connect()
  await createTopic(client, 't')
  await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  const memberId = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const joining = { groupId: 'g', memberId, memberEpoch: 0, subscribedTopicNames: ['t'] }
  const join = async () => [
    errorName(
      (
        await client.send(ConsumerGroupHeartbeat, 1, {
          ...{ ...joining, rebalanceTimeoutMs: 1000, topicPartitions: [] },
        })
      ).errorCode,
    ),
    errorName((await client.send(ShareGroupHeartbeat, 1, { ...joining, groupId: 's' })).errorCode),
  ]
  const [UPGRADE, SAFE] = [1, 2]
  await update(client, [
    ['group.version', 0, SAFE],
    ['share.version', 0, SAFE],
  ])
  assert.deepEqual(await join(), ['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'])
  await update(client, [
    ['group.version', 1, UPGRADE],
    ['share.version', 1, UPGRADE],
  ])
  assert.equal((await join())[0], 'NONE')
  assert.notEqual((await join())[1], 'UNSUPPORTED_VERSION')
})

test('on one broker every leader is the preferred one, and no reassignment lasts', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const elected = await client.send(ElectLeaders, 2, {
    electionType: 0,
    topicPartitions: [{ topic: 't', partitions: [0, 9] }],
  })
  assert.deepEqual(
    elected.replicaElectionResults[0]!.partitionResult.map((result) => result.errorCode),
    [ErrorCode.ELECTION_NOT_NEEDED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  )
  const unknown = await client.send(ElectLeaders, 2, { electionType: 5, topicPartitions: null })
  assert.equal(unknown.errorCode, ErrorCode.INVALID_REQUEST)
  const reassign = async (replicas: number[] | null) => {
    const { responses } = await client.send(reassigning.AlterPartitionReassignments, 1, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas }] }],
    })
    const { errorCode, errorMessage } = responses[0]!.partitions[0]!
    return [errorName(errorCode), errorMessage]
  }
  assert.deepEqual(await reassign([1]), ['NONE', null])
  assert.equal((await reassign(null))[0], 'NO_REASSIGNMENT_IN_PROGRESS')
  assert.deepEqual(await reassign([1, 2]), [
    'INVALID_REPLICA_ASSIGNMENT',
    'The manual partition assignment includes broker 2, but no such broker is registered.',
  ])
  const { topics } = await client.send(listing.ListPartitionReassignments, 0, {})
  assert.deepEqual(topics, [])
  assert.equal((await produce(client, 't', batchOf(['x']))).errorCode, ErrorCode.NONE)
})

test('a single node tells its controller as a quorum of one', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const { topics, nodes } = await client.send(DescribeQuorum, 2, {
    topics: [
      { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] },
      { topicName: 't', partitions: [{ partitionIndex: 0 }] },
    ],
  })
  const [known, unknown] = topics.map((topic) => topic.partitions[0]!)
  assert.deepEqual([known!.errorCode, known!.leaderId, known!.leaderEpoch], [0, 1, 1])
  assert.deepEqual(
    known!.currentVoters.map((voter) => voter.replicaId),
    [1],
  )
  assert.equal(unknown!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  assert.equal(nodes[0]!.listeners[0]!.port, broker.port)
})

test('pages of partitions: a cursor that no answer gave is refused', async () => {
  await using broker = await TestBroker.start({ 'max.request.partition.size.limit': '2' })
  const client = await broker.connect()
  for (const name of ['a', 'b']) await createTopic(client, name, { partitions: 3 })
  const page = async (names: string[], cursor: [string, number] | null) => {
    const response = await client.send(DescribeTopicPartitions, 0, {
      topics: names.map((name) => ({ name })),
      cursor: cursor === null ? null : { topicName: cursor[0], partitionIndex: cursor[1] },
    })
    return {
      found: response.topics.map(
        (topic) =>
          `${topic.name}:${topic.errorCode}:${topic.partitions.map((p) => p.partitionIndex)}`,
      ),
      next: response.nextCursor && [
        response.nextCursor.topicName,
        response.nextCursor.partitionIndex,
      ],
    }
  }
  assert.deepEqual(await page([], null), { found: ['a:0:0,1'], next: ['a', 2] })
  assert.deepEqual(await page([], ['a', 2]), { found: ['a:0:2', 'b:0:0'], next: ['b', 1] })
  assert.deepEqual(await page(['b'], ['b', 1]), { found: ['b:0:1,2'], next: null })
  assert.deepEqual(await page(['b'], ['a', 0]), { found: ['b:42:'], next: null })
  assert.deepEqual(await page(['b'], ['b', -1]), { found: ['b:42:'], next: null })
  assert.deepEqual(await page(['no name!', 'nix'], null), {
    found: ['nix:3:', 'no name!:17:'],
    next: null,
  })
})
