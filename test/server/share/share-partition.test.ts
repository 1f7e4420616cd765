import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  batchesOf,
  DELIVERY_LIMIT,
  LOCK_MS,
  SharePartitionWorld,
  settled,
  unavailable,
} from './share-partition-world.ts'

async function world(...sizes: number[]): Promise<SharePartitionWorld> {
  const made = new SharePartitionWorld(batchesOf(...sizes))
  await made.start()
  return made
}

const acknowledge = (firstOffset: number, lastOffset: number, ...acknowledgeTypes: number[]) => ({
  ...{ firstOffset, lastOffset, acknowledgeTypes },
})

test('whole batches are acquired, up to the one that reaches the limit', async () => {
  const { partition, ...rest } = await worldWithPartition(10, 10, 10)
  assert.deepEqual(rest.fetch('a', { maxRecords: 15 }), [
    { firstOffset: 0, lastOffset: 19, deliveryCount: 1 },
  ])
  assert.deepEqual(rest.fetch('b', { maxRecords: 4, isRecordLimit: true }), [
    { firstOffset: 20, lastOffset: 23, deliveryCount: 1 },
  ])
  assert.deepEqual(rest.fetch('c'), [{ firstOffset: 24, lastOffset: 29, deliveryCount: 1 }])
  assert.equal(partition.inFlightCount, 30)
})

async function worldWithPartition(...sizes: number[]) {
  const made = await world(...sizes)
  return { world: made, partition: made.partition, fetch: made.fetch.bind(made) }
}

test('members are told of long rows in pieces of whole batches', async () => {
  const { partition, world } = await worldWithPartition(4, 4, 4, 4)
  const acquired = partition.acquire({
    ...{ memberId: 'a', fetchOffset: 0, batches: world.batches, undeliverable: [] },
    ...{ maxRecords: 100, batchSize: 6, isRecordLimit: false },
  })
  assert.deepEqual(
    acquired.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]),
    [
      [0, 7],
      [8, 15],
    ],
  )
})

test('no more records are in flight than may be, but those can be delivered again', async () => {
  const { partition, fetch, world } = await worldWithPartition(60, 60, 60)
  fetch('a', { batchCount: 1 })
  fetch('a', { batchCount: 1 })
  assert.equal(partition.inFlightCount, 120)
  assert.equal(partition.canAcquire, false)
  await partition.acknowledge('a', [acknowledge(10, 19, 2)])
  assert.equal(partition.canAcquire, true)
  assert.deepEqual(fetch('b'), [{ firstOffset: 10, lastOffset: 19, deliveryCount: 2 }])
  assert.equal(partition.canAcquire, false)
  assert.deepEqual(fetch('b'), [])
  assert.ok(world.wakeups > 0)
})

test('the start moves past what is done with, and the state says how much is', async () => {
  const { partition, fetch, world } = await worldWithPartition(5, 5)
  fetch('a')
  await partition.acknowledge('a', [acknowledge(5, 9, 1)])
  assert.equal(partition.startOffset, 0)
  assert.equal(world.persister.state.deliveryCompleteCount, 5)
  await partition.acknowledge('a', [acknowledge(0, 4, 1, 3, 0, 1, 1)])
  assert.equal(partition.startOffset, 10)
  // As Kafka does: the start that is written is that of before.
  assert.equal(world.persister.state.startOffset, 0)
  assert.equal(world.persister.state.deliveryCompleteCount, 10)
  await world.start()
  assert.equal(world.partition.startOffset, 10)
  assert.equal(world.partition.nextFetchOffset, 10)
})

test('an acknowledgement is all or nothing', async () => {
  const { partition, fetch } = await worldWithPartition(5, 5)
  fetch('a', { batchCount: 1 })
  fetch('b', { batchCount: 1 })
  const refused = (...batches: ReturnType<typeof acknowledge>[]) =>
    assert.rejects(partition.acknowledge('a', batches), { errorName: 'INVALID_RECORD_STATE' })
  await refused(acknowledge(0, 4, 1), acknowledge(5, 9, 1))
  await assert.rejects(partition.acknowledge('a', [acknowledge(0, 10, 1)]), {
    errorName: 'INVALID_REQUEST',
  })
  await partition.acknowledge('a', [acknowledge(0, 4, 1)])
  await refused(acknowledge(0, 4, 1))
  await partition.release('b')
  await assert.rejects(partition.acknowledge('b', [acknowledge(5, 9, 1)]), {
    errorName: 'INVALID_RECORD_STATE',
  })
})

test('records stay with their member while a change is written, and if it cannot be', async () => {
  const { partition, fetch, world } = await worldWithPartition(5)
  fetch('a')
  world.persister.holdsWrites = true
  const outcome = partition.acknowledge('a', [acknowledge(0, 4, 1)])
  await settled()
  await assert.rejects(partition.acknowledge('a', [acknowledge(0, 4, 2)]), {
    errorName: 'INVALID_RECORD_STATE',
  })
  world.persister.held.shift()!(unavailable)
  await assert.rejects(outcome, { errorName: 'COORDINATOR_NOT_AVAILABLE' })
  world.persister.holdsWrites = false
  await partition.acknowledge('a', [acknowledge(0, 4, 1)])
  assert.equal(partition.startOffset, 5)
})

