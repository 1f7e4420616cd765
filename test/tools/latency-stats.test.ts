import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyStats } from '../../src/tools/producer-perf-test/latency-stats.ts'
import { ThroughputThrottler } from '../../src/tools/support/throughput-throttler.ts'

function stats(options: { records: number; isSteadyState?: boolean }) {
  const time = { ms: 1000 }
  const lines: string[] = []
  const seen = new LatencyStats({
    ...options,
    reportingIntervalMs: 100,
    now: () => time.ms,
    print: (line) => lines.push(line),
  })
  return { seen, time, lines }
}

test('windows and totals count what was sent in their time', () => {
  const { seen, time, lines } = stats({ records: 4 })
  for (const latencyMs of [1, 2, 3]) {
    time.ms += 50
    seen.record(latencyMs, 1 << 20, time.ms)
  }
  time.ms += 50
  seen.record(10, 1 << 20, time.ms)
  seen.printTotal()
  assert.deepEqual(lines, [
    '2 records sent, 20.0 records/sec (20.00 MB/sec), 1.5 ms avg latency, 2.0 ms max latency.',
    '2 records sent, 20.0 records/sec (20.00 MB/sec), 6.5 ms avg latency, 10.0 ms max latency.',
    '4 records sent, 20.000000 records/sec (20.00 MB/sec), 4.00 ms avg latency, ' +
      '10.00 ms max latency, 3 ms 50th, 10 ms 95th, 10 ms 99th, 10 ms 99.9th.',
  ])
})

test('the steady state begins with its first window, and the warm-up falls silent', () => {
  const { seen, time, lines } = stats({ records: 2, isSteadyState: true })
  const warm = stats({ records: 2 })
  warm.seen.silence()
  for (const each of [seen, warm.seen]) each.record(1, 0, time.ms + 100)
  seen.printTotal()
  assert.deepEqual(warm.lines, [])
  assert.equal(lines[0], 'In steady state.')
  assert.match(lines[2]!, /^1 steady state records sent, /)
})

test('of more records than samples are kept, every n-th is looked at', () => {
  const { seen, lines } = stats({ records: 1_000_000 })
  for (let i = 0; i < 1_000_000; i++) seen.record(i % 2 === 0 ? 7 : 9, 0, 1000)
  seen.printTotal()
  assert.match(lines[0]!, /^1000000 records .* 7 ms 50th, 7 ms 95th, 7 ms 99th, 7 ms 99.9th\.$/)
})

test('a throttler holds back who is ahead, and nobody without a limit', () => {
  const limited = new ThroughputThrottler(10, 1000)
  assert.equal(limited.shouldThrottle(10, 2000), false)
  assert.equal(limited.shouldThrottle(11, 2000), true)
  assert.equal(limited.shouldThrottle(11, 1000), false)
  assert.equal(new ThroughputThrottler(-1, 1000).shouldThrottle(1e9, 1001), false)
})
