/** How the commands about groups end that fail: in the words of Kafka's, and with 0. */
import {
  ILLEGAL_ARGUMENT,
  isForeseen,
  javaText,
  printLine,
  ToolError,
  type ToolExit,
  type ToolIo,
} from '../support/tool.ts'

/** Runs a command. `kind` is what its groups are called; `usage` makes the error with the help. */
export async function runGroupCommand(
  kind: 'consumer group' | 'share group',
  usage: (message: string) => ToolExit,
  io: ToolIo,
  run: () => Promise<void>,
): Promise<number> {
  try {
    await run()
  } catch (error) {
    if (error instanceof ToolError && error.className === ILLEGAL_ARGUMENT.className) {
      throw usage(error.message)
    }
    if (!isForeseen(error)) throw error
    printLine(io.stdout, `\nError: Executing ${kind} command failed due to ${error.message}`)
    printLine(io.stderr, javaText(error))
  }
  return 0
}
