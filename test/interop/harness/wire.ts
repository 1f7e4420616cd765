/**
 * A Kafka client of a few lines, written by hand against Kafka's message definitions and on purpose
 * independent of `src/protocol`: what asks the broker must not share its mistakes. It speaks old,
 * inflexible versions only, which Apache Kafka 4 still answers.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Builds a request body field by field, big-endian as the protocol has it. */
export class BodyWriter {
  readonly #parts: Buffer[] = []

  #number(length: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.alloc(length)
    write(bytes)
    this.#parts.push(bytes)
    return this
  }

  int8(value: number): this {
    return this.#number(1, (bytes) => bytes.writeInt8(value))
  }

  int16(value: number): this {
    return this.#number(2, (bytes) => bytes.writeInt16BE(value))
  }

  int32(value: number): this {
    return this.#number(4, (bytes) => bytes.writeInt32BE(value))
  }

  int64(value: number): this {
    return this.#number(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)))
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.from(value)
    this.int16(bytes.length)
    this.#parts.push(bytes)
    return this
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** Reads a response body field by field. */
export class BodyReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  int8(): number {
    this.#at += 1
    return this.#bytes.readInt8(this.#at - 1)
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): number {
    this.#at += 8
    return Number(this.#bytes.readBigInt64BE(this.#at - 8))
  }

  string(): string | null {
    const length = this.int16()
    if (length < 0) return null
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }
}

/** A whole request frame with header version 1: length, key, version, correlation id, client id. */
export function requestFrame(
  apiKey: number,
  apiVersion: number,
  body: Buffer,
  correlationId = 1,
): Buffer {
  const header = new BodyWriter().int16(apiKey).int16(apiVersion).int32(correlationId)
  const rest = Buffer.concat([header.string('samsa-interop').bytes(), body])
  return Buffer.concat([new BodyWriter().int32(rest.length).bytes(), rest])
}

/** Connects, or rejects with why not. */
export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Waits for one response frame; returns it after its length, or undefined when the peer closes. */
export function readFrame(socket: Socket, timeoutMs: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const limit = setTimeout(() => end(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    const end = (result: Buffer | undefined | Error): void => {
      clearTimeout(limit)
      socket.off('data', take)
      socket.off('close', closed)
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    const closed = (): void => end(undefined)
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4) return
      const length = received.readInt32BE(0)
      if (received.length >= 4 + length) end(received.subarray(4, 4 + length))
    }
    socket.on('data', take)
    socket.on('close', closed)
    if (socket.destroyed) closed()
  })
}

/** Sends one request on a connection of its own and returns the body after the correlation id. */
export async function ask(
  port: number,
  apiKey: number,
  apiVersion: number,
  body: Buffer,
  timeoutMs = 10_000,
): Promise<BodyReader> {
  const socket = await open(port)
  try {
    socket.write(requestFrame(apiKey, apiVersion, body))
    const frame = await readFrame(socket, timeoutMs)
    if (frame === undefined) throw new Error(`API ${apiKey} v${apiVersion}: connection closed`)
    return new BodyReader(frame.subarray(4))
  } finally {
    socket.destroy()
  }
}

export interface ApiRange {
  apiKey: number
  min: number
  max: number
}

/** ApiVersions v0. */
export async function apiVersions(port: number, timeoutMs = 2_000): Promise<ApiRange[]> {
  const body = await ask(port, 18, 0, Buffer.alloc(0), timeoutMs)
  const error = body.int16()
  if (error !== 0) throw new Error(`ApiVersions: error ${error}`)
  return body.array(() => ({ apiKey: body.int16(), min: body.int16(), max: body.int16() }))
}

export interface NewTopic {
  name: string
  partitions?: number
  configs?: Record<string, string>
}

/**
 * CreateTopics v4; throws on any error the broker reports. Returns when every partition is led:
 * right after its answer, Apache Kafka still says NOT_LEADER_OR_FOLLOWER for a moment.
 */
