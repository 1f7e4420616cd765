/**
 * `npm run check:leak`: our clients produce and consume under back-pressure for some minutes,
 * against a broker in another process, and must end with the memory they had after the first
 * minute.
 *
 *   npm run check:leak [-- --minutes 10 --target samsa|kafka --load TEXT]
 *
 * Measured after forced collections: the heap (`heapUsed`) and the bytes of buffers outside of it
 * (`arrayBuffers`), of which each sample's least is compared, as what is on its way comes and goes;
 * and what the system has given the process (RSS), which an allocator does not give back at once.
 * Exit code 1 if one of them has grown by more than its tolerance.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Admin } from '../src/clients/index.ts'
import { type Broker, startBroker } from '../test/interop/harness/broker.ts'
import type { Target } from '../test/interop/harness/settings.ts'
import { LOADS, type Load, PARTITIONS, TOPIC } from './leak/loads.ts'

interface Sample {
  readonly atMs: number
  readonly heapUsed: number
  readonly arrayBuffers: number
  readonly rss: number
}

const MIB = 1024 * 1024
/** By how much each may grow, as a part of what it was and in bytes. */
const TOLERANCES = {
  heapUsed: { part: 0.05, bytes: 1 * MIB },
  arrayBuffers: { part: 0.1, bytes: 8 * MIB },
  rss: { part: 0.15, bytes: 16 * MIB },
} as const
const SAMPLE_EVERY_MS = 2000
/** Old records go soon, so that the check needs little disk. */
const TOPIC_CONFIGS = {
  'retention.bytes': '50000000',
  'segment.bytes': '5000000',
  'segment.ms': '60000',
}
const BROKER_CONFIGS = {
  'log.retention.check.interval.ms': '5000',
  'log.segment.delete.delay.ms': '1000',
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.num.partitions': '5',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is left after collections; buffers go in the one after that of their owners. */
async function sample(startMs: number): Promise<Sample> {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await sleep(5)
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { atMs: performance.now() - startMs, heapUsed, arrayBuffers, rss }
}

/** Samples until the time is over, and says now and then how it goes. */
async function watch(minutes: number, count: () => number): Promise<Sample[]> {
  const startMs = performance.now()
  const samples: Sample[] = []
  let toldAtMs = Number.NEGATIVE_INFINITY
  while (performance.now() - startMs < minutes * 60_000) {
    await sleep(SAMPLE_EVERY_MS)
    const found = await sample(startMs)
    samples.push(found)
    if (found.atMs - toldAtMs < 30_000) continue
    toldAtMs = found.atMs
    const { heapUsed, arrayBuffers, rss } = found
    const sizes = [heapUsed, arrayBuffers, rss].map((bytes) => (bytes / MIB).toFixed(1))
    const [heap, buffers, resident] = sizes
    const time = `${(found.atMs / 60_000).toFixed(1).padStart(5)} min`
    console.log(`${time}  heap ${heap}, buffers ${buffers}, RSS ${resident} MiB; ${count()} done`)
  }
  return samples
}

/** Compares the least after the first minute with the least at the end. True if all is well. */
function judge(samples: readonly Sample[], minutes: number): boolean {
  const endMs = minutes * 60_000
  const windowMs = Math.min(60_000, endMs / 4)
  const warmMs = Math.min(60_000, endMs / 4)
  const within = (fromMs: number) =>
    samples.filter(({ atMs }) => atMs >= fromMs && atMs <= fromMs + windowMs + SAMPLE_EVERY_MS)
  const [early, late] = [within(warmMs), within(endMs - windowMs)]
  let isGood = true
  for (const [name, { part, bytes }] of Object.entries(TOLERANCES)) {
    const least = (all: readonly Sample[]) =>
      Math.min(...all.map((one) => one[name as keyof typeof TOLERANCES]))
    const [before, after] = [least(early), least(late)]
    const limit = before * (1 + part) + bytes
    const figures = [before, after, limit].map((size) => `${(size / MIB).toFixed(1)} MiB`)
    const verdict = after <= limit ? 'ok' : 'GROWN'
    console.log(`${name.padEnd(12)} ${figures[0]} → ${figures[1]}, limit ${figures[2]}: ${verdict}`)
    if (after > limit) isGood = false
  }
  return isGood
}

/** Runs all loads for some minutes; true if what they hold has not grown. */
async function check(address: string, loads: readonly Load[], minutes: number): Promise<boolean> {
  const ending = new AbortController()
  const done = new Map(loads.map(({ name }) => [name, 0]))
  const running = loads.map(async (load) => {
    const count = (more: number) => void done.set(load.name, done.get(load.name)! + more)
    await load.run(address, ending.signal, count)
  })
  const failed = Promise.all(running)
  const total = () => [...done.values()].reduce((sum, one) => sum + one, 0)
  const samples = await Promise.race([watch(minutes, total), failed.then(() => [])])
  ending.abort()
  await failed
  for (const [name, count] of done) {
    console.log(`${name}: ${count}`)
    if (count === 0) throw new Error(`${name} did nothing, so the check shows nothing`)
  }
  return judge(samples, minutes)
}

async function start(folder: string, target: Target): Promise<Broker> {
  const path = (...names: string[]) => join(folder, ...names)
  const makeFolder = (...names: string[]) => {
    mkdirSync(path(...names), { recursive: true })
    return path(...names)
  }
  // The broker ends with this process; there is nothing else to undo.
  const workspace = { folder, path, makeFolder, onEnd: () => {} }
  const dataFolder = path('data')
  return await startBroker(workspace, { target, dataFolder, configs: BROKER_CONFIGS })
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    target: { type: 'string', default: 'samsa' },
    load: { type: 'string', default: '' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is no number above 0`)
if (values.target !== 'samsa' && values.target !== 'kafka') throw new Error('--target samsa|kafka')
// The first one writes what all the others read.
const loads = LOADS.filter(({ name }, index) => index === 0 || name.includes(values.load))
const folder = mkdtempSync(join(tmpdir(), 'samsa-leak-'))
const broker = await start(folder, values.target)
try {
  await using admin = new Admin({ bootstrapServers: broker.address })
  await admin.createTopics([{ topic: TOPIC, partitions: PARTITIONS, configs: TOPIC_CONFIGS }])
  await admin.waitForTopic(TOPIC)
  console.log(`check:leak: ${minutes} min, ${values.target}`)
  if (!(await check(broker.address, loads, minutes))) process.exitCode = 1
} finally {
  await broker.kill()
  rmSync(folder, { recursive: true, force: true })
}
