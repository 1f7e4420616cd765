/**
 * Reads the arguments of those of Kafka's tools that have commands of their own, or options with
 * several values: they are built on argparse4j, and what it accepts, prints and refuses is what
 * scripts know. (The others are in joptsimple's style: see options.ts.)
 *
 * ```
 * tool [--option value] [--flag] command [--option=value …]
 * ```
 * An option and a command may be shortened to what is unambiguous. Errors are a ToolError with the
 * usage and, where something looks alike, a suggestion; `--help` ends the tool by a ToolExit.
 */
import { readFileSync } from 'node:fs'
import { formatError, formatHelp } from './argparse-help.ts'
import {
  type Argument,
  type ArgumentSpec,
  type ArgumentType,
  type ArgumentValue,
  type CommandSpec,
  type GroupSpec,
  type Parser,
  type ParserSpec,
  takesValue,
  textualName,
} from './argparse-spec.ts'
import { ToolError, ToolExit } from './tool.ts'

export type { ArgumentSpec, CommandSpec, GroupSpec, ParserSpec } from './argparse-spec.ts'

/** The values of arguments, by their `dest`. */
export class Namespace {
  readonly #values: ReadonlyMap<string, ArgumentValue>
  /** The command that was given, where there are commands. */
  readonly command: string | undefined

  constructor(values: ReadonlyMap<string, ArgumentValue>, command: string | undefined) {
    this.#values = values
    this.command = command
  }

  has(dest: string): boolean {
    return this.#values.get(dest) !== undefined
  }

  string(dest: string): string | undefined {
    return this.#values.get(dest) as string | undefined
  }

  number(dest: string): number | undefined {
    return this.#values.get(dest) as number | undefined
  }

  flag(dest: string): boolean {
    return this.#values.get(dest) === true
  }

  list(dest: string): readonly string[] | undefined {
    return this.#values.get(dest) as readonly string[] | undefined
  }
}

const HELP: ArgumentSpec = { flags: ['-h', '--help'], help: 'show this help message and exit' }

const isNegativeNumber = (text: string): boolean => /^-\d+$/.test(text)
const isFlag = (text: string): boolean => /^-+[^-]/.test(text) && !isNegativeNumber(text)
const isGroup = (item: ArgumentSpec | GroupSpec): item is GroupSpec => 'group' in item

function makeParser(
  root: ParserSpec,
  spec: CommandSpec,
  command?: string,
  parent?: Parser,
): Parser {
  const withGroup = (argument: ArgumentSpec, inGroup?: GroupSpec): Argument => {
    const flag = argument.flags.find((name) => name.startsWith('--')) ?? argument.flags[0]
    const dest = argument.dest ?? flag.replace(/^-+/, '').replaceAll('-', '_')
    return { ...argument, dest, inGroup }
  }
  const all = [HELP, ...spec.arguments].flatMap((item) =>
    isGroup(item) ? item.group.map((one) => withGroup(one, item)) : [withGroup(item)],
  )
  return { root, spec, command, parent, all, groups: spec.arguments.filter(isGroup) }
}

/** Reads `args`; throws a ToolError if they are not as `spec` has it, or ask for help. */
export function parseArguments(spec: ParserSpec, args: readonly string[]): Namespace {
  const values = new Map<string, ArgumentValue>()
  const state = new ParseState(makeParser(spec, spec), expandFiles(spec, args), values)
  state.parse()
  return new Namespace(values, state.command)
}

/** The help of the program itself, for tools that print it of their own accord. */
export function programHelp(spec: ParserSpec): string {
  return formatHelp(makeParser(spec, spec))
}

/** How a tool ends whose arguments make no sense. */
export function argumentError(spec: ParserSpec, message: string): ToolError {
  return new ToolError(formatError(makeParser(spec, spec), message))
}

