/**
 * The machine the benchmarks run on: which CPUs there are for whom, and how busy it is already.
 */
import { readFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** CPU lists as taskset takes them. */
export interface CpuPlan {
  client: string
  server: string
}

/** The CPUs this process may use, from a list such as `0-2,5`. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s+(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return (list ?? '').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/**
 * One CPU for the client and the others for the server. Left to itself the scheduler now and then
 * puts both on one CPU, where bytes pass through its caches at a third of the cost, and whether it
 * does changes from run to run. Undefined on a machine of one CPU.
 */
export function planCpus(): CpuPlan | undefined {
  const [client, ...server] = allowedCpus()
  if (client === undefined || server.length === 0) return undefined
  return { client: String(client), server: server.join(',') }
}

export function describeMachine(): string {
  return `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, Node ${process.version}`
}

function cpuTicks(): { busy: number; total: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const interrupts = rest.slice(0, 3).reduce((sum, ticks) => sum + ticks, 0) // and stolen time
  const busy = user + nice + system + interrupts
  return { busy, total: busy + idle + wait }
}

/** The part of all CPUs' time that is in use, from 0 to 1, seen over a second. */
export async function busyShare(): Promise<number> {
  const before = cpuTicks()
  await sleep(1000)
  const now = cpuTicks()
  return (now.busy - before.busy) / (now.total - before.total)
}
