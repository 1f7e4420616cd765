/** A table in the way of some of Kafka's tools: cells as wide as their column, each with a tab. */

export function prettyTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headers.map((header, index) =>
    Math.max(header.length, ...rows.map((row) => row[index]!.length)),
  )
  return [headers, ...rows]
    .map((row) => `${row.map((cell, index) => `${cell.padEnd(widths[index]!)}\t`).join('')}\n`)
    .join('')
}
