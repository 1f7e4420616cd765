/**
 * The whole broker against the same work in C, and on request against Apache Kafka; see
 * bench/README.md for what is measured and how to read it.
 *
 *     node bench/micro.ts [--rounds 5] [--case TEXT] [--peer kafka] [--peers-only]
 *                         [--no-pin] [--json FILE] [--check]
 *
 * All servers run from beginning to end. A round runs every case on every server, one at a time, so
 * that what disturbs the machine for a while disturbs them alike; the first round warms up and does
 * not count. Each run has a topic of its own, deleted after it.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type Case, cases } from './cases.ts'
import { busyShare, type CpuPlan, describeMachine, planCpus } from './machine.ts'
import { median } from './median.ts'
import { startApacheKafka } from './peers/apache-kafka.ts'
import { buildCPrograms, type CPrograms, startCPeer } from './peers/c-programs.ts'
import { startSamsa } from './peers/samsa.ts'
import { onCpus, type Server } from './peers/server.ts'

/** What the load driver prints. */
interface LoadResult {
  requests: number
  bytes: number
  seconds: number
  mbPerSecond: number
  requestsPerSecond: number
  serverCpuSeconds: number
  serverCpuSecondsPerGb: number
  serverCpuMicrosPerRequest: number
  clientCpuSeconds: number
}

interface Summary {
  server: string
  throughput: number
  lowest: number
  highest: number
  /** CPU seconds per GB, or microseconds per request. */
  cpu: number
  /** Medians of each round's ratio to the C peer. */
  throughputRatio: number
  cpuRatio: number
  runs: LoadResult[]
}

interface Report {
  machine: string
  /** The part of the machine that others used before the run, from 0 to 1. */
  busyBefore: number
  cpuPlan?: CpuPlan
  startedAt: string
  rounds: number
  cases: { name: string; unit: string; goal: number; summaries: Summary[] }[]
}

function throughputOf(unit: Case['unit'], run: LoadResult): number {
  return unit === 'MB/s' ? run.mbPerSecond : run.requestsPerSecond / 1000
}

function cpuOf(unit: Case['unit'], run: LoadResult): number {
  return unit === 'MB/s' ? run.serverCpuSecondsPerGb : run.serverCpuMicrosPerRequest
}

function summarize(
  unit: Case['unit'],
  server: string,
  runs: LoadResult[],
  yardstick: LoadResult[],
): Summary {
  const throughputs = runs.map((run) => throughputOf(unit, run))
  const cpu = runs.map((run) => cpuOf(unit, run))
  return {
    server,
    throughput: median(throughputs),
    lowest: Math.min(...throughputs),
    highest: Math.max(...throughputs),
    cpu: median(cpu),
    throughputRatio: median(throughputs.map((v, i) => v / throughputOf(unit, yardstick[i]!))),
    cpuRatio: median(cpu.map((v, i) => v / cpuOf(unit, yardstick[i]!))),
    runs,
  }
}

function printCase({ name, unit, goal }: Case, summaries: Summary[]): void {
  const cpuUnit = unit === 'MB/s' ? 'CPU s/GB' : 'CPU µs/req'
  const head = [name.padEnd(36), unit.padStart(9), 'min–max'.padStart(13), cpuUnit.padStart(11)]
  console.log(`\n${head.join('')}   against C: speed   CPU`)
  for (const summary of summaries) {
    const { server, throughput, lowest, highest, cpu, throughputRatio, cpuRatio } = summary
    const columns = [
      `  ${server}`.padEnd(36),
      throughput.toFixed(0).padStart(9),
      `${lowest.toFixed(0)}–${highest.toFixed(0)}`.padStart(13),
      cpu.toFixed(2).padStart(11),
    ]
    const ratios = `${throughputRatio.toFixed(2).padStart(19)}${cpuRatio.toFixed(1).padStart(6)}`
    const isYardstick = summary === summaries[0]
    const judgement = server === 'Samsa' ? `   goal ${goal}` : ''
    console.log(columns.join('') + (isYardstick ? '' : ratios + judgement))
  }
}

const execute = promisify(execFile)
let topics = 0

