/**
 * The golden files: messages and record batches as Apache Kafka's own classes wrote them, with what
 * these classes say is in them. `golden/java` makes them.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import { type Codec, requestCodec, responseCodec } from '../../src/protocol/compile.ts'
import type { Api, Field, Fields } from '../../src/protocol/schema.ts'
import { includesVersion } from '../../src/protocol/schema.ts'

const FOLDER = new URL('golden/kafka-4.2/', import.meta.url)
/** For what is not in Kafka 4. */
const OLD_FOLDER = new URL('golden/kafka-3.9/', import.meta.url)
const OLD_APIS = new Set(['LeaderAndIsr', 'StopReplica', 'UpdateMetadata', 'ControlledShutdown'])

type Json = { [name: string]: unknown }

export interface GoldenMessage<Kind extends string> {
  /** Which half of it: request or response, a record's key or value. */
  kind: Kind
  version: number
  /** Of defaults, each array of structs has one element, of defaults as well. */
  contents: 'random' | 'defaults'
  bytes: Buffer
  json: { [name: string]: unknown }
}

/** The lines of a file, split at the tabs. */
export function goldenLines(name: string): string[][] {
  const folder = OLD_APIS.has(name) ? OLD_FOLDER : FOLDER
  const text = readFileSync(new URL(`${name}.tsv`, folder), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
}

/** What Kafka wrote for every version of an API, of the headers or of a record. */
export function goldenMessages<Kind extends string>(name: string): GoldenMessage<Kind>[] {
  return goldenLines(name).map(([kind, version, contents, base64, json]) => ({
    kind: kind as Kind,
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

/** Compares a decoded struct with Kafka's JSON of it, which leaves out what the version lacks. */
export function compareStruct(fields: Fields, actual: Json, expected: Json, path: string): void {
  const unknown = Object.keys(expected).filter((name) => !(name in fields))
  assert.deepEqual(unknown, [], `${path} has no such fields`)
  assert.deepEqual(Object.keys(actual), Object.keys(fields), `${path}: fields of the message`)
  for (const [name, field] of Object.entries(fields)) {
    const inner = `${path}.${name}`
    if (name in expected) compareValue(field, actual[name], expected[name], inner)
    else assert.ok(isDefault(field, actual[name]), `${inner} must have its default`)
  }
}

function compareValue(field: Field, actual: unknown, expected: unknown, path: string): void {
  if (expected === null || actual === null) {
    assert.equal(actual, expected, path)
    return
  }
  switch (field.type) {
    case 'array': {
      const list = expected as unknown[]
      assert.equal((actual as unknown[]).length, list.length, path)
      for (const [i, value] of list.entries()) {
        compareValue(field.element!, (actual as unknown[])[i], value, `${path}[${i}]`)
      }
      break
    }
    case 'struct':
      compareStruct(field.fields!, actual as Json, expected as Json, path)
      break
    case 'bytes':
      assert.equal((actual as Buffer).toString('base64'), expected, path)
      break
    case 'records':
      // Kafka's JSON does not show records; the comparison of the bytes covers them.
      assert.ok(Buffer.isBuffer(actual), path)
      break
    case 'bigint64':
      assert.equal(actual, BigInt(expected as number), path)
      break
    default:
      assert.equal(actual, expected, path)
  }
}

/** The least that can be given to an encoder such that every struct is met once. */
export function skeleton(fields: Fields, version: number): Json {
  const entries = Object.entries(fields)
    .filter(([, { element, tag, versions }]) => {
      return element?.fields && tag === undefined && includesVersion(versions, version)
    })
    .map(([name, { element }]) => [name, [skeleton(element!.fields!, version)]])
  return Object.fromEntries(entries)
}
