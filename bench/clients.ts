/**
 * Samsa's clients beside the other clients for Node, on the same broker; see bench/README.md.
 *
 *     node bench/clients.ts [--rounds 5] [--target samsa|kafka] [--row TEXT] [--client NAME…]
 *                           [--json FILE] [--check]
 *
 * Each client runs in a process of its own, one after the other, each going first in turn.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { Admin, Producer } from '../src/clients/index.ts'
import {
  consumeRows,
  drivers,
  type Measurement,
  produceRows,
  type RowName,
} from './clients/measure.ts'
import { installPeers, versionOf } from './clients/peers.ts'
import { busyShare, describeMachine, planCpus } from './machine.ts'
import { median } from './median.ts'
import { apacheKafkaCommand } from './peers/apache-kafka.ts'
import { samsaCommand } from './peers/samsa.ts'
import { freePort, onCpus, type Server, startServer } from './peers/server.ts'

const PARTITIONS = 3
const WARM_UP_ROUNDS = 3
/** Decided by how soon the machine wakes a CPU, not by the client. */
const WAKING: RowName = 'one record at a time, two CPUs'
const program = join(import.meta.dirname, 'clients/measure.ts')
const run = promisify(execFile)

type Results = Map<RowName, Map<string, Measurement[]>>

/** Puts the broker on its CPUs and tells which are the client's; all, if undefined. */
async function place(row: RowName, broker: Server): Promise<string | undefined> {
  const plan = planCpus()
  if (plan === undefined) return undefined
  const all = `${plan.client},${plan.server}`
  const placement = produceRows[row as keyof typeof produceRows]?.placement
  const brokers = {
    'one CPU for both': plan.client,
    'a CPU each': plan.server,
    'left to the scheduler': all,
  }[placement ?? 'left to the scheduler']
  await run('taskset', ['-acp', brokers, String(broker.pid)])
  return placement?.includes('CPU') ? plan.client : undefined
}

/** Runs one client on one row. A client gone wrong must not pass for one that is slow. */
async function measure(client: string, row: RowName, broker: Server, topic: string) {
  const cpus = await place(row, broker)
  const args = [program, client, row, `127.0.0.1:${broker.port}`, topic]
  const { stdout } = await run(...onCpus(cpus, process.execPath, args), { timeout: 180_000 })
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measurement
}

async function createTopic(admin: Admin, topic: string): Promise<void> {
  await admin.createTopics([{ topic, partitions: PARTITIONS }])
}

/** All records of a topic, by its offsets: what a client says it wrote must be there. */
async function recordCount(admin: Admin, topic: string): Promise<number> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  const found = await admin.listOffsets(partitions.map((at) => ({ ...at, at: 'latest' as const })))
  return [...found.values()].reduce((sum, { offset }) => sum + offset, 0)
}

async function fill(broker: Server, topic: string, row: { count: number; valueBytes: number }) {
  const producer = new Producer<string, Uint8Array>({
    bootstrapServers: `127.0.0.1:${broker.port}`,
  })
  const value = Buffer.alloc(row.valueBytes, 'v')
  for (let i = 0; i < row.count; i++) {
    if (!producer.post({ topic, key: `key-${i % 1000}`, value })) await producer.ready()
  }
  await producer.close()
}

async function measureProduce(admin: Admin, client: string, row: RowName, broker: Server) {
  const topic = `produce-${Date.now()}`
  await createTopic(admin, topic)
  const measurement = await measure(client, row, broker, topic)
  const written = await recordCount(admin, topic)
  if (written !== measurement.records) {
    throw new Error(`${client} says it wrote ${measurement.records} records: ${written} are there`)
  }
  await admin.deleteTopics([topic])
  return measurement
}

/** Rows in order, in each all clients, of which another one goes first in each round. */
async function measureAll(
  admin: Admin,
  broker: Server,
  rows: readonly RowName[],
  clients: readonly string[],
  rounds: number,
): Promise<Results> {
  // The broker must be warm before anybody is measured on it, which takes a JVM longest.
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const client of clients) {
      await measureProduce(admin, client, 'batches of 100, 5 at a time', broker)
    }
  }
  const results: Results = new Map(
    rows.map((row) => [row, new Map(clients.map((client) => [client, []]))]),
  )
  for (const row of rows) {
    const isProduce = row in produceRows
    const topic = `consume-${Date.now()}`
    if (!isProduce) {
      await createTopic(admin, topic)
      await fill(broker, topic, consumeRows[row as keyof typeof consumeRows])
    }
    for (let round = 0; round < rounds; round++) {
      const first = round % clients.length
      for (const client of [...clients.slice(first), ...clients.slice(0, first)]) {
        const measurement = isProduce
          ? await measureProduce(admin, client, row, broker)
          : await measure(client, row, broker, topic)
        results.get(row)!.get(client)!.push(measurement)
        const rate = Math.round(measurement.recordsPerSecond)
        console.error(`${row}, round ${round + 1}: ${client} ${rate} records/s`)
      }
    }
    if (!isProduce) await admin.deleteTopics([topic])
  }
  return results
}

