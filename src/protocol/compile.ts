/**
 * Codecs: the encoder and decoder of one schema in one version, compiled from its definition the
 * first time they are asked for and kept.
 *
 * They are made as source text and compiled by `new Function`, which measured twice as fast as
 * closures put together at run time. Only our own definitions go into the text, never input. With
 * `--inspect` each shows up as a file of its own under `samsa-protocol/`.
 */
import { KafkaError } from '../common/errors.ts'
import * as byteReader from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { DecoderSource } from './compile-decoder.ts'
import { EncoderSource } from './compile-encoder.ts'
import type {
  Api,
  Decoded,
  Encoded,
  Fields,
  RecordsField,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
  Schema,
} from './schema.ts'
import { includesVersion } from './schema.ts'

export interface Codec<D, E> {
  /**
   * Reads a message from `offset` on. Bytes that follow it before `end` are ignored, as Kafka does.
   * Buffers in the message are views of `buffer`. Throws KafkaError INVALID_REQUEST for anything
   * that is not such a message.
   */
  decode(buffer: Buffer, offset: number, end: number): D

  /**
   * Appends a message to `writer`. Throws KafkaError UNSUPPORTED_VERSION for a value that the
   * version has no place for, a plain Error for one of the wrong type. After a throw the writer has
   * part of the message: see `ByteWriter.rewind`.
   */
  encode(message: E, writer: ByteWriter): void
}

const EMPTY = Buffer.alloc(0)

/** Compiled codecs by schema and version: a cache of what the definitions say. */
const codecs = new WeakMap<Schema, Codec<unknown, unknown>[]>()

/** The codec of any schema. Throws for a version that is not implemented: the caller has looked. */
export function schemaCodec<F extends Fields>(
  schema: Schema<F>,
  version: number,
): Codec<Decoded<F>, Encoded<F>> {
  let versions = codecs.get(schema)
  if (versions === undefined) {
    versions = []
    codecs.set(schema, versions)
  }
  const known = versions[version]
  const codec = known ?? compileCodec(schema, version)
  if (known === undefined) versions[version] = codec
  return codec as Codec<Decoded<F>, Encoded<F>>
}

/** The codec of an API's requests in one version. */
export function requestCodec<A extends Api>(
  api: A,
  version: number,
): Codec<RequestOf<A>, RequestInput<A>> {
  return schemaCodec(api.request, version) as Codec<unknown, unknown> as Codec<
    RequestOf<A>,
    RequestInput<A>
  >
}

/** The codec of an API's responses in one version. */
export function responseCodec<A extends Api>(
  api: A,
  version: number,
): Codec<ResponseOf<A>, ResponseInput<A>> {
  return schemaCodec(api.response, version) as Codec<unknown, unknown> as Codec<
    ResponseOf<A>,
    ResponseInput<A>
  >
}

/** The value of a records field as one buffer, copied only if it is in several. Null is empty. */
export function recordsBuffer(records: RecordsField): Buffer {
  if (records === null) return EMPTY
  if (Buffer.isBuffer(records)) return records
  return records.length === 1 ? records[0]! : Buffer.concat(records as Buffer[])
}

function compileCodec(schema: Schema, version: number): Codec<unknown, unknown> {
  if (!includesVersion(schema.versions, version)) {
    throw new Error(`${schema.name} has no version ${version}`)
  }
  const flexible = includesVersion(schema.flexible, version)
  const name = `${schema.name}V${version}`
  // Most codecs are used in one direction only, so each direction is compiled by its first call.
  let decode: Codec<unknown, unknown>['decode'] | undefined
  let encode: Codec<unknown, unknown>['encode'] | undefined
  return {
    decode(buffer, offset, end) {
      decode ??= compileDecoder(schema, version, flexible, name)
      return decode(buffer, offset, end)
    },
    encode(message, writer) {
      encode ??= compileEncoder(schema, version, flexible, name)
      encode(message, writer)
    },
  }
}

function compileDecoder(schema: Schema, version: number, flexible: boolean, name: string) {
  const body = new DecoderSource(version, flexible).body(schema.fields)
  const source = `'use strict'
return function decode${name}(b, p, end) {
  if (end > b.length) throw new RangeError('the end is beyond the buffer')
${body}
}
//# sourceURL=samsa-protocol/decode-${name}.js`
  const helpers = { ...byteReader, EMPTY }
  return new Function('r', source)(helpers) as Codec<unknown, unknown>['decode']
}

function compileEncoder(schema: Schema, version: number, flexible: boolean, name: string) {
  const body = new EncoderSource(version, flexible).body(schema.fields, schema.name)
  const source = `'use strict'
return function encode${name}(m, w) {
${body}
}
//# sourceURL=samsa-protocol/encode-${name}.js`
  const helpers = {
    EMPTY,
    recordsSize,
    appendRecords,
    absent: (path: string) => {
      throw new KafkaError('UNSUPPORTED_VERSION', `Version ${version} has no place for ${path}`)
    },
    refuseNull: (path: string) => {
      throw new Error(`${path} must not be null in version ${version}`)
    },
  }
  return new Function('c', source)(helpers) as Codec<unknown, unknown>['encode']
}

function recordsSize(records: Buffer | readonly Buffer[]): number {
  if (Buffer.isBuffer(records)) return records.length
  return records.reduce((sum, buffer) => sum + buffer.length, 0)
}

function appendRecords(writer: ByteWriter, records: Buffer | readonly Buffer[]): void {
  if (Buffer.isBuffer(records)) {
    writer.append(records)
    return
  }
  for (const buffer of records) writer.append(buffer)
}
