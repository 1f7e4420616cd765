/**
 * Traces through records, by the headers `traceparent` and `tracestate` of W3C Trace Context: a
 * producer names the step that its record is, and who works on the record continues from there.
 */
import type { Random } from '../common/random.ts'
import {
  formatTraceparent,
  nextStep,
  parseTraceparent,
  type TraceContext,
  type TraceStep,
} from '../common/trace-context.ts'

/**
 * `continue`: records sent within a trace belong to it; `start`: those sent outside of one start
 * their own; `off`: no record is marked.
 */
export type Tracing = 'continue' | 'start' | 'off'

interface Header {
  readonly key: string
  readonly value: Uint8Array | null
}

const TRACEPARENT = 'traceparent'
const TRACESTATE = 'tracestate'

/** What a producer adds to the headers of records. */
export class ProducerTracing {
  readonly #context: TraceContext
  readonly #random: Random
  readonly #tracing: Tracing

  constructor(context: TraceContext, random: Random, tracing: Tracing) {
    if (!['continue', 'start', 'off'].includes(tracing)) {
      throw new TypeError(`Expected tracing to be continue, start or off, found ${tracing}`)
    }
    this.#context = context
    this.#random = random
    this.#tracing = tracing
  }

  /** `headers`, with the present trace unless they name one. */
  mark<Headers extends readonly Header[]>(headers: Headers): Headers | Header[] {
    if (this.#tracing === 'off') return headers
    const { current } = this.#context
    if (current === undefined && this.#tracing === 'continue') return headers
    if (headers.some(({ key }) => key === TRACEPARENT)) return headers
    const step = nextStep(this.#random, current)
    const marked: Header[] = [
      ...headers,
      { key: TRACEPARENT, value: Buffer.from(formatTraceparent(step)) },
    ]
    if (step.state !== undefined && !headers.some(({ key }) => key === TRACESTATE)) {
      marked.push({ key: TRACESTATE, value: Buffer.from(step.state) })
    }
    return marked
  }
}

/**
 * The step of a trace that a record is; undefined where it names none, or not as W3C Trace Context
 * has it, or more than one.
 */
export function traceparentOf(record: {
  readonly headers: readonly Header[]
}): TraceStep | undefined {
  const { headers } = record
  if (headers.length === 0) return undefined
  const found = headers.filter(({ key }) => key === TRACEPARENT)
  const value = found[0]?.value
  if (found.length !== 1 || value === null || value === undefined) return undefined
  const states = headers.flatMap(({ key, value: state }) => {
    return key === TRACESTATE && state !== null ? textOf(state) : []
  })
  return parseTraceparent(textOf(value), states.length === 0 ? undefined : states.join(','))
}

/** Calls `task` with a record, within the trace of the record if it has one. */
export function runInTraceOf<Record extends { readonly headers: readonly Header[] }, Result>(
  context: TraceContext,
  record: Record,
  task: (record: Record) => Result,
): Result {
  const step = traceparentOf(record)
  return step === undefined ? task(record) : context.run(step, () => task(record))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
