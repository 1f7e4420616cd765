/**
 * What tools and their clients have to say beside their output: warnings and errors, on standard
 * error, in the lines that Kafka's tools write there:
 *
 * `[2026-11-23 12:18:13,123] ERROR message (org.apache.kafka.tools.ConsoleProducer)`
 */
import { type ClientEnvironment, systemEnvironment } from '../../clients/environment.ts'
import { KafkaError } from '../../clients/errors.ts'
import { SystemClock } from '../../common/clock.ts'
import { LineLogger } from '../../common/logger.ts'
import { javaTrace, printLine, type Tool, ToolError, type ToolIo } from './tool.ts'

/** The environment of a tool's client: this machine, with a log on standard error. */
export function toolEnvironment(io: ToolIo): ClientEnvironment {
  return systemEnvironment(lineLogger(io))
}

/** Writes an error as Kafka's class `source` logs it, with what was thrown in a line of its own. */
export function logError(io: ToolIo, source: string, message: string, thrown?: unknown): void {
  lineLogger(io).error(`${message} (${source})`)
  // Without a message only the class is left.
  if (thrown !== undefined) printLine(io.stderr, javaTrace(thrown).replace(/: $/, ''))
}

function lineLogger({ stderr }: ToolIo): LineLogger {
  const sink = (line: string) => printLine(stderr, line)
  return new LineLogger({ clock: new SystemClock(), level: 'warn', sink })
}

/**
 * The tool with the way in which those end that leave an error to Java: its class and message, as
 * the first line of a stack trace.
 */
export function withClassName(tool: Tool): Tool {
  return async (args, io) => {
    try {
      return await tool(args, io)
    } catch (error) {
      if (!(error instanceof ToolError || error instanceof KafkaError)) throw error
      throw new ToolError(javaTrace(error))
    }
  }
}
