/**
 * The rows of bench:clients, and the process that measures one of them with one client:
 *
 *     node bench/clients/measure.ts CLIENT ROW ADDRESS TOPIC
 *
 * It prints one line of JSON, a Measurement. Time runs in this process, from when it is warm.
 */
import { confluent } from './confluent.ts'
import type { BenchProducer, ClientDriver, Target } from './driver.ts'
import { kafkajs } from './kafkajs.ts'
import { platformatic } from './platformatic.ts'
import { samsa } from './samsa.ts'

export interface Measurement {
  readonly recordsPerSecond: number
  /** All that were written or read, those while it got warm included. */
  readonly records: number
  /** Of this process, by the records that were timed. */
  readonly cpuMicrosPerRecord: number
}

export const drivers: Readonly<Record<string, ClientDriver>> = {
  samsa,
  confluent,
  platformatic,
  kafkajs,
}

/** Does `send` again and again, `lanes` times at once, until the time is up; counts records. */
function lanes(
  count: number,
  perCall: number,
  send: (producer: BenchProducer) => Promise<unknown>,
) {
  return async (producer: BenchProducer, untilMs: number): Promise<number> => {
    let records = 0
    const lane = async () => {
      while (performance.now() < untilMs) {
        await send(producer)
        records += perCall
      }
    }
    await Promise.all(Array.from({ length: count }, lane))
    return records
  }
}

/**
 * Where the processes run. A client that waits for each answer and its broker take turns: on two
 * CPUs each answer and each request must wake one, which takes several times as long as the work
 * itself, and the scheduler chooses as it likes.
 */
export type Placement = 'one CPU for both' | 'a CPU each' | 'left to the scheduler'

export interface ProduceRow {
  readonly placement: Placement
  send(producer: BenchProducer, untilMs: number): Promise<number>
}

const one = (producer: BenchProducer) => producer.sendOne()
const batch = (producer: BenchProducer) => producer.sendMany(100)

/** What is produced, by the row's name. */
export const produceRows = {
  'one record at a time, one CPU': { placement: 'one CPU for both', send: lanes(1, 1, one) },
  'one record at a time, two CPUs': { placement: 'a CPU each', send: lanes(1, 1, one) },
  '100 single records at a time': {
    placement: 'left to the scheduler',
    send: lanes(100, 1, one),
  },
  'batches of 100, one at a time': {
    placement: 'left to the scheduler',
    send: lanes(1, 100, batch),
  },
  'batches of 100, 5 at a time': {
    placement: 'left to the scheduler',
    send: lanes(5, 100, batch),
  },
} as const satisfies Record<string, ProduceRow>

/** What is consumed: how many records of which size. */
export const consumeRows = {
  'records of 100 bytes': { count: 1_000_000, valueBytes: 100 },
  'records of 1 KiB': { count: 300_000, valueBytes: 1024 },
} as const

const WARM_MS = 1000
const MEASURED_MS = 2000

async function measureProduce(
  driver: ClientDriver,
  target: Target,
  { send }: ProduceRow,
): Promise<Measurement> {
  const producer = await driver.openProducer(target)
  const before = await send(producer, performance.now() + WARM_MS)
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const records = await send(producer, startedAt + MEASURED_MS)
  const elapsedMs = performance.now() - startedAt
  const used = process.cpuUsage(cpu)
  await producer.close()
  return {
    recordsPerSecond: (records / elapsedMs) * 1000,
    records: before + records,
    cpuMicrosPerRecord: (used.user + used.system) / records,
  }
}

/** The first tenth of the records is for getting warm, and for what was fetched ahead. */
async function measureConsume(
  driver: ClientDriver,
  target: Target,
  row: { readonly count: number; readonly valueBytes: number },
): Promise<Measurement> {
  const warm = row.count / 10
  let records = 0
  let keyBytes = 0
  let startedAt = 0
  let elapsedMs = 0
  let cpu = process.cpuUsage()
  await driver.consume(target, `bench-${process.pid}-${Date.now()}`, (key, value) => {
    // What was fetched ahead may still come when there is enough.
    if (records === row.count) return false
    if (value?.length !== row.valueBytes || value[0] !== 118) throw new Error('not what was sent')
    keyBytes += key!.length + (key![0] === 107 ? 0 : 1_000_000)
    records += 1
    if (records === warm) {
      startedAt = performance.now()
      cpu = process.cpuUsage()
    }
    if (records < row.count) return true
    elapsedMs = performance.now() - startedAt
    cpu = process.cpuUsage(cpu)
    return false
  })
  if (keyBytes > records * 8) throw new Error('not the keys that were sent')
  const timed = row.count - warm
  return {
    recordsPerSecond: (timed / elapsedMs) * 1000,
    records,
    cpuMicrosPerRecord: (cpu.user + cpu.system) / timed,
  }
}

export type RowName = keyof typeof produceRows | keyof typeof consumeRows

if (import.meta.main) {
  const [client = '', row = '', address = '', topic = ''] = process.argv.slice(2)
  const driver = drivers[client]!
  const target = { address, topic }
  const measurement =
    row in produceRows
      ? await measureProduce(driver, target, produceRows[row as keyof typeof produceRows])
      : await measureConsume(driver, target, consumeRows[row as keyof typeof consumeRows])
  console.log(JSON.stringify(measurement))
  process.exit(0)
}
