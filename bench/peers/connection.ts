/**
 * As much of a Kafka client as the benchmarks need outside the C programs: is the broker there,
 * make a topic, produce one record. Written out by hand and apart from src/protocol, so that a
 * broker is never measured, or found ready, by its own code.
 */
import { connect, type Socket } from 'node:net'
import { crc32c } from '@node-rs/crc32'

const clientId = 'bench'

/** Names are shorter than 126 bytes here, so that a compact length is one byte. */
function compact(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(text)])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const noTags = Buffer.from([0])
const one = Buffer.from([2]) // the compact length of an array of one
const none = Buffer.from([1])
const nullLength = Buffer.from([0])

/** A record batch (magic 2) of one record with a value of ten bytes. */
function batchOfOne(timestampMs: number): Buffer {
  const record = Buffer.from('\x20\0\0\0\x01\x14metamorph.\0', 'latin1')
  const batch = Buffer.alloc(61 + record.length)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(-1, 12) // partitionLeaderEpoch
  batch.writeInt8(2, 16)
  batch.writeBigInt64BE(BigInt(timestampMs), 27)
  batch.writeBigInt64BE(BigInt(timestampMs), 35)
  batch.fill(0xff, 43, 57) // no producer id, epoch, sequence
  batch.writeInt32BE(1, 57)
  record.copy(batch, 61)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

export class BrokerConnection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (body: Buffer) => void; reject: (error: Error) => void } | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      if (this.#received.length < 4) return
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      const body = this.#received.subarray(8, end)
      this.#received = this.#received.subarray(end)
      this.#waiting?.resolve(body)
    })
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => this.#waiting?.reject(new Error('the broker closed the connection')))
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Sends one request and gives what follows the correlation id of its response. */
  #call(key: number, version: number, ...body: Buffer[]): Promise<Buffer> {
    const id = Buffer.concat([int16(clientId.length), Buffer.from(clientId)])
    const request = Buffer.concat([int16(key), int16(version), int32(0), id, noTags, ...body])
    this.#socket.write(Buffer.concat([int32(request.length), request]))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** ApiVersions v3; throws on an error code. */
  async apiVersions(): Promise<void> {
    const body = await this.#call(18, 3, compact(clientId), compact('1'), noTags)
    const error = body.readInt16BE(0)
    if (error !== 0) throw new Error(`ApiVersions: error ${error}`)
  }

  /** CreateTopics v5 of a topic with one partition; gives the error code. */
  async createTopic(topic: string): Promise<number> {
    const creatable = [compact(topic), int32(1), int16(1), none, none, noTags]
    const body = await this.#call(19, 5, one, ...creatable, int32(30_000), Buffer.from([0]), noTags)
    return body.readInt16BE(1 + 4 + 1 + compact(topic).length)
  }

  /** Produce v9 of one record with acks=1; gives the error code. */
  async produce(topic: string, timestampMs: number): Promise<number> {
    const batch = batchOfOne(timestampMs)
    const records = [Buffer.from([batch.length + 1]), batch]
    const partition = [int32(0), ...records, noTags]
    const topics = [one, compact(topic), one, ...partition, noTags]
    const body = await this.#call(0, 9, nullLength, int16(1), int32(30_000), ...topics, noTags)
    return body.readInt16BE(1 + 1 + compact(topic).length + 1 + 4)
  }
}

/** Connects to 127.0.0.1, or throws when nobody listens. */
export function openConnection(port: number): Promise<BrokerConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(new BrokerConnection(socket))
    })
  })
}
