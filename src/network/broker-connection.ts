/**
 * A client's connection to one broker: requests out, responses in, in the order of the requests.
 *
 * Opening one asks which versions the broker serves (KIP-35, with the fallback of KIP-511); each
 * request then goes out in the newest version that both sides know. Up to `maxInFlight` requests
 * are under way at a time, the others wait here. All that is sent within one turn of the event loop
 * leaves in one write, large buffers (record batches) by reference.
 *
 * Nothing is tried again: whatever goes wrong with the connection fails everything on it with a
 * retriable KafkaError, and what the broker made of the requests is then unknown. Bytes and records
 * in a response are views of the memory that was read into, which is left to the collector.
 */
import type { Clock, Timer } from '../common/clock.ts'
import { ErrorCode, errorName, KafkaError } from '../common/errors.ts'
import type { Connection, Network } from '../common/network.ts'
import type { Slab, SlabPool } from '../common/slab.ts'
import { readInt16 } from '../protocol/byte-reader.ts'
import { ByteWriter } from '../protocol/byte-writer.ts'
import { responseCodec } from '../protocol/compile.ts'
import { appendRequestFrame, decodeResponseHeader } from '../protocol/header.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import type { Api, Fields, RequestInput, ResponseOf, VersionRange } from '../protocol/schema.ts'
import { FrameReader, InvalidFrameError } from './frame-reader.ts'

export interface BrokerConnectionOptions {
  readonly network: Network
  readonly clock: Clock
  /** Memory that responses are read into; may be shared by many connections. */
  readonly pool: SlabPool
  readonly host: string
  readonly port: number
  readonly clientId: string | null
  /** How long a connection may take to be made, without the first request. */
  readonly connectTimeoutMs: number
  /** How long each response may take, unless `send` says otherwise. */
  readonly requestTimeoutMs: number
  readonly maxInFlight: number
  /** What brokers are told about the program (KIP-511). */
  readonly software: { readonly name: string; readonly version: string }
  /** The connection is gone: `error` is why, undefined after `close`. */
  readonly onClosed?: (connection: BrokerConnection, error: KafkaError | undefined) => void
}

/** A cluster-wide feature and the level that is in force (KIP-584). */
export type FinalizedFeatures = ReadonlyMap<string, number>

export interface SendOptions {
  /** How long the response may take, in milliseconds. */
  readonly timeoutMs?: number | undefined
  /** The newest version that will do, where the broker may know newer ones. */
  readonly maxVersion?: number | undefined
}

/** Called once, with the response or with what went wrong. */
export type ResponseCallback<A extends Api> = (
  error: KafkaError | undefined,
  response: ResponseOf<A> | undefined,
) => void

interface PendingRequest {
  readonly api: Api
  readonly version: number
  readonly timeoutMs: number
  readonly encode: (correlationId: number) => void
  readonly done: (error: KafkaError | undefined, response: unknown) => void
  correlationId: number
  /** On the monotonic clock. */
  deadlineMs: number
}

const MAX_RESPONSE_BYTES = 0x7fff_ffff
const NO_MEMORY = new Uint8Array(1)

export class BrokerConnection {
  readonly host: string
  readonly port: number
  readonly #options: BrokerConnectionOptions
  readonly #connection: Connection
  readonly #reader: FrameReader
  readonly #writer = new ByteWriter()
  /** Sent and not answered, in order. */
  readonly #pending: PendingRequest[] = []
  /** To be sent when there is room. */
  readonly #waiting: PendingRequest[] = []
  #versions: ReadonlyMap<number, VersionRange> = new Map()
  #features: FinalizedFeatures = new Map()
  #nextCorrelationId = 0
  #flushScheduled = false
  #timer: { readonly timer: Timer; readonly atMs: number } | undefined
  #failure: KafkaError | undefined
  #isClosed = false

