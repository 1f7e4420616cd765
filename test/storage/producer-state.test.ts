/** Idempotent and transactional producers, as a partition's log sees them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildEndTransactionBatch } from '../../src/protocol/records/record-batch-writer.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from '../../src/storage/producer-snapshot.ts'
import { ProducerState } from '../../src/storage/producer-state.ts'
import { append, makeBatch, makeWorld, openLog, smallSegments } from './log-harness.ts'

function produce(log: PartitionLog, baseSequence: number, count = 1, producerEpoch = 0) {
  return append(log, makeBatch({ producerId: 9, producerEpoch, baseSequence, count }))
}

async function newLog() {
  const world = makeWorld()
  return { world, log: await openLog(world, world.newContext()) }
}

test('the last five batches are recognised, even before they are committed', async () => {
  const { log } = await newLog()
  const first = [0, 2, 4, 6, 8, 10].map((sequence) => produce(log, sequence, 2))
  for (const [index, sequence] of [0, 2, 4, 6, 8, 10].entries()) {
    if (index === 0) continue
    const again = produce(log, sequence, 2)
    assert.ok(again.isDuplicate)
    assert.equal(again.firstOffset, first[index]!.firstOffset)
    assert.equal(again.lastOffset, first[index]!.lastOffset)
  }
  assert.equal(log.stagedEndOffset, 12)
  assert.throws(() => produce(log, 0, 2), { errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  // The same first sequence, but another last one, is no repetition.
  assert.throws(() => produce(log, 10, 1), { errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
})

test('a gap is refused, and leaves nothing behind', async () => {
  const { log } = await newLog()
  produce(log, 0)
  assert.throws(() => produce(log, 2), { errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  assert.equal(produce(log, 1).firstOffset, 1)
})

test('sequences wrap within a batch and between batches', async () => {
  const { log } = await newLog()
  const max = 0x7fff_ffff
  produce(log, max - 1, 2)
  assert.equal(produce(log, 0, 1).firstOffset, 2)
  const { log: other } = await newLog()
  produce(other, max - 1, 4)
  assert.equal(produce(other, 2, 1).firstOffset, 4)
  assert.ok(produce(other, max - 1, 4).isDuplicate)
})

test('a new epoch begins at 0, and fences the old one', async () => {
  const { log } = await newLog()
  produce(log, 5)
  assert.throws(() => produce(log, 6, 1, 1), { errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  produce(log, 0, 1, 1)
  assert.throws(() => produce(log, 6), { errorName: 'INVALID_PRODUCER_EPOCH' })
})

test('a producer is known again after a restart, clean or not', async () => {
  for (const isClean of [true, false]) {
    const { world, log } = await newLog()
    produce(log, 0, 3)
    log.commit()
    if (isClean) await world.simulation.run(() => log.close())
    else world.disk.killProcess()
    const again = await openLog(world, world.newContext(), { hadCleanShutdown: isClean })
    assert.ok(produce(again, 0, 3).isDuplicate)
    assert.throws(() => produce(again, 4), { errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    assert.equal(produce(again, 3).firstOffset, 3)
  }
})

test('after a restart the last five batches are recognised, not only the snapshot’s', async () => {
  const config = smallSegments({ segmentBytes: 100_000 })
  for (const isClean of [true, false]) {
    const world = makeWorld()
    const log = await openLog(world, world.newContext(), { config })
    const now = world.simulation.clock.now()
    const send = (to: PartitionLog, baseSequence: number, producerId = 9) =>
      append(to, makeBatch({ producerId, producerEpoch: 1, baseSequence, timestamps: [now, now] }))
    for (let i = 0; i < 7; i++) {
      send(log, 2 * i)
      append(log, makeBatch({ timestamps: [now] }))
      send(log, 40 + 2 * i, 8)
    }
    commitAll(log)
    if (isClean) await world.simulation.run(() => log.close())
    else {
      log.roll()
      world.disk.killProcess()
    }
    const options = { config, hadCleanShutdown: isClean }
    const again = await openLog(world, world.newContext(), options)
    for (const i of [2, 3, 4, 5, 6]) {
      assert.ok(send(again, 2 * i).isDuplicate)
      const { isDuplicate, firstOffset } = send(again, 40 + 2 * i, 8)
      assert.deepEqual([isDuplicate, firstOffset], [true, 5 * i + 3])
    }
    assert.throws(() => send(again, 2), { errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    assert.equal(send(again, 14).firstOffset, 35)
  }
})

test('what was found of a producer counts as far as its sequences lead up to what is known', () => {
  const batch = (lastSequence: number, lastOffset: number) => ({
    ...{ lastSequence, lastOffset, offsetDelta: 0, timestamp: 0 },
  })
  const known = (found: ReturnType<typeof batch>[]) => {
    const state = new ProducerState()
    const entry = { producerId: 1, producerEpoch: 0, coordinatorEpoch: -1, lastTimestamp: 0 }
    state.load({ ...entry, currentTxnFirstOffset: -1, batches: [batch(1, 50)] })
    state.recall(1, found)
    return state.get(1)!.batches.map(({ lastSequence }) => lastSequence)
  }
  assert.deepEqual(known([batch(0x7fff_ffff, 30), batch(0, 40), batch(1, 50)]), [0x7fff_ffff, 0, 1])
  assert.deepEqual(known([batch(0x7fff_fffe, 30), batch(0, 40), batch(1, 50)]), [0, 1])
  assert.deepEqual(known([batch(5, 40)]), [1])
})

test('truncation takes back what producers had written', async () => {
  const { world, log } = await newLog()
  produce(log, 0)
  produce(log, 1)
  log.commit()
  await world.simulation.run(() => log.truncateTo(1))
  assert.equal(produce(log, 1).firstOffset, 1)
})

function endTransaction(log: PartitionLog, commit: boolean, coordinatorEpoch = 0) {
  const producer = { producerId: 9, producerEpoch: 0 }
  const marker = buildEndTransactionBatch({ commit, coordinatorEpoch }, producer, 1000)
  return append(log, marker, { origin: 'coordinator' })
}

function commitAll(log: PartitionLog): void {
  log.commit()
  log.highWatermark = log.logEndOffset
}

test('the last stable offset waits for markers, and aborted transactions are listed', async () => {
  const { world, log } = await newLog()
  const transactional = { producerId: 9, producerEpoch: 0, transactional: true }
  append(log, makeBatch({ count: 2 }))
  append(log, makeBatch({ ...transactional, baseSequence: 0, count: 3 }))
  append(log, makeBatch({ count: 1 }))
  commitAll(log)
  assert.equal(log.lastStableOffset, 2)
  assert.throws(() => produce(log, 3), { errorName: 'INVALID_TXN_STATE' })
  endTransaction(log, false, 5)
  commitAll(log)
  assert.equal(log.lastStableOffset, 7)
  const aborted = [{ producerId: 9, firstOffset: 2, lastOffset: 6, lastStableOffset: 7 }]
  assert.deepEqual(log.collectAbortedTransactions(0, 7), aborted)
  assert.deepEqual(log.collectAbortedTransactions(0, 2), [])
  assert.throws(() => endTransaction(log, true, 4), { errorName: 'TRANSACTION_COORDINATOR_FENCED' })
  append(log, makeBatch({ ...transactional, baseSequence: 3 }))
  commitAll(log)
  world.disk.killProcess()
  const again = await openLog(world, world.newContext())
  again.highWatermark = again.logEndOffset
  assert.equal(again.lastStableOffset, 7)
  assert.deepEqual(again.collectAbortedTransactions(0, 100), aborted)
})

test('a transaction may begin before the marker of the last one is written', async () => {
  const { log } = await newLog()
  const transactional = { producerId: 9, producerEpoch: 0, transactional: true }
  append(log, makeBatch({ ...transactional, baseSequence: 0 }))
  endTransaction(log, true)
  append(log, makeBatch({ ...transactional, baseSequence: 1 }))
  commitAll(log)
  assert.equal(log.lastStableOffset, 2)
  assert.ok(log.producer(9)!.currentTxnFirstOffset >= 0)
  endTransaction(log, true)
  commitAll(log)
  assert.equal(log.lastStableOffset, 4)
})

test('a marker above the high watermark holds the last stable offset back', async () => {
  const { log } = await newLog()
  append(log, makeBatch({ producerId: 9, producerEpoch: 0, transactional: true, baseSequence: 0 }))
  endTransaction(log, true)
  log.commit()
  log.highWatermark = 1
  assert.equal(log.lastStableOffset, 0)
  log.highWatermark = 2
  assert.equal(log.lastStableOffset, 2)
})

test('transactions that ended before a restart hold nobody back after it', async () => {
  const { world, log } = await newLog()
  append(log, makeBatch({ producerId: 9, producerEpoch: 0, transactional: true, baseSequence: 0 }))
  endTransaction(log, true)
  commitAll(log)
  world.disk.killProcess()
  // The checkpoint has the high watermark at the end already, so nothing will raise it later.
  const again = await openLog(world, world.newContext(), { highWatermark: 2 })
  assert.equal(again.highWatermark, 2)
  assert.equal(again.lastStableOffset, 2)
})

test('a snapshot that is damaged anywhere is not believed', () => {
  const state = new ProducerState()
  for (const producerId of [1, 2 ** 40]) {
    state.load({
      producerId,
      producerEpoch: 3,
      coordinatorEpoch: 4,
      lastTimestamp: 1_700_000_000_000,
      currentTxnFirstOffset: 88,
      batches: [{ lastSequence: 6, lastOffset: 99, offsetDelta: 2, timestamp: 1_700_000_000_000 }],
    })
  }
  const bytes = encodeProducerSnapshot(state)
  assert.deepEqual(decodeProducerSnapshot(bytes), [...state.entries()])
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 4
    assert.equal(decodeProducerSnapshot(damaged), undefined, `byte ${at}`)
    assert.equal(decodeProducerSnapshot(bytes.subarray(0, at)), undefined, `cut at ${at}`)
  }
})

test('a snapshot is what Kafka writes', () => {
  const state = new ProducerState()
  state.load({
    producerId: 7,
    producerEpoch: 1,
    coordinatorEpoch: -1,
    lastTimestamp: 1000,
    currentTxnFirstOffset: -1,
    batches: [{ lastSequence: 4, lastOffset: 9, offsetDelta: 4, timestamp: 1000 }],
  })
  const body =
    '000000010000000000000007000100000004000000000000000900000004' +
    '00000000000003e8ffffffffffffffffffffffff'
  const bytes = encodeProducerSnapshot(state)
  assert.equal(bytes.subarray(0, 2).toString('hex'), '0001')
  assert.equal(bytes.subarray(6).toString('hex'), body)
})
