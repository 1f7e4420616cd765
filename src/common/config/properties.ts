/**
 * Reads Java's .properties format, as `java.util.Properties.load` does:
 *
 * ```
 * # a comment, as is a line that starts with !
 * key=value            the key ends at the first = or : or space that no backslash precedes
 * key : value          spaces around that do not count; those after the value do
 * path=C:\\kafka       \\ is a backslash, \t \n \r \f are what they are elsewhere
 * city=M\u00fcnchen    any other escaped character stands for itself
 * list=a,\             a line that ends with a backslash goes on in the next one,
 *      b               whose leading spaces do not count
 * ```
 * If a key occurs twice the last one wins. The only error is a \u without four hexadecimal digits.
 */
import { ConfigError } from './config-value.ts'

/** The keys and values in `text`, in the order of the keys' first occurrence. */
export function parseProperties(text: string): Map<string, string> {
  const entries = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const keyEnd = findKeyEnd(line)
    const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(keyEnd))![0]
    entries.set(
      unescapeText(line.slice(0, keyEnd)),
      unescapeText(line.slice(keyEnd + separator.length)),
    )
  }
  return entries
}

/** Lines without comments and leading spaces, continuations joined. */
function* logicalLines(text: string): Generator<string> {
  let pending: string | undefined
  for (const natural of text.split(/\r\n|\n|\r/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (pending === undefined && (line === '' || line[0] === '#' || line[0] === '!')) continue
    const whole: string = (pending ?? '') + line
    const continues = /(?:^|[^\\])(?:\\\\)*\\$/.test(line)
    pending = continues ? whole.slice(0, -1) : undefined
    if (pending === undefined && whole !== '') yield whole
  }
  if (pending !== undefined) yield pending
}

function findKeyEnd(line: string): number {
  let at = 0
  while (at < line.length && !' \t\f=:'.includes(line[at]!)) at += line[at] === '\\' ? 2 : 1
  return Math.min(at, line.length)
}

const ESCAPES: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescapeText(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.|$)/gs, (_, escaped: string) => {
    if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    if (escaped === 'u') throw new ConfigError('Malformed \\uxxxx encoding in a properties file')
    return ESCAPES[escaped] ?? escaped
  })
}
