/** What several tests of `samsa/testing` need. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { encodeConsumerSubscription } from '../../src/protocol/consumer-protocol.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/messages/consumer-group-heartbeat.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { JoinGroup } from '../../src/protocol/messages/join-group.ts'
import { ShareGroupHeartbeat } from '../../src/protocol/messages/share-group-heartbeat.ts'
import { SyncGroup } from '../../src/protocol/messages/sync-group.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/index.ts'
import { TestClient } from '../support/test-client.ts'

/** A cluster with a topic `t`, unless the options say otherwise, for one test. */
export async function startCluster(
  t: TestContext,
  options: TestClusterOptions = {},
): Promise<TestCluster> {
  const kafka = await TestCluster.start({ topics: { t: {} }, ...options })
  t.after(() => kafka.stop())
  return kafka
}

/** A connection to the first broker of a cluster, for one test. */
export async function connect(t: TestContext, kafka: TestCluster): Promise<TestClient> {
  const client = await TestClient.connect(Number(kafka.bootstrapServers.split(':')[1]))
  t.after(() => client.close())
  return client
}

/** Has the coordinator of a group made ready, as every member does first. */
async function findCoordinator(client: TestClient, groupId: string): Promise<void> {
  const { errorCode } = await client.send(FindCoordinator, 3, { key: groupId, keyType: 0 })
  assert.equal(errorCode, 0)
}

/** Joins a classic group as its only member. */
export async function joinClassic(client: TestClient, groupId: string): Promise<string> {
  const metadata = Buffer.from(encodeConsumerSubscription({ topics: ['t'] }))
  const join = (memberId: string) =>
    client.send(JoinGroup, 5, {
      ...{ groupId, memberId, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 },
      ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata }] },
    })
  await findCoordinator(client, groupId)
  const { memberId } = await join('')
  const { generationId, errorCode } = await join(memberId)
  assert.equal(errorCode, 0)
  const assignments = [{ memberId, assignment: Buffer.alloc(0) }]
  await client.send(SyncGroup, 3, { groupId, generationId, memberId, assignments })
  return memberId
}

/** Joins a group of the consumer protocol (KIP-848). */
export async function joinConsumer(client: TestClient, groupId: string): Promise<void> {
  await findCoordinator(client, groupId)
  const { errorCode } = await client.send(ConsumerGroupHeartbeat, 1, {
    ...{ groupId, memberId: `member-of-${groupId}`, memberEpoch: 0, rebalanceTimeoutMs: 30_000 },
    ...{ subscribedTopicNames: ['t'], topicPartitions: [] },
  })
  assert.equal(errorCode, 0)
}

/** Joins a share group (KIP-932). */
export async function joinShare(client: TestClient, groupId: string): Promise<void> {
  await findCoordinator(client, groupId)
  const { errorCode } = await client.send(ShareGroupHeartbeat, 1, {
    ...{ groupId, memberId: `member-of-${groupId}`, memberEpoch: 0 },
    subscribedTopicNames: ['t'],
  })
  assert.equal(errorCode, 0)
}

/** The values of a topic. */
export async function valuesOf(kafka: TestCluster, topic = 't'): Promise<(string | null)[]> {
  return (await kafka.readTopic(topic)).map(({ value }) => value)
}
