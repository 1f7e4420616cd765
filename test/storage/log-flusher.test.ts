import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, makeBatch, makeWorld, openLog } from './log-harness.ts'

test('a flush that waits behind a failing one fails too, though the log is closed', async () => {
  const world = makeWorld()
  const log = await openLog(world, world.newContext(), {
    config: { flushMessages: 1 } as never,
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
