import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ConsumerGroupMemberMetadataRecord,
  ConsumerGroupMetadataRecord,
  GroupMetadataRecord,
  groupRecordCodec,
  OffsetCommitRecord,
} from '../../src/coordinator/group/group-records.ts'
import type { CoordinatorRecord } from '../../src/coordinator/runtime/coordinator-record.ts'
import {
  encodeConsumerAssignment,
  encodeConsumerSubscription,
} from '../../src/protocol/consumer-protocol.ts'
import {
  coordinatorRecordJson,
  UnknownRecordTypeError,
} from '../../src/tools/support/coordinator-json.ts'
import { jsonText } from '../../src/tools/support/message-json.ts'

function shown(record: CoordinatorRecord): string[] {
  const { key, value } = groupRecordCodec.encode(record)
  const json = coordinatorRecordJson('group', key, value)
  const { version, data } = json.value ?? { version: undefined, data: null }
  return [`${json.type}`, jsonText(json.key), `${version}`, jsonText(data)]
}

test('a record has the fields of its version, and tagged ones where they say something', () => {
  const offset = { offset: 7, metadata: 'ü\u0001"', commitTimestamp: 5 }
  const key = { group: 'g', topic: 't', partition: 1 }
  assert.deepEqual(shown(OffsetCommitRecord.of(key, offset)), [
    ...['1', '{"group":"g","topic":"t","partition":1}', '4'],
    '{"offset":7,"leaderEpoch":-1,"metadata":"ü\\u0001\\"","commitTimestamp":5}',
  ])
  assert.match(
    shown(OffsetCommitRecord.of(key, { ...offset, expireTimestamp: 9 }))[3]!,
    /^\{"offset":7,"metadata":".*","commitTimestamp":5,"expireTimestamp":9\}$/,
  )
  const group = { groupId: 'g' }
  assert.equal(shown(ConsumerGroupMetadataRecord.of(group, { epoch: 1 }))[3], '{"epoch":1}')
  // Beyond what a number holds.
  const hash = 9_007_199_254_740_993n
  const hashed = ConsumerGroupMetadataRecord.of(group, { epoch: 1, metadataHash: hash })
  assert.equal(shown(hashed)[3], '{"epoch":1,"metadataHash":9007199254740993}')
  assert.deepEqual(shown(ConsumerGroupMetadataRecord.of(group, null)).slice(2), [
    'undefined',
    'null',
  ])
  const member = {
    ...{ instanceId: null, rackId: null, clientId: 'c', clientHost: '/h' },
    ...{ subscribedTopicNames: [], subscribedTopicRegex: null, serverAssignor: null },
  }
  const memberKey = { groupId: 'g', memberId: 'm' }
  const withNull = ConsumerGroupMemberMetadataRecord.of(memberKey, {
    ...member,
    classicMemberMetadata: null,
  })
  assert.match(shown(withNull)[3]!, /,"classicMemberMetadata":null\}$/)
})

test('what members of a classic group have said is opened, if it can be', () => {
  const subscription = encodeConsumerSubscription({ topics: ['t'] }, 0)
  const assignment = encodeConsumerAssignment({ assignedPartitions: [] }, 0)
  const group = (protocolType: string, bytes: Buffer) =>
    GroupMetadataRecord.of(
      { group: 'g' },
      {
        ...{ protocolType, generation: 1, protocol: null, leader: null },
        members: [
          {
            ...{ memberId: 'm', clientId: 'c', clientHost: '/h', sessionTimeout: 1 },
            ...{ subscription: bytes, assignment },
          },
        ],
      },
    )
  assert.match(
    shown(group('consumer', subscription))[3]!,
    /"subscription":\{"topics":\["t"\],"userData":null\},"assignment":\{"assignedPartitions":\[\]/,
  )
  assert.match(shown(group('connect', subscription))[3]!, /"subscription":"AAAAAAABAAF0\/+/)
  assert.match(shown(group('consumer', Buffer.from([0, 0, 9])))[3]!, /"subscription":"AAAJ"/)
})

test('what cannot be read is said, not guessed', () => {
  const read = (key: number[], value: number[] | null) => () =>
    coordinatorRecordJson('group', Buffer.from(key), value === null ? null : Buffer.from(value))
  assert.throws(read([0, 99], null), UnknownRecordTypeError)
  assert.throws(read([0], null), /^Error: Could not read version from key's buffer\.$/)
  assert.throws(read([0, 3, 0, 9], null), /^Error: Could not read record with version 3 from key's/)
  assert.throws(read([0, 3, 0, 0], [0, 9]), /^Error: Found an unknown record version 9 for 3 type$/)
  assert.throws(read([0, 3, 0, 0], [0, 0, 1]), /version 0 from value's buffer due to: /)
})
