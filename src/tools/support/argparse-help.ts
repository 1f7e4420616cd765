/**
 * The usage, the help and the errors of a tool in argparse4j's layout: a usage that is indented to
 * the program's name, help texts from the 25th column on, lines of 75 columns that are stretched to
 * their end.
 */
import {
  type Argument,
  type ArgumentSpec,
  type GroupSpec,
  type Parser,
  takesValue,
} from './argparse-spec.ts'

const WIDTH = 75
const HELP_COLUMN = 25
/** A program's name may be so long before the options go to a line of their own. */
const LONGEST_USAGE_INDENT = 30
/** Names that are less alike are not suggested. */
const LEAST_LIKENESS = 7

/** The usage and the error, without the last newline. */
export function formatError(
  parser: Parser,
  message: string,
  likeness?: { readonly like: string; readonly among: readonly string[] },
): string {
  // The newline takes part: a message that fills the last line to its end is broken for it.
  const error = wrap(`${parser.root.program}: error: ${message}\n`, 0, '').trimEnd()
  const lines = [formatUsage(parser), error]
  if (likeness !== undefined) lines.push(...suggestions(likeness.like, likeness.among))
  return lines.join('\n')
}

/** All that there is to say of a program or a command. */
export function formatHelp(parser: Parser): string {
  const { root, spec, all, groups, command } = parser
  const lines = [formatUsage(parser)]
  if (spec.description) lines.push('', wrap(spec.description, 0, ''))
  const commands = command === undefined ? root.commands : undefined
  if (commands !== undefined && commands.title === undefined) {
    lines.push('', 'positional arguments:', ...commandsHelp(parser))
  }
  const withDefaults = command === undefined && root.defaultHelp === true
  const argumentHelp = (argument: Argument | ArgumentSpec): string =>
    helpLines(helpTitle(argument as Argument), helpText(argument, withDefaults))
  const listed = all.filter(({ inGroup }) => inGroup === undefined || !isSeparate(inGroup))
  lines.push('', 'optional arguments:', ...listed.map(argumentHelp))
  if (commands?.title !== undefined) {
    lines.push('', `${commands.title}:`, ...commandsHelp(parser))
  }
  for (const group of groups.filter(isSeparate)) {
    lines.push('')
    if (group.title) lines.push(`${group.title}:`)
    if (group.description) lines.push(`  ${wrap(group.description, 2, '  ')}`, '')
    lines.push(...all.filter(({ inGroup }) => inGroup === group).map(argumentHelp))
  }
  return `${lines.join('\n')}\n`
}

/** Whether the help has a part of its own for the group. */
function isSeparate({ exclusive, title, description }: GroupSpec): boolean {
  return !exclusive || Boolean(title) || Boolean(description)
}

function commandsHelp({ root }: Parser): string[] {
  const { parsers, metavar } = root.commands!
  const names = Object.keys(parsers)
  const titles = names.flatMap((name) => {
    const { help = '' } = parsers[name]!
    return help === '' ? [] : [helpLines(`  ${name}`, help)]
  })
  return [helpLines(metavar ?? `{${names.join(',')}}`, ''), ...titles]
}

function helpText(argument: ArgumentSpec, withDefault: boolean): string {
  const { action, help = '' } = argument
  const value = argument.default ?? (action === 'storeTrue' ? false : undefined)
  if (!withDefault || value === undefined) return help
  return `${help}${help === '' ? '' : ' '}(default: ${value})`
}

function helpTitle(argument: Argument): string {
  const value = metavarOf(argument)
  return argument.flags.map((flag) => (value === '' ? flag : `${flag} ${value}`)).join(', ')
}

function helpLines(title: string, help: string): string {
  if (help === '') return `  ${title}`
  const indent = ' '.repeat(HELP_COLUMN)
  const text = wrap(help, HELP_COLUMN, indent)
  return title.length <= HELP_COLUMN - 4
    ? `  ${title.padEnd(HELP_COLUMN - 2)}${text}`
    : `  ${title}\n${indent}${text}`
}

function metavarOf(argument: Argument): string {
  if (!takesValue(argument)) return ''
  const { choices, dest } = argument
  const name = argument.metavar ?? (choices ? `{${choices.join(',')}}` : dest.toUpperCase())
  return argument.takesMany ? `${name} [${name} ...]` : name
}

/** `--flag VALUE`. */
function shortSyntax(argument: Argument): string {
  const value = metavarOf(argument)
  return value === '' ? argument.flags[0] : `${argument.flags[0]} ${value}`
}

function bracketed(argument: Argument): string {
  const text = shortSyntax(argument)
  return argument.required ? text : `[${text}]`
}

function formatUsage(parser: Parser): string {
  const { root, command, all } = parser
  const words = parser.parent === undefined ? [] : usageOfParent(parser.parent)
  if (command !== undefined) words.push(command)
  words.push(...all.filter(({ inGroup }) => !inGroup?.exclusive).map(bracketed))
  words.push(...exclusiveGroups(parser, () => true))
  if (command === undefined && root.commands !== undefined) {
    const { metavar, parsers } = root.commands
    words.push(metavar ?? `{${Object.keys(parsers).join(',')}}`, '...')
  }
  return layOut(`usage: ${root.program}`, words)
}

