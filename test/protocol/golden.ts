/**
 * The golden files: messages and record batches as Apache Kafka's own classes wrote them, with what
 * these classes say is in them. `golden/java` makes them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import { type Codec, requestCodec, responseCodec } from '../../src/protocol/compile.ts'
import type { Api, Field } from '../../src/protocol/schema.ts'

const FOLDER = new URL('golden/kafka-4.2/', import.meta.url)

export interface GoldenMessage {
  kind: 'request' | 'response'
  version: number
  /** Of defaults, each array of structs has one element, of defaults as well. */
  contents: 'random' | 'defaults'
  bytes: Buffer
  json: { [name: string]: unknown }
}

/** The names of all files, without the ending. */
export function goldenNames(): string[] {
  return readdirSync(FOLDER).map((name) => name.replace(/\.tsv$/, ''))
}

/** The lines of a file, split at the tabs. */
export function goldenLines(name: string): string[][] {
  const text = readFileSync(new URL(`${name}.tsv`, FOLDER), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
}

/** What Kafka wrote for every version of an API, or for the headers. */
export function goldenMessages(name: string): GoldenMessage[] {
  return goldenLines(name).map(([kind, version, contents, base64, json]) => ({
    kind: kind as 'request' | 'response',
    version: Number(version),
    contents: contents as 'random' | 'defaults',
    bytes: Buffer.from(base64!, 'base64'),
    json: parseExactly(json!),
  }))
}

/** JSON in which whole numbers too large for a number become bigints. */
function parseExactly(json: string): { [name: string]: unknown } {
  const reviver = (_name: string, value: unknown, context?: { source?: string }) => {
    const unsafe = typeof value === 'number' && Number.isInteger(value)
    return unsafe && !Number.isSafeInteger(value) ? BigInt(context!.source!) : value
  }
  return JSON.parse(json, reviver)
}

/** The codec of either half of an API, for tests that treat all messages alike. */
export function codecOf(
  api: Api,
  kind: 'request' | 'response',
  version: number,
): Codec<unknown, unknown> {
  const codec = kind === 'request' ? requestCodec(api, version) : responseCodec(api, version)
  return codec as Codec<unknown, unknown>
}

/** What a codec makes of a message, in one buffer. */
export function encodeToBuffer(codec: Codec<unknown, unknown>, message: unknown): Buffer {
  const writer = new ByteWriter(512)
  codec.encode(message, writer)
  return Buffer.concat(writer.finish())
}

/** Whether `value` is what `field` has when nothing is said, and so takes no room on the wire. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true
  if (value === null || field.default === null) return value === field.default
  switch (field.type) {
    case 'array':
      return (value as readonly unknown[]).length === 0
    case 'bytes':
    case 'records':
      return (value as { length: number }).length === 0
    case 'struct': {
      const struct = value as Record<string, unknown>
      return Object.entries(field.fields!).every(([name, inner]) => isDefault(inner, struct[name]))
    }
    default:
      return value === field.default
  }
}
