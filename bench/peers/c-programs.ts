/**
 * Builds the C programs of bench/c, and starts the C peer.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onCpus, type Server, stopProcess } from './server.ts'

const sources = join(import.meta.dirname, '../c')
const binaries = join(import.meta.dirname, '../.cache/bin')

export interface CPrograms {
  peer: string
  load: string
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function build(name: string, newestSource: number): string {
  const binary = join(binaries, name)
  if (modified(binary) > newestSource) return binary
  const flags = ['-O3', '-msse4.2', '-std=gnu11', '-Wall', '-Wextra']
  try {
    execFileSync('gcc', [...flags, '-o', binary, join(sources, `${name}.c`)], { stdio: 'inherit' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error(
      'The benchmarks compare with C programs and need gcc, which is not installed ' +
        '(Debian, Ubuntu: apt-get install gcc libc6-dev).',
    )
  }
  return binary
}

/** Compiles what is not up to date; throws with a plain message when there is no gcc. */
export function buildCPrograms(): CPrograms {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The C programs use epoll and SSE4.2: they need Linux on x86-64.')
  }
  mkdirSync(binaries, { recursive: true })
  const newest = Math.max(...readdirSync(sources).map((name) => modified(join(sources, name))))
  return { peer: build('peer', newest), load: build('load', newest) }
}

export async function startCPeer(
  programs: CPrograms,
  folder: string,
  cpus?: string,
): Promise<Server> {
  const child = spawn(...onCpus(cpus, programs.peer, [folder]), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve)
    child.once('error', reject)
    child.once('exit', () => reject(new Error('the C peer ended at once')))
  })
  const port = Number(/^listening (\d+)$/.exec(line)?.[1])
  const pid = child.pid!
  // What it has to say goes to our own standard error.
  return { name: 'C peer', port, pid, output: () => '', stop: () => stopProcess(child, pid) }
}
