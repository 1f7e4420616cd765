/**
 * A record as a consumer gives it: a view of the bytes that were fetched. Key, value and headers
 * are decoded when they are first looked at, and kept.
 *
 * The bytes live as long as a record (or a Buffer taken from it) refers to them, and with them the
 * rest of the response. Whoever keeps records for long keeps what was made of them instead.
 */
import type { RecordHeader } from '../../protocol/records/record-reader.ts'
import type { Deserializer } from '../deserializers.ts'
import { DeserializationError } from './errors.ts'

export type { RecordHeader }

/** Who gave a record its time: the producer, or the broker that appended it. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** What the records of one batch have in common. */
export interface RecordSource<Key, Value> {
  readonly topic: string
  readonly partition: number
  /** Of the leader that appended the batch; -1 where that is not known. */
  readonly leaderEpoch: number
  readonly timestampType: TimestampType
  /** What the differences in its records add to. */
  readonly baseOffset: number
  readonly baseTimestamp: number
  /** The batch, decompressed. */
  readonly bytes: Buffer
  readonly keyDeserializer: Deserializer<Key> | undefined
  readonly valueDeserializer: Deserializer<Value> | undefined
}

const NOT_DECODED = Symbol('not decoded')
const NO_HEADERS: readonly RecordHeader[] = Object.freeze([])

export class ConsumerRecord<Key = Buffer, Value = Buffer> {
  readonly #source: RecordSource<Key, Value>
  readonly #offsetDelta: number
  readonly #timestampDelta: number
  /** Where the length of the key is, after which come key, value and headers. */
  readonly #at: number
  #key: Key | null | typeof NOT_DECODED = NOT_DECODED
  #value: Value | null | typeof NOT_DECODED = NOT_DECODED
  #headers: readonly RecordHeader[] | undefined

  /**
   * For the record of a batch whose fields begin at `at` with the length of the key. They must have
   * been found whole (see RecordReader): they are not checked again.
   */
  constructor(
    source: RecordSource<Key, Value>,
    offsetDelta: number,
    timestampDelta: number,
    at: number,
  ) {
    this.#source = source
    this.#offsetDelta = offsetDelta
    this.#timestampDelta = timestampDelta
    this.#at = at
  }

  get topic(): string {
    return this.#source.topic
  }

  get partition(): number {
    return this.#source.partition
  }

  get offset(): number {
    return this.#source.baseOffset + this.#offsetDelta
  }

  /** Milliseconds since the Unix epoch. */
  get timestamp(): number {
    return this.#source.baseTimestamp + this.#timestampDelta
  }

  get timestampType(): TimestampType {
    return this.#source.timestampType
  }

  /** Of the leader that appended the record; -1 where that is not known. */
  get leaderEpoch(): number {
    return this.#source.leaderEpoch
  }

  /** Throws DeserializationError. */
  get key(): Key | null {
    if (this.#key !== NOT_DECODED) return this.#key
    const bytes = this.keyBytes
    const { keyDeserializer } = this.#source
    this.#key = bytes === null ? null : this.#deserialize('key', bytes, keyDeserializer)
    return this.#key
  }

  /** Throws DeserializationError. */
  get value(): Value | null {
    if (this.#value !== NOT_DECODED) return this.#value
    const bytes = this.valueBytes
    const { valueDeserializer } = this.#source
    this.#value = bytes === null ? null : this.#deserialize('value', bytes, valueDeserializer)
    return this.#value
  }

  /** A view of the key. */
  get keyBytes(): Buffer | null {
    const { bytes } = this.#source
    return viewAt(bytes, this.#at)
  }

  /** A view of the value. */
  get valueBytes(): Buffer | null {
    const { bytes } = this.#source
    return viewAt(bytes, afterField(bytes, this.#at))
  }

  /** Bytes of the key, -1 for null. */
  get serializedKeySize(): number {
    return Math.max(readVarint(this.#source.bytes, this.#at), -1)
  }

  /** Bytes of the value, -1 for null. */
  get serializedValueSize(): number {
    const { bytes } = this.#source
    return Math.max(readVarint(bytes, afterField(bytes, this.#at)), -1)
  }

  /** In the order in which they were written; a name may come more than once. */
  get headers(): readonly RecordHeader[] {
    this.#headers ??= this.#readHeaders()
    return this.#headers
  }

  /** The value of the last header of this name; undefined if there is none. */
  header(name: string): Buffer | null | undefined {
    return this.headers.findLast(({ key }) => key === name)?.value
  }

  /** All of it as a plain object. Throws DeserializationError. */
  toJSON(): object {
    const { topic, partition, offset, timestamp, timestampType, leaderEpoch } = this
    const { key, value } = this
    const headers = this.headers.map((header) => ({
      key: header.key,
      value: header.value?.toString() ?? null,
    }))
    return {
      ...{ topic, partition, offset, timestamp, timestampType, leaderEpoch },
      ...{ key: readable(key), value: readable(value), headers },
    }
  }

  #deserialize<Data>(
    part: 'key' | 'value',
    bytes: Buffer,
    deserializer: Deserializer<Data> | undefined,
  ): Data {
    // Without a deserializer the application gets bytes, and has said so by the type it chose.
    if (deserializer === undefined) return bytes as Data
    try {
      return deserializer(bytes, this.#source.topic, this)
    } catch (cause) {
      throw new DeserializationError(this, part, bytes, cause)
    }
  }

  #readHeaders(): readonly RecordHeader[] {
    const { bytes } = this.#source
    let at = afterField(bytes, afterField(bytes, this.#at))
    const count = readVarint(bytes, at)
    if (count === 0) return NO_HEADERS
    at = afterVarint(bytes, at)
    const headers: RecordHeader[] = []
    for (let i = 0; i < count; i++) {
      const key = viewAt(bytes, at)!.toString()
      at = afterField(bytes, at)
      headers.push({ key, value: viewAt(bytes, at) })
      at = afterField(bytes, at)
    }
    return headers
  }
}

/** The zigzag varint at `at`. */
function readVarint(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return (first >>> 1) ^ -(first & 1)
  let value = first & 0x7f
  for (let shift = 7, next = at + 1; ; shift += 7, next++) {
    const byte = bytes[next]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
  }
}

function afterVarint(bytes: Buffer, at: number): number {
  let end = at
  while (bytes[end]! >= 0x80) end++
  return end + 1
}

/** Where the field ends whose length is at `at`. */
function afterField(bytes: Buffer, at: number): number {
  return afterVarint(bytes, at) + Math.max(readVarint(bytes, at), 0)
}

/** The field whose length is at `at`. */
function viewAt(bytes: Buffer, at: number): Buffer | null {
  const length = readVarint(bytes, at)
  if (length < 0) return null
  const start = afterVarint(bytes, at)
  return bytes.subarray(start, start + length)
}

/** Bytes as text, for people; other data as it is. */
function readable(data: unknown): unknown {
  return Buffer.isBuffer(data) ? data.toString() : data
}
