/** Sets of characters, as classes of a regular expression name them. */

export type CharacterSet = (codePoint: number) => boolean

/** Inclusive ranges. */
export type Ranges = readonly (readonly [first: number, last: number])[]

const DIGIT: Ranges = [[0x30, 0x39]]
const UPPER: Ranges = [[0x41, 0x5a]]
const LOWER: Ranges = [[0x61, 0x7a]]
const PUNCTUATION: Ranges = [
  [0x21, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0x7e],
]
const WORD: Ranges = [...DIGIT, ...UPPER, ...LOWER, [0x5f, 0x5f]]

/** `\d`, `\s`, `\w`: ASCII only, in RE2. */
const PERL: Readonly<Record<string, Ranges>> = {
  d: DIGIT,
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
  w: WORD,
}

/** `[:alpha:]` and the like. */
const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [...DIGIT, ...UPPER, ...LOWER],
  alpha: [...UPPER, ...LOWER],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: [[0x21, 0x7e]],
  lower: LOWER,
  print: [[0x20, 0x7e]],
  punct: PUNCTUATION,
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, [0x41, 0x46], [0x61, 0x66]],
}

export function inRanges(ranges: Ranges): CharacterSet {
  return (codePoint) => ranges.some(([first, last]) => codePoint >= first && codePoint <= last)
}

export function negated(set: CharacterSet): CharacterSet {
  return (codePoint) => !set(codePoint)
}

export function unionOf(sets: readonly CharacterSet[]): CharacterSet {
  return (codePoint) => sets.some((set) => set(codePoint))
}

/** The same set, whatever the case of its letters or of what is looked up. */
export function ignoringCase(set: CharacterSet): CharacterSet {
  return (codePoint) => {
    if (set(codePoint)) return true
    const text = String.fromCodePoint(codePoint)
    return set(text.toLowerCase().codePointAt(0)!) || set(text.toUpperCase().codePointAt(0)!)
  }
}

export function isWordCharacter(codePoint: number | undefined): boolean {
  return codePoint !== undefined && WORD_SET(codePoint)
}

const WORD_SET = inRanges(WORD)

/** The class of `\d` by its letter; a capital is the opposite. Undefined if there is none. */
export function perlClass(letter: string): CharacterSet | undefined {
  const ranges = PERL[letter.toLowerCase()]
  if (ranges === undefined || letter.length !== 1) return undefined
  return letter === letter.toLowerCase() ? inRanges(ranges) : negated(inRanges(ranges))
}

/** The class of `[:alpha:]` by its name. Undefined if there is none. */
export function posixClass(name: string): CharacterSet | undefined {
  const ranges = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined
  return ranges === undefined ? undefined : inRanges(ranges)
}

/** The class of `\p{Greek}` by its name. Undefined if there is none. */
export function unicodeClass(name: string): CharacterSet | undefined {
  if (name === 'Any') return () => true
  if (!/^\w+$/.test(name)) return undefined
  for (const property of [name, `Script=${name}`]) {
    try {
      // Matched against one character at a time, which takes no time to speak of.
      const pattern = new RegExp(`^\\p{${property}}$`, 'u')
      return (codePoint) => pattern.test(String.fromCodePoint(codePoint))
    } catch {
      // No such property; perhaps a script is called so.
    }
  }
  return undefined
}
