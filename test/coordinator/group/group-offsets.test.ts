import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ErrorCode } from '../../../src/common/errors.ts'
import { type GroupHarness, refused, startGroupShard } from '../support/group-shard.ts'

const start = () => startGroupShard({ offsetMetadataMaxBytes: 8 })

interface Commit {
  groupId?: string
  topic?: string
  partition?: number
  offset: number
  metadata?: string
  generation?: number
  version?: number
  retentionTimeMs?: number
}

function toCommit(commit: Commit, isTransactional: boolean) {
  const { groupId = 'g', topic = 't', partition = 0, generation = -1, version = 8 } = commit
  return {
    groupId,
    committer: {
      ...{ memberId: '', groupInstanceId: null, isTransactional, apiVersion: version },
      generationIdOrMemberEpoch: generation,
    },
    retentionTimeMs: commit.retentionTimeMs,
    topics: [
      {
        name: topic,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: commit.offset,
            committedLeaderEpoch: 3,
            committedMetadata: commit.metadata ?? null,
          },
        ],
      },
    ],
  }
}

async function commit(harness: GroupHarness, wanted: Commit): Promise<number> {
  const request = toCommit(wanted, false)
  const [topic] = await harness.write((shard) => shard.commitOffsets(request))
  return topic!.partitions[0]!.errorCode
}

async function commitIn(harness: GroupHarness, producerId: number, wanted: Commit): Promise<void> {
  const request = toCommit(wanted, true)
  const producer = { producerId, producerEpoch: 0 }
  await harness.writeTransactional(producer, (shard) => shard.commitOffsets(request))
}

/** What a group has committed, as `topic-partition: offset`. */
async function fetchAll(harness: GroupHarness, groupId = 'g', requireStable = false) {
  const request = { groupId, memberId: null, memberEpoch: -1, topics: null, requireStable }
  const fetched = await harness.read(({ offsets }) => offsets.fetch(request))
  const found: Record<string, number | string> = {}
  for (const { name, partitions } of fetched) {
    for (const { partitionIndex, committedOffset, errorCode } of partitions) {
      const isStable = errorCode === ErrorCode.NONE
      found[`${name}-${partitionIndex}`] = isStable ? committedOffset : 'unstable'
    }
  }
  return found
}

test('what is committed is what is fetched, with its metadata, also after a restart', async () => {
  const harness = await start()
  assert.equal(await commit(harness, { offset: 5, metadata: 'here' }), ErrorCode.NONE)
  assert.equal(await commit(harness, { partition: 1, offset: 9 }), ErrorCode.NONE)
  const tooMuch = { offset: 6, metadata: 'far too much' }
  assert.equal(await commit(harness, tooMuch), ErrorCode.OFFSET_METADATA_TOO_LARGE)
  const topics = [{ name: 't', partitionIndexes: [0, 1, 2] }]
  const request = { groupId: 'g', memberId: null, memberEpoch: -1, topics, requireStable: true }
  const expected = [
    { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 3, metadata: 'here' },
    { partitionIndex: 1, committedOffset: 9, committedLeaderEpoch: 3, metadata: '' },
    { partitionIndex: 2, committedOffset: -1, committedLeaderEpoch: -1, metadata: '' },
  ].map((partition) => ({ ...partition, errorCode: 0 }))
  for (const restarts of [false, true]) {
    if (restarts) await harness.restart()
    const [fetched] = await harness.read(({ offsets }) => offsets.fetch(request))
    assert.deepEqual(fetched!.partitions, expected)
  }
})

test('a commit of a generation that there is not is refused', async () => {
  const harness = await start()
  assert.equal(await refused(commit(harness, { offset: 1, generation: 4 })), 'ILLEGAL_GENERATION')
  const newer = commit(harness, { offset: 1, generation: 4, version: 9 })
  assert.equal(await refused(newer), 'GROUP_ID_NOT_FOUND')
  assert.deepEqual(await fetchAll(harness), {})
})

test('a refused append leaves the offsets as they were', async () => {
  const harness = await start()
  await commit(harness, { offset: 1 })
  harness.storage.refuseNext('NOT_ENOUGH_REPLICAS')
  assert.equal(await refused(commit(harness, { offset: 2 })), 'COORDINATOR_NOT_AVAILABLE')
  assert.deepEqual(await fetchAll(harness), { 't-0': 1 })
})

