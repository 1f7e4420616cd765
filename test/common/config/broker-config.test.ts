import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BROKER_CONFIG,
  brokerEndpoints,
  checkDynamicUpdate,
  createBrokerConfig,
} from '../../../src/common/config/broker-config.ts'
import { ConfigSource } from '../../../src/common/config/config.ts'
import {
  createTopicConfig,
  TOPIC_CONFIG,
  validateTopicConfig,
} from '../../../src/common/config/topic-config.ts'

const broker = (entries: Record<string, string> = {}) =>
  createBrokerConfig(new Map(Object.entries(entries)))
const endpoints = (entries: Record<string, string>) => brokerEndpoints(broker(entries))

test('every topic default has the type and, unset, the value of the broker key behind it', () => {
  const config = broker()
  const unset = createTopicConfig(config, new Map())
  for (const [name, key] of Object.entries(TOPIC_CONFIG.keys)) {
    if (key.brokerDefault === undefined) continue
    const behind = key.brokerDefault as keyof typeof BROKER_CONFIG.keys
    assert.equal(BROKER_CONFIG.keys[behind]?.type, key.type, name)
    assert.deepEqual(key.default, config.get(behind), name)
    assert.deepEqual(unset.get(name as keyof typeof TOPIC_CONFIG.keys), config.get(behind), name)
  }
})

test('every key says what it is for', () => {
  for (const { keys } of [BROKER_CONFIG, TOPIC_CONFIG]) {
    for (const [name, key] of Object.entries(keys)) assert.match(key.doc, /^[A-Z].{10,}\.$/s, name)
  }
})

test('node.id and broker.id are one setting', () => {
  assert.equal(broker({ 'broker.id': '7' }).get('node.id'), 7)
  assert.equal(broker({ 'node.id': '7' }).get('broker.id'), 7)
  assert.throws(() => broker({ 'node.id': '7', 'broker.id': '8' }), /same value as `broker.id`/)
})

test('log folders: log.dirs before log.dir', () => {
  assert.deepEqual(broker({ 'log.dir': '/a' }).get('log.dirs'), ['/a'])
  assert.deepEqual(broker({ 'log.dir': '/a', 'log.dirs': '/b, /c' }).get('log.dirs'), ['/b', '/c'])
})

test('settings that do not go together are refused', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [
      { 'num.partitions': '-5' },
      /^Invalid value -5 for configuration num.partitions: Value must be at least 1$/,
    ],
    [{ 'log.retention.ms': '0' }, /log.retention.ms must be unlimited/],
    [{ 'log.roll.ms': '0' }, /log.roll.ms must be greater/],
    [{ 'log.cleaner.threads': '200' }, /must be at least 1MB per cleaner thread/],
    [{ 'replica.lag.time.max.ms': '499' }, /replica.fetch.wait.max.ms should always/],
    [{ 'max.connections.per.ip': '0' }, /can be set to zero only if/],
    [{ 'max.connections.per.ip.overrides': '10.0.0.1:many' }, /'many' is not a number/],
  ]
  for (const [entries, message] of refused) assert.throws(() => broker(entries), { message })
})

test('listeners are parsed, with their protocols, IPv6 and shared ports', () => {
  const { listeners, advertised, interBroker } = endpoints({
    listeners: 'clients://[::1]:9092,CLIENTS6://127.0.0.1:9092,plaintext://:0',
    'advertised.listeners': 'CLIENTS://kafka.example.com:443,PLAINTEXT://b1:9093',
    'listener.security.protocol.map': 'CLIENTS:sasl_ssl, CLIENTS6:SSL,PLAINTEXT:PLAINTEXT',
  })
  assert.deepEqual(listeners, [
    { listenerName: 'CLIENTS', securityProtocol: 'SASL_SSL', host: '::1', port: 9092 },
    { listenerName: 'CLIENTS6', securityProtocol: 'SSL', host: '127.0.0.1', port: 9092 },
    { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '', port: 0 },
  ])
  assert.deepEqual(
    advertised.map(({ host, port }) => `${host}:${port}`),
    ['kafka.example.com:443', 'b1:9093'],
  )
  assert.equal(interBroker, 'PLAINTEXT')
})

