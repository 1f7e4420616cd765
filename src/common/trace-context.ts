/**
 * The trace that the present work belongs to, as W3C Trace Context has it
 * (https://www.w3.org/TR/trace-context/): its text form, and how it follows the work through
 * everything asynchronous.
 *
 * ```
 * 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 * version  trace id (16 bytes)        parent id (8)    flags
 * ```
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from './random.ts'

/** One step of a trace: what comes of it names it as its parent. */
export interface TraceStep {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits, not all 0. */
  readonly spanId: string
  /** Bit 0: the trace is recorded; bit 1: its id is random. */
  readonly flags: number
  /** What tracing systems say besides (`tracestate`), passed on as it is. */
  readonly state?: string | undefined
}

/** Knows the present step. */
export interface TraceContext {
  readonly current: TraceStep | undefined
  /** Calls `task` as part of `step`, with all that it starts. */
  run<Result>(step: TraceStep, task: () => Result): Result
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s
const INVALID_VERSION = 'ff'
const KNOWN_FLAGS = 0x03
const RECORDED_AND_RANDOM = 0x03

/**
 * The step that `traceparent` names, or undefined where it is not valid: then whoever reads it goes
 * on as if it were not there. Of versions to come, what version 00 has is read.
 */
export function parseTraceparent(text: string, state?: string): TraceStep | undefined {
  const match = TRACEPARENT.exec(text)
  if (match === null) return undefined
  const [, version, traceId, spanId, flags, more] = match
  if (version === INVALID_VERSION || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined
  return { traceId: traceId!, spanId: spanId!, flags: Number.parseInt(flags!, 16), state }
}

/** The text form, in version 00; flags that it does not know are 0. */
export function formatTraceparent({ traceId, spanId, flags }: TraceStep): string {
  return `00-${traceId}-${spanId}-${(flags & KNOWN_FLAGS).toString(16).padStart(2, '0')}`
}

/** The next step of the trace of `parent`, or the first of a new one that is recorded. */
export function nextStep(random: Random, parent: TraceStep | undefined): TraceStep {
  const spanId = randomId(random, 8)
  if (parent !== undefined) return { ...parent, spanId }
  return { traceId: randomId(random, 16), spanId, flags: RECORDED_AND_RANDOM }
}

function randomId(random: Random, length: number): string {
  const bytes = random.bytes(length)
  // All zeros is no id. It comes once in 2^64 times.
  if (bytes.every((byte) => byte === 0)) bytes[length - 1] = 1
  return bytes.toString('hex')
}

/** Follows the work by `AsyncLocalStorage`. Costs nothing until `run` is called first. */
export class AsyncTraceContext implements TraceContext {
  #storage: AsyncLocalStorage<TraceStep> | undefined

  get current(): TraceStep | undefined {
    return this.#storage?.getStore()
  }

  run<Result>(step: TraceStep, task: () => Result): Result {
    this.#storage ??= new AsyncLocalStorage()
    return this.#storage.run(step, task)
  }
}

/**
 * The one that all clients of a process share unless they are given another: what a consumer has
 * begun, a producer continues.
 */
export const processTraceContext: TraceContext = new AsyncTraceContext()
