import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBootstrapServers } from '../../../src/clients/cluster/bootstrap-servers.ts'
import { ADMIN_CONFIG } from '../../../src/clients/config/admin-config.ts'
import { readClientConfig } from '../../../src/clients/config/client-config.ts'
import { ConfigError } from '../../../src/common/config/config-value.ts'

const read = (input: object) => readClientConfig(ADMIN_CONFIG, input)

test('keys are given by either name, values as such or as text', () => {
  const kafka = read({ 'bootstrap.servers': 'a:1,b:2', 'request.timeout.ms': '77' })
  const camel = read({
    bootstrapServers: ['a:1', 'b:2'],
    requestTimeoutMs: 77,
    clientId: undefined,
  })
  for (const config of [kafka, camel]) {
    assert.deepEqual(config.get('bootstrap.servers'), ['a:1', 'b:2'])
    assert.equal(config.get('request.timeout.ms'), 77)
    assert.equal(config.get('retry.backoff.ms'), 100)
  }
})

test('what is wrong is named, with what would be right', () => {
  const servers = { bootstrapServers: 'a:1' }
  const wrong: [object, RegExp][] = [
    [{ bootstrapServer: 'a:1' }, /bootstrapServer \(value a:1\). Did you mean bootstrap.servers\?/],
    [
      { ...servers, colour: 'red' },
      /Unknown configuration colour \(value red\). Allowed are .*retr/,
    ],
    [{ ...servers, retries: 'many' }, /Invalid value many for configuration retries: Not a number/],
    [{ ...servers, retries: -1 }, /Invalid value -1 for configuration retries: .* at least 0/],
    [{ ...servers, retries: {} }, /configuration retries: Expected a string/],
    [{ ...servers, 'client.id': 'a', clientId: 'b' }, /client.id is given twice/],
    [{}, /Missing required configuration "bootstrap.servers"/],
    [{ bootstrapServers: '' }, /'bootstrap.servers' must not be empty/],
  ]
  for (const [input, message] of wrong) {
    const refused = (error: unknown) => error instanceof ConfigError && message.test(error.message)
    assert.throws(() => read(input), refused)
  }
})

test('bootstrap servers are hosts and ports', () => {
  const found = parseBootstrapServers(['a.b:9092', '[::1]:9093', 'PLAINTEXT://c:1'])
  assert.deepEqual(found, [
    { host: 'a.b', port: 9092 },
    { host: '::1', port: 9093 },
    { host: 'c', port: 1 },
  ])
  for (const wrong of ['a', 'a:', 'a:0', 'a:65536', ':9092', 'a:b:1', '::1:9092']) {
    assert.throws(() => parseBootstrapServers([wrong]), ConfigError)
  }
})
