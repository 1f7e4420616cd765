import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../sim/simulated-clock.ts'
import { AdvancingClock } from '../../src/common/advancing-clock.ts'

function clocks() {
  const base = new SimulatedClock()
  return { base, clock: new AdvancingClock(base) }
}

test('it is later by what was advanced, on both counts', () => {
  const { base, clock } = clocks()
  const [nowMs, monotonicMs] = [clock.now(), clock.monotonic()]
  clock.advance(1000)
  clock.advance(0)
  clock.advance(500)
  assert.equal(clock.now(), nowMs + 1500)
  assert.equal(clock.monotonic(), monotonicMs + 1500)
  assert.equal(base.now(), nowMs)
})

test('what is due is called at once, in order and once; the rest in its time', () => {
  const { base, clock } = clocks()
  const calls: string[] = []
  const call = (name: string) => () => calls.push(`${name} at ${clock.monotonic()}`)
  clock.schedule(300, call('late'))
  clock.schedule(200, call('second'))
  clock.schedule(100, call('first'))
  clock.schedule(200, call('third'))
  clock.schedule(10_000, call('last'))
  clock.advance(300)
  const expected = ['first at 300', 'second at 300', 'third at 300', 'late at 300']
  assert.deepEqual(calls.splice(0), expected)
  clock.advance(9600)
  assert.deepEqual(calls, [])
  while (base.step());
  assert.deepEqual(calls, ['last at 10000'])
  assert.equal(base.monotonic(), 100)
})

test('calls cancel and schedule others', () => {
  const { base, clock } = clocks()
  const calls: string[] = []
  clock.schedule(1, () => {
    calls.push('first')
    doomed.cancel()
    clock.schedule(50, () => calls.push('next'))
  })
  const doomed = clock.schedule(2, () => calls.push('doomed'))
  clock.advance(100)
  assert.deepEqual(calls, ['first'])
  while (base.step());
  assert.deepEqual(calls, ['first', 'next'])
  assert.equal(base.monotonic(), 50)
})

test('a call that throws does not keep the others from being made', () => {
  const { clock } = clocks()
  let isCalled = false
  clock.schedule(1, () => {
    throw new Error('first')
  })
  clock.schedule(2, () => {
    isCalled = true
  })
  assert.throws(() => clock.advance(5), /first/)
  assert.equal(isCalled, true)
})

test('time does not go back', () => {
  const { clock } = clocks()
  for (const byMs of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => clock.advance(byMs), RangeError)
  }
})
