/**
 * A server under measurement: a process of its own that listens on 127.0.0.1 and speaks Kafka's
 * protocol, with its data in a folder of its own. What starts one waits until it answers.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openConnection } from './connection.ts'

export interface Server {
  readonly name: string
  readonly port: number
  /** The process whose CPU time and memory count: that of the server, not of a script before it. */
  readonly pid: number
  /** The last lines it has printed. */
  output(): string
  /** Asks it to end, and insists after 20 s. */
  stop(): Promise<void>
}

export interface Command {
  name: string
  file: string
  args: string[]
  /** Where it may write what it prints. */
  folder: string
  /** The CPUs it may run on, as taskset takes them; all of them if absent. */
  cpus?: string
}

/** The program and arguments that start `file` on some CPUs only. taskset becomes the program. */
export function onCpus(cpus: string | undefined, file: string, args: string[]): [string, string[]] {
  return cpus === undefined ? [file, args] : ['taskset', ['-c', cpus, file, ...args]]
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      server.close(() => resolve(address.port))
    })
  })
}

/** The one child of a one child of …: the server below a start script that did not `exec` it. */
function lastDescendant(pid: number): number {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    )
    return children.length === 1 ? lastDescendant(Number(children[0])) : pid
  } catch {
    return pid // it has ended meanwhile
  }
}

/** Starts the process; what it prints goes to a file. Does not wait for anything. */
export function spawnServer(command: Command): { child: ChildProcess; outputPath: string } {
  const outputPath = join(command.folder, 'output.txt')
  const output = openSync(outputPath, 'w')
  const child = spawn(...onCpus(command.cpus, command.file, command.args), {
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  child.on('error', () => {}) // it shows as a process without a pid
  return { child, outputPath }
}

/** The end of what a server has printed, without the long lines of bundled code in its traces. */
export function lastLines(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-20)
  return lines.map((line) => (line.length > 300 ? `${line.slice(0, 100)}…` : line)).join('\n')
}

function ended(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

export async function stopProcess(child: ChildProcess, pid: number): Promise<void> {
  if (ended(child)) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  process.kill(pid, 'SIGTERM')
  const insist = setTimeout(() => process.kill(pid, 'SIGKILL'), 20_000)
  await exit
  clearTimeout(insist)
}

async function answers(port: number): Promise<boolean> {
  try {
    const connection = await openConnection(port)
    await connection.apiVersions()
    connection.close()
    return true
  } catch {
    return false
  }
}

/** Starts a server on a known port and waits until it answers ApiVersions, 60 s at the most. */
export async function startServer(command: Command, port: number): Promise<Server> {
  const { child, outputPath } = spawnServer(command)
  const deadline = performance.now() + 60_000
  while (!(await answers(port))) {
    if (ended(child) || performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`${command.name} does not answer. It printed:\n${lastLines(outputPath)}`)
    }
    await sleep(10)
  }
  const pid = lastDescendant(child.pid!)
  const output = () => lastLines(outputPath)
  return { name: command.name, port, pid, output, stop: () => stopProcess(child, pid) }
}

/** The process that serves, once `child` answers on its port. */
export function servingPid(child: ChildProcess): number {
  return lastDescendant(child.pid!)
}
