/**
 * `kafka-console-consumer`: prints the records of topics, as they come.
 *
 * What has been printed counts as consumed, and nothing else: records that were fetched and not
 * printed are not committed. An error while reading ends the tool with 0, as Ctrl-C does with 130;
 * how many records there were is said on standard error in any case.
 */

import { Consumer } from '../clients/consumer/consumer.ts'
import type { ConsumerRecord } from '../clients/consumer/consumer-record.ts'
import { partitionName } from '../clients/topic-partition.ts'
import { FormatterOutput } from './console-consumer/message-formatter.ts'
import {
  type ConsoleConsumerRequest,
  readConsoleConsumerOptions,
} from './console-consumer/read-options.ts'
import { withBootstrapServer } from './support/bootstrap-address.ts'
import { orToolError } from './support/client-settings.ts'
import { consumerSettings } from './support/consumer-settings.ts'
import { printLine, ToolError, type ToolIo } from './support/tool.ts'
import { logError, toolEnvironment, withClassName } from './support/tool-log.ts'
import { writeAll } from './support/write-all.ts'

const SOURCE = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const INTERRUPTED = 130

export const kafkaConsoleConsumer = withClassName(async (args, io) => {
  const request = readConsoleConsumerOptions(withBootstrapServer(args), io)
  try {
    const { settings } = request
    const environment = toolEnvironment(io)
    const consumer = orToolError(() => new Consumer(consumerSettings(settings), environment))
    await new ConsoleConsumer(request, consumer, io).run()
  } catch (error) {
    logError(io, SOURCE, 'Unknown error when running consumer: ', error)
    return 1
  }
  if (request.hasSystestEvents) printLine(io.stdout, 'shutdown_complete')
  return io.signal.aborted && !hasLostReader(io) ? INTERRUPTED : 0
})

/** Whether who read the output has gone away, as `head` does. */
function hasLostReader({ signal }: ToolIo): boolean {
  return signal.aborted && signal.reason?.code === 'EPIPE'
}

class ConsoleConsumer {
  readonly #request: ConsoleConsumerRequest
  readonly #consumer: Consumer
  readonly #io: ToolIo
  readonly #out = new FormatterOutput()
  #limit: number | undefined
  #count = 0
  /** Records that have been fetched and not printed. */
  #rest: Iterator<ConsumerRecord> = [][Symbol.iterator]()

  constructor(request: ConsoleConsumerRequest, consumer: Consumer, io: ToolIo) {
    this.#request = request
    this.#consumer = consumer
    this.#io = io
  }

  async run(): Promise<void> {
    this.#begin()
    try {
      this.#limit = this.#request.maxMessages()
      while (!this.#isDone && (await this.#poll())) await this.#print()
    } finally {
      this.#giveBackRest()
      await this.#consumer.close()
      if (hasLostReader(this.#io)) {
        printLine(this.#io.stderr, 'Unable to write to standard out, closing consumer.')
      }
      printLine(this.#io.stderr, `Processed a total of ${this.#count} messages`)
    }
  }

  #begin(): void {
    const consumer = this.#consumer
    const { topic, include, partition, offset } = this.#request
    if (topic === undefined) {
      consumer.subscribe(wholeName(include!))
    } else if (partition === undefined) {
      consumer.subscribe([topic])
    } else {
      const partitions = [{ topic, partition }]
      consumer.assign(partitions)
      if (offset === 'earliest') consumer.seekToBeginning(partitions)
      else if (offset === 'latest') consumer.seekToEnd(partitions)
      else consumer.seek(partitions[0]!, offset)
    }
  }

  get #isDone(): boolean {
    return this.#limit !== undefined && this.#count >= this.#limit
  }

  /** Whether there is something to print. */
  async #poll(): Promise<boolean> {
    const { timeoutMs } = this.#request
    const { signal } = this.#io
    try {
      const timeout = timeoutMs === undefined ? {} : { timeoutMs }
      const records = await this.#consumer.poll({ ...timeout, signal })
      if (records.isEmpty) throw new ToolError('', { className: TIMEOUT })
      this.#rest = records[Symbol.iterator]()
      return true
    } catch (error) {
      if (signal.aborted) return false
      logError(this.#io, SOURCE, 'Error processing message, terminating consumer process: ', error)
      return false
    }
  }

  async #print(): Promise<void> {
    while (!this.#isDone) {
      const { value: record, done } = this.#rest.next()
      if (done) break
      this.#count += 1
      try {
        this.#request.formatter(record, this.#out)
      } catch (error) {
        if (!this.#request.skipsOnError) {
          await writeAll(this.#io.stdout, this.#out.take())
          throw error
        }
        logError(this.#io, SOURCE, 'Error processing message, skipping this message: ', error)
      }
    }
    await writeAll(this.#io.stdout, this.#out.take())
  }

  #giveBackRest(): void {
    const first = new Map<string, ConsumerRecord>()
    for (let next = this.#rest.next(); !next.done; next = this.#rest.next()) {
      const name = partitionName(next.value)
      if (!first.has(name)) first.set(name, next.value)
    }
    for (const record of first.values()) this.#consumer.seek(record, record.offset)
  }
}

const TIMEOUT = 'org.apache.kafka.common.errors.TimeoutException'

/** Java's patterns are compared with the whole name. */
function wholeName(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch (error) {
    const className = 'java.util.regex.PatternSyntaxException'
    throw new ToolError((error as Error).message, { className })
  }
}