test('a fetch tells nothing that is not safe yet', async () => {
  const harness = await start()
  harness.storage.hold()
  const committed = commit(harness, { offset: 1 })
  let fetched: unknown
  const fetching = fetchAll(harness).then((offsets) => {
    fetched = offsets
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(fetched, undefined)
  harness.storage.release()
  await Promise.all([committed, fetching])
  assert.deepEqual(fetched, { 't-0': 1 })
})

test('offsets of a transaction count when it commits; until then none is stable', async () => {
  const harness = await start()
  await commit(harness, { offset: 1 })
  await commitIn(harness, 7, { offset: 10 })
  await commitIn(harness, 7, { partition: 1, offset: 11 })
  await commitIn(harness, 8, { partition: 2, offset: 12 })
  for (const restarts of [false, true]) {
    if (restarts) await harness.restart()
    assert.deepEqual(await fetchAll(harness), { 't-0': 1 })
    const unstable = { 't-0': 'unstable', 't-1': 'unstable', 't-2': 'unstable' }
    assert.deepEqual(await fetchAll(harness, 'g', true), unstable)
  }
  await harness.endTransaction({ producerId: 7, producerEpoch: 0 }, true)
  await harness.endTransaction({ producerId: 8, producerEpoch: 0 }, false)
  for (const restarts of [false, true]) {
    if (restarts) await harness.restart()
    assert.deepEqual(await fetchAll(harness, 'g', true), { 't-0': 10, 't-1': 11 })
  }
})

test('a plain commit made during a transaction counts more than the transaction', async () => {
  const harness = await start()
  await commitIn(harness, 7, { offset: 10 })
  await commit(harness, { offset: 20 })
  await harness.endTransaction({ producerId: 7, producerEpoch: 0 }, true)
  assert.deepEqual(await fetchAll(harness), { 't-0': 20 })
  await harness.restart()
  assert.deepEqual(await fetchAll(harness), { 't-0': 20 })
})

test('a deleted offset is not brought back by a transaction that ends later', async () => {
  const harness = await start()
  await commitIn(harness, 7, { offset: 10 })
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }]
  const [deleted] = await harness.write(({ offsets }) => offsets.delete('g', topics))
  assert.equal(deleted!.partitions[0]!.errorCode, ErrorCode.NONE)
  await harness.endTransaction({ producerId: 7, producerEpoch: 0 }, true)
  assert.deepEqual(await fetchAll(harness), {})
})

test('offsets of an idle group expire, those with a time of their own then', async () => {
  const harness = await start()
  await commit(harness, { offset: 1 })
  await commit(harness, { partition: 1, offset: 2, retentionTimeMs: 20_000 })
  await harness.advance(40_000)
  assert.deepEqual(await fetchAll(harness), { 't-0': 1 })
  await harness.restart()
  await harness.advance(15_000)
  assert.deepEqual(await fetchAll(harness), { 't-0': 1 })
  await harness.advance(20_000)
  assert.deepEqual(await fetchAll(harness), {})
  assert.deepEqual(await harness.read((shard) => shard.list(new Set(), new Set())), [])
  await harness.restart()
  assert.deepEqual(await harness.read((shard) => shard.list(new Set(), new Set())), [])
})

test('a group is deleted with its offsets; a topic takes those of all groups with it', async () => {
  const harness = await start()
  await commit(harness, { offset: 1 })
  await commit(harness, { groupId: 'h', offset: 1 })
  await commit(harness, { groupId: 'h', topic: 'u', offset: 2 })
  assert.equal(await harness.write((shard) => shard.delete('g')), ErrorCode.NONE)
  assert.equal(await harness.write((shard) => shard.delete('g')), ErrorCode.GROUP_ID_NOT_FOUND)
  harness.runtime.tellAll((shard) => shard.onTopicsDeleted(new Set(['t'])))
  for (const restarts of [false, true]) {
    if (restarts) await harness.restart()
    assert.deepEqual(await fetchAll(harness), {})
    assert.deepEqual(await fetchAll(harness, 'h'), { 'u-0': 2 })
  }
})

