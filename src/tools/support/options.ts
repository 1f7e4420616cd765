/**
 * The options of a command, as Kafka's tools have them: `--name value` or `--name=value`, one dash
 * or two, in any order; one table per tool says which there are.
 *
 * ```ts
 * const OPTIONS = defineOptions({
 *   about: 'This tool lists topics.',
 *   options: {
 *     'bootstrap-server': { argument: 'server to connect to', about: 'REQUIRED: …' },
 *     partitions: { argument: '# of partitions', type: 'Integer', about: '…' },
 *     list: { about: '…' },
 *   },
 * })
 * const options = OPTIONS.parse(args)
 * options.checkRequired('bootstrap-server')
 * ```
 * What is wrong with a command line ends the tool in the words of Kafka's tools, which get them
 * from the library joptsimple: exit code 1, and on standard error the message and, where those
 * tools print it, the table of options. Arguments without an option are overlooked, as they are
 * there.
 */
import { helpTable } from './help-table.ts'
import { ToolError, ToolExit } from './tool.ts'
import { kafkaVersion } from './version.ts'

export type ArgumentType = 'String' | 'Integer' | 'Long' | 'Double'

export interface Option {
  /** What it does, for the help. */
  readonly about: string
  /** What its argument is called in the help; an option with neither this nor `type` has none. */
  readonly argument?: string
  /** Default: String, as far as the option takes an argument. */
  readonly type?: ArgumentType
  /** How the help names the type, if it is not `type`. */
  readonly typeName?: string
  /** Whether the argument may be left out. */
  readonly optional?: boolean
  /** The value if the option is not given. */
  readonly default?: string
  /** How the help shows the default, if not as it is. */
  readonly shownDefault?: string
  /** Whether the command line must have it. */
  readonly required?: boolean
  /** The option makes sense with one of these only. */
  readonly availableWith?: readonly string[]
  /** Understood but not in the help. */
  readonly hidden?: boolean
  /** Separates values within an argument. */
  readonly separator?: string
}

export type OptionTable = Readonly<Record<string, Option>>

export interface OptionsDefinition<Table extends OptionTable> {
  /** What the tool is for: the first line of its help. */
  readonly about: string
  readonly options: Table
  /** What is printed when there are no arguments at all, if not `about`. */
  readonly aboutWithoutArguments?: string
  /**
   * What becomes of a command line that cannot be read: the tool ends with the message and the
   * table (`usage`), or a ToolError is thrown, with which it does as with others (`throw`).
   */
  readonly onUnreadable?: 'usage' | 'throw'
}

const HELP: OptionTable = {
  help: { about: 'Print usage information.' },
  version: { about: 'Display Kafka version.' },
}

/** Makes a parser. Every tool has `--help` and `--version`. */
export function defineOptions<const Table extends OptionTable>(
  definition: OptionsDefinition<Table>,
): Options<Table> {
  return new Options(definition)
}

export class Options<Table extends OptionTable> {
  readonly #definition: OptionsDefinition<Table>
  readonly table: OptionTable

  constructor(definition: OptionsDefinition<Table>) {
    this.#definition = definition
    this.table = { ...HELP, ...definition.options }
  }

  /**
   * Reads a command line. Without any argument, and for `--help` and `--version`, it throws the
   * ToolExit that prints what is wanted.
   */
  parse(args: readonly string[]): ParsedOptions<Table> {
    const parsed = this.read(args)
    const { about, aboutWithoutArguments = about } = this.#definition
    if (args.length === 0) throw parsed.usage(aboutWithoutArguments)
    if (parsed.has('help')) throw parsed.usage(about)
    if (parsed.has('version')) {
      throw new ToolExit(0, { stdout: `${kafkaVersion}\n` })
    }
    return parsed
  }

  /** The same for tools that look after these cases themselves. */
  read(args: readonly string[]): ParsedOptions<Table> {
    const mode = this.#definition.onUnreadable ?? 'usage'
    const parsed = new ParsedOptions<Table>(this.table, mode)
    readArguments(this.table, args, parsed as unknown as ParsedOptions<OptionTable>)
    return parsed
  }
}

