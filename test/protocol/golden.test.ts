import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestFrame,
  encodeResponseHeader,
} from '../../src/protocol/header.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { codecOf, compareStruct, encodeToBuffer, goldenMessages, skeleton } from './golden.ts'

type Json = { [name: string]: unknown }

for (const api of APIS) {
  test(`${api.name}: Kafka's bytes decode to Kafka's fields and encode to the same bytes`, () => {
    const seen = new Set<string>()
    for (const golden of goldenMessages<'request' | 'response'>(api.name)) {
      const { kind, version, contents, bytes, json } = golden
      const codec = codecOf(api, kind, version)
      const message = codec.decode(bytes, 0, bytes.length)
      const path = `${api.name} ${kind} ${version}`
      compareStruct(api[kind].fields, message as Json, json, path)
      assert.deepEqual(encodeToBuffer(codec, message), bytes, path)
      if (contents === 'defaults') {
        const least = skeleton(api[kind].fields, version)
        assert.deepEqual(encodeToBuffer(codec, least), bytes, `${path}: defaults`)
      }
      seen.add(`${kind} ${version}`)
    }
    const expected = new Set<string>()
    for (let version = api.versions.min; version <= api.versions.max; version++) {
      expected.add(`request ${version}`).add(`response ${version}`)
    }
    assert.deepEqual(seen, expected, 'every version of both halves has golden bytes, and no other')
  })
}

test('headers are as Kafka writes them', () => {
  for (const { kind, version, bytes, json } of goldenMessages<'request' | 'response'>('Headers')) {
    if (kind === 'request') {
      const header = decodeRequestHeader(bytes, 0, bytes.length)
      assert.equal(header.apiKey, json.requestApiKey)
      assert.equal(header.apiVersion, json.requestApiVersion)
      assert.equal(header.correlationId, json.correlationId)
      assert.equal(header.clientId, json.clientId)
    } else {
      const apiVersion = version === 1 ? Metadata.flexible.min : Metadata.flexible.min - 1
      const writer = new ByteWriter()
      encodeResponseHeader(writer, Metadata, apiVersion, json.correlationId as number)
      assert.deepEqual(Buffer.concat(writer.finish()), bytes)
      const decoded = decodeResponseHeader(bytes, 0, bytes.length, Metadata, apiVersion)
      assert.deepEqual(decoded, { correlationId: json.correlationId, bodyOffset: bytes.length })
    }
  }
})

test('a request frame has its length, Kafka’s header and the body, in this order', () => {
  // The body of Metadata 9 for all topics: null, true, false, false, no tagged fields.
  const body = Buffer.from('000100'.concat('0000'), 'hex')
  for (const golden of goldenMessages<'request' | 'response'>('Headers')) {
    const clientId = golden.json.clientId as string
    if (golden.kind !== 'request' || golden.version !== 2) continue
    const header = { correlationId: golden.json.correlationId as number, clientId }
    const frame = encodeRequestFrame(Metadata, 9, header, { topics: null })
    // Kafka's header with the key and version of this request in place of its random ones.
    const expected = Buffer.from(golden.bytes)
    expected.writeInt16BE(Metadata.key, 0)
    expected.writeInt16BE(9, 2)
    assert.equal(frame.readInt32BE(0), frame.length - 4)
    assert.deepEqual(frame.subarray(4), Buffer.concat([expected, body]))
    const decoded = decodeRequestHeader(frame, 4, frame.length)
    assert.equal(decoded.bodyOffset, 4 + expected.length)
  }
})
