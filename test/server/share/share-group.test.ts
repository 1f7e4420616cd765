/** Share groups as a client sees them: heartbeats, fetches, acknowledgements, offsets. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../src/common/errors.ts'
import { AlterConfigs } from '../../../src/protocol/messages/alter-configs.ts'
import { DeleteGroups } from '../../../src/protocol/messages/delete-groups.ts'
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts'
import { ListGroups } from '../../../src/protocol/messages/list-groups.ts'
import { BatchIterator } from '../../../src/protocol/records/batch-iterator.ts'
import { readRecords } from '../../../src/protocol/records/record-reader.ts'
import {
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
  DescribeShareGroupOffsets,
  ShareAcknowledge,
  ShareFetch,
  ShareGroupDescribe,
  ShareGroupHeartbeat,
} from '../../../src/protocol/share-group-messages.ts'
import { batchOf, createTopic, produce } from '../../support/requests.ts'
import { TestBroker } from '../../support/test-broker.ts'
import type { TestClient } from '../../support/test-client.ts'

const GROUP = 'shared'

interface Row {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

const row = (firstOffset: number, lastOffset: number, ...acknowledgeTypes: number[]): Row => ({
  ...{ firstOffset, lastOffset, acknowledgeTypes },
})

/** A member of the group, on a connection of its own. */
class Member {
  readonly client: TestClient
  readonly memberId: string
  readonly #topicId: string
  #epoch = 0
  #sessionEpoch = 0

  constructor(client: TestClient, number: number, topicId: string) {
    this.client = client
    this.memberId = Buffer.alloc(16, number).toString('base64url')
    this.#topicId = topicId
  }

  async heartbeat(memberEpoch = this.#epoch) {
    const response = await this.client.send(ShareGroupHeartbeat, 1, {
      ...{ groupId: GROUP, memberId: this.memberId, memberEpoch },
      subscribedTopicNames: memberEpoch === 0 ? ['t'] : null,
    })
    if (response.errorCode === ErrorCode.NONE) this.#epoch = response.memberEpoch
    return response
  }

  /** Fetches, with acknowledgements of earlier records. */
  async fetch(options: { rows?: readonly Row[]; maxWaitMs?: number; maxRecords?: number } = {}) {
    const { rows = [], maxWaitMs = 0, maxRecords = 100 } = options
    const response = await this.client.send(ShareFetch, 2, {
      ...{ groupId: GROUP, memberId: this.memberId, shareSessionEpoch: this.#sessionEpoch++ },
      ...{ maxWaitMs, minBytes: 1, maxRecords, batchSize: maxRecords, shareAcquireMode: 1 },
      topics: [
        {
          topicId: this.#topicId,
          partitions: [{ partitionIndex: 0, acknowledgementBatches: rows }],
        },
      ],
      forgottenTopicsData: [],
    })
    assert.equal(response.errorCode, ErrorCode.NONE)
    const partition = response.responses[0]?.partitions[0]
    const offsets = (partition?.acquiredRecords ?? []).flatMap(({ firstOffset, lastOffset }) =>
      Array.from({ length: lastOffset - firstOffset + 1 }, (_, i) => firstOffset + i),
    )
    const records = partition?.records ?? Buffer.alloc(0)
    const batches = new BatchIterator(records)
    const values: { offset: number; value: Buffer | null }[] = []
    while (batches.next()) values.push(...readRecords(records, batches.position))
    return {
      ...{ offsets, partition },
      values: values
        .filter(({ offset }) => offsets.includes(offset))
        .map(({ value }) => String(value)),
      deliveryCounts: (partition?.acquiredRecords ?? []).map((each) => each.deliveryCount),
    }
  }

  async acknowledge(...rows: Row[]) {
    return await this.#acknowledge(this.#sessionEpoch++, rows)
  }

  async closeSession(...rows: Row[]) {
    return await this.#acknowledge(-1, rows)
  }

  async #acknowledge(shareSessionEpoch: number, rows: readonly Row[]) {
    const { errorCode, responses } = await this.client.send(ShareAcknowledge, 2, {
      ...{ groupId: GROUP, memberId: this.memberId, shareSessionEpoch, isRenewAck: false },
      topics:
        rows.length === 0
          ? []
          : [
              {
                topicId: this.#topicId,
                partitions: [{ partitionIndex: 0, acknowledgementBatches: rows }],
              },
            ],
    })
    return errorCode === ErrorCode.NONE ? responses[0]?.partitions[0]?.errorCode : errorCode
  }
}

