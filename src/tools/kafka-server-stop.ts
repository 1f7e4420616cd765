/**
 * `kafka-server-stop.sh [--process-role=ROLE] [--node-id=ID]`: has the brokers of this machine stop
 * in order; only those that the arguments name, if there are any.
 */
import {
  findServers,
  listProcesses,
  type RunningProcess,
  type ServerProcess,
} from './server-processes.ts'
import { printLine, type Tool, ToolExit } from './support/tool.ts'

/** What the tool needs of the machine. */
export interface ServerStopMachine {
  listProcesses(): readonly RunningProcess[]
  signal(pid: number, signal: string): void
}

const MACHINE: ServerStopMachine = {
  listProcesses() {
    if (process.platform !== 'win32') return listProcesses()
    // Windows has no signal that would let a process finish.
    const stderr = 'Brokers on Windows are stopped with Ctrl-C in their window.\n'
    throw new ToolExit(1, { stderr })
  },
  signal: (pid, signal) => process.kill(pid, signal),
}

/** `SIGNAL=INT` in the environment, as Kafka's script has it. */
const SIGNAL = `SIG${(process.env.SIGNAL || 'TERM').replace(/^SIG/, '')}`

function readArgument(args: readonly string[], name: string): string | undefined {
  const index = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`))
  if (index < 0) return undefined
  return args[index] === name ? args[index + 1] : args[index]!.slice(name.length + 1)
}

export function serverStop(machine: ServerStopMachine): Tool {
  return async (args, { stdout }) => {
    const nodeId = readArgument(args, '--node-id')
    const role = readArgument(args, '--process-role')
    if (nodeId !== undefined && role !== undefined) {
      printLine(
        stdout,
        'When both node-id and process-role are provided, the value for node-id will take ' +
          'precedence',
      )
    }
    const servers = findServers(machine.listProcesses())
    if (servers.length === 0) {
      printLine(stdout, 'No kafka server to stop')
      return 1
    }
    const isMeant = ({ settings }: ServerProcess): boolean => {
      if (nodeId !== undefined) return settings?.get('node.id') === nodeId
      return role === undefined || (settings?.get('process.roles') ?? 'broker') === role
    }
    if ((nodeId !== undefined || role !== undefined) && servers.some(({ settings }) => !settings)) {
      printLine(
        stdout,
        'Can not find the configuration file in the current directory. Please make sure the ' +
          'kafka stop process and the start process are called in the same directory.',
      )
      return 1
    }
    for (const { pid } of servers.filter(isMeant)) machine.signal(pid, SIGNAL)
    return 0
  }
}

export const kafkaServerStop = serverStop(MACHINE)
