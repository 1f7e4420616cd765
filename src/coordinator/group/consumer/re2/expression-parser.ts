/**
 * Reads the regular expressions of RE2, which are those that Kafka resolves for KIP-848: without
 * back references and look-around, so that they can be matched in linear time.
 */
import {
  type CharacterSet,
  ignoringCase,
  inRanges,
  negated,
  perlClass,
  posixClass,
  unicodeClass,
  unionOf,
} from './character-set.ts'

export type Node =
  | { readonly kind: 'character'; readonly set: CharacterSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }

export type Assertion = 'start' | 'end' | 'line start' | 'line end' | 'boundary' | 'no boundary'

/** What is wrong with an expression, in RE2's words. */
export class RegularExpressionError extends Error {}

/** The most that may be counted in `{n,m}`, nested counts multiplied. */
const MAX_REPEAT = 1000
const MAX_DEPTH = 200
const NEWLINE = 0x0a

interface Flags {
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
}

/** Parses a whole expression. Throws RegularExpressionError. */
export function parseRegularExpression(text: string): Node {
  const parser = new Parser(text)
  const node = parser.choice({ ignoreCase: false, multiline: false, dotAll: false }, 0)
  if (!parser.isAtEnd) throw new RegularExpressionError('unexpected )')
  if (repeatCount(node) > MAX_REPEAT) throw new RegularExpressionError('invalid repeat count')
  return node
}

/** How often the innermost part of `node` may have to be written out. */
function repeatCount(node: Node): number {
  switch (node.kind) {
    case 'sequence':
      return Math.max(1, ...node.parts.map(repeatCount))
    case 'choice':
      return Math.max(1, ...node.options.map(repeatCount))
    case 'repeat': {
      const counted = Number.isFinite(node.max) ? node.max : node.min
      return Math.max(counted, 1) * repeatCount(node.part)
    }
    default:
      return 1
  }
}

