/** What a record is printed as: an implementation each for the classes that Kafka has for it. */
import type { RecordHeader } from '../../clients/consumer/consumer-record.ts'
import { ToolError, type ToolIo } from '../support/tool.ts'
import { logError } from '../support/tool-log.ts'
import { deserializerOf, type TextOf } from './deserializers.ts'

/** What formatters look at; records of consumers and of share consumers are such. */
export interface FormattableRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly timestampType: string
  readonly headers: readonly RecordHeader[]
  readonly keyBytes: Buffer | null
  readonly valueBytes: Buffer | null
  readonly deliveryCount?: number
}

/** Writes to `out`. May throw a ToolError, after part of the record has been written. */
export type MessageFormatter = (record: FormattableRecord, out: FormatterOutput) => void

/** Collects what formatters write, until it is taken. */
export class FormatterOutput {
  #chunks: Buffer[] = []

  write(data: string | Buffer): void {
    this.#chunks.push(typeof data === 'string' ? Buffer.from(data) : data)
  }

  take(): Buffer {
    const taken = Buffer.concat(this.#chunks)
    this.#chunks = []
    return taken
  }
}

const SOURCE = 'org.apache.kafka.tools.consumer.DefaultMessageFormatter'

type Properties = ReadonlyMap<string, string>

/** `timestamp, partition, offset, delivery, epoch, headers, key, value`, as far as asked for. */
export function defaultFormatter(properties: Properties, io: ToolIo): MessageFormatter {
  const columns = columnsOf(properties, io)
  const bytes = (name: string, otherwise: string) => Buffer.from(properties.get(name) ?? otherwise)
  const keySeparator = bytes('key.separator', '\t')
  const lineSeparator = bytes('line.separator', '\n')
  return (record, out) => {
    for (const [index, write] of columns.entries()) {
      write(record, out)
      out.write(index < columns.length - 1 ? keySeparator : lineSeparator)
    }
  }
}

/** In the order in which they are printed. */
function columnsOf(properties: Properties, io: ToolIo): MessageFormatter[] {
  const nullLiteral = Buffer.from(properties.get('null.literal') ?? 'null')
  const headersSeparator = Buffer.from(properties.get('headers.separator') ?? ',')
  const deserialize = (name: string): ((data: Buffer | null) => string | Buffer) => {
    const textOf = findDeserializer(properties.get(name), io)
    return (data) => textOf(data ?? nullLiteral)
  }
  const key = deserialize('key.deserializer')
  const value = deserialize('value.deserializer')
  const header = deserialize('headers.deserializer')
  const all: [name: string, isDefault: boolean, write: MessageFormatter][] = [
    [
      'print.timestamp',
      false,
      ({ timestampType, timestamp }, out) => out.write(`${timestampType}:${timestamp}`),
    ],
    ['print.partition', false, ({ partition }, out) => out.write(`Partition:${partition}`)],
    ['print.offset', false, ({ offset }, out) => out.write(`Offset:${offset}`)],
    [
      'print.delivery',
      false,
      ({ deliveryCount }, out) => out.write(`Delivery:${deliveryCount ?? 'NOT_PRESENT'}`),
    ],
    // Kafka's tool knows the leader epoch and does not show it.
    ['print.epoch', false, (_, out) => out.write('Epoch:NOT_PRESENT')],
    [
      'print.headers',
      false,
      ({ headers }, out) => {
        if (headers.length === 0) out.write('NO_HEADERS')
        for (const [index, one] of headers.entries()) {
          out.write(`${one.key}:`)
          out.write(header(one.value))
          if (index < headers.length - 1) out.write(headersSeparator)
        }
      },
    ],
    ['print.key', false, ({ keyBytes }, out) => out.write(key(keyBytes))],
    ['print.value', true, ({ valueBytes }, out) => out.write(value(valueBytes))],
  ]
  return all
    .filter(([name, isDefault]) => {
      const given = properties.get(name)
      return given === undefined ? isDefault : given.trim().toLowerCase() === 'true'
    })
    .map(([, , write]) => write)
}

function findDeserializer(className: string | undefined, io: ToolIo): TextOf {
  if (className === undefined) return (bytes) => bytes
  const found = deserializerOf(className)
  if (found !== undefined) return found
  const thrown = new ToolError(className, { className: 'java.lang.ClassNotFoundException' })
  logError(io, SOURCE, `Unable to instantiate a deserializer from ${className}`, thrown)
  return (bytes) => bytes
}
