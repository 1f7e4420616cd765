/** Runs the clients under test: our small Java and Go programs, and kcat. */
import { capture, type RunOptions, run } from './children.ts'
import { classPath, logging, paths } from './paths.ts'
import type { Workspace } from './workspace.ts'

/** Kafka's names of the codecs, in the order of their numbers in a batch's attributes. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type Codec = (typeof codecs)[number]

/** What a JVM prints is UTF-8, whatever the machine's locale is. */
const encoding = ['file', 'stdout', 'stderr'].map((name) => `-D${name}.encoding=UTF-8`)

/** The Java command line of one of the programs in `java/`. */
export function javaArguments(program: string, args: string[]): string[] {
  const options = ['-Xmx512M', ...encoding, logging, '-Dlog.level=ERROR']
  return [...options, '-cp', classPath(), program, ...args]
}

/** Runs one of the programs in `java/` and returns its standard output. */
export async function java(program: string, args: string[], timeoutMs?: number): Promise<string> {
  return succeed(program, await capture('java', javaArguments(program, args), { timeoutMs }))
}

/** Runs the Go client and returns its standard output. */
export async function go(args: string[], timeoutMs?: number): Promise<string> {
  return succeed('the Go client', await capture(paths.goClient, args, { timeoutMs }))
}

function succeed(name: string, result: { code: number | null; output: string; errors: string }) {
  if (result.code === 0) return result.output
  const said = (result.errors + result.output).slice(-3000)
  throw new Error(`${name} ended with ${result.code}:\n${said}`)
}

/** Runs kcat with input and output as files. */
export function kcat(
  workspace: Workspace,
  args: string[],
  files: Pick<RunOptions, 'inputPath' | 'outputPath' | 'cwd'>,
): Promise<void> {
  return run('kcat', args, { ...files, errorPath: workspace.path('kcat.log') })
}