class Parser {
  readonly #text: string
  #at = 0
  readonly #groupNames = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  choice(flags: Flags, depth: number): Node {
    if (depth > MAX_DEPTH) throw new RegularExpressionError('expression nests too deeply')
    const options: Node[] = []
    let current = flags
    do {
      const parts: Node[] = []
      while (!this.isAtEnd && !this.#isNext('|') && !this.#isNext(')')) {
        const changed = this.#flagsForTheRest(current)
        if (changed !== undefined) current = changed
        else parts.push(...this.#repeated(current, depth))
      }
      options.push({ kind: 'sequence', parts })
    } while (this.#take('|'))
    return options.length === 1 ? options[0]! : { kind: 'choice', options }
  }

  #repeated(flags: Flags, depth: number): Node[] {
    const nodes = this.#take('\\Q') ? this.#quoted(flags) : [this.#atom(flags, depth)]
    let last = nodes.pop()
    if (last === undefined) return []
    let isRepeated = false
    for (let bounds = this.#bounds(); bounds !== undefined; bounds = this.#bounds()) {
      if (isRepeated) throw new RegularExpressionError('invalid nested repetition operator')
      isRepeated = true
      last = { kind: 'repeat', part: last, ...bounds }
      // Which of several matches is found makes no difference to whether there is one.
      this.#take('?')
    }
    return [...nodes, last]
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counts = this.#takeMatch(/\{(\d+)(,(\d*))?\}/y)
    if (counts === undefined) return undefined
    const min = Number(counts[1])
    const open = counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3])
    const max = counts[2] === undefined ? min : open
    const isTooLarge = min > MAX_REPEAT || (Number.isFinite(max) && max > MAX_REPEAT)
    if (isTooLarge || min > max) throw new RegularExpressionError('invalid repeat count')
    return { min, max }
  }

  /** `(?i)`: flags up to the end of the group. */
  #flagsForTheRest(flags: Flags): Flags | undefined {
    const match = this.#takeMatch(/\(\?([a-zA-Z-]*)\)/y)
    return match === undefined ? undefined : withFlags(flags, match[1]!)
  }

  #atom(flags: Flags, depth: number): Node {
    if (this.#take('(')) return this.#group(flags, depth)
    if (this.#take('[')) return character(this.#class(), flags)
    if (this.#take('.')) return character(flags.dotAll ? () => true : (c) => c !== NEWLINE, flags)
    if (this.#take('^')) return assertion(flags.multiline ? 'line start' : 'start')
    if (this.#take('$')) return assertion(flags.multiline ? 'line end' : 'end')
    if (this.#take('\\')) return this.#escape(flags)
    if (this.#takeMatch(/[*+?]/y) !== undefined) {
      throw new RegularExpressionError('missing argument to repetition operator')
    }
    return literal(this.#next(), flags)
  }

  #group(flags: Flags, depth: number): Node {
    let inner = flags
    const name = this.#takeMatch(/\?P?<(\w+)>/y)?.[1]
    if (name !== undefined) {
      if (this.#groupNames.has(name)) {
        throw new RegularExpressionError('duplicate capture group name')
      }
      this.#groupNames.add(name)
    } else if (this.#isNext('?P<') || /\?<[^=!]/y.test(this.#text.slice(this.#at, this.#at + 3))) {
      throw new RegularExpressionError('invalid named capture')
    } else if (this.#isNext('?')) {
      const match = this.#takeMatch(/\?([a-zA-Z-]*):/y)
      if (match === undefined)
        throw new RegularExpressionError('invalid or unsupported Perl syntax')
      inner = withFlags(flags, match[1]!)
    }
    const node = this.choice(inner, depth + 1)
    if (!this.#take(')')) throw new RegularExpressionError('missing closing )')
    return node
  }

  #escape(flags: Flags): Node {
    if (this.isAtEnd) throw new RegularExpressionError('trailing backslash at end of expression')
    if (this.#take('A')) return assertion('start')
    if (this.#take('z')) return assertion('end')
    if (this.#take('b')) return assertion('boundary')
    if (this.#take('B')) return assertion('no boundary')
    const set = this.#escapedClass()
    return set === undefined ? literal(this.#escapedCharacter(), flags) : character(set, flags)
  }

  /** After a backslash: `d`, `pL`, `p{Greek}` and the like. */
  #escapedClass(): CharacterSet | undefined {
    const unicode = this.#takeMatch(/([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
    if (unicode !== undefined) {
      const set = unicodeClass(unicode[3] ?? unicode[4]!)
      if (set === undefined) throw new RegularExpressionError('invalid character class range')
      const isNegated = (unicode[1] === 'P') !== (unicode[2] === '^')
      return isNegated ? negated(set) : set
    }
    const perl = perlClass(this.#text[this.#at] ?? '')
    if (perl !== undefined) this.#at++
    return perl
  }

  #escapedCharacter(): number {
    const hex = this.#takeMatch(/x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/y)
    if (hex !== undefined) {
      const codePoint = Number.parseInt(hex[1] ?? hex[2]!, 16)
      if (codePoint > 0x10ffff) throw new RegularExpressionError('invalid escape sequence')
      return codePoint
    }
    const octal = this.#takeMatch(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y)
    if (octal !== undefined) return Number.parseInt(octal[0], 8)
    if (this.isAtEnd) throw new RegularExpressionError('trailing backslash at end of expression')
    const codePoint = this.#next()
    const control = CONTROLS[String.fromCodePoint(codePoint)]
    if (control !== undefined) return control
    const isPlain = codePoint < 0x80 && !/\w/.test(String.fromCodePoint(codePoint))
    if (isPlain) return codePoint
    throw new RegularExpressionError('invalid escape sequence')
  }

  /** After `[`. A `]` that comes first stands for itself. */
  #class(): CharacterSet {
    const isNegated = this.#take('^')
    const sets: CharacterSet[] = []
    for (let isFirst = true; isFirst || !this.#isNext(']'); isFirst = false) {
      if (this.isAtEnd) throw new RegularExpressionError('missing closing ]')
      sets.push(this.#classItem())
    }
    this.#at++
    return isNegated ? negated(unionOf(sets)) : unionOf(sets)
  }

  #classItem(): CharacterSet {
    const posix = this.#takeMatch(/\[:(\^?)([^:\]]*):\]/y)
    if (posix !== undefined) {
      const set = posixClass(posix[2]!)
      if (set === undefined) throw new RegularExpressionError('invalid character class range')
      return posix[1] === '^' ? negated(set) : set
    }
    if (this.#isNext('\\')) {
      this.#at++
      const set = this.#escapedClass()
      if (set !== undefined) return set
      this.#at--
    }
    const first = this.#classCharacter()
    const isRange = this.#isNext('-') && this.#text[this.#at + 1] !== ']'
    if (!isRange || this.#at + 1 >= this.#text.length) return inRanges([[first, first]])
    this.#at++
    const last = this.#classCharacter()
    if (last < first) throw new RegularExpressionError('invalid character class range')
    return inRanges([[first, last]])
  }

  #classCharacter(): number {
    if (this.isAtEnd) throw new RegularExpressionError('missing closing ]')
    return this.#take('\\') ? this.#escapedCharacter() : this.#next()
  }

  /** After `\Q`: all up to `\E` stands for itself. */
  #quoted(flags: Flags): Node[] {
    const end = this.#text.indexOf('\\E', this.#at)
    const text = this.#text.slice(this.#at, end === -1 ? undefined : end)
    this.#at = end === -1 ? this.#text.length : end + 2
    return Array.from(text, (char) => literal(char.codePointAt(0)!, flags))
  }

  #next(): number {
    const codePoint = this.#text.codePointAt(this.#at)!
    this.#at += codePoint > 0xffff ? 2 : 1
    return codePoint
  }

  #isNext(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    const isNext = this.#isNext(text)
    if (isNext) this.#at += text.length
    return isNext
  }

  #takeMatch(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at
    const match = sticky.exec(this.#text)
    if (match === null) return undefined
    this.#at += match[0].length
    return match
  }
}

const CONTROLS: Readonly<Record<string, number>> = {
  ...{ a: 0x07, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b },
}

function withFlags(flags: Flags, text: string): Flags {
  const [on = '', off, ...more] = text.split('-')
  const isKnown = /^[imsU]*$/.test(on + (off ?? '')) && off !== '' && more.length === 0
  if (!isKnown) throw new RegularExpressionError('invalid or unsupported Perl syntax')
  const flag = (letter: string, before: boolean) =>
    off?.includes(letter) ? false : before || on.includes(letter)
  return {
    ignoreCase: flag('i', flags.ignoreCase),
    multiline: flag('m', flags.multiline),
    dotAll: flag('s', flags.dotAll),
  }
}

function literal(codePoint: number, flags: Flags): Node {
  return character((other) => other === codePoint, flags)
}

function character(set: CharacterSet, flags: Flags): Node {
  return { kind: 'character', set: flags.ignoreCase ? ignoringCase(set) : set }
}

function assertion(name: Assertion): Node {
  return { kind: 'assertion', assertion: name }
}