async function start(records: readonly string[], settings: Record<string, string> = {}) {
  const broker = await TestBroker.start(settings)
  const client = await broker.connect()
  const topicId = await createTopic(client, 't')
  const set = await client.send(AlterConfigs, 2, {
    resources: [
      {
        ...{ resourceType: 32, resourceName: GROUP },
        configs: [{ name: 'share.auto.offset.reset', value: 'earliest' }],
      },
    ],
    validateOnly: false,
  })
  assert.equal(set.responses[0]!.errorCode, ErrorCode.NONE, set.responses[0]!.errorMessage ?? '')
  if (records.length > 0) await produce(client, 't', batchOf([...records]))
  await client.send(FindCoordinator, 4, { coordinatorKeys: [GROUP] })
  const join = async (number: number) => {
    const member = new Member(await broker.connect(), number, topicId)
    const { errorCode, assignment } = await member.heartbeat(0)
    assert.equal(errorCode, ErrorCode.NONE)
    assert.deepEqual(assignment?.topicPartitions, [{ topicId, partitions: [0] }])
    return member
  }
  return { broker, client, topicId, join }
}

async function offsetsOf(client: TestClient) {
  const { groups } = await client.send(DescribeShareGroupOffsets, 1, {
    groups: [{ groupId: GROUP, topics: null }],
  })
  return groups[0]!
}

test('members share the records of a partition, and none of them comes twice', async () => {
  const { broker, client, join } = await start(['a', 'b', 'c', 'd'])
  await using _ = broker
  const [first, second] = [await join(1), await join(2)]
  const ofFirst = await first.fetch({ maxRecords: 3 })
  assert.deepEqual(ofFirst.values, ['a', 'b', 'c'])
  const ofSecond = await second.fetch()
  assert.deepEqual(ofSecond.values, ['d'])
  assert.equal(await first.acknowledge(row(0, 2, 1, 3, 2)), ErrorCode.NONE)
  const again = await second.fetch({ rows: [row(3, 3, 1)] })
  assert.equal(again.partition?.acknowledgeErrorCode, ErrorCode.NONE)
  assert.deepEqual([again.values, again.deliveryCounts], [['c'], [2]])
  assert.equal(await first.acknowledge(row(2, 2, 1)), ErrorCode.INVALID_RECORD_STATE)
  assert.equal(await second.acknowledge(row(2, 2, 1)), ErrorCode.NONE)
  const { topics } = await offsetsOf(client)
  const { startOffset, lag } = topics[0]!.partitions[0]!
  assert.equal(lag, 0)
  assert.ok(startOffset >= 0)
  await broker.close()
  await broker.open()
  const third = new Member(await broker.connect(), 3, topics[0]!.topicId)
  await third.heartbeat(0)
  assert.deepEqual((await third.fetch()).values, [], 'a restart forgets nothing')
  assert.deepEqual(broker.logLines, [])
})

test('a fetch waits for records, for released ones as for new ones', async () => {
  const { broker, client, join } = await start([])
  await using _ = broker
  const [first, second] = [await join(1), await join(2)]
  const waiting = first.fetch({ maxWaitMs: 20_000 })
  await produce(client, 't', batchOf(['x']))
  assert.deepEqual((await waiting).values, ['x'])
  const next = second.fetch({ maxWaitMs: 20_000 })
  assert.equal(await first.closeSession(), undefined)
  assert.deepEqual((await next).values, ['x'])
  assert.equal(await first.acknowledge(row(0, 0, 1)), ErrorCode.SHARE_SESSION_NOT_FOUND)
})

