/** What a consumer knows of its subscription, and what `auto.offset.reset` may say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConsumerConfig } from '../../../src/clients/config/consumer-config.ts'
import { parseOffsetReset } from '../../../src/clients/consumer/offset-reset.ts'
import { SubscriptionState } from '../../../src/clients/consumer/subscription-state.ts'
import { IllegalStateError } from '../../../src/clients/errors.ts'

const at = (partition: number) => ({ topic: 't', partition })
const stateOf = () => new SubscriptionState({ kind: 'latest' })

test('topics, patterns and partitions of choice exclude each other', () => {
  const ways: ((state: SubscriptionState) => void)[] = [
    (state) => state.subscribe(['t']),
    (state) => state.subscribeToPattern(/t/),
    (state) => state.subscribeToRe2('t.*'),
    (state) => state.assignFromUser([at(0)]),
  ]
  for (const first of ways) {
    for (const second of ways) {
      const state = stateOf()
      first(state)
      if (first === second) second(state)
      else assert.throws(() => second(state), IllegalStateError)
      state.unsubscribe()
      second(state)
    }
  }
  assert.throws(() => stateOf().assignFromGroup([at(0)]), IllegalStateError)
})

test('partitions that stay keep what is known of them, those that go are forgotten', () => {
  const state = stateOf()
  state.subscribe(['t'])
  state.assignFromGroup([at(0), at(1)])
  const [first, second] = [state.partition(at(0)), state.partition(at(1))]
  first.seek({ offset: 5, leaderEpoch: -1 })
  second.seek({ offset: 7, leaderEpoch: -1 })
  second.isPaused = true
  state.assignFromGroup([at(1), at(2)])
  assert.equal(state.partition(at(1)), second)
  assert.ok(second.isPaused && !second.isDropped && first.isDropped)
  assert.deepEqual(state.assigned(), [at(1), at(2)])
  const committable = [{ ...at(1), offset: 7, leaderEpoch: -1, metadata: '' }]
  assert.deepEqual(state.consumedOffsets(), committable)
  state.assignFromGroup([at(0), at(1)])
  assert.equal(state.partition(at(0)).hasPosition, false)
})

test('a partition that comes or goes is not read until its listener was told', () => {
  const state = stateOf()
  state.subscribe(['t'])
  state.assignFromGroup([at(0)])
  state.partition(at(0)).seek({ offset: 0, leaderEpoch: -1 })
  state.assignFromGroup([at(0), at(1)], true)
  state.partition(at(1)).seek({ offset: 0, leaderEpoch: -1 })
  const fetchable = () => state.states.map(({ isFetchable }) => isFetchable)
  assert.deepEqual(fetchable(), [true, false])
  state.enable([at(1)])
  assert.deepEqual(fetchable(), [true, true])
  state.markPendingRevocation([at(0)])
  assert.deepEqual(fetchable(), [false, true])
  // What was about to go stays after all.
  state.assignFromGroup([at(0), at(1)])
  assert.deepEqual(fetchable(), [true, true])
})

test('auto.offset.reset is read as Java reads it', () => {
  const hourMs = 3_600_000
  assert.deepEqual(parseOffsetReset('EARLIEST'), { kind: 'earliest' })
  for (const [text, durationMs] of [
    ['PT1H', hourMs],
    ['P1D', 24 * hourMs],
    ['P2DT3H4M5.5S', 51 * hourMs + 4 * 60_000 + 5500],
    ['pt0.001s', 1],
  ] as const) {
    assert.deepEqual(parseOffsetReset(`by_duration:${text}`), { kind: 'by_duration', durationMs })
  }
  for (const text of [
    '',
    'oldest',
    'by_duration',
    'by_duration:',
    'by_duration:P',
    'by_duration:PT',
  ]) {
    assert.throws(() => parseOffsetReset(text), { errorName: 'INVALID_CONFIG' }, text)
  }
  for (const text of [
    'by_duration:-PT1H',
    'by_duration:P1DT',
    'by_duration:1h',
    'by_duration:P1Y',
  ]) {
    assert.throws(() => parseOffsetReset(text), { errorName: 'INVALID_CONFIG' }, text)
  }
})

test('settings that do not go together are refused, and say which', () => {
  const bootstrapServers = 'localhost:9092'
  const read = (input: object) => readConsumerConfig({ bootstrapServers, ...input })
  assert.equal(read({}).get('enable.auto.commit'), false)
  assert.equal(read({ groupId: 'g' }).get('enable.auto.commit'), true)
  const refused: [object, RegExp][] = [
    [{ enableAutoCommit: true }, /enable\.auto\.commit.*group\.id/],
    [{ groupProtocol: 'CONSUMER', sessionTimeoutMs: 1 }, /session\.timeout\.ms.*CONSUMER/],
    [{ groupProtocol: 'consumer', heartbeatIntervalMs: 1 }, /heartbeat\.interval\.ms.*CONSUMER/],
    [{ groupRemoteAssignor: 'uniform' }, /group\.remote\.assignor.*CLASSIC/],
    [{ heartbeatIntervalMs: 45_000 }, /heartbeat\.interval\.ms.*session\.timeout\.ms/],
    [{ groupProtocol: 'modern' }, /group\.protocol.*CLASSIC, CONSUMER/],
    [{ groupId: '' }, /group\.id/],
  ]
  for (const [input, message] of refused) {
    assert.throws(() => read(input), { errorName: 'INVALID_CONFIG', message })
  }
})