/** Replaces the names of files that have arguments by these. */
function expandFiles(spec: ParserSpec, args: readonly string[]): string[] {
  const { filePrefix } = spec
  return args.flatMap((argument) => {
    if (filePrefix === undefined || !argument.startsWith(filePrefix)) return [argument]
    const path = argument.slice(filePrefix.length)
    try {
      return readFileSync(path, 'utf8').replace(/\n$/, '').split(/\r?\n/)
    } catch {
      throw argumentError(spec, `Could not read arguments from file '${path}'`)
    }
  })
}

/** A way through the arguments, first with the program's parser, then with its command's. */
class ParseState {
  #parser: Parser
  readonly #args: readonly string[]
  readonly #values: Map<string, ArgumentValue>
  #index = 0
  #used = new Set<Argument>()
  /** That something required is missing is said only when all else is in order. */
  #missing: ToolError | undefined
  command: string | undefined

  constructor(parser: Parser, args: readonly string[], values: Map<string, ArgumentValue>) {
    this.#parser = parser
    this.#args = args
    this.#values = values
    this.#setDefaults()
  }

  parse(): void {
    while (this.#index < this.#args.length) {
      const term = this.#args[this.#index]!
      if (isFlag(term)) this.#parseFlag(term)
      else if (this.#parser.root.commands !== undefined && this.command === undefined) {
        this.#checkRequired()
        this.#enterCommand(term)
      } else this.#fail(`unrecognized arguments: '${this.#args.slice(this.#index).join(' ')}'`)
    }
    if (this.#parser.root.commands !== undefined && this.command === undefined) {
      this.#fail('too few arguments')
    }
    this.#checkRequired()
    if (this.#missing !== undefined) throw this.#missing
  }

  #setDefaults(): void {
    for (const { action, dest, default: value } of this.#parser.all) {
      this.#values.set(dest, value ?? (action === 'storeTrue' ? false : undefined))
    }
  }

