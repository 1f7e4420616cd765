/**
 * `samsa`, the friendly command: topics, groups and the health of a cluster, for people at a
 * terminal and, with `--json`, for programs. Exit codes: 0 done, 1 something could not be done,
 * 2 what was asked makes no sense.
 */
import { Command, CommanderError } from 'commander'
import { ConfigError, KafkaError } from '../../clients/index.ts'
import { printLine, type Tool, type ToolIo } from '../support/tool.ts'
import { version } from '../version.ts'
import { addClusterCommands } from './cluster-commands.ts'
import { addCompletionCommands } from './completion.ts'
import { addConsumeCommand } from './consume-command.ts'
import { addGroupCommands } from './group-commands.ts'
import { addProduceCommand } from './produce-command.ts'
import { type GlobalOptions, Session } from './session.ts'
import { addTopicCommands } from './topic-commands.ts'
import { UsageError } from './usage-error.ts'

/** What a command does, with its arguments and options. */
export type CommandBody<Arguments extends unknown[], Options> = (
  session: Session,
  args: Arguments,
  options: Options,
) => Promise<void>

/** Makes a body into an action of commander's. */
export type RunCommand = <Arguments extends unknown[], Options>(
  body: CommandBody<Arguments, Options>,
) => (...args: unknown[]) => Promise<void>

/** Runs `samsa topic …` and so on; `args` begin with the command's name. */
export const friendly: Tool = async (args, io) => {
  const sessions: Session[] = []
  const program = createProgram(io, (session) => sessions.push(session))
  try {
    await program.parseAsync([...args], { from: 'user' })
    return sessions.some(({ failed }) => failed) ? 1 : 0
  } catch (error) {
    return explain(error, io)
  } finally {
    for (const session of sessions) session.close()
  }
}

/** The commands, as commander knows them. */
export function createProgram(io: ToolIo, opened: (session: Session) => void): Command {
  const program = new Command('samsa')
  program
    .description('Samsa, a Kafka-compatible event-streaming platform')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
  const run: RunCommand =
    (body) =>
    async (...args) => {
      // Commander passes the arguments, then the options, then the command.
      const command = args.at(-1) as Command
      const session = new Session(io, command.optsWithGlobals<GlobalOptions>())
      opened(session)
      await body(session, args.slice(0, -2) as never, command.opts() as never)
    }
  const topic = program.command('topic').description('topics and their records')
  addTopicCommands(topic, run)
  addConsumeCommand(topic, run)
  addProduceCommand(topic, run)
  addGroupCommands(program.command('group').description('consumer groups and share groups'), run)
  addClusterCommands(program.command('cluster').description('the brokers'), run)
  addCompletionCommands(program, run)
  for (const command of leaves(program)) addGlobalOptions(command)
  return program
}

/** Options are taken after any command: that is where people write them. */
function addGlobalOptions(command: Command): void {
  command
    .option('-b, --brokers <host:port,…>', 'some brokers; else SAMSA_BROKERS, else localhost:9092')
    .option('--config <file>', 'a properties file with settings of the client')
    .option('-X <key=value...>', 'settings of the client')
    .option('--json', 'print JSON')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
  // Commander takes `--no-color` for a default of true; whether there are colours depends.
  command.setOptionValueWithSource('color', undefined, 'default')
}

function leaves(command: Command): Command[] {
  if (command.commands.length === 0) return [command]
  return command.commands.flatMap(leaves)
}

/** Says what went wrong, in one line. Bugs of ours are thrown. */
function explain(error: unknown, io: ToolIo): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError || error instanceof ConfigError) {
    printLine(io.stderr, `samsa: ${error.message}`)
    return 2
  }
  if (error instanceof KafkaError) {
    printLine(io.stderr, `samsa: ${error.message} (${error.errorName})`)
    return 1
  }
  if (io.signal.aborted) return 130
  throw error
}