  private constructor(options: BrokerConnectionOptions, connection: Connection) {
    this.#options = options
    this.host = options.host
    this.port = options.port
    this.#connection = connection
    this.#reader = new FrameReader(options.pool, MAX_RESPONSE_BYTES, {
      acceptsFrames: true,
      frame: (slab, start, end) => this.#frame(slab, start, end),
    })
  }

  /**
   * Connects and learns what the broker serves. Rejects with a retriable KafkaError:
   * NETWORK_EXCEPTION where there is no connection, REQUEST_TIMED_OUT where no answer came.
   */
  static async open(options: BrokerConnectionOptions): Promise<BrokerConnection> {
    const { network, host, port, connectTimeoutMs } = options
    let connection: Connection
    try {
      connection = await network.connect({ host, port, timeoutMs: connectTimeoutMs })
    } catch (cause) {
      const message = `Connection to ${host}:${port} could not be established: ${cause}`
      throw new KafkaError('NETWORK_EXCEPTION', message, { cause })
    }
    const opened = new BrokerConnection(options, connection)
    opened.#start()
    try {
      await opened.#negotiate()
    } catch (error) {
      opened.close()
      throw error
    }
    return opened
  }

  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Requests that are not answered yet, those that wait to be sent included. */
  get inFlight(): number {
    return this.#pending.length + this.#waiting.length
  }

  /** The features in force in the cluster, as the broker said when the connection was made. */
  get features(): FinalizedFeatures {
    return this.#features
  }

  /** What the broker serves, by API key, as it said itself. */
  get apiVersions(): ReadonlyMap<number, VersionRange> {
    return this.#versions
  }

  /** The newest version of `api` that both sides know, or undefined. */
  supportedVersion(api: Api, maxVersion: number = api.versions.max): number | undefined {
    const served = this.#versions.get(api.key)
    if (served === undefined) return undefined
    const version = Math.min(served.max, api.versions.max, maxVersion)
    return version >= Math.max(served.min, api.versions.min) ? version : undefined
  }

  /**
   * Sends a request and resolves to its response. Rejects with KafkaError: UNSUPPORTED_VERSION
   * where the broker does not serve the API, or not in a version with a place for all that the
   * request says; NETWORK_EXCEPTION and REQUEST_TIMED_OUT where no answer came.
   */
  send<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    return new Promise((resolve, reject) => {
      this.request(api, request, options, (error, response) => {
        if (error !== undefined) reject(error)
        else resolve(response as ResponseOf<A>)
      })
    })
  }

  /** As `send`, for callers to whom a promise per request is too much. */
  request<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: SendOptions,
    done: ResponseCallback<A>,
  ): void {
    const version = this.supportedVersion(api, options.maxVersion)
    if (version === undefined) {
      queueMicrotask(() => done(this.#unsupported(api), undefined))
      return
    }
    const { clientId, requestTimeoutMs } = this.#options
    this.#enqueue({
      api,
      version,
      timeoutMs: options.timeoutMs ?? requestTimeoutMs,
      encode: (correlationId) =>
        appendRequestFrame(this.#writer, api, version, { correlationId, clientId }, request),
      done: done as PendingRequest['done'],
      correlationId: -1,
      deadlineMs: 0,
    })
  }

  /**
   * Sends a request that has no response (Produce with acks=0). `onTaken` is called when the
   * operating system has its bytes, or never will. Throws KafkaError where the connection is gone.
   */
  post<A extends Api>(api: A, request: RequestInput<A>, onTaken: () => void): void {
    if (this.#isClosed) throw this.#closedError()
    const version = this.supportedVersion(api)
    if (version === undefined) throw this.#unsupported(api)
    const header = { correlationId: this.#takeCorrelationId(), clientId: this.#options.clientId }
    appendRequestFrame(this.#writer, api, version, header, request)
    this.#connection.write(this.#writer.finish(), onTaken)
  }

  /** Closes now. What is under way fails with NETWORK_EXCEPTION. */
  close(): void {
    this.#end(undefined)
  }

  #start(): void {
    this.#connection.start({
      allocate: () => (this.#isClosed ? NO_MEMORY : this.#reader.allocate()),
      received: (length) => this.#received(length),
      drained: () => {},
      closed: (cause) => {
        const reason = cause === undefined ? 'was closed by the broker' : `failed: ${cause.message}`
        this.#fail('NETWORK_EXCEPTION', reason, cause)
      },
    })
  }

  #received(length: number): void {
    if (this.#isClosed) return
    try {
      this.#reader.received(length)
    } catch (error) {
      // What we cannot read is the broker's doing, and there is no telling where the next frame is.
      if (!(error instanceof InvalidFrameError) && !(error instanceof KafkaError)) throw error
      this.#fail('NETWORK_EXCEPTION', `sent what is not a response: ${error.message}`, error)
    }
  }

  #frame(slab: Slab, start: number, end: number): void {
    const request = this.#pending[0]
    if (this.#isClosed) return
    if (request === undefined) throw new KafkaError('INVALID_REQUEST', 'nothing was asked')
    const { api, version } = request
    const header = decodeResponseHeader(slab.memory, start, end, api, version)
    if (header.correlationId !== request.correlationId) {
      const { correlationId } = header
      const text = `${request.correlationId} was asked and ${correlationId} answered`
      throw new KafkaError('INVALID_REQUEST', text)
    }
    const response = decodeBody(api, version, slab.memory, header.bodyOffset, end)
    if (holdsViews(api.response.fields)) slab.retain()
    this.#pending.shift()
    if (this.#pending.length === 0) this.#disarm()
    this.#sendWaiting()
    request.done(undefined, response)
  }

  #enqueue(request: PendingRequest): void {
    if (this.#isClosed) {
      queueMicrotask(() => request.done(this.#closedError(), undefined))
      return
    }
    request.deadlineMs = this.#options.clock.monotonic() + request.timeoutMs
    this.#arm(request.deadlineMs)
    if (this.#pending.length >= this.#options.maxInFlight) this.#waiting.push(request)
    else this.#write(request)
  }

  #write(request: PendingRequest): void {
    request.correlationId = this.#takeCorrelationId()
    try {
      request.encode(request.correlationId)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      queueMicrotask(() => request.done(error, undefined))
      return
    }
    this.#pending.push(request)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      if (!this.#isClosed) this.#connection.write(this.#writer.finish())
    })
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#pending.length < this.#options.maxInFlight) {
      this.#write(this.#waiting.shift()!)
    }
  }

  /**
   * One timer serves all requests. It is not moved when an answer comes, only looks again when it
   * goes off, so that a request costs no timer as long as answers come in time.
   */
  #arm(atMs: number): void {
    if (this.#timer !== undefined) {
      if (this.#timer.atMs <= atMs) return
      this.#timer.timer.cancel()
    }
    const delayMs = Math.max(0, atMs - this.#options.clock.monotonic())
    this.#timer = { atMs, timer: this.#options.clock.schedule(delayMs, () => this.#look()) }
  }

  #disarm(): void {
    if (this.#waiting.length > 0) return
    this.#timer?.timer.cancel()
    this.#timer = undefined
  }

  #look(): void {
    this.#timer = undefined
    const open = [...this.#pending, ...this.#waiting]
    if (open.length === 0) return
    const earliestMs = Math.min(...open.map(({ deadlineMs }) => deadlineMs))
    // A delay is rounded up to whole milliseconds, or down: a fraction of one does not count.
    if (earliestMs > this.#options.clock.monotonic() + 1) {
      this.#arm(earliestMs)
      return
    }
    const late = open.find(({ deadlineMs }) => deadlineMs === earliestMs)!
    // Answers come in order, so that what is late here holds up all that was asked after it.
    this.#fail('REQUEST_TIMED_OUT', `did not answer ${late.api.name} within ${late.timeoutMs} ms`)
  }

  async #negotiate(): Promise<void> {
    const own = ApiVersions.versions
    let response = await this.#askVersions(own.max)
    if (response.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      // The answer has the form of version 0, and names at least the versions of ApiVersions.
      const served = response.apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key)
      response = await this.#askVersions(Math.min(served?.maxVersion ?? 0, own.max))
    }
    if (response.errorCode !== ErrorCode.NONE) throw new KafkaError(errorName(response.errorCode))
    this.#versions = new Map(
      response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    )
    this.#features = new Map(
      response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
    )
  }

  #askVersions(version: number): Promise<ResponseOf<typeof ApiVersions>> {
    this.#versions = new Map([[ApiVersions.key, { min: 0, max: version }]])
    const { name, version: softwareVersion } = this.#options.software
    const request = { clientSoftwareName: name, clientSoftwareVersion: softwareVersion }
    return this.send(ApiVersions, request)
  }

  #takeCorrelationId(): number {
    const id = this.#nextCorrelationId
    this.#nextCorrelationId = (id + 1) & 0x7fff_ffff
    return id
  }

  #fail(name: 'NETWORK_EXCEPTION' | 'REQUEST_TIMED_OUT', what: string, cause?: Error): void {
    this.#end(new KafkaError(name, `Broker ${this.host}:${this.port} ${what}`, { cause }))
  }

  #end(error: KafkaError | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#failure = error
    this.#timer?.timer.cancel()
    this.#connection.destroy()
    this.#reader.close()
    this.#options.onClosed?.(this, error)
    const failed = [...this.#pending.splice(0), ...this.#waiting.splice(0)]
    for (const { done } of failed) done(this.#closedError(), undefined)
  }

  #closedError(): KafkaError {
    const text = `The connection to ${this.host}:${this.port} is closed`
    return this.#failure ?? new KafkaError('NETWORK_EXCEPTION', text)
  }

  #unsupported(api: Api): KafkaError {
    const served = this.#versions.get(api.key)
    const theirs = served === undefined ? 'does not serve it' : `serves ${served.min}-${served.max}`
    const text = `No version of ${api.name} is common: the broker ${theirs}, the client knows `
    return new KafkaError('UNSUPPORTED_VERSION', `${text}${api.versions.min}-${api.versions.max}`)
  }
}

/** The body of a response. That of ApiVersions has the form of version 0 if it says error 35. */
function decodeBody(api: Api, version: number, memory: Buffer, at: number, end: number): unknown {
  const mayBeRefusal = api.key === ApiVersions.key && end - at >= 2
  const isRefusal = mayBeRefusal && readInt16(memory, at) === ErrorCode.UNSUPPORTED_VERSION
  return responseCodec(api, isRefusal ? 0 : version).decode(memory, at, end)
}

const viewHolders = new WeakMap<Fields, boolean>()

/** Whether decoded messages of these fields refer to the memory they were read from. */
function holdsViews(fields: Fields): boolean {
  let holds = viewHolders.get(fields)
  if (holds === undefined) {
    holds = Object.values(fields).some((field) => {
      const inner = field.element ?? field
      if (inner.fields !== undefined) return holdsViews(inner.fields)
      return inner.type === 'bytes' || inner.type === 'records'
    })
    viewHolders.set(fields, holds)
  }
  return holds
}
