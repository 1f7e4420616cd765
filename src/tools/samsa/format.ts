/**
 * The `-f` formats of `samsa topic consume` and `produce`: text with a sign for each part of a
 * record, as kcat and rpk have them.
 *
 * ```
 * %t topic   %p partition   %o offset   %k key   %v value   %h headers   %d timestamp (ms)
 * %T timestamp (ISO 8601)   %K bytes of the key   %V bytes of the value   %% a percent sign
 * \n \t \r \0 \\ \x1f
 * ```
 * After `%k` and `%v` comes how bytes are written, if not as text: `{hex}`, `{base64}`, `{json}`.
 * Reading (`parseRecordFormat`), a part ends where the text that follows it begins.
 */
import { UsageError } from './usage-error.ts'

/** What a format can print of a record. */
export interface PrintableRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** In milliseconds since the epoch. */
  readonly timestamp: number
  readonly keyBytes: Buffer | null
  readonly valueBytes: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

type Encoding = 'text' | 'hex' | 'base64' | 'json'
const ENCODINGS: readonly Encoding[] = ['text', 'hex', 'base64', 'json']

interface Part {
  readonly sign: string
  readonly encoding: Encoding
}

/** A format taken apart: texts as they are, parts of a record between them. */
type Piece = string | Part

const SIGNS = 'tpokvhdTKV'

/** Makes what prints a record. Throws UsageError for an unknown sign or encoding. */
export function recordFormatter(format: string): (record: PrintableRecord) => string {
  const pieces = parsePieces(format)
  return (record) =>
    pieces.map((piece) => (typeof piece === 'string' ? piece : print(piece, record))).join('')
}

/** A record as it is produced from a line of input. */
export interface ParsedRecord {
  readonly topic?: string
  readonly partition?: number
  readonly timestamp?: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/**
 * Makes what reads a record from a line, without its line end. The format must be of `%t %p %d %k
 * %v` with text between them; a closing `\n` is the line's own end. Throws UsageError for another;
 * what it gives throws UsageError for a line that does not fit.
 */
export function parseRecordFormat(format: string): (line: string) => ParsedRecord {
  const pieces = parsePieces(format.replace(/\\n$/, ''))
  const parts = pieces.filter((piece) => typeof piece !== 'string')
  if (parts.length === 0) throw new UsageError(`The format '${format}' has no part of a record`)
  for (const [index, piece] of pieces.entries()) {
    if (typeof piece === 'string') continue
    if (!'tpdkv'.includes(piece.sign)) {
      throw new UsageError(`%${piece.sign} cannot be read, only %t, %p, %d, %k and %v`)
    }
    if (typeof pieces[index + 1] === 'object') {
      throw new UsageError(`In '${format}' there must be text between two parts`)
    }
  }
  return (line) => readLine(pieces, line)
}

function readLine(pieces: readonly Piece[], line: string): ParsedRecord {
  const found: { topic?: string; partition?: number; timestamp?: number } = {}
  let key: Buffer | null = null
  let value: Buffer | null = null
  let at = 0
  for (const [index, piece] of pieces.entries()) {
    if (typeof piece === 'string') {
      if (!line.startsWith(piece, at)) {
        throw new UsageError(`Expected '${piece}' at column ${at + 1} of '${line}'`)
      }
      at += piece.length
      continue
    }
    const next = pieces[index + 1] as string | undefined
    const end = next === undefined ? line.length : line.indexOf(next, at)
    if (end < 0) throw new UsageError(`Expected '${next}' after column ${at + 1} of '${line}'`)
    const text = line.slice(at, end)
    at = end
    if (piece.sign === 't') found.topic = text
    else if (piece.sign === 'p') found.partition = wholeNumber(text)
    else if (piece.sign === 'd') found.timestamp = wholeNumber(text)
    else if (piece.sign === 'k') key = decode(text, piece.encoding)
    else value = decode(text, piece.encoding)
  }
  if (at < line.length) throw new UsageError(`'${line.slice(at)}' is left over of '${line}'`)
  return { ...found, key, value }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`'${text}' is not a whole number`)
  return Number(text)
}

function decode(text: string, encoding: Encoding): Buffer | null {
  if (encoding === 'hex' || encoding === 'base64') return Buffer.from(text, encoding)
  if (encoding === 'text') return Buffer.from(text)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new UsageError(`'${text}' is not JSON`)
  }
  if (parsed === null) return null
  return Buffer.from(typeof parsed === 'string' ? parsed : text)
}

function print({ sign, encoding }: Part, record: PrintableRecord): string {
  switch (sign) {
    case 't':
      return record.topic
    case 'p':
      return String(record.partition)
    case 'o':
      return String(record.offset)
    case 'd':
      return String(record.timestamp)
    case 'T':
      return record.timestamp < 0 ? '' : new Date(record.timestamp).toISOString()
    case 'K':
      return String(record.keyBytes?.length ?? -1)
    case 'V':
      return String(record.valueBytes?.length ?? -1)
    case 'k':
      return encode(record.keyBytes, encoding)
    case 'v':
      return encode(record.valueBytes, encoding)
    default:
      return record.headers
        .map(({ key, value }) => `${key}=${value === null ? '' : Buffer.from(value).toString()}`)
        .join(',')
  }
}

function encode(bytes: Buffer | null, encoding: Encoding): string {
  if (encoding === 'json') return bytes === null ? 'null' : JSON.stringify(bytes.toString())
  if (bytes === null) return ''
  return encoding === 'text' ? bytes.toString() : bytes.toString(encoding)
}

function parsePieces(format: string): Piece[] {
  const pieces: Piece[] = []
  let text = ''
  let at = 0
  while (at < format.length) {
    if (format[at] === '\\') {
      const pattern = /\\(x[0-9a-fA-F]{2}|.?)/sy
      pattern.lastIndex = at
      const [whole, name] = pattern.exec(format)!
      text += escaped(name!)
      at += whole.length
    } else if (format[at] === '%') {
      const part = /%(.?)(?:\{([^}]*)\})?/sy
      part.lastIndex = at
      const [whole, sign, encoding] = part.exec(format)!
      if (sign === '%') {
        text += '%'
        at += 2
        continue
      }
      if (text !== '') pieces.push(text)
      text = ''
      pieces.push(parsePart(sign!, encoding))
      at += whole.length
    } else {
      text += format[at++]
    }
  }
  if (text !== '') pieces.push(text)
  return pieces
}

function parsePart(sign: string, encoding: string | undefined): Part {
  if (sign === '' || !SIGNS.includes(sign)) {
    throw new UsageError(`'%${sign}' is no part of a record; there are %${[...SIGNS].join(' %')}`)
  }
  if (encoding === undefined) return { sign, encoding: 'text' }
  const known = ENCODINGS.find((name) => name === encoding)
  if (known === undefined || !'kv'.includes(sign)) {
    const allowed = ENCODINGS.join(', ')
    throw new UsageError(`'%${sign}{${encoding}}': %k and %v can be followed by {${allowed}}`)
  }
  return { sign, encoding: known }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', 0: '\0', '\\': '\\' }

function escaped(name: string): string {
  if (/^x../s.test(name)) return String.fromCharCode(Number.parseInt(name.slice(1), 16))
  const found = ESCAPES[name]
  if (found === undefined) throw new UsageError(`'\\${name}' is no escape`)
  return found
}
