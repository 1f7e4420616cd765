import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CoordinatorResult } from '../../../src/coordinator/runtime/coordinator-shard.ts'
import { combineStateBatches } from '../../../src/coordinator/share/combine-state-batches.ts'
import type { StateBatch } from '../../../src/coordinator/share/record-state.ts'
import {
  ShareCoordinatorShard,
  type SharePartitionId,
} from '../../../src/coordinator/share/share-coordinator-shard.ts'
import { shareRecordCodec } from '../../../src/coordinator/share/share-records.ts'

const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAQ'
const ID: SharePartitionId = { groupId: 'g', topicId: TOPIC, partition: 0 }

/** Shards that share one log of encoded records. */
class ShardLog {
  readonly records: { key: Buffer; value: Buffer | null }[] = []
  now = 0
  readonly topics = new Map([[TOPIC, 2]])
  shard = this.newShard()

  newShard(): ShareCoordinatorShard {
    return new ShareCoordinatorShard({
      updatesPerSnapshot: () => 3,
      partitionCount: (topicId) => this.topics.get(topicId),
      now: () => this.now,
    })
  }

  apply<R>({ records, response }: CoordinatorResult<R>): R {
    for (const record of records) {
      const encoded = shareRecordCodec.encode(record)
      const decoded = shareRecordCodec.decode(encoded.key, encoded.value)!
      this.shard.replay(decoded, this.records.push(encoded) - 1)
    }
    return response as R
  }

  /** A shard that has read the log from `start` on. */
  reload(start = 0): ShareCoordinatorShard {
    const shard = this.newShard()
    for (const [i, { key, value }] of this.records.entries()) {
      if (i >= start) shard.replay(shardRecord(key, value), i)
    }
    return shard
  }
}

function shardRecord(key: Buffer, value: Buffer | null) {
  return shareRecordCodec.decode(key, value)!
}

const batch = fc
  .tuple(fc.nat(8), fc.nat(12), fc.constantFrom(0, 2, 4), fc.integer({ min: 1, max: 3 }))
  .map(([gap, size, deliveryState, deliveryCount]) => ({ gap, size, deliveryState, deliveryCount }))

/** Rows of batches in order, without overlap. */
const batches = fc.array(batch, { maxLength: 6 }).map((row) => {
  let at = 0
  return row.map(({ gap, size, deliveryState, deliveryCount }): StateBatch => {
    const firstOffset = at + gap
    at = firstOffset + size + 1
    return { firstOffset, lastOffset: at - 1, deliveryState, deliveryCount }
  })
})

function byOffset(rows: readonly (readonly StateBatch[])[], startOffset: number) {
  const states = new Map<number, string>()
  for (const row of rows) {
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of row) {
      for (let offset = Math.max(firstOffset, startOffset); offset <= lastOffset; offset++) {
        states.set(offset, `${deliveryState}:${deliveryCount}`)
      }
    }
  }
  return new Map([...states].sort(([a], [b]) => a - b))
}

test('newer batches are laid over older ones, offset by offset', () => {
  fc.assert(
    fc.property(batches, batches, fc.nat(40), (older, newer, startOffset) => {
      const combined = combineStateBatches(older, newer, startOffset)
      assert.deepEqual(byOffset([combined], 0), byOffset([older, newer], startOffset))
      for (const [i, { firstOffset }] of combined.entries()) {
        if (i > 0) assert.ok(firstOffset > combined[i - 1]!.lastOffset)
      }
    }),
    { numRuns: 500 },
  )
})

test('a reloaded shard knows what was written, with and without what is redundant', () => {
  const log = new ShardLog()
  log.apply(log.shard.initialize(ID, { stateEpoch: 0, startOffset: -1 }))
  log.apply(log.shard.read(ID, 5))
  for (let i = 0; i < 10; i++) {
    log.now += 1000
    log.apply(
      log.shard.write(ID, {
        ...{ stateEpoch: 0, leaderEpoch: 5, startOffset: i, deliveryCompleteCount: 1 },
        stateBatches: [
          { firstOffset: i + 1, lastOffset: i + 1, deliveryState: 2, deliveryCount: 1 },
          { firstOffset: i + 3, lastOffset: i + 4, deliveryState: 0, deliveryCount: 2 },
        ],
      }),
    )
  }
  const state = log.shard.summary(ID)!
  assert.equal(state.startOffset, 9)
  assert.equal(state.leaderEpoch, 5)
  assert.deepEqual(
    byOffset([state.stateBatches], 0),
    new Map([
      ...[[9, '2:1'] as const, [10, '2:1'] as const],
      ...[[11, '0:2'] as const, [12, '0:2'] as const, [13, '0:2'] as const],
    ]),
  )
  assert.deepEqual(log.reload().summary(ID), state)
  const redundant = log.shard.redundantBefore
  assert.ok(redundant > 0, 'snapshots came between')
  assert.deepEqual(log.reload(redundant).summary(ID), state)
})

