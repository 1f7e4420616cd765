/**
 * What every command-line tool is: a function of its arguments and of what it reads and writes,
 * which gives its exit code. A tool that cannot go on throws a ToolError, or a ToolExit.
 *
 * Tools write to nothing but their ToolIo, so that tests run them within one process.
 */

import { PartialFailureError } from '../../clients/errors.ts'
import type { ErrorName } from '../../common/errors.ts'
import { KafkaError } from '../../common/errors.ts'
import { javaClassOf } from './java-classes.ts'

/** Where a tool's output goes: a stream, or what stands for one in a test. */
export interface ToolOutput {
  write(text: string | Uint8Array): unknown
  readonly isTTY?: boolean
}

export interface ToolIo {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: ToolOutput
  readonly stderr: ToolOutput
  /**
   * Aborted when the user wants the tool to stop, or nobody reads its output any more: `reason` is
   * the error then. A tool that never looks at it is ended at once; one that does is given the time
   * to finish.
   */
  readonly signal: AbortSignal
}

/** Gives the exit code. */
export type Tool = (args: readonly string[], io: ToolIo) => Promise<number>

/** Ends a tool that has said, or says here, all that there is to say. */
export class ToolExit extends Error {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string

  constructor(exitCode: number, said: { readonly stdout?: string; readonly stderr?: string } = {}) {
    super(`exit ${exitCode}`)
    this.name = 'ToolExit'
    this.exitCode = exitCode
    this.stdout = said.stdout ?? ''
    this.stderr = said.stderr ?? ''
  }
}

/** Something is wrong. Unless the tool has its own way with it, the message goes to `stderr`. */
export class ToolError extends Error {
  readonly exitCode: number
  /** The Java class that Kafka's tool throws here, for output that names it. */
  readonly className: string

  constructor(
    message: string,
    options: { readonly exitCode?: number; readonly className?: string } = {},
  ) {
    super(message)
    this.name = 'ToolError'
    this.exitCode = options.exitCode ?? 1
    this.className = options.className ?? 'java.lang.RuntimeException'
  }
}

/** For a ToolError. */
export const ILLEGAL_ARGUMENT = { className: 'java.lang.IllegalArgumentException' }

/** Writes a line. */
export function printLine(output: ToolOutput, line = ''): void {
  output.write(`${line}\n`)
}

/** The failure of one thing, where several were asked for at once. */
export function firstFailure(error: unknown): unknown {
  return error instanceof PartialFailureError ? [...error.failures.values()][0]! : error
}

/** An error as Java's `Throwable.toString` has it: its class, then its message. */
export function javaText(thrown: unknown): string {
  const error = firstFailure(thrown)
  if (error instanceof ToolError) return `${error.className}: ${error.message}`
  if (error instanceof KafkaError) {
    return `${javaClassOf(error.errorName as ErrorName)}: ${error.message}`
  }
  return error instanceof Error ? `java.lang.RuntimeException: ${error.message}` : String(error)
}

/** An error with all that has led to it, as Java prints what nobody catches. */
export function javaTrace(thrown: unknown): string {
  const error = firstFailure(thrown)
  const { cause } = error as Error
  const because = error instanceof ToolError && cause !== undefined ? javaTrace(cause) : undefined
  return because === undefined ? javaText(error) : `${javaText(error)}\nCaused by: ${because}`
}

/** Runs a tool to its end. Errors that no tool foresees, bugs of ours, are thrown. */
export async function runTool(tool: Tool, args: readonly string[], io: ToolIo): Promise<number> {
  try {
    return await tool(args, io)
  } catch (error) {
    if (error instanceof ToolExit) {
      if (error.stdout !== '') io.stdout.write(error.stdout)
      if (error.stderr !== '') io.stderr.write(error.stderr)
      return error.exitCode
    }
    if (!isForeseen(error)) throw error
    printLine(io.stderr, error.message)
    return error instanceof ToolError ? error.exitCode : 1
  }
}

/** Whether it is an error that a user is told of, rather than a bug of ours. */
export function isForeseen(error: unknown): error is ToolError | KafkaError {
  return error instanceof ToolError || error instanceof KafkaError
}

/**
 * The tool with Kafka's most common way of ending with an error: its message, then what Java prints
 * of something thrown, which names the class.
 */
export function withTrace(tool: Tool): Tool {
  return async (args, io) => {
    try {
      return await tool(args, io)
    } catch (thrown) {
      const error = firstFailure(thrown)
      if (!isForeseen(error)) throw error
      io.stderr.write(`${error.message}\n${javaTrace(error)}\n\n`)
      return 1
    }
  }
}

/** The exit code of a process that Ctrl-C has ended. */
const INTERRUPTED = 130

/** This process, as a tool sees it. */
export function processIo(): ToolIo {
  const controller = new AbortController()
  let listening = false
  const stop = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    controller.abort()
  }
  // A reader that goes away, as `head` does, ends those who listen, and is nothing to the others.
  const ignoreBrokenPipe = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    controller.abort(error)
  }
  process.stdout.on('error', ignoreBrokenPipe)
  process.stderr.on('error', ignoreBrokenPipe)
  return {
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    get signal() {
      if (!listening) {
        process.on('SIGINT', stop)
        process.on('SIGTERM', stop)
        listening = true
      }
      return controller.signal
    },
  }
}

/** Runs a tool as this process, which ends with it. */
export async function runAsProcess(tool: Tool, args: readonly string[]): Promise<never> {
  // A client that waits to try again keeps no process alive; this one has work to do until it ends.
  const working = setInterval(() => {}, 1 << 30)
  const code = await runTool(tool, args, processIo())
  clearInterval(working)
  // What was written to a pipe may still be on its way.
  await Promise.all([process.stdout, process.stderr].map(drained))
  process.exit(code)
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve()
    else stream.write('', () => resolve())
  })
}
