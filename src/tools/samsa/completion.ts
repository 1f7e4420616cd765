/**
 * `samsa completion bash|zsh|fish|powershell` prints what a shell has to read to complete commands;
 * that asks `samsa __complete -- WORD…` for the candidates, which knows the names of topics and
 * groups from the cluster itself.
 */
import type { Argument, Command } from 'commander'
import { printLine } from '../support/tool.ts'
import type { RunCommand } from './program.ts'
import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

const BASH = `_samsa() {
  local IFS=$'\\n'
  COMPREPLY=($(samsa __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _samsa samsa
`

const ZSH = `#compdef samsa
_samsa() {
  local -a candidates
  candidates=("\${(@f)$(samsa __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $candidates
}
compdef _samsa samsa
`

const FISH = `function __samsa_complete
  set -l words (commandline -opc) (commandline -ct)
  samsa __complete -- $words[2..-1] 2>/dev/null
end
complete -c samsa -f -a '(__samsa_complete)'
`

const POWERSHELL = `Register-ArgumentCompleter -Native -CommandName samsa -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($wordToComplete -eq '') { $words += '' }
  samsa __complete -- @words 2>$null | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`

const SCRIPTS: Readonly<Record<string, string>> = {
  ...{ bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL },
}

/** What a broker may take to name topics or groups: a person waits for it. */
const LOOKUP_MS = 1500

export function addCompletionCommands(program: Command, run: RunCommand): void {
  program
    .command('completion')
    .description('print a script that completes commands: source <(samsa completion bash)')
    .argument('<shell>', Object.keys(SCRIPTS).join(', '))
    .action(run(printScript))
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(run((session, [words]: [string[]]) => printCandidates(session, program, words)))
}

async function printScript({ io }: Session, [shell]: [string]): Promise<void> {
  const script = SCRIPTS[shell]
  if (script === undefined) {
    throw new UsageError(`There is no completion for ${shell}: ${Object.keys(SCRIPTS).join(', ')}`)
  }
  io.stdout.write(script)
}

async function printCandidates(
  session: Session,
  program: Command,
  words: readonly string[],
): Promise<void> {
  const current = words.at(-1) ?? ''
  const { command, position } = follow(program, words.slice(0, -1))
  const candidates = current.startsWith('-')
    ? command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? [])
    : [...commandNames(command), ...(await names(session, command.registeredArguments, position))]
  for (const candidate of candidates.sort()) {
    if (candidate.startsWith(current)) printLine(session.io.stdout, candidate)
  }
}

/** The command that words lead to, and how many arguments it has been given. */
function follow(program: Command, words: readonly string[]) {
  let command = program
  let position = 0
  for (const word of words) {
    const next = command.commands.find((child) => child.name() === word)
    if (next !== undefined) command = next
    else if (!word.startsWith('-')) position += 1
  }
  return { command, position }
}

function commandNames(command: Command): string[] {
  const own = command.createHelp().visibleCommands(command)
  const isRoot = command.parent === null
  return [...own.map((child) => child.name()), ...(isRoot ? ['start'] : [])]
}

/** Names of topics or groups, where the argument at `position` is one. */
async function names(
  { admin }: Session,
  args: readonly Argument[],
  position: number,
): Promise<string[]> {
  const argument = args[Math.min(position, args.length - 1)]
  const isTaken = argument === undefined || (position >= args.length && !argument.variadic)
  if (isTaken) return []
  const options = { timeoutMs: LOOKUP_MS }
  try {
    if (argument.name() === 'shell') return Object.keys(SCRIPTS)
    if (argument.name() === 'name') {
      return (await admin.listTopics(options)).map(({ name }) => name)
    }
    if (argument.name() !== 'group') return []
    return (await admin.listGroups(options)).map(({ groupId }) => groupId)
  } catch {
    // Without a cluster there are no names to offer; an error would end up on the command line.
    return []
  }
}
