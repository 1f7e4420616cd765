import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, errorName } from '../../src/common/errors.ts'
import { AlterConfigs } from '../../src/protocol/messages/alter-configs.ts'
import { DescribeConfigs } from '../../src/protocol/messages/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { ListConfigResources } from '../../src/protocol/messages/list-config-resources.ts'
import { batchOf, createTopic, produce } from '../support/requests.ts'
import { TestBroker } from '../support/test-broker.ts'
import type { TestClient } from '../support/test-client.ts'

const TOPIC = 2
const BROKER = 4
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]

async function describe(client: TestClient, resourceType: number, resourceName: string) {
  const { results } = await client.send(DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: null }],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  const { errorCode, configs } = results[0]!
  assert.equal(errorCode, ErrorCode.NONE)
  return (name: string) => configs.find((config) => config.name === name)!
}

async function change(
  client: TestClient,
  resource: [number, string],
  configs: [string, number, string | null][],
  validateOnly = false,
) {
  const [resourceType, resourceName] = resource
  const { responses } = await client.send(IncrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType,
        resourceName,
        configs: configs.map(([name, configOperation, value]) => ({
          name,
          configOperation,
          value,
        })),
      },
    ],
    validateOnly,
  })
  const { errorCode, errorMessage } = responses[0]!
  return [errorName(errorCode), errorMessage] as const
}

test('a topic’s settings are described with where they come from', async () => {
  await using broker = await TestBroker.start({ 'log.retention.hours': '2' })
  const client = await broker.connect()
  await createTopic(client, 't', { configs: { 'segment.bytes': '2097152' } })
  const config = await describe(client, TOPIC, 't')
  const segment = config('segment.bytes')
  assert.deepEqual([segment.value, segment.configSource], ['2097152', 1])
  assert.match(segment.documentation ?? '', /\w/)
  const retention = config('retention.ms')
  // As Kafka has it: a value that comes from a synonym's synonym counts as a default.
  assert.deepEqual([retention.value, retention.configSource], ['7200000', 5])
  const flush = config('flush.messages')
  assert.deepEqual([flush.value, flush.configSource], ['9223372036854775807', 5])
})

test('changed settings take effect at once and outlive a restart', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const large = batchOf(['x'.repeat(2000)])
  assert.equal((await produce(client, 't', large)).errorCode, ErrorCode.NONE)
  assert.deepEqual(await change(client, [TOPIC, 't'], [['max.message.bytes', SET, '1000']]), [
    'NONE',
    null,
  ])
  assert.equal((await produce(client, 't', large)).errorCode, ErrorCode.MESSAGE_TOO_LARGE)
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  assert.equal((await produce(again, 't', large)).errorCode, ErrorCode.MESSAGE_TOO_LARGE)
  await change(again, [TOPIC, 't'], [['max.message.bytes', DELETE, null]])
  assert.equal((await produce(again, 't', large)).errorCode, ErrorCode.NONE)
})

test('a broker default changed while running moves the topics that follow it', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 'follows')
  await createTopic(client, 'own', { configs: { 'max.message.bytes': '500000' } })
  const large = batchOf(['x'.repeat(2000)])
  const outcome = await change(client, [BROKER, ''], [['message.max.bytes', SET, '1000']])
  assert.deepEqual(outcome, ['NONE', null])
  assert.equal((await produce(client, 'follows', large)).errorCode, ErrorCode.MESSAGE_TOO_LARGE)
  assert.equal((await produce(client, 'own', large)).errorCode, ErrorCode.NONE)
  const value = (await describe(client, BROKER, '1'))('message.max.bytes')
  assert.deepEqual([value.value, value.configSource, value.readOnly], ['1000', 3, false])
})

test('lists can be added to and taken from', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const policy = async () => (await describe(client, TOPIC, 't'))('cleanup.policy').value
  await change(client, [TOPIC, 't'], [['cleanup.policy', APPEND, 'compact']])
  assert.equal(await policy(), 'delete,compact')
  await change(client, [TOPIC, 't'], [['cleanup.policy', SUBTRACT, 'delete']])
  assert.equal(await policy(), 'compact')
})

