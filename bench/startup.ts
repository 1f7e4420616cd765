/**
 * From the start of the process to the first record acknowledged, and the memory an idle broker
 * holds; see bench/README.md.
 *
 *     node bench/startup.ts [--runs 9] [--peer kafka] [--peers-only] [--json FILE] [--check]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { median } from './median.ts'
import { apacheKafkaCommand } from './peers/apache-kafka.ts'
import { type BrokerConnection, openConnection } from './peers/connection.ts'
import { samsaCommand } from './peers/samsa.ts'
import {
  type Command,
  freePort,
  lastLines,
  servingPid,
  spawnServer,
  stopProcess,
} from './peers/server.ts'

const limits = { firstProduceMs: 150, residentMb: 80 }
const idleMs = 3000
const giveUpMs = 60_000

interface Sample {
  /** The listening socket accepts. */
  connectMs: number
  /** A topic has been made and a record in it acknowledged. */
  firstProduceMs: number
  /** Resident set, and the share of it that counts pages shared with others in part. */
  residentMb: number
  proportionalMb: number
}

/** Tries every millisecond. */
async function connectSoon(port: number, deadline: number): Promise<BrokerConnection> {
  for (;;) {
    try {
      return await openConnection(port)
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(1)
    }
  }
}

/** Repeats until the error code is 0: a broker that listens may not lead its partitions yet. */
async function untilAccepted(call: () => Promise<number>, deadline: number): Promise<void> {
  for (;;) {
    const error = await call()
    if (error === 0) return
    if (performance.now() > deadline) throw new Error(`still error ${error}`)
    await sleep(1)
  }
}

function kilobytes(path: string, field: string): number {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(path, 'utf8'))?.[1]
  if (value === undefined) throw new Error(`${path} has no ${field}`)
  return Number(value)
}

async function measure(command: Command, port: number): Promise<Sample> {
  const startedAt = performance.now()
  const deadline = startedAt + giveUpMs
  const { child, outputPath } = spawnServer(command)
  try {
    const connection = await connectSoon(port, deadline)
    const connectMs = performance.now() - startedAt
    await untilAccepted(() => connection.createTopic('first'), deadline)
    await untilAccepted(() => connection.produce('first', Date.now()), deadline)
    const firstProduceMs = performance.now() - startedAt
    connection.close()
    await sleep(idleMs)
    const pid = servingPid(child)
    const residentMb = (kilobytes(`/proc/${pid}/status`, 'VmRSS') * 1024) / 1e6
    const proportionalMb = (kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') * 1024) / 1e6
    return { connectMs, firstProduceMs, residentMb, proportionalMb }
  } catch (cause) {
    throw new Error(`${command.name} printed:\n${lastLines(outputPath)}`, { cause })
  } finally {
    if (child.pid !== undefined) await stopProcess(child, servingPid(child))
  }
}

type MakeCommand = (folder: string, port: number) => Command | Promise<Command>

/** Runs on a fresh folder each; one more goes before them that fills caches and does not count. */
async function measureRuns(scratch: string, make: MakeCommand, runs: number): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let run = 0; run <= runs; run++) {
    const folder = mkdtempSync(join(scratch, 'run-'))
    const port = await freePort()
    const sample = await measure(await make(folder, port), port)
    if (run > 0) samples.push(sample)
    rmSync(folder, { recursive: true })
  }
  return samples
}

function summarize(name: string, samples: Sample[]): Sample {
  const summary = {} as Sample
  console.log(`${name}, median of ${samples.length} (min–max)`)
  const line = (label: string, field: keyof Sample, unit: string, limit?: number) => {
    const values = samples.map((sample) => sample[field])
    summary[field] = median(values)
    const range = `${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)}`
    const bound = limit === undefined ? '' : `  limit ${limit} ${unit}`
    console.log(
      `  ${label.padEnd(28)}${summary[field].toFixed(1).padStart(8)} ${unit} (${range})${bound}`,
    )
  }
  const judged = name === 'Samsa'
  line('accepts a connection', 'connectMs', 'ms')
  line(
    'first record acknowledged',
    'firstProduceMs',
    'ms',
    judged ? limits.firstProduceMs : undefined,
  )
  line('idle, resident (VmRSS)', 'residentMb', 'MB', judged ? limits.residentMb : undefined)
  line('idle, proportional (PSS)', 'proportionalMb', 'MB')
  return summary
}

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '9' },
    peer: { type: 'string' },
    'peers-only': { type: 'boolean', default: false },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
if (options.peer !== undefined && options.peer !== 'kafka') throw new Error('--peer knows kafka')

const cache = join(import.meta.dirname, '.cache')
mkdirSync(cache, { recursive: true })
const scratch = mkdtempSync(join(cache, 'startup-'))
try {
  const results: Record<string, { median: Sample; samples: Sample[] }> = {}
  if (!options['peers-only']) {
    const samples = await measureRuns(scratch, samsaCommand, Number(options.runs))
    const summary = summarize('Samsa', samples)
    results.samsa = { median: summary, samples }
    const late = summary.firstProduceMs > limits.firstProduceMs
    const large = summary.residentMb > limits.residentMb
    if (late || large) console.log('A limit is missed.')
    if ((late || large) && options.check) process.exitCode = 1
  }
  if (options.peer === 'kafka') {
    const samples = await measureRuns(scratch, apacheKafkaCommand, 3)
    results.kafka = { median: summarize('Apache Kafka', samples), samples }
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
