/**
 * The table of a tool's options as joptsimple prints it: two columns in 80, options in the order of
 * the alphabet, what does not fit continued two columns further in.
 */
import type { Option, OptionTable } from './options.ts'

const OVERALL_WIDTH = 80
const SEPARATOR_WIDTH = 2
const INDENT = '  '

/** The table, each line with its end. */
export function helpTable(table: OptionTable): string {
  const isRequired = Object.values(table).some(({ required }) => required)
  const header = isRequired ? 'Option (* = required)' : 'Option'
  const rows = [
    [header, 'Description'],
    [header.replace(/./g, '-'), '-----------'],
    ...Object.entries(table)
      .filter(([, { hidden }]) => !hidden)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, option]) => [nameCell(name, option), descriptionCell(option)]),
  ] as [string, string][]
  const widest = Math.max(...rows.map(([name]) => name.length))
  const left = Math.min((OVERALL_WIDTH - SEPARATOR_WIDTH) / 2, widest)
  const right = OVERALL_WIDTH - SEPARATOR_WIDTH - left
  const lines = rows.flatMap(([name, description]) => {
    const cells = [wrap(name, left), wrap(description, right)] as const
    const height = Math.max(cells[0].length, cells[1].length)
    return Array.from({ length: height }, (_, index) => {
      const [first, second] = [cells[0][index] ?? '', cells[1][index] ?? '']
      return `${first.padEnd(left + SEPARATOR_WIDTH)}${second.padEnd(right)}\n`
    })
  })
  return lines.join('')
}

function nameCell(name: string, option: Option): string {
  const dashed = `${option.required ? '* ' : ''}--${name}`
  if (option.argument === undefined && option.type === undefined) return dashed
  const type = option.typeName ?? option.type ?? 'String'
  const argument = [type, option.argument].filter((part) => part !== undefined && part !== '')
  const [open, close] = option.optional ? '[]' : '<>'
  return `${dashed} ${open}${argument.join(': ')}${close}`
}

function descriptionCell({ about, default: value, shownDefault = value }: Option): string {
  return shownDefault === undefined ? about : `${about} (default: ${shownDefault})`.trim()
}

/** Lines of at most `width`, broken after spaces and hyphens. */
function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const pieces: string[] = []
    let piece = ''
    for (const word of line.match(/[^\s-]*(-+|\s+)|[^\s-]+$/g) ?? []) {
      if (piece.length + word.length > width) {
        pieces.push(piece.trimEnd())
        piece = INDENT
      }
      piece += word
    }
    return [...pieces, piece]
  })
}