test('changes that make no sense are refused as a whole', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't')
  const cases: [[number, string], [string, number, string | null][], string, RegExp][] = [
    [[TOPIC, 'x'], [], 'UNKNOWN_TOPIC_OR_PARTITION', /./],
    [[TOPIC, 't'], [['no.such', SET, '1']], 'INVALID_CONFIG', /no\.such/],
    [[TOPIC, 't'], [['retention.ms', SET, 'soon']], 'INVALID_CONFIG', /retention\.ms/],
    [[TOPIC, 't'], [['retention.ms', APPEND, '1']], 'INVALID_CONFIG', /not LIST/],
    [[TOPIC, 't'], [['retention.ms', SET, null]], 'INVALID_REQUEST', /Null value/],
    [[TOPIC, 't'], [['retention.ms', 9, '1']], 'INVALID_REQUEST', /Unknown operation/],
    [
      [TOPIC, 't'],
      [
        ['retention.ms', SET, '1'],
        ['retention.ms', SET, '2'],
      ],
      'INVALID_REQUEST',
      /duplicate config keys/,
    ],
    [
      [BROKER, '1'],
      [['log.dirs', SET, '/x']],
      'INVALID_REQUEST',
      /^Cannot update these configs dynamically: Set\(log\.dirs\)$/,
    ],
    [[BROKER, '7'], [], 'INVALID_REQUEST', /expected 1/],
    [[99, 'x'], [], 'INVALID_REQUEST', /Unknown resource type 99/],
  ]
  for (const [resource, changes, expected, message] of cases) {
    const [name, text] = await change(client, resource, changes)
    assert.equal(name, expected, JSON.stringify([resource, changes]))
    assert.match(text ?? '', message)
  }
  assert.deepEqual(await change(client, [TOPIC, 't'], [['retention.ms', SET, '5']], true), [
    'NONE',
    null,
  ])
  const untouched = (await describe(client, TOPIC, 't'))('retention.ms')
  assert.deepEqual([untouched.value, untouched.configSource], ['604800000', 5])
})

test('AlterConfigs replaces everything that was set', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  await createTopic(client, 't', { configs: { 'retention.ms': '5', 'segment.ms': '7000' } })
  const { responses } = await client.send(AlterConfigs, 2, {
    resources: [
      { resourceType: TOPIC, resourceName: 't', configs: [{ name: 'segment.ms', value: '9000' }] },
    ],
    validateOnly: false,
  })
  assert.equal(responses[0]!.errorCode, ErrorCode.NONE)
  const config = await describe(client, TOPIC, 't')
  assert.equal(config('segment.ms').value, '9000')
  assert.equal(config('retention.ms').value, '604800000')
})

test('groups and subscriptions exist by their settings, within the broker’s limits', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const [METRICS, GROUP] = [16, 32]
  const listed = async () => {
    const { configResources } = await client.send(ListConfigResources, 1, {
      resourceTypes: [METRICS, GROUP],
    })
    return configResources.map((resource) => resource.resourceName)
  }
  const session = 'consumer.session.timeout.ms'
  const reset = 'share.auto.offset.reset'
  assert.deepEqual(await listed(), [])
  const refused: [[number, string], string, string, string, RegExp][] = [
    [[GROUP, 'g'], session, '5', 'INVALID_CONFIG', /equal to group\.consumer\.min\.session/],
    [[GROUP, 'g'], 'share.record.lock.duration.ms', '60001', 'INVALID_CONFIG', /max\.record/],
    [[GROUP, 'g'], reset, 'by_duration:P', 'INVALID_CONFIG', /must be either 'earliest'/],
    [[GROUP, 'g'], 'nix', '1', 'INVALID_CONFIG', /^Unknown group config name: nix$/],
    [[GROUP, ''], session, '50000', 'INVALID_REQUEST', /empty/],
    [[METRICS, 'm'], 'interval.ms', '99', 'INVALID_REQUEST', /between 100 and 3600000/],
    [[METRICS, 'm'], 'match', 'client_id=[', 'INVALID_CONFIG', /^Illegal client matching/],
  ]
  for (const [resource, key, value, expected, text] of refused) {
    const [name, message] = await change(client, resource, [[key, SET, value]])
    assert.equal(name, expected, key)
    assert.match(message ?? '', text)
  }
  assert.deepEqual(await listed(), [])
  await change(client, [GROUP, 'a/b'], [[session, SET, '50000']])
  await change(client, [GROUP, 'a/b'], [[reset, SET, 'by_duration:PT1H30M0.5S']])
  await change(client, [METRICS, 'm'], [['match', SET, 'client_id=x.*']])
  await broker.close()
  await broker.open()
  const again = await broker.connect()
  const config = await describe(again, GROUP, 'a/b')
  assert.deepEqual([config(session).value, config(session).configSource], ['50000', 8])
  assert.equal(broker.broker.services.configs.groups.get('a/b').get(session), 50_000)
  const { configResources } = await again.send(ListConfigResources, 0, {})
  assert.deepEqual(
    configResources.map((resource) => resource.resourceName),
    ['m'],
  )
  await change(again, [METRICS, 'm'], [['match', DELETE, null]])
  assert.deepEqual((await again.send(ListConfigResources, 0, {})).configResources, [])
})

test('the level of the broker’s log can be changed', async () => {
  await using broker = await TestBroker.start()
  const client = await broker.connect()
  const LOGGER = 8
  assert.equal((await describe(client, LOGGER, '1'))('root').value, 'WARN')
  broker.broker.services.log.info('before')
  await change(client, [LOGGER, '1'], [['root', SET, 'INFO']])
  broker.broker.services.log.info('after')
  assert.deepEqual(
    broker.logLines.map((line) => line.split(' ').at(-1)),
    ['after'],
  )
  const refused = await change(client, [LOGGER, '1'], [['root', DELETE, null]])
  assert.equal(refused[0], 'INVALID_REQUEST')
  assert.match(refused[1] ?? '', /Removing the log level of the root logger/)
})
