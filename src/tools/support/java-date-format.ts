/**
 * Dates as Java's SimpleDateFormat writes them, in local time and in English, for patterns such as
 * `yyyy-MM-dd HH:mm:ss:SSS`. Text stands between single quotes, of which two are one.
 */
import { ToolError } from './tool.ts'

type FieldOf = (date: Date, width: number) => string

const number =
  (of: (date: Date) => number): FieldOf =>
  (date, width) =>
    String(of(date)).padStart(width, '0')

const name =
  (long: Intl.DateTimeFormatOptions, short: Intl.DateTimeFormatOptions): FieldOf =>
  (date, width) =>
    new Intl.DateTimeFormat('en-US', width >= 4 ? long : short).format(date)

const DAY_MS = 86_400_000

const FIELDS: Readonly<Record<string, FieldOf>> = {
  y: (date, width) => {
    const year = String(date.getFullYear())
    return width === 2 ? year.slice(-2) : year.padStart(width, '0')
  },
  M: (date, width) =>
    width >= 3
      ? name({ month: 'long' }, { month: 'short' })(date, width)
      : number((given) => given.getMonth() + 1)(date, width),
  d: number((date) => date.getDate()),
  D: number((date) => {
    const first = Date.UTC(date.getFullYear(), 0, 1)
    return 1 + (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - first) / DAY_MS
  }),
  E: name({ weekday: 'long' }, { weekday: 'short' }),
  u: number((date) => date.getDay() || 7),
  a: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  H: number((date) => date.getHours()),
  k: number((date) => date.getHours() || 24),
  K: number((date) => date.getHours() % 12),
  h: number((date) => date.getHours() % 12 || 12),
  m: number((date) => date.getMinutes()),
  s: number((date) => date.getSeconds()),
  S: number((date) => date.getMilliseconds()),
  z: name({ timeZoneName: 'long' }, { timeZoneName: 'short' }),
  Z: (date) => zone(date, ''),
  X: (date, width) => {
    if (date.getTimezoneOffset() === 0) return 'Z'
    return width === 1 ? zone(date, '').slice(0, 3) : zone(date, width === 3 ? ':' : '')
  },
}

/** `+0200` */
function zone(date: Date, separator: string): string {
  const offset = -date.getTimezoneOffset()
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0')
  const size = Math.abs(offset)
  return `${offset < 0 ? '-' : '+'}${two(size / 60)}${separator}${two(size % 60)}`
}

/** Gives the text of a time in milliseconds since the epoch. Throws ToolError for no pattern. */
export function javaDateFormat(pattern: string): (epochMs: number) => string {
  const className = 'java.lang.IllegalArgumentException'
  const parts = pattern.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g) ?? []
  const writers = parts.map((part): ((date: Date) => string) => {
    if (part === "'") throw new ToolError('Unterminated quote', { className })
    if (part === "''") return () => "'"
    if (part.startsWith("'")) {
      const text = part.slice(1, -1).replaceAll("''", "'")
      return () => text
    }
    if (!/^[A-Za-z]/.test(part)) return () => part
    const field = FIELDS[part[0]!]
    if (field !== undefined) return (date) => field(date, part.length)
    throw new ToolError(`Illegal pattern character '${part[0]}'`, { className })
  })
  return (epochMs) => {
    const date = new Date(epochMs)
    return writers.map((write) => write(date)).join('')
  }
}