const short = (rate: number) =>
  rate >= 999_500 ? `${(rate / 1e6).toFixed(2)} M` : `${(rate / 1000).toPrecision(3)} k`

/** The table as BENCHMARKS.md has it. Returns the rows in which another client is ahead. */
function printTable(results: Results, clients: readonly string[]): RowName[] {
  const rate = ({ recordsPerSecond }: Measurement) => recordsPerSecond
  const titles = clients.map((client) => drivers[client]!.name)
  const others = clients.filter((client) => client !== 'samsa')
  const lost: RowName[] = []
  console.log(`| records/s | ${titles.join(' | ')} | Samsa : best of the others |`)
  console.log(`|---${'|---'.repeat(clients.length + 1)}|`)
  for (const [row, measured] of results) {
    const own = measured.get('samsa')
    const cells = clients.map((client) => {
      const all = measured.get(client)!
      const cell = short(median(all.map(rate)))
      if (client === 'samsa' || own === undefined) return cell
      const ratio = median(all.map((other, round) => rate(own[round]!) / rate(other)))
      return `${cell} (×${ratio.toFixed(2)})`
    })
    let margin = ''
    if (own !== undefined && others.length > 0) {
      const ratios = own.map((mine, round) => {
        return rate(mine) / Math.max(...others.map((other) => rate(measured.get(other)![round]!)))
      })
      margin = median(ratios).toFixed(2)
      if (Number(margin) <= 1 && row !== WAKING) lost.push(row)
    }
    const verb = row in produceRows ? 'produce' : 'consume'
    console.log(`| ${verb}, ${row} | ${cells.join(' | ')} | ${margin} |`)
    const cpu = clients.map((client) =>
      median(measured.get(client)!.map(({ cpuMicrosPerRecord }) => cpuMicrosPerRecord)).toFixed(2),
    )
    console.log(`| … CPU µs/record | ${cpu.join(' | ')} | |`)
  }
  console.log()
  for (const client of clients) {
    const { name, note } = drivers[client]!
    console.log(`${name}${versionOf(name) ? ` ${versionOf(name)}` : ''}: ${note}`)
  }
  return lost
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    target: { type: 'string', default: 'samsa' },
    row: { type: 'string', default: '' },
    client: { type: 'string', multiple: true, default: Object.keys(drivers) },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
const commands = { samsa: samsaCommand, kafka: apacheKafkaCommand }
const makeCommand = commands[options.target as keyof typeof commands]
if (makeCommand === undefined) throw new Error('--target is samsa or kafka')
const rows = [...Object.keys(produceRows), ...Object.keys(consumeRows)] as RowName[]

installPeers()
console.log(describeMachine())
const busy = await busyShare()
if (busy > 0.1) console.log(`The machine is busy (${Math.round(busy * 100)} %): only ratios count.`)
const cache = join(import.meta.dirname, '.cache')
mkdirSync(cache, { recursive: true })
const scratch = mkdtempSync(join(cache, 'clients-run-'))
let server: Server | undefined
try {
  const port = await freePort()
  const overrides = ['group.initial.rebalance.delay.ms=0']
  server = await startServer(await makeCommand(scratch, port, overrides), port)
  const admin = new Admin({ bootstrapServers: `127.0.0.1:${port}` })
  const chosen = rows.filter((row) => row.includes(options.row))
  const rounds = Number(options.rounds)
  const results = await measureAll(admin, server, chosen, options.client, rounds)
  admin.close()
  console.log(`${server.name}, medians of ${rounds} rounds`)
  const lost = printTable(results, options.client)
  if (lost.length > 0) console.log(`Another client is ahead in: ${lost.join('; ')}`)
  if (lost.length > 0 && options.check) process.exitCode = 1
  if (options.json) {
    const plain = [...results].map(([row, measured]) => [row, Object.fromEntries(measured)])
    writeFileSync(options.json, `${JSON.stringify(Object.fromEntries(plain), null, 2)}\n`)
  }
} finally {
  await server?.stop()
  rmSync(scratch, { recursive: true, force: true })
}
