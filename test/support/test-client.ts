/**
 * A client of one connection for tests: sends requests in any version, hands back the responses.
 */
import net from 'node:net'
import { responseCodec } from '../../src/protocol/compile.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../src/protocol/header.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

export class TestClient {
  readonly socket: net.Socket
  #received = Buffer.alloc(0)
  readonly #waiting: Waiting[] = []
  #nextCorrelationId = 1
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<void>

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('connection closed'))
        resolve()
      })
    })
  }

  static connect(port: number): Promise<TestClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new TestClient(socket)))
    })
  }

  /** Sends a request and returns its response. Rejects if the connection is closed instead. */
  async send<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const correlationId = this.#nextCorrelationId++
    this.post(api, version, request, correlationId)
    const frame = await this.nextFrame()
    const header = decodeResponseHeader(frame, 0, frame.length, api, version)
    if (header.correlationId !== correlationId) {
      throw new Error(`asked ${correlationId}, was answered ${header.correlationId}`)
    }
    return responseCodec(api, version).decode(frame, header.bodyOffset, frame.length)
  }

  /** Sends a request without waiting for its response. */
  post<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    correlationId = this.#nextCorrelationId++,
  ): number {
    const header = { correlationId, clientId: 'test' }
    this.socket.write(encodeRequestFrame(api, version, header, request))
    return correlationId
  }

  /** The next response, without its length. */
  nextFrame(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#deliver()
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    this.#deliver()
  }

  #deliver(): void {
    while (this.#waiting.length > 0 && this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      this.#waiting.shift()!.resolve(this.#received.subarray(4, end))
      this.#received = this.#received.subarray(end)
    }
  }
}