test('who goes leaves its records to the others', async () => {
  const { broker, join } = await start(['a', 'b'])
  await using _ = broker
  const [first, second] = [await join(1), await join(2)]
  assert.deepEqual((await first.fetch()).values, ['a', 'b'])
  const waiting = second.fetch({ maxWaitMs: 20_000 })
  first.client.close()
  assert.deepEqual((await waiting).values, ['a', 'b'])
})

test('a group is listed and described, its offsets are set and deleted, and so is it', async () => {
  const { broker, client, topicId, join } = await start(['a', 'b', 'c'])
  await using _ = broker
  const member = await join(1)
  const { groups: listed } = await client.send(ListGroups, 5, { typesFilter: ['share'] })
  assert.deepEqual(
    listed.map(({ groupId, groupType, groupState }) => [groupId, groupType, groupState]),
    [[GROUP, 'share', 'Stable']],
  )
  const { groups: described } = await client.send(ShareGroupDescribe, 1, {
    ...{ groupIds: [GROUP, 'unknown'], includeAuthorizedOperations: false },
  })
  assert.equal(described[0]!.assignorName, 'simple')
  assert.deepEqual(described[0]!.members[0]!.assignment.topicPartitions, [
    { topicId, topicName: 't', partitions: [0] },
  ])
  assert.equal(described[1]!.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
  const alter = async (startOffset: number) => {
    const { errorCode, responses } = await client.send(AlterShareGroupOffsets, 0, {
      groupId: GROUP,
      topics: [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset }] }],
    })
    return [errorCode, responses[0]?.partitions[0]?.errorCode]
  }
  assert.deepEqual(await alter(1), [ErrorCode.NON_EMPTY_GROUP, undefined])
  assert.deepEqual((await member.fetch()).values, ['a', 'b', 'c'])
  await member.closeSession()
  await member.heartbeat(-1)
  assert.deepEqual(await alter(1), [ErrorCode.NONE, ErrorCode.NONE])
  const { startOffset, lag } = (await offsetsOf(client)).topics[0]!.partitions[0]!
  assert.deepEqual([startOffset, lag], [1, 2])
  const other = await join(2)
  assert.deepEqual((await other.fetch()).values, ['b', 'c'])
  await other.closeSession()
  await other.heartbeat(-1)
  const gone = await client.send(DeleteShareGroupOffsets, 0, {
    ...{ groupId: GROUP, topics: [{ topicName: 't' }] },
  })
  assert.equal(gone.responses[0]!.errorCode, ErrorCode.NONE)
  assert.deepEqual((await offsetsOf(client)).topics, [])
  const { results } = await client.send(DeleteGroups, 2, { groupsNames: [GROUP] })
  assert.equal(results[0]!.errorCode, ErrorCode.NONE)
  const { groups: left } = await client.send(ListGroups, 5, {})
  assert.deepEqual(left, [])
})

test('the log of the share coordinator is kept short, and says all the same', async () => {
  const settings = {
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.snapshot.update.records.per.snapshot': '2',
  }
  const values = Array.from({ length: 20 }, (_, i) => `v${i}`)
  const { broker, topicId, join } = await start(values, settings)
  await using _ = broker
  const member = await join(1)
  for (let round = 0; round < 10; round++) {
    const { offsets } = await member.fetch({ maxRecords: 2 })
    assert.equal(offsets.length, 2)
    await member.acknowledge(row(offsets[0]!, offsets[1]!, 1, 3))
  }
  const { shareCoordinator, replicaManager } = broker.broker.services
  await shareCoordinator.prune()
  const { log } = replicaManager.partition('__share_group_state', 0)!
  assert.ok(log.logStartOffset > 5, `it begins at ${log.logStartOffset}`)
  assert.ok(log.logEndOffset - log.logStartOffset <= 3)
  await broker.close()
  await broker.open()
  const other = new Member(await broker.connect(), 2, topicId)
  await other.heartbeat(0)
  assert.deepEqual((await other.fetch()).values, [])
})