/** What the parser of a tool gives. */
export type Parsed<Parser> = Parser extends Options<infer Table> ? ParsedOptions<Table> : never

/** An error of the command line, with the class of joptsimple's for it. */
function unreadable(
  parsed: Pick<ParsedOptions<OptionTable>, 'onUnreadable' | 'usage'>,
  simpleName: string,
  message: string,
): ToolError | ToolExit {
  if (parsed.onUnreadable === 'usage') return parsed.usage(message)
  return new ToolError(message, { className: `joptsimple.${simpleName}` })
}

function readArguments(
  table: OptionTable,
  args: readonly string[],
  parsed: ParsedOptions<OptionTable>,
): void {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '--') break
    const [, given, value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? []
    if (given === undefined) continue
    const option = Object.hasOwn(table, given) ? table[given]! : undefined
    if (option === undefined) {
      // After a single dash stands a row of letters, of which the first is not known.
      const name = arg.startsWith('--') ? given : given[0]!
      const message = `${name} is not a recognized option`
      throw unreadable(parsed, 'UnrecognizedOptionException', message)
    }
    if (option.argument === undefined && option.type === undefined) {
      parsed.add(given)
    } else if (value !== undefined && value !== '') {
      parsed.add(given, value)
    } else if (option.optional) {
      const next = args[index + 1]
      const isValue = next !== undefined && !looksLikeOption(option, next)
      if (isValue) index += 1
      parsed.add(given, isValue ? next : undefined)
    } else {
      index += 1
      if (index >= args.length) {
        const message = `Option ${given} requires an argument`
        throw unreadable(parsed, 'OptionMissingRequiredArgumentException', message)
      }
      parsed.add(given, args[index]!)
    }
  }
  checkTogether(table, parsed)
}

function looksLikeOption(option: Option, text: string): boolean {
  if (!/^-./s.test(text)) return false
  return !(option.type !== undefined && option.type !== 'String' && isOfType(option.type, text))
}

/** What options ask of each other; not asked of who wants help. */
function checkTogether(table: OptionTable, parsed: ParsedOptions<OptionTable>): void {
  if (parsed.has('help') || parsed.has('version')) return
  const entries = Object.entries(table)
  const missing = entries.filter(([name, { required }]) => required && !parsed.has(name))
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(', ')
    const message = `Missing required option(s) [${names}]`
    throw unreadable(parsed, 'MissingRequiredOptionsException', message)
  }
  const unavailable = entries.filter(([name, { availableWith }]) => {
    return parsed.has(name) && availableWith !== undefined && !availableWith.some(parsed.has)
  })
  if (unavailable.length > 0) {
    const names = unavailable.map(([name]) => name).join(', ')
    const message = `Option(s) [${names}] are unavailable given other options on the command line`
    throw unreadable(parsed, 'UnavailableOptionException', message)
  }
}

const INTEGER_LIMITS = {
  Integer: [-(2n ** 31n), 2n ** 31n - 1n],
  Long: [-(2n ** 63n), 2n ** 63n - 1n],
} as const

function isOfType(type: ArgumentType, text: string): boolean {
  if (type === 'String') return true
  if (type === 'Double') return text.trim() !== '' && !Number.isNaN(Number(text))
  if (!/^[+-]?\d+$/.test(text)) return false
  const [min, max] = INTEGER_LIMITS[type]
  const value = BigInt(text.replace('+', ''))
  return value >= min && value <= max
}

type NameOf<Table> = (keyof Table & string) | 'help' | 'version'

/** What a command line says. */
export class ParsedOptions<Table extends OptionTable> {
  readonly onUnreadable: 'usage' | 'throw'
  readonly #table: OptionTable
  readonly #given = new Map<string, string[]>()
  readonly #order: string[] = []