  #enterCommand(term: string): void {
    const { parsers } = this.#parser.root.commands!
    const names = Object.keys(parsers)
    const candidates = names.includes(term) ? [term] : names.filter((name) => name.startsWith(term))
    if (candidates.length > 1) {
      const list = candidates.sort().join(', ')
      this.#fail(`ambiguous command: ${term} could match ${list}`)
    }
    const name = candidates[0]
    if (name === undefined) {
      const list = names.map((one) => `'${one}'`).join(', ')
      this.#fail(`invalid choice: '${term}' (choose from ${list})`, { like: term, among: names })
    }
    this.#parser = makeParser(this.#parser.root, parsers[name]!, name, this.#parser)
    this.command = name
    this.#index++
    this.#used = new Set()
    this.#setDefaults()
  }

  #parseFlag(term: string): void {
    const equals = term.indexOf('=')
    const name = equals < 0 ? term : term.slice(0, equals)
    const argument = this.#resolve(name)
    if (argument === undefined) {
      const flags = this.#parser.all.flatMap((one) => one.flags)
      const among = flags.filter((flag) => flag.replace(/^-+/, '').length > 1)
      this.#fail(`unrecognized arguments: '${term}'`, { like: term, among })
    }
    this.#index++
    this.#checkExclusive(argument)
    this.#take(argument, equals < 0 ? undefined : term.slice(equals + 1))
    this.#used.add(argument)
  }

  #resolve(name: string): Argument | undefined {
    const { all } = this.#parser
    const exact = all.find((one) => one.flags.includes(name))
    if (exact !== undefined) return exact
    const candidates = all.flatMap((one) => one.flags).filter((flag) => flag.startsWith(name))
    if (candidates.length > 1) {
      const list = candidates.sort().join(', ')
      this.#fail(`ambiguous option: ${name} could match ${list}`)
    }
    return all.find((one) => one.flags.includes(candidates[0]!))
  }

  #checkExclusive(argument: Argument): void {
    if (!argument.inGroup?.exclusive) return
    const other = [...this.#used].find((one) => one.inGroup === argument.inGroup)
    if (other === undefined || other === argument) return
    this.#failOf(argument, `not allowed with argument ${textualName(other)}`)
  }

  #take(argument: Argument, embedded: string | undefined): void {
    const { action = 'store', dest, flags } = argument
    if (!takesValue(argument)) {
      if (embedded !== undefined) this.#failOf(argument, `ignore implicit argument '${embedded}'`)
      if (flags[0] === '-h') this.#help()
      if (action === 'version') {
        throw new ToolExit(0, { stdout: `${this.#parser.root.version}\n` })
      }
      this.#values.set(dest, true)
      return
    }
    const texts = embedded === undefined ? this.#following(argument) : [embedded]
    const values = texts.map((text) => this.#convert(argument, text))
    if (argument.takesMany) this.#values.set(dest, values as string[])
    else if (action === 'append') {
      const before = (this.#values.get(dest) as readonly string[] | undefined) ?? []
      this.#values.set(dest, [...before, ...(values as string[])])
    } else this.#values.set(dest, values[0])
  }

  /** The values that follow an option. */
  #following(argument: Argument): string[] {
    const from = this.#index
    const most = argument.takesMany ? this.#args.length : from + 1
    while (this.#index < Math.min(most, this.#args.length) && !isFlag(this.#args[this.#index]!)) {
      this.#index++
    }
    if (this.#index === from) {
      this.#failOf(argument, `expected ${argument.takesMany ? '1 argument(s)' : 'one argument'}`)
    }
    return this.#args.slice(from, this.#index)
  }

  #convert(argument: Argument, text: string): string | number {
    const { choices, type = 'String' } = argument
    if (choices !== undefined && !choices.includes(text)) {
      const list = `{${choices.join(',')}}`
      this.#failOf(argument, `invalid choice: '${text}' (choose from ${list})`)
    }
    if (type === 'String') return text
    const problem = numberProblem(type, text)
    if (problem === undefined) return Number(text)
    return this.#failOf(argument, `could not convert '${text}' to ${type} (${problem})`)
  }

  #checkRequired(): void {
    if (this.#missing !== undefined) return
    for (const argument of this.#parser.all) {
      if (argument.required && !this.#used.has(argument)) {
        this.#missing = this.#error(`argument ${textualName(argument)} is required`)
      }
    }
    for (const group of this.#parser.groups) {
      if (!group.exclusive || !group.required || this.#missing !== undefined) continue
      if ([...this.#used].some((one) => one.inGroup === group)) continue
      const names = group.group.map((one) => `${textualName(one)} `).join('')
      this.#missing = this.#error(`one of the arguments ${names}is required`)
    }
  }

  #help(): never {
    const stdout = formatHelp(this.#parser)
    throw new ToolExit(this.#parser.root.helpExitCode ?? 1, { stdout })
  }

  #failOf(argument: Argument, message: string): never {
    throw this.#error(`argument ${textualName(argument)}: ${message}`)
  }

  #fail(message: string, likeness?: { like: string; among: readonly string[] }): never {
    throw this.#error(message, likeness)
  }

  #error(message: string, likeness?: { like: string; among: readonly string[] }): ToolError {
    return new ToolError(formatError(this.#parser, message, likeness))
  }
}

const RANGES = { Short: 2n ** 15n, Integer: 2n ** 31n, Long: 2n ** 63n }

/** What Java says of a text that is no number of the type; undefined if it is one. */
function numberProblem(type: Exclude<ArgumentType, 'String'>, text: string): string | undefined {
  if (type === 'Double') {
    const isNumber = text.trim() !== '' && !Number.isNaN(Number(text))
    return isNumber ? undefined : `For input string: "${text}"`
  }
  if (!/^[+-]?\d+$/.test(text)) return `For input string: "${text}"`
  const value = BigInt(text.replace('+', ''))
  if (value >= -RANGES[type] && value < RANGES[type]) return undefined
  const fitsInteger = value >= -RANGES.Integer && value < RANGES.Integer
  return type === 'Short' && fitsInteger
    ? `Value out of range. Value:"${text}" Radix:10`
    : `For input string: "${text}"`
}
