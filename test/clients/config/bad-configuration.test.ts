/** What each client says to a configuration that it cannot take: key, value, what is allowed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN_CONFIG } from '../../../src/clients/config/admin-config.ts'
import { camelCase } from '../../../src/clients/config/client-config.ts'
import { CONSUMER_CONFIG } from '../../../src/clients/config/consumer-config.ts'
import { PRODUCER_CONFIG } from '../../../src/clients/config/producer-config.ts'
import { SHARE_CONSUMER_CONFIG } from '../../../src/clients/config/share-consumer-config.ts'
import {
  Admin,
  ConfigError,
  Consumer,
  Producer,
  ShareConsumer,
} from '../../../src/clients/index.ts'
import type { ConfigKey } from '../../../src/common/config/config-definition.ts'

interface Kind {
  readonly keys: Readonly<Record<string, ConfigKey<unknown>>>
  readonly open: (config: object) => unknown
}

/** Each kind of client, with the least that it must be told. */
const KINDS: Readonly<Record<string, Kind>> = {
  producer: { keys: PRODUCER_CONFIG.keys, open: (config) => new Producer(config) },
  consumer: { keys: CONSUMER_CONFIG.keys, open: (config) => new Consumer(config) },
  'share consumer': {
    keys: SHARE_CONSUMER_CONFIG.keys,
    open: (config) => {
      const group = 'group.id' in config ? {} : { groupId: 'g' }
      return new ShareConsumer({ ...group, ...config })
    },
  },
  admin: { keys: ADMIN_CONFIG.keys, open: (config) => new Admin(config) },
}

/** What is refused, whatever the key, and how that is put. */
const WRONG: Readonly<Record<string, readonly (readonly [value: unknown, reason: RegExp])[]>> = {
  BOOLEAN: [
    ['yes', /Expected value to be either true or false$/],
    [1, /Expected value to be either true or false$/],
  ],
  INT: [
    ['many', /Not a number of type INT$/],
    [1.5, /Not a number of type INT, which is a whole number from -2147483648 to 2147483647$/],
    [1e12, /Not a number of type INT, which is a whole number/],
    [Number.POSITIVE_INFINITY, /Not a number of type INT, which is a whole number/],
    [true, /Not a number of type INT$/],
  ],
  LONG: [
    ['soon', /Not a number of type LONG$/],
    [Number.NaN, /Not a number of type LONG, which is a whole number; Infinity/],
  ],
  STRING: [],
  LIST: [],
}

const refusal = (open: () => unknown): string => {
  try {
    open()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.errorName, 'INVALID_CONFIG')
    return error.message
  }
  return assert.fail('nothing was refused')
}

for (const [name, { keys, open }] of Object.entries(KINDS)) {
  const config = (more: object) => () => open({ bootstrapServers: 'a:1', ...more })

  test(`a ${name} names each key with a wrong value, by either spelling`, () => {
    for (const [key, { type }] of Object.entries(keys)) {
      const servers = key === 'bootstrap.servers' ? {} : { bootstrapServers: 'a:1' }
      const wrong = [...WRONG[type]!, [{}, /Expected a string, a number, a boolean or a list/]]
      for (const [value, reason] of wrong as [unknown, RegExp][]) {
        for (const spelling of new Set([key, camelCase(key)])) {
          const message = refusal(() => open({ ...servers, [spelling]: value }))
          const shown = typeof value === 'object' ? 'an object' : value
          assert.ok(
            message.startsWith(`Invalid value ${shown} for configuration ${key}: `),
            message,
          )
          assert.match(message, reason)
        }
      }
    }
  })

  test(`a ${name} says what it is that it does not know`, () => {
    const near = refusal(config({ 'client.ids': 'x' }))
    assert.equal(near, 'Unknown configuration client.ids (value x). Did you mean client.id?')
    const far = refusal(config({ colour: 'red' }))
    assert.ok(far.startsWith('Unknown configuration colour (value red). Allowed are '), far)
    for (const key of Object.keys(keys)) assert.ok(far.includes(key), key)
    const secret = refusal(config({ 'ssl.keystore.password': 'hunter2' }))
    assert.match(secret, /^Unknown configuration ssl.keystore.password \(value \[hidden\]\)/)
    const twice = refusal(config({ 'client.id': 'a', clientId: 'a' }))
    assert.equal(twice, 'Configuration client.id is given twice')
  })

  test(`a ${name} wants to know where the brokers are`, () => {
    const missing = refusal(() => open({}))
    assert.match(missing, /Missing required configuration "bootstrap.servers"/)
    const wrong = refusal(config({ bootstrapServers: 'a' }))
    assert.equal(
      wrong,
      'Invalid value a for configuration bootstrap.servers: ' +
        'Expected host:port, with a port from 1 to 65535',
    )
  })
}

const SINGLE: readonly (readonly [kind: string, config: object, message: RegExp])[] = [
  ['producer', { acks: 2 }, /Invalid value 2 for configuration acks: .*all, -1, 0, 1/],
  ['producer', { compressionType: 'zip' }, /zip for configuration compression.type: .*zstd/],
  ['producer', { batchSize: -1 }, /-1 for configuration batch.size: .*at least 0/],
  ['producer', { 'compression.gzip.level': 10 }, /10 for configuration .*no more than 9/],
  ['producer', { deliveryTimeoutMs: 7 }, /delivery.timeout.ms .*linger.ms \+ request.timeout.ms/],
  ['producer', { acks: 1 }, /Must set acks to all .* not to 1. Otherwise set enable.idempotence/],
  ['producer', { keySerializer: 'S' }, /S for configuration keySerializer: Expected a function/],
  ['producer', { interceptors: {} }, /an object for configuration interceptors: Expected a list/],
  ['producer', { partitioner: () => 0 }, /a function for configuration partitioner: .*an object/],
  ['consumer', { autoOffsetReset: 'begin' }, /begin for configuration auto.offset.reset: .*latest/],
  ['consumer', { 'isolation.level': 'all' }, /all for configuration isolation.level: .*committed/],
  ['consumer', { groupProtocol: 'new' }, /new for configuration group.protocol: .*CLASSIC/i],
  ['consumer', { maxPollRecords: 0 }, /0 for configuration max.poll.records: .*at least 1/],
  ['consumer', { enableAutoCommit: true }, /enable.auto.commit cannot be .* without a group.id/],
  ['consumer', { heartbeatIntervalMs: 50_000 }, /heartbeat.interval.ms .* session.timeout.ms/],
  ['consumer', { valueDeserializer: 1 }, /1 for configuration valueDeserializer: .*a function/],
  ['share consumer', { groupId: '' }, /'group.id' must not be empty/],
  ['share consumer', { groupId: undefined }, /must provide a valid group.id/],
  ['share consumer', { isolationLevel: 'x' }, /isolation.level cannot be set .*share group/],
  ['share consumer', { shareAcquireMode: 'one' }, /one for .*share.acquire.mode: .*record_limit/],
  ['share consumer', { valueDeserializer: {} }, /valueDeserializer: Expected a function/],
  ['admin', { acks: 1 }, /Unknown configuration acks \(value 1\)/],
]

test('what does not go together, or is of one client only, is said as well', () => {
  for (const [kind, config, message] of SINGLE) {
    const said = refusal(() => KINDS[kind]!.open({ bootstrapServers: 'a:1', ...config }))
    assert.match(said, message)
  }
})
