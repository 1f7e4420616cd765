import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Simulation } from '../../../sim/simulation.ts'
import { Backoff } from '../../../src/clients/cluster/backoff.ts'
import { CallLimits } from '../../../src/clients/cluster/call-limits.ts'
import { TimeoutError } from '../../../src/clients/errors.ts'

test('what fails after the call has ended is no unhandled rejection', async () => {
  const simulation = new Simulation({ seed: 3 })
  const { clock } = simulation
  await simulation.run(async () => {
    const limits = new CallLimits(clock, { timeoutMs: 10 }, 1000)
    const late = new Promise<never>((_, reject) => {
      clock.schedule(20, () => reject(new Error('late')))
    })
    await assert.rejects(limits.wait(late), TimeoutError)
    const failed = new Promise<never>((_, reject) => {
      clock.schedule(1, () => reject(new Error('never seen')))
    })
    await assert.rejects(limits.wait(failed), TimeoutError)
    await new Promise<void>((resolve) => clock.schedule(50, resolve))
  })
})

test('waits double up to their maximum, a fifth more or less', () => {
  const { random } = new Simulation({ seed: 5 })
  const backoff = new Backoff({ initialMs: 100, maxMs: 1000, random })
  for (const [failures, plain] of [100, 200, 400, 800].entries()) {
    for (let i = 0; i < 50; i++) {
      const delayMs = backoff.delayMs(failures)
      assert.ok(delayMs >= plain * 0.8 && delayMs <= Math.min(1000, plain * 1.2), `${delayMs}`)
    }
  }
  for (const failures of [4, 40, 4000]) {
    const delayMs = backoff.delayMs(failures)
    assert.ok(delayMs >= 800 && delayMs <= 1000)
  }
})