test("a KRaft controller's listeners are left out: stock files of Kafka 4 work", () => {
  const { listeners, advertised } = endpoints({
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    'controller.listener.names': 'CONTROLLER',
  })
  assert.deepEqual([listeners.length, advertised.length], [1, 1])
})

test('wrong listeners are refused with what is wrong', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ listeners: 'PLAINTEXT:/:9092' }, /Unable to parse PLAINTEXT:\/:9092 to a broker endpoint/],
    [{ listeners: 'PLAINTEXT://:99999' }, /Unable to parse/],
    [{ listeners: 'CLIENTS://:9092' }, /No security protocol defined for listener CLIENTS/],
    [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, /different name/],
    [{ listeners: 'PLAINTEXT://:1,SSL://:1' }, /different port/],
    [{ listeners: 'SSL://:1' }, /inter.broker.listener.name must be a listener name/],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, /nonroutable/],
    [{ 'advertised.listeners': 'PLAINTEXT://a:1,SSL://a:2' }, /subset of the ones defined/],
    [{ 'listener.security.protocol.map': 'PLAINTEXT:TLS' }, /Invalid security protocol `TLS`/],
  ]
  for (const [entries, message] of refused) assert.throws(() => broker(entries), { message })
})

test('a topic is validated as Kafka 4 does', () => {
  const validate = (entries: Record<string, string>) =>
    validateTopicConfig(broker(), new Map(Object.entries(entries)))
  const refused: [Record<string, string>, RegExp][] = [
    [{ 'no.such.key': '1' }, /^Unknown topic config name: no.such.key$/],
    [{ constructor: '1' } as never, /^Unknown topic config name: constructor$/],
    [{ 'segment.bytes': '1000' }, /Value must be at least 1048576$/],
    [{ 'compression.gzip.level': '0' }, /Value must be between 1 and 9 or equal to -1$/],
    [{ 'min.cleanable.dirty.ratio': '2' }, /^Invalid value 2.0 for .* no more than 1$/],
    [{ 'min.compaction.lag.ms': '2', 'max.compaction.lag.ms': '1' }, /\(2\) > .*\(1\)$/],
    [{ 'remote.storage.enable': 'true' }, /Tiered Storage functionality is disabled/],
    [{ 'leader.replication.throttled.replicas': 'a' }, /^Invalid value \[a\] .* literal '\*'/],
  ]
  for (const [entries, message] of refused) assert.throws(() => validate(entries), { message })
  assert.equal(validate({ 'internal.segment.bytes': '100' }).get('segment.bytes'), 100)
  assert.equal(validate({ 'retention.ms': '-1' }).get('retention.ms'), -1)
})

test('only dynamic keys can be changed, and some only broker by broker', () => {
  const check = (name: string, scope: 'per-broker' | 'cluster-wide') =>
    checkDynamicUpdate(new Map([[name, '1']]), scope)
  check('log.retention.ms', 'cluster-wide')
  check('listeners', 'per-broker')
  check('some.plugin.key', 'cluster-wide')
  assert.throws(() => check('log.dirs', 'per-broker'), /dynamically: Set\(log\.dirs\)$/)
  assert.throws(
    () => check('listeners', 'cluster-wide'),
    /broker id must be specified: Set\(listeners\)/,
  )
})

test('a view of some keys shows what they are by now', () => {
  const config = broker()
  const view = config.view({ maxGroupSize: 'group.max.size', retries: 'num.partitions' })
  assert.equal(view.retries, 1)
  config.replace(ConfigSource.DYNAMIC_BROKER_CONFIG, new Map([['num.partitions', '7']]))
  assert.equal(view.retries, 7)
  assert.deepEqual(Object.keys(view), ['maxGroupSize', 'retries'])
})