test('more offsets than fit a batch are deleted in several', async () => {
  const harness = await start()
  const topic = 't'.repeat(249)
  const partitions = Array.from({ length: 3000 }, (_, partitionIndex) => ({
    ...{ partitionIndex, committedOffset: 1, committedLeaderEpoch: 0, committedMetadata: '' },
  }))
  for (const groupId of ['g', 'h']) {
    const request = {
      ...toCommit({ groupId, offset: 1 }, false),
      topics: [{ name: topic, partitions }],
    }
    await harness.write((shard) => shard.commitOffsets(request))
  }
  const before = harness.storage.batches.length
  assert.equal(await harness.write((shard) => shard.delete('g')), ErrorCode.NONE)
  harness.runtime.tellAll((shard) => shard.onTopicsDeleted(new Set([topic])))
  const batches = harness.storage.batches.slice(before)
  assert.ok(batches.length >= 4)
  assert.ok(batches.every(({ length }) => length < 1_000_000))
  for (const restarts of [false, true]) {
    if (restarts) await harness.restart()
    assert.deepEqual(await fetchAll(harness), {})
    assert.deepEqual(await fetchAll(harness, 'h'), {})
  }
})

/** What the commands below must lead to, kept in the simplest way. */
class Model {
  readonly committed = new Map<string, number>()
  readonly pending = new Map<number, Map<string, number>>()
  /** When each key was last committed outside a transaction, in steps. */
  readonly plainAt = new Map<string, number>()
  readonly pendingAt = new Map<string, number>()
  step = 0

  commit(key: string, offset: number): void {
    this.committed.set(key, offset)
    this.plainAt.set(key, ++this.step)
  }

  commitIn(producerId: number, key: string, offset: number): void {
    const offsets = this.pending.get(producerId) ?? new Map<string, number>()
    this.pending.set(producerId, offsets.set(key, offset))
    this.pendingAt.set(`${producerId} ${key}`, ++this.step)
  }

  end(producerId: number, isCommit: boolean): void {
    for (const [key, offset] of this.pending.get(producerId) ?? []) {
      const at = this.pendingAt.get(`${producerId} ${key}`)!
      if (!isCommit || (this.plainAt.get(key) ?? -1) > at) continue
      this.committed.set(key, offset)
      this.plainAt.set(key, at)
    }
    this.pending.delete(producerId)
  }

  delete(groupId: string): void {
    for (const key of [...this.committed.keys()]) {
      if (key.startsWith(`${groupId}/`)) this.committed.delete(key)
    }
    for (const offsets of this.pending.values()) {
      for (const key of [...offsets.keys()]) if (key.startsWith(`${groupId}/`)) offsets.delete(key)
    }
  }

  of(groupId: string): Record<string, number> {
    const found: Record<string, number> = {}
    for (const [key, offset] of this.committed) {
      if (key.startsWith(`${groupId}/`)) found[key.slice(groupId.length + 1)] = offset
    }
    return found
  }
}

test('whatever is committed, aborted, deleted, restarted: the last offsets count', async () => {
  const groupId = fc.constantFrom('g', 'h')
  const partition = fc.nat(2)
  const offset = fc.nat(1000)
  const producerId = fc.nat(2)
  const command = fc.oneof(
    fc.record({ kind: fc.constant('commit' as const), groupId, partition, offset }),
    fc.record({ kind: fc.constant('in' as const), groupId, partition, offset, producerId }),
    fc.record({ kind: fc.constant('end' as const), producerId, isCommit: fc.boolean() }),
    fc.record({ kind: fc.constant('delete' as const), groupId }),
    fc.record({ kind: fc.constant('restart' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const harness = await start()
      const model = new Model()
      for (const step of commands) {
        if (step.kind === 'commit') {
          await commit(harness, step)
          model.commit(`${step.groupId}/t-${step.partition}`, step.offset)
        } else if (step.kind === 'in') {
          await commitIn(harness, step.producerId, step)
          model.commitIn(step.producerId, `${step.groupId}/t-${step.partition}`, step.offset)
        } else if (step.kind === 'end') {
          const producer = { producerId: step.producerId, producerEpoch: 0 }
          await harness.endTransaction(producer, step.isCommit)
          model.end(step.producerId, step.isCommit)
        } else if (step.kind === 'delete') {
          await harness.write((shard) => shard.delete(step.groupId))
          model.delete(step.groupId)
        } else await harness.restart()
        for (const id of ['g', 'h']) assert.deepEqual(await fetchAll(harness, id), model.of(id))
      }
    }),
    { numRuns: 200 },
  )
})
