/**
 * Decoders and what no honest peer sends. They may give a message or refuse with INVALID_REQUEST;
 * anything else would take the broker down or read another client's bytes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KafkaError } from '../../src/common/errors.ts'
import { decodeRequestHeader } from '../../src/protocol/header.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { codecOf, goldenMessages } from './golden.ts'

function refusal(run: () => unknown): KafkaError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    assert.ok(error instanceof KafkaError, `not a KafkaError: ${error}`)
    assert.equal(error.errorName, 'INVALID_REQUEST')
    return error
  }
}

test('a message cut short at any byte is refused, though the bytes beyond are still there', () => {
  for (const api of APIS) {
    for (const { kind, version, bytes } of goldenMessages<'request' | 'response'>(api.name)) {
      const codec = codecOf(api, kind, version)
      const step = Math.ceil(bytes.length / 100)
      for (let end = 0; end < bytes.length; end += step) {
        const error = refusal(() => codec.decode(bytes, 0, end))
        assert.ok(error !== undefined, `${api.name} ${kind} ${version} decoded from ${end} bytes`)
      }
    }
  }
})

test('messages with bytes changed at random decode or are refused', () => {
  const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) })
  const changes = fc.array(change, { minLength: 1, maxLength: 4 })
  for (const api of APIS) {
    for (const { kind, version, bytes } of goldenMessages<'request' | 'response'>(api.name)) {
      if (bytes.length === 0) continue
      const codec = codecOf(api, kind, version)
      const property = fc.property(changes, (list) => {
        const changed = Buffer.from(bytes)
        for (const { at, value } of list) changed[at % changed.length] = value
        refusal(() => codec.decode(changed, 0, changed.length))
      })
      fc.assert(property, { numRuns: 30 })
    }
  }
})

test('random bytes decode or are refused, as headers and as every message', () => {
  const noise = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array))
  const property = fc.property(noise, (bytes) => {
    refusal(() => decodeRequestHeader(bytes, 0, bytes.length))
    for (const api of APIS) {
      const version = api.versions.max
      refusal(() => codecOf(api, 'request', version).decode(bytes, 0, bytes.length))
      refusal(() => codecOf(api, 'response', version).decode(bytes, 0, bytes.length))
    }
  })
  fc.assert(property, { numRuns: 200 })
})

test('the header of an unknown API or version still says which it is', () => {
  const unknownApi = Buffer.from('7fff0003000000070001ff', 'hex')
  assert.deepEqual(decodeRequestHeader(Buffer.from('7fff000300000007ffff', 'hex'), 0, 10), {
    apiKey: 0x7fff,
    apiVersion: 3,
    correlationId: 7,
    clientId: null,
    bodyOffset: 10,
  })
  assert.equal(decodeRequestHeader(unknownApi, 0, unknownApi.length).apiKey, 0x7fff)
  const newApiVersions = Buffer.from('00120063000000080001' + '61' + '00', 'hex')
  const header = decodeRequestHeader(newApiVersions, 0, newApiVersions.length)
  assert.equal(header.apiVersion, 0x63)
  assert.equal(header.clientId, 'a')
  assert.equal(header.bodyOffset, newApiVersions.length)
})