export async function createTopics(port: number, topics: NewTopic[]): Promise<void> {
  const writer = new BodyWriter()
  writer.array(topics, (topic) => {
    writer
      .string(topic.name)
      .int32(topic.partitions ?? 1)
      .int16(1)
      .int32(0)
    writer.array(Object.entries(topic.configs ?? {}), ([key, value]) => {
      writer.string(key).string(value)
    })
  })
  const body = await ask(port, 19, 4, writer.int32(30_000).int8(0).bytes(), 60_000)
  body.int32()
  const failures = body
    .array(() => ({ name: body.string(), error: body.int16(), message: body.string() }))
    .filter((result) => result.error !== 0)
  if (failures.length > 0) throw new Error(`CreateTopics: ${JSON.stringify(failures)}`)
  for (const { name, partitions } of topics) {
    for (let index = 0; index < (partitions ?? 1); index++) await untilLed(port, name, index)
  }
}

/** Waits until a partition answers ListOffsets; returns its end offset. */
export async function untilLed(port: number, topic: string, partition: number): Promise<number> {
  const limit = Date.now() + 30_000
  for (;;) {
    const { error, offset } = await listOffset(port, topic, partition, LATEST)
    if (error === 0) return offset
    if (Date.now() > limit) throw new Error(`${topic}-${partition}: error ${error} for 30 s`)
    await sleep(5)
  }
}

export interface TopicMetadata {
  error: number
  name: string
  partitions: { error: number; index: number; leader: number }[]
}

/** Metadata v4 of all topics, or of those named, without creating any. */
export async function metadata(port: number, names?: string[]): Promise<TopicMetadata[]> {
  const writer = new BodyWriter()
  if (names === undefined) writer.int32(-1)
  else writer.array(names, (name) => writer.string(name))
  const body = await ask(port, 3, 4, writer.int8(0).bytes())
  body.int32()
  body.array(() => [body.int32(), body.string(), body.int32(), body.string()])
  body.string()
  body.int32()
  return body.array(() => {
    const error = body.int16()
    const name = body.string() ?? ''
    body.int8()
    const partitions = body.array(() => {
      const found = { error: body.int16(), index: body.int32(), leader: body.int32() }
      body.array(() => body.int32())
      body.array(() => body.int32())
      return found
    })
    return { error, name, partitions }
  })
}

export const EARLIEST = -2
export const LATEST = -1

/** ListOffsets v2 for one partition: the offset at `timestamp`, or the error code. */
export async function listOffset(
  port: number,
  topic: string,
  partition: number,
  timestamp: number,
): Promise<{ error: number; offset: number }> {
  const writer = new BodyWriter().int32(-1).int8(0)
  writer.array([topic], (name) => {
    writer.string(name)
    writer.array([partition], (index) => writer.int32(index).int64(timestamp))
  })
  const body = await ask(port, 2, 2, writer.bytes())
  body.int32()
  const [answer] = body.array(() => {
    body.string()
    return body.array(() => {
      body.int32()
      const error = body.int16()
      body.int64()
      return { error, offset: body.int64() }
    })
  })
  if (answer?.[0] === undefined) throw new Error('ListOffsets: an empty answer')
  return answer[0]
}

/** DeleteRecords v1 for one partition: its log starts at `offset` from then on. */
export async function deleteRecords(
  port: number,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const writer = new BodyWriter()
  writer.array([topic], (name) => {
    writer.string(name)
    writer.array([partition], (index) => writer.int32(index).int64(offset))
  })
  const body = await ask(port, 21, 1, writer.int32(30_000).bytes())
  body.int32()
  const answers = body.array(() => {
    body.string()
    return body.array(() => [body.int32(), body.int64(), body.int16()])
  })
  const error = answers[0]?.[0]?.[2]
  if (error !== 0) throw new Error(`DeleteRecords of ${topic}-${partition}: error ${error}`)
}