  constructor(table: OptionTable, onUnreadable: 'usage' | 'throw') {
    this.#table = table
    this.onUnreadable = onUnreadable
  }

  /** Names of the options in the order in which they were given, as often as they were. */
  get order(): readonly string[] {
    return this.#order
  }

  add(name: string, argument?: string): void {
    this.#order.push(name)
    const values = this.#given.get(name) ?? []
    this.#given.set(name, values)
    if (argument === undefined) return
    const { separator } = this.#table[name]!
    values.push(...(separator === undefined ? [argument] : argument.split(separator)))
  }

  /** Whether the option was given, with or without an argument. */
  readonly has = (name: NameOf<Table>): boolean => this.#given.has(name)

  /** The options that were given, in the order in which they came first. */
  names(): NameOf<Table>[] {
    return [...this.#given.keys()] as NameOf<Table>[]
  }

  /** The option's argument or its default. Throws if it was given twice, or is not of its type. */
  value(name: NameOf<Table>): string | undefined {
    const values = this.values(name)
    if (values.length > 1) {
      const message = `Found multiple arguments for option ${name}, but you asked for only one`
      throw unreadable(this, 'MultipleArgumentsForOptionException', message)
    }
    return values[0]
  }

  /** As `value`, for an option that has been checked to be there or has a default. */
  required(name: NameOf<Table>): string {
    const value = this.value(name)
    if (value === undefined) throw this.usage(`Missing required argument "[${name}]"`)
    return value
  }

  /** All arguments of an option, in the order given; its default if there are none. */
  values(name: NameOf<Table>): string[] {
    const option = this.#table[name]!
    const given = this.#given.get(name) ?? []
    for (const value of given) {
      if (isOfType(option.type ?? 'String', value)) continue
      const message = `Cannot parse argument '${value}' of option ${name}`
      throw unreadable(this, 'OptionArgumentConversionException', message)
    }
    return given.length > 0 || option.default === undefined ? given : [option.default]
  }

  /** The argument of an option whose type is a number. */
  number(name: NameOf<Table>): number | undefined {
    const value = this.value(name)
    return value === undefined ? undefined : Number(value)
  }

  /** The error for a command line that makes no sense: the message, then all options. */
  usage(message: string): ToolExit {
    return new ToolExit(1, { stderr: `${message}\n${helpTable(this.#table)}` })
  }

  checkRequired(...names: NameOf<Table>[]): void {
    for (const name of names) {
      if (!this.has(name)) throw this.usage(`Missing required argument "[${name}]"`)
    }
  }

  /** With `used`, none of the others may be given. */
  checkInvalid(used: NameOf<Table>, invalid: readonly NameOf<Table>[]): void {
    if (!this.has(used)) return
    for (const name of invalid) {
      if (this.has(name)) {
        throw this.usage(`Option "[${used}]" can't be used with option "[${name}]"`)
      }
    }
  }

  /** With all of `used`, none of the others may be given. */
  checkInvalidSet(
    used: readonly NameOf<Table>[],
    invalid: readonly NameOf<Table>[],
    trailing = '',
  ): void {
    if (!used.every(this.has)) return
    const combination = used.map((name) => `[${name}]`).join(', ')
    for (const name of invalid.filter(this.has)) {
      throw this.usage(
        `Option combination "[${combination}]" can't be used with option "[${name}]"${trailing}`,
      )
    }
  }

  /** Exactly one of these must be given. */
  checkOneOf(...names: NameOf<Table>[]): void {
    if (names.filter(this.has).length === 1) return
    const listed = names.map((name) => `[${name}]`).join(', ')
    throw this.usage(`Exactly one of the following arguments is required: ${listed}`)
  }
}

/** `key=value` arguments; without `=` the value is empty. */
export function keyValues(args: readonly string[]): Map<string, string> {
  return new Map(
    args.map((arg) => {
      const equals = arg.indexOf('=')
      return equals < 0 ? [arg, ''] : [arg.slice(0, equals), arg.slice(equals + 1)]
    }),
  )
}
