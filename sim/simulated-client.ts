/**
 * A Kafka client in its simplest form: requests on one connection, several in flight, answered in
 * order. A connection that fails, or on which an answer is overdue, fails everything on it with
 * RequestFailure; what the broker made of them is unknown. The next request opens another.
 */
import type { Clock } from '../src/common/clock.ts'
import type { Connection, Network } from '../src/common/network.ts'
import { responseCodec } from '../src/protocol/compile.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../src/protocol/header.ts'
import type { Api, RequestInput, ResponseOf } from '../src/protocol/schema.ts'

/** No answer came. The request may have been carried out, or not, or may yet be. */
export class RequestFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RequestFailure'
  }
}

export interface SimulatedClientOptions {
  readonly network: Network
  readonly clock: Clock
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly timeoutMs: number
}

interface PendingRequest {
  readonly resolve: (frame: Buffer) => void
  readonly reject: (error: Error) => void
}

const READ_BYTES = 64 * 1024

export class SimulatedClient {
  readonly #options: SimulatedClientOptions
  #link: Link | undefined
  #linkNumber = 0
  #connecting: Promise<Link> | undefined
  #nextCorrelationId = 1

  constructor(options: SimulatedClientOptions) {
    this.#options = options
  }

  /** Makes sure that there is a connection; returns its number. */
  async connect(): Promise<number> {
    await this.#open()
    return this.#linkNumber
  }

  /**
   * Sends a request and resolves to its response. Rejects with RequestFailure, also where it was to
   * go over connection number `onLink` and that is no more.
   */
  async send<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    onLink?: number,
  ): Promise<ResponseOf<A>> {
    const link = await this.#open()
    if (onLink !== undefined && onLink !== this.#linkNumber) {
      throw new RequestFailure('the connection has been lost')
    }
    const correlationId = this.#nextCorrelationId++
    const frame = await link.send(this.#encode(api, version, correlationId, request))
    const header = decodeResponseHeader(frame, 0, frame.length, api, version)
    if (header.correlationId !== correlationId) {
      throw new Error(`${correlationId} was asked and ${header.correlationId} answered`)
    }
    return responseCodec(api, version).decode(frame, header.bodyOffset, frame.length)
  }

  /** Sends a request that is not answered (Produce with acks=0). */
  async post<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<void> {
    const link = await this.#open()
    link.post(this.#encode(api, version, this.#nextCorrelationId++, request))
  }

  close(): void {
    this.#link?.close()
  }

  #encode<A extends Api>(
    api: A,
    version: number,
    correlationId: number,
    request: RequestInput<A>,
  ): Buffer {
    const { clientId } = this.#options
    return encodeRequestFrame(api, version, { correlationId, clientId }, request)
  }

  #open(): Promise<Link> {
    if (this.#link?.isOpen) return Promise.resolve(this.#link)
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(): Promise<Link> {
    const { network, clock, host, port, timeoutMs } = this.#options
    try {
      this.#link = new Link(await network.connect({ host, port, timeoutMs }), clock, timeoutMs)
    } catch (error) {
      throw new RequestFailure(`no connection: ${(error as Error).message}`)
    }
    this.#linkNumber += 1
    return this.#link
  }
}

/** One connection with what is pending on it. */
class Link {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #pending: PendingRequest[] = []
  #received: Buffer[] = []
  #receivedBytes = 0
  #failure: RequestFailure | undefined

  constructor(connection: Connection, clock: Clock, timeoutMs: number) {
    this.#connection = connection
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    let memory = Buffer.alloc(READ_BYTES)
    connection.start({
      allocate: () => memory,
      received: (length) => {
        this.#received.push(memory.subarray(0, length))
        this.#receivedBytes += length
        memory = Buffer.alloc(READ_BYTES)
        this.#deliver()
      },
      drained: () => {},
      closed: (error) => this.#fail(error?.message ?? 'closed by the broker'),
    })
  }

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  send(frame: Buffer): Promise<Buffer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const request = { resolve, reject }
      this.#pending.push(request)
      this.#connection.write([frame])
      this.#clock.schedule(this.#timeoutMs, () => {
        if (!this.#pending.includes(request)) return
        this.#fail('an answer is overdue')
        this.#connection.destroy()
      })
    })
  }

  post(frame: Buffer): void {
    this.#connection.write([frame])
  }

  close(): void {
    this.#fail('closed by the client')
    this.#connection.destroy()
  }

  #deliver(): void {
    while (this.#receivedBytes >= 4) {
      if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)]
      const bytes = this.#received[0]!
      const end = 4 + bytes.readInt32BE(0)
      if (bytes.length < end) return
      const request = this.#pending.shift()
      if (request === undefined) throw new Error('an answer came to no request')
      this.#received = [bytes.subarray(end)]
      this.#receivedBytes = bytes.length - end
      request.resolve(bytes.subarray(4, end))
    }
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return
    this.#failure = new RequestFailure(reason)
    for (const { reject } of this.#pending.splice(0)) reject(this.#failure)
  }
}
