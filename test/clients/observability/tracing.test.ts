import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Producer } from '../../../src/clients/producer/producer.ts'
import { ProducerTracing, runInTraceOf, traceparentOf } from '../../../src/clients/tracing.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import {
  AsyncTraceContext,
  formatTraceparent,
  nextStep,
  parseTraceparent,
} from '../../../src/common/trace-context.ts'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN_ID = '00f067aa0ba902b7'
const VALID = `00-${TRACE_ID}-${SPAN_ID}-01`
const random = new SystemRandom()
const header = (key: string, value: string | null) => {
  return { key, value: value === null ? null : Buffer.from(value) }
}

test('a traceparent is read as W3C Trace Context has it, and nothing else is', () => {
  const step = { traceId: TRACE_ID, spanId: SPAN_ID, flags: 1, state: undefined }
  assert.deepEqual(parseTraceparent(VALID), step)
  // Of versions to come, the beginning is read.
  assert.deepEqual(parseTraceparent(`cc-${TRACE_ID}-${SPAN_ID}-01-what-ever`), step)
  const invalid = [
    ...['', `ff${VALID.slice(2)}`, `${VALID}-more`, `${VALID} `, ` ${VALID}`, `${VALID}\n`],
    ...[VALID.toUpperCase(), VALID.slice(0, -1), `cc${VALID.slice(2)}more`, VALID.slice(3)],
    `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `00-${TRACE_ID.slice(1)}g-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-0x`,
  ]
  for (const text of invalid) assert.equal(parseTraceparent(text), undefined, text)
})

test('what is written is read again, with the flags that the version knows', () => {
  const steps = fc.record({ flags: fc.nat(255), parent: fc.boolean() })
  fc.assert(
    fc.property(steps, ({ flags, parent }) => {
      const first = { ...nextStep(random, undefined), flags }
      const step = nextStep(random, parent ? first : undefined)
      const read = parseTraceparent(formatTraceparent(step))
      assert.equal(read?.spanId, step.spanId)
      assert.equal(read?.flags, parent ? flags & 3 : 3)
      if (parent) assert.equal(read?.traceId, first.traceId)
      assert.notEqual(read?.spanId, first.spanId)
    }),
  )
})

test('the present step follows what was started from it', async () => {
  const context = new AsyncTraceContext()
  assert.equal(context.current, undefined)
  const step = nextStep(random, undefined)
  const later = context.run(step, async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return context.current
  })
  assert.equal(context.current, undefined)
  assert.equal(await later, step)
})

test('a record is marked once, as a child of the present step', () => {
  const context = new AsyncTraceContext()
  const parent = { ...nextStep(random, undefined), flags: 1, state: 'a=1' }
  const continuing = new ProducerTracing(context, random, 'continue')
  assert.deepEqual(continuing.mark([]), [])
  const marked = context.run(parent, () => continuing.mark([header('h', 'x')]))
  assert.deepEqual(
    marked.map(({ key }) => key),
    ['h', 'traceparent', 'tracestate'],
  )
  const step = traceparentOf({ headers: marked })
  assert.equal(step?.traceId, parent.traceId)
  assert.notEqual(step?.spanId, parent.spanId)
  assert.equal(step?.state, 'a=1')
  assert.equal(
    context.run(parent, () => continuing.mark(marked)),
    marked,
  )
  const starting = new ProducerTracing(context, random, 'start')
  assert.equal(traceparentOf({ headers: starting.mark([]) })?.flags, 3)
  const off = new ProducerTracing(context, random, 'off')
  assert.deepEqual(
    context.run(parent, () => off.mark([])),
    [],
  )
})

test('a record names one step, or none', () => {
  const of = (...headers: { key: string; value: Buffer | null }[]) => traceparentOf({ headers })
  assert.equal(of(header('traceparent', VALID))?.spanId, SPAN_ID)
  assert.equal(of(), undefined)
  assert.equal(of(header('traceparent', null)), undefined)
  assert.equal(of(header('traceparent', VALID), header('traceparent', VALID)), undefined)
  const states = [header('tracestate', 'a=1'), header('tracestate', 'b=2')]
  assert.equal(of(header('traceparent', VALID), ...states)?.state, 'a=1,b=2')
  const context = new AsyncTraceContext()
  const headers = [header('traceparent', VALID)]
  const inside = runInTraceOf(context, { headers }, () => context.current)
  assert.equal(inside?.traceId, TRACE_ID)
  assert.equal(
    runInTraceOf(context, { headers: [] }, () => context.current),
    undefined,
  )
})

test('a producer says so when it is told to trace in a way that there is not', () => {
  const open = () => new Producer({ bootstrapServers: 'a:1', tracing: 'yes' as never })
  assert.throws(open, /Expected tracing to be continue, start or off, found yes/)
})