async function runLoad(
  programs: CPrograms,
  { load }: Case,
  server: Server,
  cpus?: string,
): Promise<LoadResult> {
  topics += 1
  const target = [
    '--port',
    `${server.port}`,
    '--pid',
    `${server.pid}`,
    '--topic',
    `bench-${topics}`,
  ]
  const command = onCpus(cpus, programs.load, [...load, ...target])
  const { stdout } = await execute(...command).catch((error) => {
    const complaint = String(error.stderr || error.message).trim()
    const what = `${server.name}: ${complaint} (load ${load.join(' ')})`
    throw new Error(`${what}\nIts last lines:\n${server.output()}`)
  })
  return JSON.parse(stdout)
}

/** Runs the rounds; gives the runs of every case and server, in the order of both lists. */
async function measure(
  programs: CPrograms,
  chosen: readonly Case[],
  servers: readonly Server[],
  rounds: number,
  clientCpu?: string,
): Promise<LoadResult[][][]> {
  const runs: LoadResult[][][] = chosen.map(() => servers.map(() => []))
  for (let round = 0; round <= rounds; round++) {
    for (const [c, one] of chosen.entries()) {
      for (let turn = 0; turn < servers.length; turn++) {
        // Everyone goes first in turn: who follows whom makes a difference.
        const s = (turn + round) % servers.length
        const result = await runLoad(programs, one, servers[s]!, clientCpu)
        if (round > 0) runs[c]![s]!.push(result)
      }
    }
    process.stderr.write(round === 0 ? 'warmed up\n' : `round ${round} of ${rounds}\n`)
  }
  return runs
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    case: { type: 'string', default: '' },
    peer: { type: 'string' },
    'peers-only': { type: 'boolean', default: false },
    pin: { type: 'boolean', default: true },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const rounds = Number(options.rounds)
const chosen = cases.filter(({ name }) => name.includes(options.case))
if (!(rounds >= 1)) throw new Error('--rounds must be 1 or more')
if (chosen.length === 0) throw new Error(`no case has "${options.case}" in its name`)
if (options.peer !== undefined && options.peer !== 'kafka') throw new Error('--peer knows kafka')

const programs = buildCPrograms()
const cpuPlan = options.pin ? planCpus() : undefined
const cache = join(import.meta.dirname, '.cache')
const scratch = mkdtempSync(join(cache, 'micro-'))
const servers: Server[] = []

function folder(name: string): string {
  const path = join(scratch, name)
  mkdirSync(path)
  return path
}

async function cleanUp(): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(scratch, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => cleanUp().finally(() => process.exit(1)))
}

try {
  servers.push(await startCPeer(programs, folder('c'), cpuPlan?.server))
  if (!options['peers-only']) servers.push(await startSamsa(folder('samsa'), cpuPlan?.server))
  if (options.peer === 'kafka') servers.push(await startApacheKafka(folder('kafka')))
  const report: Report = {
    machine: describeMachine(),
    busyBefore: await busyShare(),
    cpuPlan,
    startedAt: new Date().toISOString(),
    rounds,
    cases: [],
  }
  console.log(`${report.machine}; medians of ${rounds} rounds`)
  if (report.busyBefore > 0.1) {
    const percent = Math.round(report.busyBefore * 100)
    console.log(`Others use ${percent} % of this machine: trust CPU figures, not throughput.`)
  }
  const runs = await measure(programs, chosen, servers, rounds, cpuPlan?.client)
  const missed: string[] = []
  for (const [c, one] of chosen.entries()) {
    const summaries = servers.map((server, s) =>
      summarize(one.unit, server.name, runs[c]![s]!, runs[c]![0]!),
    )
    printCase(one, summaries)
    report.cases.push({ name: one.name, unit: one.unit, goal: one.goal, summaries })
    const samsa = summaries.find(({ server }) => server === 'Samsa')
    if (samsa !== undefined && samsa.throughputRatio < one.goal) missed.push(one.name)
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  if (missed.length > 0) console.log(`\nBelow its goal: ${missed.join('; ')}.`)
  if (missed.length > 0 && options.check) process.exitCode = 1
} finally {
  await cleanUp()
}
