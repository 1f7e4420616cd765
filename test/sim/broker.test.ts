import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBrokerRoom } from '../../sim/broker-room.ts'

/** Seeds of a usual test run. `node sim/run.ts` runs as many as there is time for. */
const SEEDS = 200
const PARTS = 10

for (let part = 0; part < PARTS; part++) {
  const from = 1 + (part * SEEDS) / PARTS
  const to = from + SEEDS / PARTS
  test(`a broker survives everything, seeds ${from} to ${to - 1}`, async () => {
    for (let seed = from; seed < to; seed++) {
      await runBrokerRoom({ seed }).catch((cause: unknown) => {
        const replay = `replay it with: node sim/run.ts --from ${seed} --seeds 1 --trace`
        throw new Error(`seed ${seed} failed; ${replay}`, { cause })
      })
    }
  })
}

test('the same seed runs the same course, and another one another', async () => {
  const seen = new Set<string>()
  for (const seed of [3, 4, 5, 8, 14, 18, 217]) {
    const first = await runBrokerRoom({ seed })
    assert.deepEqual(await runBrokerRoom({ seed }), first)
    assert.ok(first.events > 50)
    seen.add(first.fingerprint)
  }
  assert.equal(seen.size, 7)
})