test('writers whose epoch is over are kept out', () => {
  const log = new ShardLog()
  const write = (epochs: { stateEpoch: number; leaderEpoch: number }) =>
    log.apply(
      log.shard.write(ID, {
        ...{ ...epochs, startOffset: 1, deliveryCompleteCount: 0, stateBatches: [] },
      }),
    )
  assert.throws(() => write({ stateEpoch: 0, leaderEpoch: 0 }), { errorName: 'INVALID_REQUEST' })
  assert.throws(() => log.shard.read(ID, 0), { errorName: 'INVALID_REQUEST' })
  log.apply(log.shard.initialize(ID, { stateEpoch: 3, startOffset: 0 }))
  log.apply(log.shard.read(ID, 2))
  write({ stateEpoch: 3, leaderEpoch: 2 })
  assert.throws(() => write({ stateEpoch: 3, leaderEpoch: 1 }), {
    errorName: 'FENCED_LEADER_EPOCH',
  })
  assert.throws(() => write({ stateEpoch: 2, leaderEpoch: 2 }), { errorName: 'FENCED_STATE_EPOCH' })
  assert.throws(() => log.shard.read(ID, 1), { errorName: 'FENCED_LEADER_EPOCH' })
  assert.throws(() => log.shard.initialize(ID, { stateEpoch: 2, startOffset: 0 }), {
    errorName: 'FENCED_STATE_EPOCH',
  })
  log.apply(log.shard.initialize(ID, { stateEpoch: 4, startOffset: 7 }))
  assert.equal(log.shard.summary(ID)!.startOffset, 7)
  assert.throws(() => write({ stateEpoch: 3, leaderEpoch: 2 }), { errorName: 'FENCED_STATE_EPOCH' })
})

test('what is not there is refused, and what was deleted stays so', () => {
  const log = new ShardLog()
  const begin = { stateEpoch: 0, startOffset: 0 }
  assert.throws(() => log.shard.initialize({ ...ID, partition: 2 }, begin), {
    errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  assert.throws(() => log.shard.initialize({ ...ID, topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }, begin), {
    errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  log.apply(log.shard.initialize(ID, begin))
  log.apply(log.shard.initialize({ ...ID, partition: 1 }, begin))
  log.apply(log.shard.delete(ID))
  assert.equal(log.shard.summary(ID), undefined)
  assert.equal(log.reload().summary(ID), undefined)
  log.topics.delete(TOPIC)
  log.apply(log.shard.forgetDeletedTopics())
  assert.equal(log.shard.redundantBefore, log.records.length)
  log.topics.set(TOPIC, 2)
  assert.equal(log.reload().summary({ ...ID, partition: 1 }), undefined)
})

test('a cold share partition does not keep the log of a busy one from being pruned', () => {
  const log = new ShardLog()
  const other = { ...ID, partition: 1 }
  log.apply(log.shard.initialize(other, { stateEpoch: 0, startOffset: 4 }))
  log.apply(log.shard.initialize(ID, { stateEpoch: 0, startOffset: 0 }))
  log.apply(log.shard.read(ID, 1))
  log.now = 5000
  assert.equal(log.shard.redundantBefore, 0)
  log.apply(log.shard.snapshotCold(5000))
  assert.equal(log.shard.redundantBefore, 3)
  const before = log.records.length
  log.now = 50_000
  log.apply(log.shard.snapshotCold(5000))
  assert.equal(log.records.length, before, 'the log is as short as can be')
  assert.equal(log.reload(3).summary(other)!.startOffset, 4)
})
