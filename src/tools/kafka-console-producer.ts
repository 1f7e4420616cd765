/**
 * `kafka-console-producer`: sends each line of standard input as a record.
 *
 * Errors of single records are logged to standard error and do not change the exit code, unless
 * each is waited for (`--sync`). A line that cannot be read ends the tool, when what came before it
 * has been sent.
 */
import { addAbortSignal, type Readable } from 'node:stream'
import type { KafkaError } from '../clients/errors.ts'
import { Producer } from '../clients/producer/producer.ts'
import { LineReader, type LineRecord, linesOf } from './console-producer/line-reader.ts'
import { CONSOLE_PRODUCER_OPTIONS } from './console-producer/options.ts'
import { bootstrapProblem, withBootstrapServer } from './support/bootstrap-address.ts'
import { mergeSettings, openClient } from './support/client-settings.ts'
import { keyValues } from './support/options.ts'
import { producerSettings } from './support/producer-settings.ts'
import { checkNames, nameInUse } from './support/renamed-options.ts'
import { javaText, printLine, type Tool, ToolError, ToolExit, type ToolIo } from './support/tool.ts'
import { logError, withClassName } from './support/tool-log.ts'

type Options = ReturnType<typeof CONSOLE_PRODUCER_OPTIONS.parse>

/** After so many records it is seen to it that the producer keeps up. */
const RECORDS_AT_ONCE = 500
const ERROR_LOG = 'org.apache.kafka.clients.producer.internals.ErrorLoggingCallback'
const LINE_READER = 'org.apache.kafka.tools.LineMessageReader'
const INTERRUPTED = 130

export const kafkaConsoleProducer: Tool = withClassName(async (args, io) => {
  const options = CONSOLE_PRODUCER_OPTIONS.parse(withBootstrapServer(args))
  const { topic, reader, settings } = readOptions(options, io)
  const producer = await openClient('producer', io, settings, (environment) => {
    return new Producer<string, string>(producerSettings(settings), environment)
  })
  try {
    await sendLines(producer, reader, { topic, isSync: options.has('sync') }, io)
  } finally {
    await producer.close()
  }
  return io.signal.aborted ? INTERRUPTED : 0
})

function readOptions(options: Options, io: ToolIo) {
  options.checkRequired('topic')
  checkNames(options, [
    ['command-config', 'producer.config'],
    ['command-property', 'producer-property'],
    ['reader-property', 'property'],
  ])
  const property = nameInUse(options, io, 'producer-property', 'command-property')
  const config = nameInUse(options, io, 'producer.config', 'command-config')
  const readerProperty = nameInUse(options, io, 'property', 'reader-property')
  if (options.has('max-partition-memory-bytes')) {
    const rest = 'will be removed in Apache Kafka 5.0. Use --batch-size instead.'
    printLine(io.stdout, `Warning: --max-partition-memory-bytes is deprecated and ${rest}`)
  }
  const servers = withoutTable(() => options.value('bootstrap-server'))
  const problem = bootstrapProblem(servers)
  if (problem !== undefined) throw options.usage(problem)
  return withoutTable(() => {
    const reader = options.value('line-reader')!
    if (reader !== LINE_READER && reader !== 'kafka.tools.ConsoleProducer$LineMessageReader') {
      throw new ToolError(reader, { className: 'java.lang.ClassNotFoundException' })
    }
    const readerFile = mergeSettings(options.value('reader-config'))
    return {
      topic: options.required('topic'),
      reader: new LineReader(
        new Map([...readerFile, ...keyValues(options.values(readerProperty))]),
      ),
      settings: producerOptions(options, servers!, config, keyValues(options.values(property))),
    }
  })
}

/** The settings that options stand for. */
const SETTINGS = [
  ['linger.ms', 'timeout'],
  ['acks', 'request-required-acks'],
  ['request.timeout.ms', 'request-timeout-ms'],
  ['retries', 'message-send-max-retries'],
  ['retry.backoff.ms', 'retry-backoff-ms'],
  ['buffer.memory', 'max-memory-bytes'],
  ['batch.size', 'batch-size'],
  ['batch.size', 'max-partition-memory-bytes'],
  ['metadata.max.age.ms', 'metadata-expiry-ms'],
  ['max.block.ms', 'max-block-ms'],
] as const

function producerOptions(
  options: Options,
  servers: string,
  config: 'command-config' | string,
  properties: ReadonlyMap<string, string>,
): Map<string, string> {
  const settings = mergeSettings(options.value(config as 'command-config'), properties)
  settings.set('bootstrap.servers', servers)
  const codec = options.has('compression-codec') ? options.value('compression-codec') : 'none'
  settings.set('compression.type', codec ?? 'gzip')
  if (!settings.has('client.id')) settings.set('client.id', 'console-producer')
  // An option that is given counts more than the settings, and its default counts less.
  for (const [key, option] of SETTINGS) {
    if (options.has(option) || !settings.has(key)) settings.set(key, options.value(option)!)
  }
  return settings
}

type OutgoingRecord = LineRecord & { readonly topic: string }

async function sendLines(
  producer: Producer<string, string>,
  reader: LineReader,
  { topic, isSync }: { readonly topic: string; readonly isSync: boolean },
  io: ToolIo,
): Promise<void> {
  const hasPrompt = io.stdin.isTTY === true && io.stdout.isTTY === true
  const prompt = () => hasPrompt && io.stdout.write('>')
  let unwatched = 0
  prompt()
  try {
    for await (const lines of linesOf(addAbortSignal(io.signal, io.stdin as Readable))) {
      for (const line of lines) {
        const record = { topic, ...reader.read(line) }
        if (isSync) await sendAndWait(producer, record)
        else producer.send(record, (error) => error && logFailure(io, record, error))
        prompt()
        unwatched += 1
        if (unwatched < RECORDS_AT_ONCE) continue
        unwatched = 0
        await producer.ready()
      }
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
}

async function sendAndWait(producer: Producer<string, string>, record: OutgoingRecord) {
  try {
    await producer.send(record)
  } catch (error) {
    const className = 'java.util.concurrent.ExecutionException'
    throw new ToolError(javaText(error), { className })
  }
}

function logFailure(io: ToolIo, { topic, key, value }: OutgoingRecord, error: KafkaError): void {
  const size = (part: string | null) =>
    part === null ? 'null' : `${Buffer.byteLength(part)} bytes`
  const what = `to topic ${topic} with key: ${size(key)}, value: ${size(value)}`
  logError(io, ERROR_LOG, `Error when sending message ${what} with error:`, error)
}

/** A value that cannot be read ends the tool as well, but without the table of options. */
function withoutTable<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ToolExit)) throw error
    throw new ToolExit(error.exitCode, { stderr: `${error.stderr.split('\n', 1)[0]}\n` })
  }
}
