/** The records of all coordinators: Kafka's bytes, random values, and bytes from elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KafkaError } from '../../src/common/errors.ts'
import {
  GROUP_RECORDS,
  groupRecordCodec,
  OffsetCommitRecord,
} from '../../src/coordinator/group/group-records.ts'
import type { CoordinatorRecordCodec } from '../../src/coordinator/runtime/coordinator-record.ts'
import {
  ShareSnapshotRecord,
  ShareUpdateRecord,
  shareRecordCodec,
} from '../../src/coordinator/share/share-records.ts'
import {
  TransactionLogRecord,
  transactionRecordCodec,
} from '../../src/coordinator/transaction/transaction-records.ts'
import { schemaCodec } from '../../src/protocol/compile.ts'
import { structOf } from '../protocol/arbitraries.ts'
import { compareStruct, encodeToBuffer, goldenMessages, skeleton } from '../protocol/golden.ts'

type AnyDefinition = ConstructorParameters<typeof CoordinatorRecordCodec>[0][number]
type Json = { [name: string]: unknown }

const TOPICS = [
  { folder: 'group', definitions: GROUP_RECORDS, codec: groupRecordCodec },
  { folder: 'transaction', definitions: [TransactionLogRecord], codec: transactionRecordCodec },
  {
    folder: 'share',
    definitions: [ShareSnapshotRecord, ShareUpdateRecord],
    codec: shareRecordCodec,
  },
]

const everyType = TOPICS.flatMap(({ definitions, ...topic }) =>
  definitions.map((definition: AnyDefinition) => ({ ...topic, definition })),
)

/** A part of a record as it is on disk, in a version of our choice. */
function withPrefix(
  part: AnyDefinition['key'],
  version: number,
  prefix: number,
  message: unknown,
): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(prefix)
  return Buffer.concat([bytes, encodeToBuffer(schemaCodec(part, version) as never, message)])
}

for (const { folder, definition, codec } of everyType) {
  const { name, type, key, value, writeVersion } = definition

  test(`${name} records are Kafka's`, () => {
    const goldens = goldenMessages<'key' | 'value'>(`${folder}/${name}`)
    const seen = new Set<number>()
    const someKey = goldens.find(({ kind }) => kind === 'key')!.bytes
    for (const { kind, version, contents, bytes, json } of goldens) {
      const path = `${name} ${kind} ${version}`
      const record = kind === 'key' ? codec.decode(bytes, null) : codec.decode(someKey, bytes)
      assert.ok(record !== undefined && record.definition === definition, path)
      const message = kind === 'key' ? record.key : record.value
      compareStruct(definition[kind].fields, message as Json, json, path)
      const prefix = kind === 'key' ? type : version
      assert.deepEqual(withPrefix(definition[kind], version, prefix, message), bytes, path)
      if (contents === 'defaults') {
        const least = skeleton(definition[kind].fields, version)
        assert.deepEqual(withPrefix(definition[kind], version, prefix, least), bytes, path)
      }
      if (kind === 'key') assert.deepEqual(codec.encode(record), { key: bytes, value: null })
      else if (version === writeVersion(record.value as never))
        assert.deepEqual(codec.encode(record).value, bytes)
      if (kind === 'value') seen.add(version)
    }
    const { min, max } = value.versions
    assert.deepEqual(
      [...seen],
      Array.from({ length: max - min + 1 }, (_, i) => min + i),
    )
  })

  test(`${name} records survive writing and reading`, () => {
    const record = fc.record({
      key: structOf(key.fields, 0),
      value: structOf(value.fields, writeVersion({})),
    })
    const property = fc.property(record, (parts) => {
      const written = codec.encode(definition.of(parts.key, parts.value))
      const read = codec.decode(written.key, written.value)
      assert.deepEqual({ ...read }, { definition, ...parts })
    })
    fc.assert(property, { numRuns: 30 })
  })
}

test('types are numbered as in Kafka, each once', () => {
  const numbers = TOPICS.map(({ definitions }) => definitions.map(({ type }) => type))
  // 9 was a share group's topics before Kafka 4.1.
  assert.deepEqual(numbers, [[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16], [0], [0, 1]])
})

test('values are written in the versions of Kafka 4.2', () => {
  const written = everyType.map(({ definition }) => [definition.name, definition.writeVersion({})])
  const others = written.filter(([, version]) => version !== 0)
  const expected = { OffsetCommit: 4, GroupMetadata: 3, TransactionLog: 1 }
  assert.deepEqual(Object.fromEntries(others), expected)
  // An offset with a time to expire at is in the one version that has room for it.
  const key = { group: 'g', topic: 't', partition: 0 }
  const value = { offset: 5, metadata: '', commitTimestamp: 1000, expireTimestamp: 2000 }
  const bytes = groupRecordCodec.encode(OffsetCommitRecord.of(key, value))
  const record = groupRecordCodec.decode(bytes.key, bytes.value)!
  assert.ok(OffsetCommitRecord.is(record))
  assert.equal(bytes.value!.readInt16BE(0), 1)
  assert.equal(record.value!.expireTimestamp, 2000)
})

test('what is cut short is refused, and what is newer passed over', () => {
  for (const { folder, definition, codec } of everyType) {
    const goldens = goldenMessages<'key' | 'value'>(`${folder}/${definition.name}`)
    const key = goldens.find(({ kind }) => kind === 'key')!.bytes
    for (const { kind, bytes } of goldens) {
      const cut = bytes.subarray(0, bytes.length - 1)
      const decode = () => (kind === 'key' ? codec.decode(cut, null) : codec.decode(key, cut))
      assert.throws(decode, KafkaError)
    }
    const newer = Buffer.from([0, definition.value.versions.max + 1, 0, 0, 0, 0])
    assert.equal(codec.decode(key, newer), undefined)
  }
  assert.equal(groupRecordCodec.decode(Buffer.from([0, 17, 0, 0]), null), undefined)
})