test('a lock that expires while a change is written counts once that has failed', async () => {
  const { partition, fetch, world } = await worldWithPartition(5)
  fetch('a')
  world.persister.holdsWrites = true
  const outcome = partition.acknowledge('a', [acknowledge(0, 4, 1)])
  await settled()
  world.advance(LOCK_MS + 1)
  assert.deepEqual(fetch('b'), [])
  world.persister.held.shift()!(unavailable)
  await assert.rejects(outcome)
  assert.deepEqual(fetch('b'), [{ firstOffset: 0, lastOffset: 4, deliveryCount: 2 }])
})

test('a lock expires, unless it is renewed', async () => {
  const { partition, fetch, world } = await worldWithPartition(6)
  fetch('a')
  world.advance(LOCK_MS - 1)
  await partition.acknowledge('a', [acknowledge(0, 2, 4)])
  world.advance(1)
  assert.deepEqual(fetch('b'), [{ firstOffset: 3, lastOffset: 5, deliveryCount: 2 }])
  await partition.acknowledge('a', [acknowledge(0, 2, 1)])
  world.advance(LOCK_MS + 1)
  await settled()
  assert.equal(world.persister.state.startOffset, 3)
})

test('a record that nobody can deal with is given up, and takes no other with it', async () => {
  const { partition, fetch } = await worldWithPartition(16)
  let deliveries = 0
  const done = new Set<number>()
  for (let round = 0; round < 100 && partition.startOffset < 16; round++) {
    for (const { firstOffset, lastOffset, deliveryCount } of fetch('a')) {
      assert.ok(deliveryCount <= DELIVERY_LIMIT)
      // The member fails on record 11, and with it on all that it was given along with it.
      const fails = firstOffset <= 11 && lastOffset >= 11
      if (fails) deliveries += 1
      else for (let at = firstOffset; at <= lastOffset; at++) done.add(at)
      await partition.acknowledge('a', [acknowledge(firstOffset, lastOffset, fails ? 2 : 1)])
    }
  }
  assert.equal(partition.startOffset, 16)
  assert.equal(deliveries, DELIVERY_LIMIT)
  assert.equal(done.size, 15)
})

test('a leader whose time is over is told so, and writes nothing', async () => {
  const { partition, fetch, world } = await worldWithPartition(5)
  fetch('a')
  await world.start()
  assert.deepEqual(world.fetch('b'), [{ firstOffset: 0, lastOffset: 4, deliveryCount: 1 }])
  await assert.rejects(partition.acknowledge('a', [acknowledge(0, 4, 1)]), {
    errorName: 'NOT_LEADER_OR_FOLLOWER',
  })
  assert.equal(world.fencedBy?.errorName, 'NOT_LEADER_OR_FOLLOWER')
  assert.deepEqual(world.persister.state.stateBatches, [])
})

test('offsets without records do not hold up the start', async () => {
  const made = new SharePartitionWorld([
    { firstOffset: 3, lastOffset: 5 },
    { firstOffset: 10, lastOffset: 12 },
  ])
  made.persister.setStart(0, 0)
  await made.start()
  assert.deepEqual(made.fetch('a', { batchCount: 1 }), [
    { firstOffset: 3, lastOffset: 5, deliveryCount: 1 },
  ])
  assert.equal(made.partition.startOffset, 3)
  assert.deepEqual(made.fetch('a', { batchCount: 1 }), [
    { firstOffset: 10, lastOffset: 12, deliveryCount: 1 },
  ])
  await made.partition.acknowledge('a', [acknowledge(3, 5, 1)])
  assert.equal(made.partition.startOffset, 10)
  await made.partition.release('a')
  // Compaction has taken the batch that was to be delivered again.
  made.batches = [{ firstOffset: 20, lastOffset: 20 }]
  assert.deepEqual(made.fetch('b'), [{ firstOffset: 20, lastOffset: 20, deliveryCount: 1 }])
  assert.equal(made.partition.startOffset, 20)
})

test('what is not for readers is passed over', async () => {
  const { partition, world } = await worldWithPartition(5, 5, 1, 4)
  const acquired = partition.acquire({
    ...{ memberId: 'a', fetchOffset: 0, batches: world.batches, maxRecords: 100, batchSize: 100 },
    ...{ isRecordLimit: false },
    undeliverable: [
      { firstOffset: 0, lastOffset: 4 },
      { firstOffset: 10, lastOffset: 10 },
    ],
  })
  assert.deepEqual(acquired, [
    { firstOffset: 5, lastOffset: 9, deliveryCount: 1 },
    { firstOffset: 11, lastOffset: 14, deliveryCount: 1 },
  ])
  assert.equal(partition.startOffset, 5)
})

test('what the log no longer has is no longer asked for, nor of anybody', async () => {
  const { partition, fetch } = await worldWithPartition(10, 10)
  fetch('a', { batchCount: 1 })
  partition.onLogStart(4)
  await partition.acknowledge('a', [acknowledge(0, 3, 1), acknowledge(4, 9, 1)])
  assert.equal(partition.startOffset, 10)
  partition.onLogStart(15)
  assert.equal(partition.nextFetchOffset, 15)
  assert.deepEqual(fetch('a'), [{ firstOffset: 15, lastOffset: 19, deliveryCount: 1 }])
})
