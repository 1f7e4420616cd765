/**
 * What stands in front of every message: the frame's length, and the request or response header.
 *
 * ```
 * request   length int32 │ apiKey int16, apiVersion int16, correlationId int32, clientId │ body
 * response  length int32 │ correlationId int32                                           │ body
 * ```
 * In flexible versions of an API both headers end with tagged fields (request header 2, response
 * header 1), but clientId keeps its int16 length so that any broker can read it, and the response
 * header of ApiVersions stays at version 0, since its reader may not know the broker yet.
 */
import { malformed, readInt16, readInt32, readString, skipTaggedFields } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { requestCodec, responseCodec } from './compile.ts'
import { ApiVersions } from './messages/api-versions.ts'
import { apiByKey } from './messages/index.ts'
import { type Api, includesVersion, type RequestInput, type ResponseInput } from './schema.ts'

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  correlationId: number
  clientId: string | null
  /** Where the body starts. Means nothing for an API that is not known. */
  bodyOffset: number
}

/** Bytes of the frame's length, which does not count itself. */
export const FRAME_LENGTH_BYTES = 4

/**
 * The request header at `offset`. Of an API or a version that is not known it still gives all but
 * `bodyOffset`. Throws KafkaError INVALID_REQUEST for what is not a header.
 */
export function decodeRequestHeader(buffer: Buffer, offset: number, end: number): RequestHeader {
  if (10 > end - offset) malformed('it is shorter than a request header')
  const apiKey = readInt16(buffer, offset)
  const apiVersion = readInt16(buffer, offset + 2)
  const correlationId = readInt32(buffer, offset + 4)
  const clientIdLength = readInt16(buffer, offset + 8)
  let bodyOffset = offset + 10
  // Any negative length stands for null, as to Kafka.
  let clientId: string | null = null
  if (clientIdLength >= 0) {
    if (clientIdLength > end - bodyOffset) malformed('it ends in the client id')
    clientId = readString(buffer, bodyOffset, clientIdLength)
    bodyOffset += clientIdLength
  }
  const api = apiByKey(apiKey)
  if (api !== undefined && includesVersion(api.flexible, apiVersion)) {
    bodyOffset = skipTaggedFields(buffer, bodyOffset, end)
  }
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset }
}

/** Writes the header of a response to a request of `api` in `version`. */
export function encodeResponseHeader(
  writer: ByteWriter,
  api: Api,
  version: number,
  correlationId: number,
): void {
  writer.int32(correlationId)
  if (hasResponseHeaderTags(api, version)) writer.unsignedVarint(0)
}

/** The header of the response at `offset`: for clients, which know what they asked. */
export function decodeResponseHeader(
  buffer: Buffer,
  offset: number,
  end: number,
  api: Api,
  version: number,
): { correlationId: number; bodyOffset: number } {
  if (4 > end - offset) malformed('it is shorter than a response header')
  const correlationId = readInt32(buffer, offset)
  const tags = hasResponseHeaderTags(api, version)
  return {
    correlationId,
    bodyOffset: tags ? skipTaggedFields(buffer, offset + 4, end) : offset + 4,
  }
}

/** Appends a whole response, its length in front, or, if it throws, nothing. */
export function encodeResponseFrame<A extends Api>(
  writer: ByteWriter,
  api: A,
  version: number,
  correlationId: number,
  response: ResponseInput<A>,
): void {
  const codec = responseCodec(api, version)
  writeFrame(writer, () => {
    encodeResponseHeader(writer, api, version, correlationId)
    codec.encode(response, writer)
  })
}

/** Appends a whole request, its length in front, or, if it throws, nothing. */
export function appendRequestFrame<A extends Api>(
  writer: ByteWriter,
  api: A,
  version: number,
  header: { correlationId: number; clientId: string | null },
  request: RequestInput<A>,
): void {
  const codec = requestCodec(api, version)
  writeFrame(writer, () => {
    writer.int16(api.key)
    writer.int16(version)
    writer.int32(header.correlationId)
    if (header.clientId === null) writer.int16(-1)
    else writer.string(header.clientId)
    if (includesVersion(api.flexible, version)) writer.unsignedVarint(0)
    codec.encode(request, writer)
  })
}

/** A whole request as one buffer, its length in front. */
export function encodeRequestFrame<A extends Api>(
  api: A,
  version: number,
  header: { correlationId: number; clientId: string | null },
  request: RequestInput<A>,
): Buffer {
  const writer = new ByteWriter(1024)
  appendRequestFrame(writer, api, version, header, request)
  return Buffer.concat(writer.finish())
}

function hasResponseHeaderTags(api: Api, version: number): boolean {
  return api.key !== ApiVersions.key && includesVersion(api.flexible, version)
}

function writeFrame(writer: ByteWriter, write: () => void): void {
  const start = writer.size
  try {
    const lengthAt = writer.reserve(FRAME_LENGTH_BYTES)
    write()
    writer.patchInt32(lengthAt, writer.size - lengthAt - FRAME_LENGTH_BYTES)
  } catch (error) {
    writer.rewind(start)
    throw error
  }
}