/** What has to be given before the command. */
function usageOfParent(parser: Parser): string[] {
  const required = parser.all.filter((one) => one.required && !one.inGroup?.exclusive)
  return [
    ...required.map(bracketed),
    ...exclusiveGroups(parser, (group) => group.required === true),
  ]
}

/** `[--a A | --b B]`, in words that may go to different lines. */
function exclusiveGroups(parser: Parser, isMeant: (group: GroupSpec) => boolean): string[] {
  const groups = parser.groups.filter((group) => group.exclusive && isMeant(group))
  return groups.flatMap((group) => {
    const texts = parser.all.filter(({ inGroup }) => inGroup === group).map(shortSyntax)
    const optional = ['[', ']'] as const
    const required = texts.length > 1 ? (['(', ')'] as const) : (['', ''] as const)
    const [open, close] = group.required ? required : optional
    return texts.flatMap((text, index) => {
      const first = index === 0 ? open : ''
      const last = index === texts.length - 1 ? close : ''
      return index === 0 ? [`${first}${text}${last}`] : ['|', `${text}${last}`]
    })
  })
}

function layOut(start: string, words: readonly string[]): string {
  const isLong = start.length > LONGEST_USAGE_INDENT
  const indent = ' '.repeat(isLong ? 6 : start.length)
  let text = isLong ? `${start}\n${indent}` : start
  let column = isLong ? 2 * indent.length : start.length
  for (const [index, word] of words.entries()) {
    if (index > 0 && column + word.length + 1 > WIDTH) {
      text += `\n${indent}`
      column = indent.length
    }
    text += ` ${word}`
    column += 1 + word.length
  }
  return text
}

/** Breaks a text into lines, each of which but the last is stretched to the full width. */
function wrap(text: string, firstColumn: number, indent: string): string {
  let result = ''
  let line = ''
  let column = firstColumn
  for (const piece of breakable(text)) {
    column += piece.length
    if (column > WIDTH) {
      result += `${stretch(line, WIDTH, column - piece.length)}\n${indent}`
      line = ''
      column = indent.length + piece.length
    }
    line += piece
    if (piece.endsWith('\n')) {
      result += line + indent
      line = ''
      column = indent.length
    }
  }
  return result + line
}

/** The pieces between which Java would break a line. */
function breakable(text: string): string[] {
  const pieces: string[] = []
  let start = 0
  for (let at = 1; at < text.length; at++) {
    if (!mayBreak(text, at)) continue
    pieces.push(text.slice(start, at))
    start = at
  }
  return [...pieces, text.slice(start)]
}

function mayBreak(text: string, at: number): boolean {
  const [second, before, after] = [text[at - 2] ?? ' ', text[at - 1]!, text[at]!]
  if (before === '\n') return true
  if (/\s/.test(after)) return false
  if (/\s/.test(before)) return true
  if (before === '-') return /[a-z]/i.test(after) || (/\d/.test(after) && /\w/.test(second))
  if (/[:,]/.test(before))
    return /[a-z]/i.test(after) || (/\d/.test(after) && /[a-z]/i.test(second))
  if (before === '.') return /[a-z]/i.test(after)
  return before === '=' && after === '['
}

/** Widens the gaps between words evenly, those in the middle first. */
function stretch(line: string, width: number, columns: number): string {
  const trimmed = line.replace(/^ +| +$/g, '')
  const missing = width - (columns - (line.length - trimmed.length))
  const gaps = trimmed.match(/ +/g)?.length ?? 0
  if (gaps === 0) return trimmed
  const each = Math.trunc(missing / gaps)
  const rest = missing % gaps
  const from = Math.trunc((gaps - rest + 1) / 2)
  let gap = 0
  return trimmed.replace(/ +/g, (spaces) => {
    const more = each + (gap >= from && gap < from + rest ? 1 : 0)
    gap++
    return spaces + ' '.repeat(Math.max(0, more))
  })
}

/** The names that are most like one that is not there. */
function suggestions(like: string, among: readonly string[]): string[] {
  const body = like.replace(/^-+/, '')
  if (like.startsWith('-') && body.length < 2) return []
  const rated = among.map((name) => {
    const other = name.replace(/^-+/, '')
    return { name, cost: other.startsWith(body) ? 0 : editCost(body, other) }
  })
  const best = Math.min(...rated.map(({ cost }) => cost))
  if (best >= LEAST_LIKENESS) return []
  const names = rated.filter(({ cost }) => cost === best).map(({ name }) => `\t${name}`)
  return ['', 'Did you mean:', ...names.sort()]
}

/** What it costs to make `from` into `to`: exchanging neighbours is free, leaving out is dear. */
function editCost(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      const ways = [rows[i - 1]![j - 1]! + (isSame ? 0 : 2), rows[i - 1]![j]! + 4, row[j - 1]! + 1]
      const isSwap =
        !isSame && i > 1 && j > 1 && from[i - 2] === to[j - 1] && from[i - 1] === to[j - 2]
      if (isSwap) ways.push(rows[i - 2]![j - 2]!)
      row.push(Math.min(...ways))
    }
    rows.push(row)
  }
  return rows.at(-1)!.at(-1)!
}
