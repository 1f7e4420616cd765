/** How `samsa` prints: tables with a heading, colours on a terminal, JSON where it is asked for. */
import { styleText } from 'node:util'
import { printLine, type ToolIo, type ToolOutput } from '../support/tool.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** Colours on a terminal, unless `--no-color`, NO_COLOR or a dumb terminal says otherwise. */
export function paintFor(output: ToolOutput, isWanted: boolean | undefined): Paint {
  const isPlain = process.env.NO_COLOR !== undefined || process.env.TERM === 'dumb'
  const isColoured = isWanted ?? (output.isTTY === true && !isPlain)
  if (!isColoured) return (_style, text) => text
  return (style, text) => styleText(style, text, { validateStream: false })
}

export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => string | number
  /** How the cell of this row is coloured. */
  readonly style?: (row: Row) => Style | undefined
}

/** Prints rows below a heading, numbers to the right. Nothing for no rows but the heading. */
export function printTable<Row>(
  output: ToolOutput,
  paint: Paint,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)))
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...cells.map((line) => String(line[index]).length)),
  )
  const isNumeric = columns.map((_, index) =>
    cells.every((line) => typeof line[index] === 'number' || line[index] === '-'),
  )
  const pad = (text: string, index: number) => {
    if (isNumeric[index] && rows.length > 0) return text.padStart(widths[index]!)
    return index === columns.length - 1 ? text : text.padEnd(widths[index]!)
  }
  const headings = columns.map(({ heading }, index) => paint('bold', pad(heading, index)))
  printLine(output, headings.join('  '))
  for (const [at, line] of cells.entries()) {
    const texts = line.map((cell, index) => {
      const text = pad(String(cell), index)
      const style = columns[index]!.style?.(rows[at]!)
      return style === undefined ? text : paint(style, text)
    })
    printLine(output, texts.join('  ').trimEnd())
  }
}

/** Prints a value as one JSON document; Maps as objects, bigints as numbers. */
export function printJson({ stdout }: ToolIo, value: unknown): void {
  printLine(stdout, JSON.stringify(value, plain, 2))
}

/** Prints a value as JSON on one line. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, plain)}\n`
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value)
  return typeof value === 'bigint' ? Number(value) : value
}
