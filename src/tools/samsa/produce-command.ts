/** `samsa topic produce`: a record from each line of standard input, or one from the options. */
import { fstatSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { Producer, type ProducerRecord, type RecordMetadata } from '../../clients/index.ts'
import { printLine, type ToolIo } from '../support/tool.ts'
import { type ParsedRecord, parseRecordFormat } from './format.ts'
import { jsonLine } from './output.ts'
import type { RunCommand } from './program.ts'
import { Progress } from './progress.ts'
import type { Session } from './session.ts'
import { wholeNumber } from './topic-commands.ts'
import { UsageError } from './usage-error.ts'

interface ProduceOptions {
  readonly format: string
  readonly input?: 'json'
  readonly key?: string
  readonly value?: string
  readonly partition?: number
  readonly header?: string[]
  readonly compression?: string
  readonly tombstone?: boolean
  readonly quiet?: boolean
}

type BytesRecord = ProducerRecord<Uint8Array, Uint8Array>

export function addProduceCommand(topic: Command, run: RunCommand): void {
  topic
    .command('produce')
    .description('write a record for each line of standard input')
    .argument('<name>')
    .option('-f, --format <format>', "how a line is read: '%k %v', '%k\\t%v{hex}'", '%v')
    .option('-i, --input <json>', 'lines are JSON, as `consume --json` prints them')
    .option('-k, --key <key>', 'the key of all records')
    .option('--value <value>', 'write this one record instead of reading lines')
    .option('-p, --partition <number>', 'the partition of all records', wholeNumber)
    .option('-H, --header <key=value...>', 'headers of all records')
    .option('-z, --compression <type>', 'gzip, snappy, lz4, zstd')
    .option('-Z, --tombstone', 'empty values are null')
    .option('-q, --quiet', 'do not print where each record went')
    .action(run(produce))
}

async function produce(session: Session, [topic]: [string], options: ProduceOptions) {
  const { io } = session
  const settings = session.clientConfig()
  if (options.compression !== undefined) settings['compression.type'] = options.compression
  const parse = lineReader(options)
  const shared = sharedParts(options)
  const producer = new Producer<Uint8Array, Uint8Array>(settings)
  const progress = new Progress({ io, unit: 'records' })
  const printed = (metadata: RecordMetadata) => {
    if (options.quiet) return
    if (session.json) io.stdout.write(jsonLine(metadata))
    else printLine(io.stdout, describe(metadata))
  }
  let failure: Error | undefined
  try {
    for await (const { line, fraction } of lines(io, options.value)) {
      if (failure !== undefined || io.signal.aborted) break
      const record = { topic, ...parse(line), ...shared }
      const value = options.tombstone && record.value?.length === 0 ? null : record.value
      producer.send({ ...record, value } as BytesRecord, (error, metadata) => {
        if (error === undefined) printed(metadata!)
        else failure ??= error
      })
      progress.add(1, fraction)
      await producer.ready()
    }
    await producer.flush()
    if (failure !== undefined) throw failure
  } finally {
    progress.end()
    await producer.close({ timeoutMs: 0 })
  }
}

function describe({ partition, offset, timestamp }: RecordMetadata): string {
  const time = new Date(timestamp).toISOString()
  return `Produced to partition ${partition} at offset ${offset} with timestamp ${time}`
}

/** What every record gets in place of what its line says. */
function sharedParts({ key, partition, header }: ProduceOptions): Partial<BytesRecord> {
  return {
    ...(key !== undefined && { key: Buffer.from(key) }),
    ...(partition !== undefined && { partition }),
    ...(header !== undefined && { headers: header.map(parseHeader) }),
  }
}

function parseHeader(pair: string) {
  const at = pair.indexOf('=')
  if (at <= 0) throw new UsageError(`--header takes key=value, not '${pair}'`)
  return { key: pair.slice(0, at), value: Buffer.from(pair.slice(at + 1)) }
}

function lineReader({ format, input }: ProduceOptions): (line: string) => Partial<BytesRecord> {
  if (input !== undefined && input !== 'json') throw new UsageError('--input knows only json')
  if (input === 'json') return parseJsonRecord
  const parse = parseRecordFormat(format)
  return (line) => withoutUndefined(parse(line))
}

function withoutUndefined({ key, value, ...rest }: ParsedRecord): Partial<BytesRecord> {
  return { key, value, ...rest }
}

/** A record as `consume --json` prints it. Throws UsageError. */
function parseJsonRecord(line: string): Partial<BytesRecord> {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    parsed = undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`'${line}' is no JSON object with key, value and so on`)
  }
  const { key, value, timestamp, headers } = parsed as Record<string, unknown>
  const list = Array.isArray(headers) ? headers : Object.entries(headers ?? {})
  return {
    key: jsonBytes(key),
    value: jsonBytes(value),
    ...(typeof timestamp === 'number' && { timestamp }),
    headers: list.map((header) => {
      const [name, text] = Array.isArray(header) ? header : [header.key, header.value]
      return { key: String(name), value: jsonBytes(text) }
    }),
  }
}

/** Text as it is, null as null; anything else as JSON. */
function jsonBytes(value: unknown): Buffer | null {
  if (value === null || value === undefined) return null
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

interface Line {
  readonly line: string
  /** How much of the input has been read, 0 to 1, where its size is known. */
  readonly fraction: number | undefined
}

async function* lines(io: ToolIo, value: string | undefined): AsyncGenerator<Line> {
  if (value !== undefined) {
    yield { line: value, fraction: 1 }
    return
  }
  const size = fileSize(io.stdin)
  let read = 0
  for await (const line of createInterface({ input: io.stdin, crlfDelay: Infinity })) {
    read += Buffer.byteLength(line) + 1
    yield { line, fraction: size === undefined ? undefined : read / size }
  }
}

/** The bytes of standard input, where it is a file. */
function fileSize(input: ToolIo['stdin']): number | undefined {
  const { fd } = input as { fd?: number }
  if (typeof fd !== 'number') return undefined
  const status = fstatSync(fd)
  return status.isFile() ? status.size : undefined
}
