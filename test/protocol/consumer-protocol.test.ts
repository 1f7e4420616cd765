import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../src/common/errors.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  consumerProtocolVersion,
  decodeConsumerAssignment,
  decodeConsumerSubscription,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
} from '../../src/protocol/consumer-protocol.ts'
import { compareStruct, goldenMessages } from './golden.ts'

const KINDS = {
  subscription: {
    fields: ConsumerProtocolSubscription.fields,
    decode: decodeConsumerSubscription,
    encode: encodeConsumerSubscription,
  },
  assignment: {
    fields: ConsumerProtocolAssignment.fields,
    decode: decodeConsumerAssignment,
    encode: encodeConsumerAssignment,
  },
}

type Json = { [name: string]: unknown }
type Encode = (message: unknown, version: number) => Buffer

test('subscriptions and assignments are Kafka’s, in every version', () => {
  const seen = new Set<string>()
  for (const golden of goldenMessages<keyof typeof KINDS>('ConsumerProtocol')) {
    const { kind, version, bytes, json } = golden
    const { fields, decode, encode } = KINDS[kind]
    const message = decode(bytes)
    compareStruct(fields, message as unknown as Json, json, `${kind} ${version}`)
    assert.deepEqual((encode as Encode)(message, version), bytes)
    assert.equal(consumerProtocolVersion(bytes), version)
    seen.add(`${kind} ${version}`)
  }
  assert.equal(seen.size, 8)
})

test('bytes of a newer version are read as far as they are known', () => {
  const topics = ['a', 'b']
  const ownedPartitions = [{ topic: 'a', partitions: [1, 2] }]
  const subscription = { topics, userData: null, ownedPartitions, generationId: 7, rackId: 'r' }
  const newer = Buffer.concat([encodeConsumerSubscription(subscription), Buffer.from([1, 2, 3])])
  newer.writeInt16BE(9)
  assert.deepEqual(decodeConsumerSubscription(newer), subscription)
})

test('what an older version cannot say is left out', () => {
  const assignment = { assignedPartitions: [{ topic: 't', partitions: [3] }] }
  const decoded = decodeConsumerAssignment(encodeConsumerAssignment(assignment, 0))
  assert.deepEqual(decoded, { ...assignment, userData: null })
  const old = encodeConsumerSubscription({ topics: ['t'], generationId: 4, rackId: 'r' }, 0)
  const expected = { topics: ['t'], userData: null, ownedPartitions: [], generationId: -1 }
  assert.deepEqual(decodeConsumerSubscription(old), { ...expected, rackId: null })
})

test('bytes that are nothing of the kind are refused', () => {
  const refused = { name: KafkaError.name, errorName: 'INVALID_REQUEST' }
  for (const hex of ['', '00', 'ffff', '0000', '000000000001', '00007fffffff']) {
    assert.throws(() => decodeConsumerSubscription(Buffer.from(hex, 'hex')), refused, hex)
    assert.throws(() => decodeConsumerAssignment(Buffer.from(hex, 'hex')), refused, hex)
  }
})
