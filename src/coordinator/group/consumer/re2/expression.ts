/**
 * Regular expressions with RE2's syntax that match in linear time, so that no client can hang the
 * broker with one: the runtime's own take exponential time for some.
 *
 * An expression becomes a program of a machine that is in many places at once (Thompson's
 * construction); a character moves it from one set of places to the next.
 */
import { KafkaError } from '../../../../common/errors.ts'
import { type CharacterSet, isWordCharacter } from './character-set.ts'
import {
  type Assertion,
  type Node,
  parseRegularExpression,
  RegularExpressionError,
} from './expression-parser.ts'

type Instruction =
  | { readonly op: 'character'; readonly set: CharacterSet }
  | { readonly op: 'assertion'; readonly assertion: Assertion }
  /** Goes on at all of these places. */
  | { readonly op: 'jump'; to: number[] }
  | { readonly op: 'match' }

/** A longer program could take too long for one name, linear or not. */
const MAX_INSTRUCTIONS = 10_000
/** How many instructions `filter` may carry out: some tenths of a second. */
const MAX_STEPS = 5_000_000

export class RegularExpression {
  readonly #program: Instruction[] = []
  readonly #text: string

  /** Throws KafkaError INVALID_REGULAR_EXPRESSION. */
  constructor(text: string) {
    this.#text = text
    try {
      this.#emit(parseRegularExpression(text))
    } catch (error) {
      if (!(error instanceof RegularExpressionError)) throw error
      throw this.#invalid(error.message)
    }
    this.#program.push({ op: 'match' })
  }

  /**
   * Those of `names` that match as a whole. Throws INVALID_REGULAR_EXPRESSION if that takes too
   * long.
   */
  filter(names: Iterable<string>): Set<string> {
    const matching = new Set<string>()
    const machine = new Machine(this.#program)
    for (const name of names) {
      if (machine.matches(name)) matching.add(name)
      if (machine.steps > MAX_STEPS) throw this.#invalid('it takes too long to match')
    }
    return matching
  }

  #invalid(description: string): KafkaError {
    return new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${this.#text}\` is not a valid regular expression: ${description}.`,
    )
  }

  #push(instruction: Instruction): number {
    if (this.#program.length >= MAX_INSTRUCTIONS) {
      throw new RegularExpressionError('expression is too large')
    }
    return this.#program.push(instruction) - 1
  }

  #emit(node: Node): void {
    switch (node.kind) {
      case 'character':
        this.#push({ op: 'character', set: node.set })
        break
      case 'assertion':
        this.#push({ op: 'assertion', assertion: node.assertion })
        break
      case 'sequence':
        for (const part of node.parts) this.#emit(part)
        break
      case 'choice':
        this.#emitChoice(node.options)
        break
      case 'repeat':
        this.#emitRepeat(node.part, node.min, node.max)
        break
    }
  }

  #emitChoice(options: readonly Node[]): void {
    const start = { op: 'jump' as const, to: [] as number[] }
    const ends: { to: number[] }[] = []
    this.#push(start)
    for (const option of options) {
      start.to.push(this.#program.length)
      this.#emit(option)
      const end = { op: 'jump' as const, to: [] }
      this.#push(end)
      ends.push(end)
    }
    for (const end of ends) end.to = [this.#program.length]
  }

  #emitRepeat(part: Node, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.#emit(part)
    if (max === Number.POSITIVE_INFINITY) {
      const loop = { op: 'jump' as const, to: [] as number[] }
      const at = this.#push(loop)
      this.#emit(part)
      this.#push({ op: 'jump', to: [at] })
      loop.to = [at + 1, this.#program.length]
      return
    }
    const skips: { to: number[] }[] = []
    for (let i = min; i < max; i++) {
      const skip = { op: 'jump' as const, to: [this.#program.length + 1] }
      this.#push(skip)
      skips.push(skip)
      this.#emit(part)
    }
    for (const skip of skips) skip.to.push(this.#program.length)
  }
}

class Machine {
  readonly #program: readonly Instruction[]
  /** The round in which each place was last come to. */
  readonly #visited: Int32Array
  #round = 0
  #input: readonly number[] = []
  #at = 0
  /** Instructions carried out so far, in all names. */
  steps = 0

  constructor(program: readonly Instruction[]) {
    this.#program = program
    this.#visited = new Int32Array(program.length)
  }

  /** Whether the whole name matches. */
  matches(name: string): boolean {
    this.#input = Array.from(name, (char) => char.codePointAt(0)!)
    this.#at = 0
    let places = this.#reachable([0])
    for (const codePoint of this.#input) {
      const next: number[] = []
      for (const place of places) {
        const instruction = this.#program[place]!
        if (instruction.op === 'character' && instruction.set(codePoint)) next.push(place + 1)
      }
      this.#at++
      places = this.#reachable(next)
      if (places.length === 0) return false
    }
    return places.some((place) => this.#program[place]!.op === 'match')
  }

  /** The places that take a character or match, and can be come to without taking one. */
  #reachable(from: number[]): number[] {
    const places: number[] = []
    const pending = from
    this.#round++
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (this.#visited[place] === this.#round) continue
      this.#visited[place] = this.#round
      this.steps++
      const instruction = this.#program[place]!
      if (instruction.op === 'jump') pending.push(...instruction.to)
      else if (instruction.op !== 'assertion') places.push(place)
      else if (this.#holds(instruction.assertion)) pending.push(place + 1)
    }
    return places
  }

  #holds(assertion: Assertion): boolean {
    const before = this.#input[this.#at - 1]
    const after = this.#input[this.#at]
    switch (assertion) {
      case 'start':
        return before === undefined
      case 'end':
        return after === undefined
      case 'line start':
        return before === undefined || before === 0x0a
      case 'line end':
        return after === undefined || after === 0x0a
      case 'boundary':
        return isWordCharacter(before) !== isWordCharacter(after)
      case 'no boundary':
        return isWordCharacter(before) === isWordCharacter(after)
    }
  }
}
