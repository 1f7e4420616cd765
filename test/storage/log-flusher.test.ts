import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, makeBatch, makeWorld, openLog, smallSegments } from './log-harness.ts'

test('a flush that waits behind a failing one fails too, though the log is closed', async () => {
  const world = makeWorld()
  const log = await openLog(world, world.newContext(), {
    config: smallSegments({ flushMessages: 1 }),
    // What the log manager does when a disk fails.
    onStorageError: (failed) => void failed.abandon(),
  })
  append(log, makeBatch())
  await world.simulation.run(async () => log.commit())
  world.disk.faults.syncError = 1
  append(log, makeBatch())
  // The roll starts a flush in the background; the commit's own has to wait for it.
  log.roll()
  append(log, makeBatch())
  const acknowledged = world.simulation.run(async () => log.commit())
  await assert.rejects(acknowledged, { errorName: 'KAFKA_STORAGE_ERROR' })
  assert.equal(log.recoveryPoint, 1)
})

test('a batch that is sent again is not acknowledged before the first one is durable', async () => {
  const world = makeWorld()
  const log = await openLog(world, world.newContext(), {
    config: smallSegments({ flushMessages: 1 }),
  })
  const batch = () => makeBatch({ producerId: 7, producerEpoch: 0, baseSequence: 0 })
  await world.simulation.run(async () => {
    append(log, batch())
    const first = log.commit()
    assert.equal(append(log, batch()).isDuplicate, true)
    await log.commit()
    assert.equal(log.recoveryPoint, 1)
    await first
  })
})
