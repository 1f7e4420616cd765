/**
 * What coordinators write into their topics: records whose key and value are Kafka's own messages.
 *
 * ```
 * key     type int16, fields           never in a flexible format
 * value   version int16, fields        null: the key is no more
 * ```
 * A type is defined once with `coordinatorRecord`; a topic's types together are a
 * CoordinatorRecordCodec.
 */
import { KafkaError } from '../../common/errors.ts'
import { ByteWriter } from '../../protocol/byte-writer.ts'
import { schemaCodec } from '../../protocol/compile.ts'
import { type Decoded, type Encoded, type Fields, schema } from '../../protocol/schema.ts'

/** A record of some type in memory. */
export interface CoordinatorRecord<K = unknown, V = unknown> {
  readonly definition: AnyCoordinatorRecordDefinition
  readonly key: K
  /** Null is a tombstone. */
  readonly value: V | null
}

export interface CoordinatorRecordDefinition<K extends Fields, V extends Fields> {
  readonly name: string
  /** What the key begins with. */
  readonly type: number
  readonly key: ReturnType<typeof schema<K>>
  readonly value: ReturnType<typeof schema<V>>
  /** The version in which a value is written. */
  writeVersion(value: Encoded<V>): number

  /** A record of this type; a null value makes it a tombstone. */
  of(key: Encoded<K>, value: Encoded<V> | null): CoordinatorRecord

  /** Whether `record` is of this type. */
  is(record: CoordinatorRecord): record is CoordinatorRecord<Decoded<K>, Decoded<V>>
}

// biome-ignore lint/suspicious/noExplicitAny: a definition of whatever fields
export type AnyCoordinatorRecordDefinition = CoordinatorRecordDefinition<any, any>

/** Defines a type of record. `writeVersion` is the newest version unless given. */
export function coordinatorRecord<const K extends Fields, const V extends Fields>(options: {
  type: number
  name: string
  key: K
  value: { versions: string; flexible: string; fields: V }
  writeVersion?: number | ((value: Encoded<V>) => number)
}): CoordinatorRecordDefinition<K, V> {
  const { type, name } = options
  const keyVersions = { versions: '0', flexible: 'none' }
  const value = schema({ name: `${name}Value`, ...options.value })
  const writeVersion = options.writeVersion ?? value.versions.max
  const definition: CoordinatorRecordDefinition<K, V> = {
    ...{ name, type, value },
    key: schema({ name: `${name}Key`, ...keyVersions, fields: options.key }),
    writeVersion: typeof writeVersion === 'function' ? writeVersion : () => writeVersion,
    of: (recordKey, recordValue) => ({ definition, key: recordKey, value: recordValue }),
    is: (record): record is CoordinatorRecord<Decoded<K>, Decoded<V>> =>
      record.definition === definition,
  }
  return definition
}

const VERSION_SIZE = 2
/** Most keys and values are smaller. */
const PART_BYTES = 256

/** Reads and writes the records of one topic. */
export class CoordinatorRecordCodec {
  readonly #byType = new Map<number, AnyCoordinatorRecordDefinition>()

  constructor(definitions: readonly AnyCoordinatorRecordDefinition[]) {
    for (const definition of definitions) this.#byType.set(definition.type, definition)
  }

  encode(record: CoordinatorRecord): { key: Buffer; value: Buffer | null } {
    const { definition, value } = record
    const key = encodePart(definition.key, 0, definition.type, record.key)
    if (value === null) return { key, value }
    const version = definition.writeVersion(value as never)
    return { key, value: encodePart(definition.value, version, version, value) }
  }

  /**
   * The record, or undefined where its type or its value's version is not known: a newer broker may
   * have written it. Throws KafkaError for bytes that are not what they say. Buffers in the record
   * are views of `key` and `value`.
   */
  decode(key: Buffer, value: Buffer | null): CoordinatorRecord | undefined {
    const definition = this.#byType.get(prefixOf(key))
    if (definition === undefined) return undefined
    const decodedKey = schemaCodec(definition.key, 0).decode(key, VERSION_SIZE, key.length)
    if (value === null) return { definition, key: decodedKey, value: null }
    const version = prefixOf(value)
    if (version < definition.value.versions.min || version > definition.value.versions.max) {
      return undefined
    }
    const codec = schemaCodec(definition.value, version)
    return { definition, key: decodedKey, value: codec.decode(value, VERSION_SIZE, value.length) }
  }
}

function prefixOf(bytes: Buffer): number {
  if (bytes.length >= VERSION_SIZE) return bytes.readInt16BE(0)
  throw new KafkaError('INVALID_RECORD', 'A coordinator record has no type')
}

function encodePart(
  part: AnyCoordinatorRecordDefinition['key'],
  version: number,
  prefix: number,
  message: unknown,
): Buffer {
  const writer = new ByteWriter(PART_BYTES)
  writer.int16(prefix)
  schemaCodec(part, version).encode(message as never, writer)
  const pieces = writer.finish()
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
