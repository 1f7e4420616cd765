/** Where reading begins in a partition for which there is no position: `auto.offset.reset`. */
import { ConfigError } from '../../common/config/config-value.ts'

export type OffsetReset =
  | { readonly kind: 'earliest' | 'latest' | 'none' }
  /** At the first record that is not older than this (KIP-1106). */
  | { readonly kind: 'by_duration'; readonly durationMs: number }

const KINDS = ['earliest', 'latest', 'none'] as const
const BY_DURATION = 'by_duration:'
const ALLOWED = 'latest, earliest, none, by_duration:<an ISO 8601 duration, as in PT1H>'
/** Days, then hours, minutes and seconds, of which at least one is there: Java's Duration. */
const DURATION = /^P(?=[\dT])(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1000]

/** What a value of `auto.offset.reset` means. Throws ConfigError. */
export function parseOffsetReset(text: string, name = 'auto.offset.reset'): OffsetReset {
  const lower = text.toLowerCase()
  const kind = KINDS.find((candidate) => candidate === lower)
  if (kind !== undefined) return { kind }
  const found = lower.startsWith(BY_DURATION)
    ? DURATION.exec(text.slice(BY_DURATION.length))
    : undefined
  if (found == null) throw ConfigError.invalidValue(name, text, `Value must be one of: ${ALLOWED}`)
  const amounts = found.slice(1).map((amount) => Number(amount ?? 0))
  const durationMs = amounts.reduce((sum, amount, index) => sum + amount * UNITS_MS[index]!, 0)
  return { kind: 'by_duration', durationMs: Math.floor(durationMs) }
}
