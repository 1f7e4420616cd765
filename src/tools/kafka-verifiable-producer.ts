/**
 * `kafka-verifiable-producer`: sends growing numbers, and prints a line of JSON for each that was
 * acknowledged or lost, so that a test can tell from outside what must be there.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KafkaError } from '../clients/errors.ts'
import { Producer } from '../clients/producer/producer.ts'
import type { RecordMetadata } from '../clients/producer/producer-batch.ts'
import type { ErrorName } from '../common/errors.ts'
import { type Namespace, parseArguments, programHelp } from './support/argparse.ts'
import { openClient } from './support/client-settings.ts'
import { javaClassOf } from './support/java-classes.ts'
import { javaDouble } from './support/java-numbers.ts'
import { producerSettings } from './support/producer-settings.ts'
import { ThroughputThrottler } from './support/throughput-throttler.ts'
import { printLine, type ToolIo } from './support/tool.ts'
import {
  VERIFIABLE_PRODUCER_ARGUMENTS as ARGUMENTS,
  settingsOfFile,
} from './verifiable/arguments.ts'

const INTERRUPTED = 130

export async function kafkaVerifiableProducer(
  args: readonly string[],
  io: ToolIo,
): Promise<number> {
  if (args.length === 0) {
    io.stdout.write(programHelp(ARGUMENTS))
    return 0
  }
  const given = parseArguments(ARGUMENTS, args)
  const settings = new Map([
    ['bootstrap.servers', given.string('bootstrapServer')!],
    ['acks', given.string('acks')!],
    ['retries', '0'],
    ...settingsOfFile(ARGUMENTS, given, '--producer.config', io),
  ])
  const producer = await openClient('producer', io, settings, (environment) => {
    return new Producer<string, string>(producerSettings(settings), environment)
  })
  await new VerifiableProducer(given, producer, io).run()
  return io.signal.aborted ? INTERRUPTED : 0
}

class VerifiableProducer {
  readonly #given: Namespace
  readonly #producer: Producer<string, string>
  readonly #io: ToolIo
  readonly #startMs = Date.now()
  readonly #topic: string
  #sent = 0
  #acknowledged = 0
  #createTime: number | undefined

  constructor(given: Namespace, producer: Producer<string, string>, io: ToolIo) {
    this.#given = given
    this.#producer = producer
    this.#io = io
    this.#topic = given.string('topic')!
  }

  async run(): Promise<void> {
    const perSecond = this.#given.number('throughput')!
    try {
      await this.#send(perSecond)
    } finally {
      await this.#producer.close()
    }
    this.#print('shutdown_complete')
    const counts = `"sent":${this.#sent},"acked":${this.#acknowledged}`
    const average = (1000 * this.#acknowledged) / (Date.now() - this.#startMs)
    const rates = `"target_throughput":${perSecond},"avg_throughput":${javaDouble(average)}`
    const head = `{"timestamp":${Date.now()},"name":"tool_data"`
    printLine(this.#io.stdout, `${head},${counts},${rates}}`)
  }

  async #send(perSecond: number): Promise<void> {
    this.#print('startup_complete')
    const { signal } = this.#io
    const limit = this.#given.number('maxMessages')!
    const keys = this.#given.number('repeatingKeys')
    const prefix = this.#given.number('valuePrefix')
    const throttler = new ThroughputThrottler(perSecond, this.#startMs, signal)
    let turnMs = 0
    for (let i = 0; (limit < 0 || i < limit) && !signal.aborted; i++) {
      const nowMs = Date.now()
      const key = keys === undefined ? null : String(i % keys)
      this.#sendOne(key, prefix === undefined ? String(i) : `${prefix}.${i}`)
      if (throttler.shouldThrottle(i, nowMs)) await throttler.throttle()
      // Others, the network above all, must have their turn.
      if (nowMs === turnMs) continue
      await this.#producer.ready()
      await nextTurn()
      turnMs = Date.now()
    }
  }

  #sendOne(key: string | null, value: string): void {
    const topic = this.#topic
    const record = { topic, key, value, timestamp: this.#timestamp() }
    this.#sent += 1
    this.#producer.send(record, (error, metadata) => {
      if (error === undefined) this.#printSuccess(key, value, metadata!)
      else this.#printFailure(key, value, error)
    })
  }

  /** With a time to begin with, each record is later by the time that has gone by. */
  #timestamp(): number | undefined {
    const created = this.#given.number('createTime')!
    if (created === -1) return undefined
    const timestamp = this.#createTime ?? created
    this.#createTime = timestamp + Date.now() - this.#startMs
    return timestamp
  }

  #printSuccess(key: string | null, value: string, metadata: RecordMetadata): void {
    this.#acknowledged += 1
    const { offset, topic, partition } = metadata
    this.#print('producer_send_success', { key, value, offset, topic, partition })
  }

  #printFailure(key: string | null, value: string, error: KafkaError): void {
    const exception = `class ${javaClassOf(error.errorName as ErrorName)}`
    const { message } = error
    this.#print('producer_send_error', { topic: this.#topic, key, value, exception, message })
  }

  #print(name: string, fields: object = {}): void {
    printLine(this.#io.stdout, JSON.stringify({ timestamp: Date.now(), name, ...fields }))
  }
}
