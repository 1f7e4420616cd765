/**
 * `kafka-producer-perf-test`: sends records and measures how many a second are acknowledged, and
 * how long each took from being sent.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KafkaError } from '../clients/errors.ts'
import { Producer } from '../clients/producer/producer.ts'
import { PRODUCER_PERF_ARGUMENTS as ARGUMENTS } from './producer-perf-test/arguments.ts'
import { LatencyStats } from './producer-perf-test/latency-stats.ts'
import {
  numbers,
  type Payloads,
  randomLetters,
  valuesOfFile,
} from './producer-perf-test/payloads.ts'
import { argumentError, type Namespace, parseArguments, programHelp } from './support/argparse.ts'
import { mergeSettings, openClient } from './support/client-settings.ts'
import { printMetrics } from './support/print-metrics.ts'
import { producerSettings } from './support/producer-settings.ts'
import { ThroughputThrottler } from './support/throughput-throttler.ts'
import { javaText, printLine, ToolError, type ToolIo } from './support/tool.ts'
import { withClassName } from './support/tool-log.ts'

const DEFAULT_TRANSACTION_MS = 3000
const INTERRUPTED = 130

export async function kafkaProducerPerfTest(args: readonly string[], io: ToolIo): Promise<number> {
  if (args.length === 0) {
    io.stdout.write(programHelp(ARGUMENTS))
    return 0
  }
  const given = parseArguments(ARGUMENTS, args)
  checkArguments(given)
  return withClassName(() => run(given, io))(args, io)
}

function checkArguments(given: Namespace): void {
  const number = (name: string) => given.number(name)!
  const connecting = [
    'bootstrapServer',
    'commandProperty',
    'producerProps',
    'producerConfig',
    'commandConfig',
  ]
  const problems: [isWrong: boolean, text: string][] = [
    [number('numRecords') <= 0, '--num-records should be greater than zero.'],
    [
      number('warmupRecords') >= number('numRecords'),
      'The value for --warmup-records must be strictly fewer than the number of records in the ' +
        'test, --num-records.',
    ],
    [(given.number('recordSize') ?? 1) <= 0, '--record-size should be greater than zero.'],
    [
      !connecting.some((name) => given.has(name)),
      'At least one of --bootstrap-server, --command-property, --producer-props, ' +
        '--producer.config or --command-config must be specified.',
    ],
    [
      given.has('commandProperty') && given.has('producerProps'),
      '--command-property and --producer-props cannot be specified together.',
    ],
    [
      given.has('commandConfig') && given.has('producerConfig'),
      '--command-config and --producer.config cannot be specified together.',
    ],
    [
      (given.number('transactionDurationMs') ?? 1) <= 0,
      '--transaction-duration-ms should be greater than zero.',
    ],
    [number('reportingInterval') <= 0, '--reporting-interval should be greater than zero.'],
  ]
  const problem = problems.find(([isWrong]) => isWrong)
  if (problem !== undefined) throw argumentError(ARGUMENTS, problem[1])
}

async function run(given: Namespace, io: ToolIo): Promise<number> {
  const payloads = payloadsOf(given, io)
  const settings = settingsOf(given, io)
  const isTransactional = settings.has('transactional.id')
  const producer = await openClient('producer', io, settings, (environment) => {
    return new Producer<string, Uint8Array>(producerSettings(settings), environment)
  })
  try {
    if (isTransactional) await producer.initTransactions()
    const test = new PerfTest(given, producer, payloads, io)
    await test.send(isTransactional)
    await producer.flush()
    test.printTotals()
    if (given.flag('printMetrics')) printMetrics(producer, io.stdout)
  } finally {
    await producer.close()
  }
  return io.signal.aborted ? INTERRUPTED : 0
}

function payloadsOf(given: Namespace, io: ToolIo): Payloads {
  const file = given.string('payloadFile')
  if (file !== undefined) {
    const delimiter = given.string('payloadDelimiter')!
    return valuesOfFile(file, delimiter, Math.random, (line) => printLine(io.stdout, line))
  }
  const size = given.number('recordSize')
  return size === undefined ? numbers : randomLetters(size, Math.random)
}

function settingsOf(given: Namespace, io: ToolIo): Map<string, string> {
  const isOld = (dest: string, oldFlag: string, newFlag: string) => {
    if (!given.has(dest)) return
    const rest = `will be removed in a future version. Use ${newFlag} instead.`
    printLine(io.stdout, `Option ${oldFlag} has been deprecated and ${rest}`)
  }
  isOld('producerProps', '--producer-props', '--command-property')
  isOld('producerConfig', '--producer.config', '--command-config')
  const properties = given.list('commandProperty') ?? given.list('producerProps') ?? []
  const settings = mergeSettings(
    given.string('commandConfig') ?? given.string('producerConfig'),
    new Map(properties.map(property)),
  )
  if (!settings.has('client.id')) settings.set('client.id', 'perf-producer-client')
  const servers = given.string('bootstrapServer')
  if (servers !== undefined) settings.set('bootstrap.servers', servers)
  const transactionalId = given.string('transactionalId')
  if (transactionalId !== undefined) settings.set('transactional.id', transactionalId)
  else if (given.has('transactionDurationMs') && !settings.has('transactional.id')) {
    settings.set('transactional.id', `performance-producer-${randomUUID()}`)
  }
  return settings
}

function property(text: string): [key: string, value: string] {
  const pieces = text.split('=')
  while (pieces.at(-1) === '') pieces.pop()
  const [key, value, ...others] = pieces
  if (key !== undefined && value !== undefined && others.length === 0) return [key, value]
  throw new ToolError(`Invalid property: ${text}`, {
    className: 'java.lang.IllegalArgumentException',
  })
}

class PerfTest {
  readonly #given: Namespace
  readonly #producer: Producer<string, Uint8Array>
  readonly #payloads: Payloads
  readonly #io: ToolIo
  readonly #topic: string
  readonly #records: number
  readonly #warmup: number
  readonly #all: LatencyStats
  #steadyState: LatencyStats | undefined

  constructor(
    given: Namespace,
    producer: Producer<string, Uint8Array>,
    payloads: Payloads,
    io: ToolIo,
  ) {
    this.#given = given
    this.#producer = producer
    this.#payloads = payloads
    this.#io = io
    this.#topic = given.string('topic')!
    this.#records = given.number('numRecords')!
    this.#warmup = Math.max(0, given.number('warmupRecords')!)
    if (this.#warmup > 0) {
      const rest = 'Steady state results will print after the complete test summary.'
      printLine(io.stdout, `Warmup first ${this.#warmup} records. ${rest}`)
    }
    this.#all = this.#stats(this.#records, false)
  }

  #stats(records: number, isSteadyState: boolean): LatencyStats {
    return new LatencyStats({
      records,
      isSteadyState,
      reportingIntervalMs: this.#given.number('reportingInterval')!,
      now: Date.now,
      print: (line) => printLine(this.#io.stdout, line),
    })
  }

  async send(isTransactional: boolean): Promise<void> {
    const producer = this.#producer
    const durationMs = this.#given.number('transactionDurationMs') ?? DEFAULT_TRANSACTION_MS
    const startMs = Date.now()
    const perSecond = this.#given.number('throughput')!
    const throttler = new ThroughputThrottler(perSecond, startMs, this.#io.signal)
    let beganMs: number | undefined
    let turnMs = startMs
    for (let i = 0; i < this.#records && !this.#io.signal.aborted; i++) {
      if (isTransactional && beganMs === undefined) {
        producer.beginTransaction()
        beganMs = Date.now()
      }
      const nowMs = Date.now()
      this.#sendOne(i, nowMs)
      if (beganMs !== undefined && nowMs - beganMs >= durationMs) {
        await producer.commitTransaction()
        beganMs = undefined
      }
      if (throttler.shouldThrottle(i, nowMs)) await throttler.throttle()
      // Others, the network above all, must have their turn.
      if (nowMs === turnMs) continue
      await producer.ready()
      await nextTurn()
      turnMs = Date.now()
    }
    if (beganMs !== undefined) await producer.commitTransaction()
  }

  #sendOne(index: number, nowMs: number): void {
    if (this.#warmup > 0 && index === this.#warmup) {
      this.#steadyState = this.#stats(this.#records - this.#warmup, true)
      this.#all.silence()
    }
    const value = this.#payloads(index)
    const steadyState = this.#steadyState
    this.#producer.send({ topic: this.#topic, value }, (error: KafkaError | undefined) => {
      const doneMs = Date.now()
      if (error !== undefined) {
        printLine(this.#io.stderr, javaText(error))
        return
      }
      this.#all.record(doneMs - nowMs, value.length, doneMs)
      steadyState?.record(doneMs - nowMs, value.length, doneMs)
    })
  }

  printTotals(): void {
    this.#all.printTotal()
    this.#steadyState?.printTotal()
  }
}
