/**
 * The brokers that run on this machine, as far as this user may see them: they are known by their
 * command lines, as Kafka's script for stopping them knows Kafka's.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parseProperties } from '../common/config/properties.ts'
import { parseServerArguments } from './server-arguments.ts'

/** A process, with its command line in parts. */
export interface RunningProcess {
  readonly pid: number
  readonly args: readonly string[]
  /** Where it was started, if that can be told. */
  readonly folder?: string | undefined
}

export interface ServerProcess {
  readonly pid: number
  /**
   * Its settings, from its file and its command line; undefined where the file is not to be found.
   */
  readonly settings: ReadonlyMap<string, string> | undefined
}

/** Those of the processes that are brokers. */
export function findServers(processes: readonly RunningProcess[]): ServerProcess[] {
  return processes.flatMap(({ pid, args, folder }) => {
    const serverArgs = argumentsOfServer(args)
    return serverArgs === undefined ? [] : [{ pid, settings: readServer(serverArgs, folder) }]
  })
}

/** What follows `node samsa.mjs start` and the like. */
function argumentsOfServer(args: readonly string[]): readonly string[] | undefined {
  const launcher = args.findIndex((arg) => /^samsa(\.mjs)?$/.test(basename(arg)))
  // Some options of Node may be between it and the program, but no other program.
  const isNode = /^node/.test(basename(args[0] ?? ''))
  if (!isNode || launcher < 1 || !args.slice(1, launcher).every((arg) => arg.startsWith('-'))) {
    return undefined
  }
  const command = args[launcher + 1]?.replace(/\.sh$/, '')
  const isServer = command === 'start' || command === 'kafka-server-start'
  return isServer ? args.slice(launcher + 2) : undefined
}

function readServer(
  args: readonly string[],
  folder = '.',
): ReadonlyMap<string, string> | undefined {
  const parsed = parseServerArguments(args)
  if (parsed === undefined) return undefined
  const { propertiesFile, overrides } = parsed
  if (propertiesFile === undefined) return new Map([['node.id', '1'], ...overrides])
  try {
    const text = readFileSync(resolve(folder, propertiesFile), 'utf8')
    return new Map([...parseProperties(text), ...overrides])
  } catch {
    return undefined
  }
}

/** All processes that can be seen. */
export function listProcesses(): RunningProcess[] {
  return process.platform === 'linux' ? listFromProc() : listFromPs()
}

function listFromProc(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').replace(/\0$/, '').split('\0')
        return [{ pid: Number(name), args, folder: readFolder(name) }]
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
}

function readFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

function listFromPs(): RunningProcess[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
  return text.split('\n').flatMap((line) => {
    const [pid, ...args] = line.trim().split(/\s+/)
    return args.length === 0 ? [] : [{ pid: Number(pid), args }]
  })
}
