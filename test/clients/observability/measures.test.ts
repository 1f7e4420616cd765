import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Distribution, Meter } from '../../../src/clients/observability/measures.ts'

test('a rate and an average are those of the last half to whole minute', () => {
  const meter = new Meter()
  const sizes = new Distribution()
  assert.ok(Number.isNaN(sizes.average(0)) && Number.isNaN(sizes.max(0)))
  for (let second = 0; second < 90; second++) {
    meter.record(10, second * 1000)
    sizes.record(second, second * 1000)
  }
  assert.equal(meter.total, 900)
  assert.equal(meter.rate(90_000), 10)
  assert.equal(sizes.average(89_999), (30 + 89) / 2)
  assert.equal(sizes.max(119_999), 89)
  assert.equal(sizes.average(119_999), (60 + 89) / 2)
  // After a minute of nothing there is nothing left.
  assert.equal(meter.rate(200_000), 0)
  assert.ok(Number.isNaN(sizes.average(200_000)))
})

test('averages and maxima are of what was recorded of late, whatever the times', () => {
  const events = fc.array(fc.tuple(fc.nat(40_000), fc.nat(1000)), { minLength: 1 })
  fc.assert(
    fc.property(events, (steps) => {
      const sizes = new Distribution()
      const meter = new Meter()
      const seen: { atMs: number; value: number }[] = []
      let nowMs = 0
      for (const [delayMs, value] of steps) {
        nowMs += delayMs
        sizes.record(value, nowMs)
        meter.record(value, nowMs)
        seen.push({ atMs: nowMs, value })
        const whole = seen.filter(({ atMs }) => atMs > nowMs - 60_000)
        const half = seen.filter(({ atMs }) => atMs > nowMs - 30_000)
        const max = sizes.max(nowMs)
        assert.ok(max >= Math.max(...half.slice(-1).map((each) => each.value)))
        assert.ok(max <= Math.max(...whole.map((each) => each.value)))
        assert.ok(sizes.average(nowMs) <= max)
        const sum = whole.reduce((all, each) => all + each.value, 0)
        assert.ok(meter.rate(nowMs) <= sum / 30 + 1e-9)
      }
      assert.equal(
        meter.total,
        seen.reduce((all, { value }) => all + value, 0),
      )
    }),
  )
})
