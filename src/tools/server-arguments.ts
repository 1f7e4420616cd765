/** The arguments of the programs that start a broker, as kafka-server-start.sh takes them. */

export interface ServerArguments {
  /** Run in the background (`-daemon`). */
  readonly daemon: boolean
  readonly propertiesFile: string | undefined
  /** From `--override key=value`, in the order given. */
  readonly overrides: ReadonlyMap<string, string>
}

/** Reads `[-daemon] [FILE] [--override key=value]…`; undefined for anything else. */
export function parseServerArguments(args: readonly string[]): ServerArguments | undefined {
  let daemon = false
  let propertiesFile: string | undefined
  const overrides = new Map<string, string>()
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '-daemon' || arg === '--daemon') {
      daemon = true
    } else if (arg === '--override' || arg.startsWith('--override=')) {
      const text = arg === '--override' ? args[++i] : arg.slice('--override='.length)
      const equals = text?.indexOf('=') ?? -1
      if (equals <= 0) return undefined
      overrides.set(text!.slice(0, equals).trim(), text!.slice(equals + 1).trim())
    } else if (propertiesFile === undefined && !arg.startsWith('-')) {
      propertiesFile = arg
    } else {
      return undefined
    }
  }
  return { daemon, propertiesFile, overrides }
}
