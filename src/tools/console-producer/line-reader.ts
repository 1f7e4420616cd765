/**
 * Reads records from lines of text, as Kafka's LineMessageReader does:
 *
 * ```
 * [header:value,header:value TAB] [key TAB] value
 * ```
 * Headers and key are there if `parse.headers` and `parse.key` say so. What separates the parts is
 * configured by `headers.delimiter`, `headers.separator` (a regular expression),
 * `headers.key.separator` and `key.separator`; a part that equals `null.marker` is null. A line
 * without its separators ends the tool, or with `ignore.error` is taken as far as it goes.
 */
import { ToolError } from '../support/tool.ts'

export interface LineRecord {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

const KAFKA_EXCEPTION = { className: 'org.apache.kafka.common.KafkaException' }

export class LineReader {
  readonly #parseKey: boolean
  readonly #parseHeaders: boolean
  readonly #ignoreError: boolean
  readonly #keySeparator: string
  readonly #headersDelimiter: string
  readonly #headersSeparator: RegExp
  readonly #headersKeySeparator: string
  readonly #nullMarker: string | undefined
  #lineNumber = 0

  /** Throws ToolError for properties that do not go together. */
  constructor(properties: ReadonlyMap<string, string>) {
    const isTrue = (name: string) => properties.get(name)?.trim().toLowerCase() === 'true'
    const separators = {
      'key.separator': properties.get('key.separator') ?? '\t',
      'headers.delimiter': properties.get('headers.delimiter') ?? '\t',
      'headers.separator': properties.get('headers.separator') ?? ',',
      'headers.key.separator': properties.get('headers.key.separator') ?? ':',
    }
    this.#parseKey = isTrue('parse.key')
    this.#parseHeaders = isTrue('parse.headers')
    this.#ignoreError = isTrue('ignore.error')
    this.#nullMarker = properties.get('null.marker')
    checkSeparators(separators, this.#nullMarker)
    this.#keySeparator = separators['key.separator']
    this.#headersDelimiter = separators['headers.delimiter']
    this.#headersSeparator = expression(separators['headers.separator'])
    this.#headersKeySeparator = separators['headers.key.separator']
  }

  /** The record in the next line. Throws ToolError. */
  read(line: string): LineRecord {
    this.#lineNumber += 1
    let rest = line
    const take = (isThere: boolean, separator: string, name: string): string | undefined => {
      const end = isThere ? rest.indexOf(separator) : -1
      if (end < 0) {
        if (!isThere || this.#ignoreError) return undefined
        const where = `on line number ${this.#lineNumber}: '${line}'`
        throw new ToolError(`No ${name} found ${where}`, KAFKA_EXCEPTION)
      }
      const part = rest.slice(0, end)
      rest = rest.slice(end + separator.length)
      return part
    }
    const headers = take(this.#parseHeaders, this.#headersDelimiter, 'headers delimiter')
    const key = take(this.#parseKey, this.#keySeparator, 'key separator')
    return {
      key: key === undefined ? null : this.#orNull(key),
      value: this.#orNull(rest),
      headers: headers === undefined || this.#orNull(headers) === null ? [] : this.#split(headers),
    }
  }

  #split(headers: string): LineRecord['headers'] {
    const pairs = headers.split(this.#headersSeparator)
    // As Java splits: empty parts at the end do not count, unless there was nothing to split.
    while (headers !== '' && pairs.at(-1) === '') pairs.pop()
    return pairs.map((pair) => {
      const separator = this.#headersKeySeparator
      const at = pair.indexOf(separator)
      if (at < 0) {
        if (this.#ignoreError) return { key: pair, value: null }
        const where = `in pair '${pair}' on line number ${this.#lineNumber}`
        throw new ToolError(`No header key separator found ${where}`, KAFKA_EXCEPTION)
      }
      const key = pair.slice(0, at)
      if (key === this.#nullMarker) {
        throw new ToolError(
          `Header keys should not be equal to the null marker '${key}' as they can't be null`,
          KAFKA_EXCEPTION,
        )
      }
      return { key, value: this.#orNull(pair.slice(at + separator.length)) }
    })
  }

  #orNull(part: string): string | null {
    return part === this.#nullMarker ? null : part
  }
}

function expression(source: string): RegExp {
  try {
    return new RegExp(source)
  } catch (error) {
    const className = 'java.util.regex.PatternSyntaxException'
    throw new ToolError((error as Error).message, { className })
  }
}

/** What separates different things must differ, and must not look like null. */
function checkSeparators(
  separators: Readonly<Record<string, string>>,
  nullMarker: string | undefined,
): void {
  const pairs = [
    ['headers.delimiter', 'headers.separator'],
    ['headers.delimiter', 'headers.key.separator'],
    ['headers.separator', 'headers.key.separator'],
    ['null.marker', 'key.separator'],
    ['null.marker', 'headers.separator'],
    ['null.marker', 'headers.delimiter'],
    ['null.marker', 'headers.key.separator'],
  ] as const
  const all: Readonly<Record<string, string | undefined>> = {
    ...separators,
    'null.marker': nullMarker,
  }
  for (const [one, other] of pairs) {
    if (all[one] !== all[other]) continue
    throw new ToolError(`${one} and ${other} may not be equal`, KAFKA_EXCEPTION)
  }
}

/**
 * The lines of a stream of UTF-8, without their ends: `\n`, `\r\n` or `\r`. Gives all lines of a
 * chunk at once.
 */
export async function* linesOf(
  stream: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let rest = ''
  /** The chunk before ended with `\r`: a `\n` would belong to it. */
  let afterReturn = false
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let text = decoder.decode(bytes, { stream: true })
    if (text === '') continue
    if (afterReturn && text.startsWith('\n')) text = text.slice(1)
    afterReturn = text.endsWith('\r')
    const lines = (rest + text).split(/\r\n|\n|\r/)
    rest = lines.pop()!
    yield lines
  }
  rest += decoder.decode()
  if (rest !== '') yield [rest]
}
