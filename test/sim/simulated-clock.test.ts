import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SeededRandom } from '../../sim/seeded-random.ts'
import { SimulatedClock } from '../../sim/simulated-clock.ts'
import { Simulation } from '../../sim/simulation.ts'
import { sleep } from '../../src/common/clock.ts'

test('calls are made in the order of their times, then of their scheduling', () => {
  const delays = fc.array(fc.record({ delayMs: fc.nat(20), cancelled: fc.boolean() }))
  fc.assert(
    fc.property(delays, (calls) => {
      const clock = new SimulatedClock()
      const made: { index: number; at: number }[] = []
      for (const [index, { delayMs, cancelled }] of calls.entries()) {
        const timer = clock.schedule(delayMs, () => made.push({ index, at: clock.monotonic() }))
        if (cancelled) timer.cancel()
      }
      while (clock.step()) {
        // Until nothing is left.
      }
      const expected = calls
        .map(({ delayMs, cancelled }, index) => ({ index, at: delayMs, cancelled }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.at - b.at)
        .map(({ index, at }) => ({ index, at }))
      assert.deepEqual(made, expected)
    }),
  )
})

test('a call scheduled by a call is made later, never within it', () => {
  const clock = new SimulatedClock()
  const made: string[] = []
  clock.schedule(5, () => {
    clock.schedule(-1, () => made.push(`inner at ${clock.monotonic()}`))
    made.push('outer')
  })
  clock.step()
  assert.deepEqual(made, ['outer'])
  clock.step()
  assert.deepEqual(made, ['outer', 'inner at 5'])
  assert.equal(clock.step(), false)
})

test('a stopped process is not called again', () => {
  const clock = new SimulatedClock()
  const process = clock.process()
  process.schedule(1, () => assert.fail('it is dead'))
  process.stop()
  assert.equal(clock.step(), true)
})

test('a task that can never be done, or is not in time, is an error', async () => {
  const simulation = new Simulation({ seed: 1 })
  await assert.rejects(
    simulation.run(() => new Promise(() => {})),
    /nothing is going to happen/,
  )
  await assert.rejects(
    simulation.run(() => sleep(simulation.clock, 100), 50),
    /not done after 50 ms/,
  )
  assert.equal(await simulation.run(async () => 7), 7)
})

test('the same seed gives the same numbers, and another one others', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (seed) => {
      const draw = (random: SeededRandom) => [
        random.int(2 ** 48 - 1),
        random.fraction(),
        random.bytes(7).toString('hex'),
        random.fork().next(),
        random.between(-3, 3),
      ]
      assert.deepEqual(draw(new SeededRandom(seed)), draw(new SeededRandom(seed)))
      assert.notDeepEqual(draw(new SeededRandom(seed)), draw(new SeededRandom(seed + 1)))
    }),
  )
})

test('numbers are within bounds and spread evenly', () => {
  const random = new SeededRandom(42)
  const counts = new Array<number>(10).fill(0)
  for (let draw = 0; draw < 100_000; draw++) counts[random.int(10)]! += 1
  for (const count of counts) assert.ok(count > 9_500 && count < 10_500, `${counts}`)
  const bits = random.bytes(10_000).reduce((sum, byte) => sum + (byte & 1) + ((byte >> 7) & 1), 0)
  assert.ok(bits > 9_700 && bits < 10_300, `${bits}`)
  assert.equal(random.int(1), 0)
  assert.throws(() => random.int(0), RangeError)
})
