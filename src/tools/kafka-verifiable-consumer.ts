/**
 * `kafka-verifiable-consumer`: reads a topic as a member of a group, and prints a line of JSON for
 * each thing that happens: partitions that come and go, records read, offsets committed.
 */
import { Consumer } from '../clients/consumer/consumer.ts'
import type { ConsumerRecord } from '../clients/consumer/consumer-record.ts'
import type { ConsumerRecords } from '../clients/consumer/consumer-records.ts'
import { stringDeserializer } from '../clients/deserializers.ts'
import { KafkaError } from '../clients/errors.ts'
import type { TopicPartition } from '../clients/topic-partition.ts'
import { type Namespace, parseArguments, programHelp } from './support/argparse.ts'
import { openClient } from './support/client-settings.ts'
import { consumerSettings } from './support/consumer-settings.ts'
import { printLine, type ToolIo } from './support/tool.ts'
import { logError } from './support/tool-log.ts'
import {
  VERIFIABLE_CONSUMER_ARGUMENTS as ARGUMENTS,
  settingsOfFile,
} from './verifiable/arguments.ts'

type TextConsumer = Consumer<string, string>

interface OffsetOfPartition extends TopicPartition {
  readonly offset: number
}

const SOURCE = 'org.apache.kafka.tools.VerifiableConsumer'
const INTERRUPTED = 130

export async function kafkaVerifiableConsumer(
  args: readonly string[],
  io: ToolIo,
): Promise<number> {
  if (args.length === 0) {
    io.stdout.write(programHelp(ARGUMENTS))
    return 0
  }
  const given = parseArguments(ARGUMENTS, args)
  const settings = settingsOf(given, io)
  const deserializers = {
    keyDeserializer: stringDeserializer,
    valueDeserializer: stringDeserializer,
  }
  const consumer = await openClient('consumer', io, settings, (environment) => {
    return new Consumer({ ...consumerSettings(settings), ...deserializers }, environment)
  })
  await new VerifiableConsumer(given, consumer, io).run()
  return io.signal.aborted ? INTERRUPTED : 0
}

function settingsOf(given: Namespace, io: ToolIo): Map<string, string> {
  const settings = new Map(settingsOfFile(ARGUMENTS, given, '--consumer.config', io))
  const set = (key: string, dest: string) => {
    const value = given.string(dest) ?? given.number(dest)
    if (value !== undefined) settings.set(key, String(value))
  }
  if (given.string('groupProtocol')!.toLowerCase() === 'consumer') {
    settings.set('group.protocol', 'consumer')
    set('group.remote.assignor', 'groupRemoteAssignor')
  } else {
    set('partition.assignment.strategy', 'assignmentStrategy')
    set('session.timeout.ms', 'sessionTimeout')
  }
  set('group.id', 'groupId')
  set('group.instance.id', 'groupInstanceId')
  set('bootstrap.servers', 'bootstrapServer')
  set('auto.offset.reset', 'resetPolicy')
  settings.set('enable.auto.commit', String(given.flag('useAutoCommit')))
  return settings
}

class VerifiableConsumer {
  readonly #given: Namespace
  readonly #consumer: TextConsumer
  readonly #io: ToolIo
  readonly #limit: number
  #consumed = 0

  constructor(given: Namespace, consumer: TextConsumer, io: ToolIo) {
    this.#given = given
    this.#consumer = consumer
    this.#io = io
    this.#limit = given.number('maxMessages')!
  }

  async run(): Promise<void> {
    const { signal } = this.#io
    const requested = () => this.#print('shutdown_requested')
    signal.addEventListener('abort', requested, { once: true })
    this.#print('startup_complete')
    try {
      this.#consumer.subscribe([this.#given.string('topic')!], {
        onPartitionsAssigned: (partitions) => this.#print('partitions_assigned', { partitions }),
        onPartitionsRevoked: (partitions) => this.#print('partitions_revoked', { partitions }),
      })
      while (!this.#isFinished && !signal.aborted) {
        const offsets = this.#received(await this.#consumer.poll({ signal }))
        if (!this.#given.flag('useAutoCommit')) await this.#commit(offsets)
      }
    } catch (error) {
      const message = 'Error during processing, terminating consumer process: '
      if (!signal.aborted) logError(this.#io, SOURCE, message, error)
    } finally {
      await this.#consumer.close()
      this.#print('shutdown_complete')
      // The end of a process is one more request to shut down.
      if (!signal.aborted) requested()
    }
  }

  get #isFinished(): boolean {
    return this.#limit >= 0 && this.#consumed >= this.#limit
  }

  /** Tells of the records as far as they are wanted. Returns what to commit. */
  #received(records: ConsumerRecords<string, string>): OffsetOfPartition[] {
    const partitions: object[] = []
    const offsets: OffsetOfPartition[] = []
    for (const { topic, partition, records: all } of records.byPartition()) {
      const wanted = this.#limit < 0 ? all : all.slice(0, this.#limit - this.#consumed)
      if (wanted.length === 0) continue
      const [minOffset, maxOffset] = [wanted[0]!.offset, wanted.at(-1)!.offset]
      offsets.push({ topic, partition, offset: maxOffset + 1 })
      partitions.push({ topic, partition, count: wanted.length, minOffset, maxOffset })
      if (this.#given.flag('verbose')) for (const record of wanted) this.#printRecord(record)
      this.#consumed += wanted.length
      if (this.#isFinished) break
    }
    this.#print('records_consumed', { count: records.count, partitions })
    return offsets
  }

  #printRecord({ key, value, topic, partition, offset }: ConsumerRecord<string, string>): void {
    this.#print('record_data', { key, value, topic, partition, offset })
  }

  async #commit(offsets: readonly OffsetOfPartition[]): Promise<void> {
    let error: string | undefined
    try {
      await this.#consumer.commitSync(offsets)
    } catch (thrown) {
      const isFenced = thrown instanceof KafkaError && thrown.errorName === 'FENCED_INSTANCE_ID'
      if (isFenced || !(thrown instanceof Error)) throw thrown
      error = thrown.message
    }
    // Without an error the field is not there.
    this.#print('offsets_committed', { offsets, error, success: error === undefined })
  }

  #print(name: string, fields: object = {}): void {
    printLine(this.#io.stdout, JSON.stringify({ timestamp: Date.now(), name, ...fields }))
  }
}
