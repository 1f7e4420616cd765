/** What a tool in argparse4j's style says of its arguments: see argparse.ts. */

export type ArgumentType = 'Short' | 'Integer' | 'Long' | 'Double' | 'String'
export type ArgumentValue = string | number | boolean | readonly string[] | undefined

export interface ArgumentSpec {
  readonly flags: readonly [string, ...string[]]
  /** What is done with it; by default its value is kept. `version` prints the version and ends. */
  readonly action?: 'append' | 'store' | 'storeTrue' | 'version'
  readonly type?: ArgumentType
  readonly required?: boolean
  /** What the value is called in the usage. */
  readonly metavar?: string
  /** The name of the value; by default that of the first long flag. */
  readonly dest?: string
  readonly default?: string | number | boolean
  readonly choices?: readonly string[]
  /** Takes as many values as follow. */
  readonly takesMany?: boolean
  readonly help?: string
}

export interface GroupSpec {
  readonly title?: string
  readonly description?: string
  /** At most one of the arguments may be given; with `required`, exactly one. */
  readonly exclusive?: boolean
  readonly required?: boolean
  readonly group: readonly ArgumentSpec[]
}

export interface CommandSpec {
  readonly description?: string
  readonly help?: string
  readonly arguments: readonly (ArgumentSpec | GroupSpec)[]
}

export interface ParserSpec extends CommandSpec {
  readonly program: string
  /** Whether the help names the defaults. */
  readonly defaultHelp?: boolean
  /** The exit code after `--help`. */
  readonly helpExitCode?: number
  /** A character before the name of a file that has arguments, one a line. */
  readonly filePrefix?: string
  readonly version?: string
  readonly commands?: {
    readonly title?: string
    readonly metavar?: string
    readonly parsers: Readonly<Record<string, CommandSpec>>
  }
}

/** An argument with the group it is in. */
export interface Argument extends ArgumentSpec {
  readonly dest: string
  readonly inGroup: GroupSpec | undefined
}

/** The program's parser, or that of one of its commands. */
export interface Parser {
  readonly root: ParserSpec
  readonly spec: CommandSpec
  readonly command: string | undefined
  readonly parent: Parser | undefined
  readonly all: readonly Argument[]
  readonly groups: readonly GroupSpec[]
}

/** How an argument is called in messages. */
export const textualName = ({ flags }: ArgumentSpec): string => flags.join('/')

/** Whether it has a value. */
export const takesValue = ({ flags, action = 'store' }: ArgumentSpec): boolean =>
  flags[0] !== '-h' && action !== 'storeTrue' && action !== 'version'
