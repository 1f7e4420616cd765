/**
 * Where to begin and to end in a topic, as `samsa` is told it:
 *
 * ```
 * start, end            the first record there is, and after the last
 * 42                    an offset
 * -10                   ten records before the end, in each partition
 * +10                   ten records after the start
 * @2026-11-01           the first record of that time or later: a date, a date with a time (ISO
 * @2026-11-01T12:00     8601, UTC unless it says otherwise), milliseconds, or a time ago
 * @1790000000000, @-1h
 * FROM:TO               both; TO itself is not read. Either may be left out
 * ```
 */
import { UsageError } from './usage-error.ts'

export type OffsetExpression =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  /** An offset; relative to the end or the start if `from` says so. */
  | { readonly kind: 'offset'; readonly offset: number; readonly from?: 'start' | 'end' }
  | { readonly kind: 'time'; readonly timestampMs: number }

export interface OffsetRange {
  readonly from: OffsetExpression
  /** Undefined: without an end, also what comes later. */
  readonly to: OffsetExpression | undefined
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** A place in a topic. `nowMs` is what times ago count from. Throws UsageError. */
export function parseOffset(text: string, nowMs: number): OffsetExpression {
  const found = tryOffset(text, nowMs)
  if (found !== undefined) return found
  throw new UsageError(
    `'${text}' is no offset: start, end, 42, -10, +10, @2026-11-01, @2026-11-01T12:30, @-1h`,
  )
}

/** A place to begin, and one to end if there is a colon. Throws UsageError. */
export function parseOffsetRange(text: string, nowMs: number): OffsetRange {
  const single = tryOffset(text, nowMs)
  if (single !== undefined) return { from: single, to: undefined }
  // A time of day has colons too: the one that matters has a place on either side.
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    const from = at === 0 ? START : tryOffset(text.slice(0, at), nowMs)
    const to = at === text.length - 1 ? END : tryOffset(text.slice(at + 1), nowMs)
    if (from !== undefined && to !== undefined) return { from, to }
  }
  return { from: parseOffset(text, nowMs), to: undefined }
}

const START = { kind: 'start' } as const
const END = { kind: 'end' } as const

function tryOffset(text: string, nowMs: number): OffsetExpression | undefined {
  if (text === 'start' || text === 'beginning' || text === 'earliest') return START
  if (text === 'end' || text === 'latest') return END
  if (text.startsWith('@')) {
    const timestampMs = parseTime(text.slice(1), nowMs)
    return timestampMs === undefined ? undefined : { kind: 'time', timestampMs }
  }
  const match = /^([+-]?)(\d{1,15})$/.exec(text)
  if (match === null) return undefined
  const offset = Number(match[2])
  if (match[1] === '-') return { kind: 'offset', offset, from: 'end' }
  if (match[1] === '+') return { kind: 'offset', offset, from: 'start' }
  return { kind: 'offset', offset }
}

/** Milliseconds since the epoch; undefined for what is no time. */
function parseTime(text: string, nowMs: number): number | undefined {
  const ago = /^-(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text)
  if (ago !== null) return Math.round(nowMs - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS])
  if (/^\d{10}$/.test(text)) return Number(text) * 1000
  if (/^\d{11,15}$/.test(text)) return Number(text)
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)
  const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(text.slice(10))
  if (!isDate) return undefined
  const timestampMs = Date.parse(text.length === 10 || hasZone ? text : `${text}Z`)
  return Number.isNaN(timestampMs) ? undefined : timestampMs
}
