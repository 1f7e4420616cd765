/** Options that KIP-1147 has given another name: the old ones work, with a warning. */
import type { OptionTable, ParsedOptions } from './options.ts'
import { printLine, type ToolIo } from './tool.ts'

/** Throws the ToolExit for both names of one option, which are given in the order of the words. */
export function checkNames<Table extends OptionTable>(
  options: ParsedOptions<Table>,
  pairs: readonly (readonly [keyof Table & string, keyof Table & string])[],
): void {
  for (const [one, other] of pairs) {
    if (!options.has(one) || !options.has(other)) continue
    throw options.usage(`Options --${one} and --${other} cannot be specified together.`)
  }
}

/** The name under which an option was given, with the warning if that is the old one. */
export function nameInUse<Table extends OptionTable>(
  options: ParsedOptions<Table>,
  io: ToolIo,
  oldName: keyof Table & string,
  newName: keyof Table & string,
): keyof Table & string {
  if (!options.has(oldName)) return newName
  const rest = `will be removed in a future version. Use --${newName} instead.`
  printLine(io.stdout, `Warning: --${oldName} is deprecated and ${rest}`)
  return oldName
}
