import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from '../../../src/common/compression/compression.ts'
import { ErrorCode, errorName } from '../../../src/common/errors.ts'
import { ApiVersions } from '../../../src/protocol/messages/api-versions.ts'
import * as subscriptions from '../../../src/protocol/messages/get-telemetry-subscriptions.ts'
import * as altering from '../../../src/protocol/messages/incremental-alter-configs.ts'
import { PushTelemetry } from '../../../src/protocol/messages/push-telemetry.ts'
import { ZERO_UUID } from '../../../src/protocol/schema.ts'
import { TestBroker } from '../../support/test-broker.ts'
import type { TestClient } from '../../support/test-client.ts'

const ZSTD = 4
const WITH_RECEIVER = { 'metric.reporters': 'client-telemetry-log', 'telemetry.max.bytes': '1000' }

async function subscribe(client: TestClient, name: string, settings: Record<string, string>) {
  const configs = Object.entries(settings).map(([key, value]) => ({
    ...{ name: key, configOperation: 0, value },
  }))
  const { responses } = await client.send(altering.IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 16, resourceName: name, configs }],
    validateOnly: false,
  })
  assert.equal(responses[0]!.errorCode, ErrorCode.NONE)
}

async function push(
  client: TestClient,
  subscription: { clientInstanceId: string; subscriptionId: number },
  metrics: Buffer,
  options: { terminating?: boolean; compressionType?: number } = {},
) {
  const { clientInstanceId, subscriptionId } = subscription
  const { terminating = false, compressionType = 0 } = options
  const request = { clientInstanceId, subscriptionId, terminating, compressionType, metrics }
  return errorName((await client.send(PushTelemetry, 0, request)).errorCode)
}

test('without a receiver telemetry is not offered', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const { apiKeys } = await client.send(ApiVersions, 0, {})
  const keys = apiKeys.map(({ apiKey }) => apiKey)
  assert.deepEqual([keys.includes(71), keys.includes(72)], [false, false])
})

test('a client is asked for what the subscriptions that match it want, and pushes it', async () => {
  await using broker = await TestBroker.start(WITH_RECEIVER)
  broker.broker.services.log.level = 'info'
  const client = await broker.connect()
  const software = { clientSoftwareName: 'librdkafka', clientSoftwareVersion: '2.15' }
  const { apiKeys } = await client.send(ApiVersions, 3, software)
  assert.ok(apiKeys.some(({ apiKey }) => apiKey === 72))
  await subscribe(client, 'a', { metrics: 'org.x,org.y', match: 'client_id=te.*' })
  await subscribe(client, 'b', { metrics: 'org.y,org.z', 'interval.ms': '100' })
  await subscribe(client, 'c', { metrics: '*', match: 'client_software_name=librd' })
  const first = await client.send(subscriptions.GetTelemetrySubscriptions, 0, {
    clientInstanceId: ZERO_UUID,
  })
  assert.notEqual(first.clientInstanceId, ZERO_UUID)
  assert.deepEqual(first.requestedMetrics, ['org.x', 'org.y', 'org.z'])
  assert.equal(first.pushIntervalMs, 100)
  const { clientInstanceId } = first
  const metrics = Buffer.from('metrics')
  assert.equal(
    await push(client, { clientInstanceId, subscriptionId: 1 }, metrics),
    'UNKNOWN_SUBSCRIPTION_ID',
  )
  await subscribe(client, 'c', { match: 'client_software_name=librd.*' })
  const second = await client.send(subscriptions.GetTelemetrySubscriptions, 0, { clientInstanceId })
  assert.equal(second.errorCode, ErrorCode.NONE)
  assert.deepEqual(second.requestedMetrics, ['*'])
  assert.notEqual(second.subscriptionId, first.subscriptionId)
  const zipped = compress('zstd', metrics)
  assert.equal(await push(client, second, zipped, { compressionType: ZSTD }), 'NONE')
  assert.match(broker.logLines.at(-1) ?? '', /Received 7 bytes of metrics from client test/)
  const last = { terminating: true }
  assert.equal(await push(client, second, metrics, last), 'NONE')
  assert.equal(await push(client, second, metrics, last), 'INVALID_REQUEST')
})

test('pushes that come too early, are too large or make no sense are refused', async () => {
  await using broker = await TestBroker.start(WITH_RECEIVER)
  const client = await broker.connect()
  const asked = () =>
    client.send(subscriptions.GetTelemetrySubscriptions, 0, { clientInstanceId: ZERO_UUID })
  const bomb = compress('gzip', Buffer.alloc(100_000))
  assert.ok(bomb.length < 1000)
  const cases: [Buffer, number, string][] = [
    [Buffer.alloc(1001), 0, 'TELEMETRY_TOO_LARGE'],
    [bomb, 1, 'TELEMETRY_TOO_LARGE'],
    [Buffer.from('no gzip'), 1, 'INVALID_RECORD'],
    [Buffer.from('x'), 9, 'UNSUPPORTED_COMPRESSION_TYPE'],
    [Buffer.alloc(0), 0, 'NONE'],
  ]
  for (const [metrics, compressionType, expected] of cases) {
    assert.equal(await push(client, await asked(), metrics, { compressionType }), expected)
  }
  const mine = await asked()
  const tooSoon = await client.send(subscriptions.GetTelemetrySubscriptions, 0, mine)
  assert.equal(tooSoon.errorCode, ErrorCode.THROTTLING_QUOTA_EXCEEDED)
  assert.equal(await push(client, mine, Buffer.from('x')), 'NONE')
  assert.equal(await push(client, mine, Buffer.from('x')), 'THROTTLING_QUOTA_EXCEEDED')
  const nobody = { ...mine, clientInstanceId: ZERO_UUID }
  assert.equal(await push(client, nobody, Buffer.from('x')), 'INVALID_REQUEST')
})
