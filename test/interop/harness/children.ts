/**
 * Child processes. Each runs in a process group of its own, so that a start script and what it
 * starts are ended together, by their id, and none outlives this process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

const living = new Set<number>()

process.on('exit', () => {
  for (const pid of living) signalGroup(pid, 'SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => process.exit(1))
}

/** Sends a signal to a child and everything it started; a group that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  readonly exit: Promise<Exit>
  /** Set once the child has ended. */
  exited: Exit | undefined
}

export interface SpawnOptions {
  /** A file that standard output is written to; without it the output is discarded. */
  outputPath?: string
  /** A file for standard error; the same file as `outputPath` is fine. */
  errorPath?: string
  /** A file to read standard input from. */
  inputPath?: string
  /** Whether standard input is a pipe that the caller writes to. */
  pipeInput?: boolean
  environment?: Record<string, string>
  cwd?: string
}

/** Starts a command in the background. */
export function startChild(command: string, args: string[], options: SpawnOptions = {}): Child {
  const opened: number[] = []
  const open = (path: string | undefined, flags: string): number | 'ignore' => {
    if (path === undefined) return 'ignore'
    const descriptor = openSync(path, flags)
    opened.push(descriptor)
    return descriptor
  }
  const input = options.pipeInput === true ? 'pipe' : open(options.inputPath, 'r')
  const output = open(options.outputPath, 'a')
  const errors = open(options.errorPath, 'a')
  const child = spawn(command, args, {
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: [input, output, errors],
  })
  for (const descriptor of opened) closeSync(descriptor)
  const started: Child = {
    pid: child.pid ?? -1,
    process: child,
    exited: undefined,
    exit: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        living.delete(started.pid)
        started.exited = { code, signal }
        resolve(started.exited)
      })
    }),
  }
  if (started.pid > 0) living.add(started.pid)
  return started
}

export interface RunOptions extends SpawnOptions {
  /** How long the command may take. */
  timeoutMs?: number
  /** Where standard error goes, for the message of a failure. */
  errorPath: string
}

/** Runs a command to its end; a non-zero exit throws with the end of what it said. */
export async function run(command: string, args: string[], options: RunOptions): Promise<void> {
  const child = startChild(command, args, options)
  const limit = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), options.timeoutMs ?? 300_000)
  const { code, signal } = await child.exit
  clearTimeout(limit)
  if (code === 0) return
  const said = readFileSync(options.errorPath, 'utf8').slice(-2000)
  throw new Error(
    `${command} ${args.join(' ').slice(0, 300)} ended with ${code ?? signal}: ${said}`,
  )
}

export interface Captured {
  code: number | null
  output: string
  errors: string
}

/** Runs a command to its end and returns what it said, whatever its exit code. */
export async function capture(
  command: string,
  args: string[],
  options: { cwd?: string; environment?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Captured> {
  const child = spawn(command, args, {
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pid = child.pid
  if (pid === undefined) {
    await new Promise((resolve) => child.once('error', resolve))
    return { code: 127, output: '', errors: `${command}: not found` }
  }
  living.add(pid)
  const limit = setTimeout(() => signalGroup(pid, 'SIGKILL'), options.timeoutMs ?? 300_000)
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(limit)
  living.delete(pid)
  return {
    code,
    output: Buffer.concat(output).toString(),
    errors: Buffer.concat(errors).toString(),
  }
}
