/** Times as Kafka's tools take them. */
import { ToolError } from '../support/tool.ts'

/**
 * `2026-11-23T12:00:00.000`, with `Z`, `+01:00`, `+0100` or `+01` behind it if it is not UTC, in
 * milliseconds since the epoch. Throws ToolError.
 */
export function parseDateTime(text: string): number {
  if (!text.includes('T')) {
    throw parseFailure(
      "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format",
    )
  }
  const zoned = /[-+Z]/.test(text.split('T')[1]!) ? text : `${text}Z`
  const match = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)(?:Z|([+-])(\d\d)(?::?(\d\d))?)/.exec(
    zoned,
  )
  if (match === null) throw parseFailure(`Unparseable date: "${zoned}"`)
  const [year, month, day, hour, minute, second, ms] = match.slice(1, 8).map(Number) as [
    ...[number, number, number, number],
    ...[number, number, number],
  ]
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms))
  const isReal = time.getUTCMonth() === month - 1 && time.getUTCDate() === day
  if (!isReal || hour > 23 || minute > 59 || second > 59 || ms > 999) {
    throw parseFailure(`Unparseable date: "${zoned}"`)
  }
  const [sign, hours = '0', minutes = '0'] = match.slice(8)
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000
  return time.getTime() - (sign === '-' ? -offsetMs : offsetMs)
}

function parseFailure(message: string): ToolError {
  return new ToolError(`java.text.ParseException: ${message}`, {
    className: 'java.lang.RuntimeException',
  })
}

const UNITS_MS = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1000 } as const

/** `P1DT2H3M4.5S`, in milliseconds; parts may be left out and be negative. Throws ToolError. */
export function parseDuration(text: string): number {
  const [day, time] = ['(?:([-+]?\\d+)D)?', '(?:([-+]?\\d+)H)?(?:([-+]?\\d+)M)?']
  const second = '(?:([-+]?\\d+(?:[.,]\\d{0,9})?)S)?'
  const pattern = new RegExp(`^([-+]?)P${day}(T${time}${second})?$`, 'i')
  const match = pattern.exec(text)
  const [sign, days, clock, hours, minutes, seconds] = match?.slice(1) ?? []
  const isEmpty = [days, hours, minutes, seconds].every((part) => part === undefined)
  if (match === null || isEmpty || clock?.length === 1) {
    throw new ToolError('Text cannot be parsed to a Duration', {
      className: 'java.time.format.DateTimeParseException',
    })
  }
  const part = (value: string | undefined, unit: keyof typeof UNITS_MS): number =>
    Number((value ?? '0').replace(',', '.')) * UNITS_MS[unit]
  const ms = part(days, 'D') + part(hours, 'H') + part(minutes, 'M') + part(seconds, 'S')
  return sign === '-' ? -ms : ms
}
