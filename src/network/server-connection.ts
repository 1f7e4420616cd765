/**
 * One client's connection, as the server has it: frames in, responses out in the order of their
 * requests, however long each takes (a long-polling fetch in front holds back what is behind it).
 *
 * Requests of one connection are started as they arrive and may overlap. Everything that becomes
 * ready within one turn of the event loop leaves in one write: completing a response only schedules
 * a flush, which runs when the current event has been handled.
 *
 * Back-pressure: a client that sends faster than it reads is not read from while too many of its
 * requests, or too many bytes for it, are pending. One above its quota is muted for a while
 * (KIP-219).
 */
import type { Clock, Timer } from '../common/clock.ts'
import type { Connection, Receiver } from '../common/network.ts'
import type { Slab, SlabPool } from '../common/slab.ts'
import type { ByteWriter } from '../protocol/byte-writer.ts'
import { FrameReader, type FrameSink, InvalidFrameError } from './frame-reader.ts'

/** Requests of one connection in progress, above which no more are read. */
const MAX_PENDING_REQUESTS = 64
/** Bytes on their way to the client, above which no more requests are read. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024

/** What a connection needs from the server that owns it. */
export interface ConnectionOwner {
  readonly clock: Clock
  readonly pool: SlabPool
  /** Used for one response at a time, by all connections. */
  readonly writer: ByteWriter
  /** Longest frame that is accepted. */
  readonly maxFrameBytes: number

  /** Starts a request: the bytes of `slab.memory` from `start` to `end`. */
  request(slot: ResponseSlot, slab: Slab, start: number, end: number): void

  /** The connection is gone; `error` is why, unless the client just closed it. */
  closed(connection: ServerConnection, error: Error | undefined): void
}

/** The place of one request's response in the order of the connection. */
export class ResponseSlot {
  readonly connection: ServerConnection
  /** Set when the response is ready; writes its whole frame. */
  encode: ((writer: ByteWriter) => void) | undefined
  isReady = false
  /** Called when the memory that the response refers to is no longer needed. */
  #onSent: (() => void)[] | undefined

  constructor(connection: ServerConnection) {
    this.connection = connection
  }

  /** Lets go of memory once the response has been sent, or will never be. */
  onSent(callback: () => void): void {
    this.#onSent ??= []
    this.#onSent.push(callback)
  }

  /** The response is ready: `encode` will write its frame. */
  complete(encode: (writer: ByteWriter) => void): void {
    this.encode = encode
    this.#ready()
  }

  /** The request has no response (Produce with acks=0). */
  skip(): void {
    this.#ready()
  }

  takeOnSent(): readonly (() => void)[] {
    const callbacks = this.#onSent ?? NO_CALLBACKS
    this.#onSent = undefined
    return callbacks
  }

  #ready(): void {
    if (this.isReady) throw new Error('a request was answered twice')
    this.isReady = true
    this.connection.slotReady(this)
  }
}

const NO_CALLBACKS: readonly (() => void)[] = []

export class ServerConnection implements Receiver, FrameSink {
  /** The listener it came in through: clients are told of brokers' end points of the same name. */
  readonly listenerName: string
  readonly #connection: Connection
  readonly #owner: ConnectionOwner
  readonly #reader: FrameReader
  #slots: ResponseSlot[] = []
  #flushScheduled = false
  #paused = false
  /** No request is started any more. */
  #isDraining = false
  /** Until when, on the monotonic clock, the client is not listened to. */
  #mutedUntilMs = 0
  #unmute: Timer | undefined
  #closed = false
  #closeReason: Error | undefined
  /** Undefined once the connection has ended. */
  #onClose: (() => void)[] | undefined = []
  /** On the monotonic clock, in milliseconds. */
  lastActiveMs: number

  constructor(connection: Connection, owner: ConnectionOwner, listenerName: string) {
    this.listenerName = listenerName
    this.#connection = connection
    this.#owner = owner
    this.#reader = new FrameReader(owner.pool, owner.maxFrameBytes, this)
    this.lastActiveMs = owner.clock.monotonic()
  }

  get remoteHost(): string {
    return this.#connection.remoteHost
  }

  get remotePort(): number {
    return this.#connection.remotePort
  }

  /** The peer as it is shown in logs. */
  get remoteName(): string {
    return `${this.#connection.remoteHost}:${this.#connection.remotePort}`
  }

  /** Requests that are not answered yet. */
  get pendingRequests(): number {
    return this.#slots.length
  }

  get acceptsFrames(): boolean {
    return (
      !this.#closed &&
      !this.#isDraining &&
      this.#unmute === undefined &&
      this.#slots.length < MAX_PENDING_REQUESTS &&
      this.#connection.bufferedBytes < MAX_PENDING_BYTES
    )
  }

  /**
   * Starts no request for `forMs` milliseconds, nor reads any; what is under way is answered. Calls
   * that overlap count once: until the last of them ends.
   */
  mute(forMs: number): void {
    const untilMs = this.#owner.clock.monotonic() + forMs
    if (this.#closed || untilMs <= this.#mutedUntilMs) return
    this.#mutedUntilMs = untilMs
    this.#unmute?.cancel()
    this.#unmute = this.#owner.clock.schedule(forMs, () => {
      this.#unmute = undefined
      // Whoever had to wait was not idle.
      this.lastActiveMs = this.#owner.clock.monotonic()
      this.#resumeIfPossible()
    })
    this.#applyBackPressure()
  }

  /** Starts no request any more, nor reads any; what is under way is answered. */
  drain(): void {
    this.#isDraining = true
    this.#applyBackPressure()
  }

  /** Runs `callback` when the connection has ended, whoever ended it. */
  onClose(callback: () => void): void {
    if (this.#onClose === undefined) callback()
    else this.#onClose.push(callback)
  }

  /** Starts reading requests. */
  start(): void {
    this.#connection.start(this)
  }

  allocate(): Uint8Array {
    return this.#closed ? NO_MEMORY : this.#reader.allocate()
  }

  received(length: number): void {
    if (this.#closed) return
    this.lastActiveMs = this.#owner.clock.monotonic()
    try {
      this.#reader.received(length)
    } catch (error) {
      if (!(error instanceof InvalidFrameError)) throw error
      this.close(error)
      return
    }
    this.#applyBackPressure()
  }

  frame(slab: Slab, start: number, end: number): void {
    const slot = new ResponseSlot(this)
    this.#slots.push(slot)
    this.#owner.request(slot, slab, start, end)
  }

  drained(): void {
    this.#resumeIfPossible()
  }

  closed(error?: Error): void {
    this.#closed = true
    this.#unmute?.cancel()
    this.#reader.close()
    const slots = this.#slots
    this.#slots = []
    // What is still being worked on keeps its memory until it is ready: see `slotReady`.
    for (const slot of slots) if (slot.isReady) runAll(slot.takeOnSent())
    this.#owner.closed(this, this.#closeReason ?? error)
    const onClose = this.#onClose ?? []
    this.#onClose = undefined
    runAll(onClose)
  }

  /** Called by a slot of this connection. */
  slotReady(slot: ResponseSlot): void {
    if (this.#closed) {
      runAll(slot.takeOnSent())
      return
    }
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    queueMicrotask(() => this.#flush())
  }

  /** Closes now. Requests in progress go on but are not answered. */
  close(reason?: Error): void {
    this.#closeReason ??= reason
    this.#closed = true
    this.#connection.destroy()
  }

  /** Writes the responses that are ready up to the first that is not. */
  #flush(): void {
    this.#flushScheduled = false
    if (this.#closed) return
    const writer = this.#owner.writer
    const sent: (() => void)[] = []
    let count = 0
    while (count < this.#slots.length && this.#slots[count]!.isReady) {
      const slot = this.#slots[count]!
      slot.encode?.(writer)
      for (const callback of slot.takeOnSent()) sent.push(callback)
      count += 1
    }
    if (count === 0) return
    this.#slots = count === this.#slots.length ? [] : this.#slots.slice(count)
    this.lastActiveMs = this.#owner.clock.monotonic()
    this.#connection.write(writer.finish(), sent.length === 0 ? undefined : () => runAll(sent))
    this.#resumeIfPossible()
  }

  #applyBackPressure(): void {
    if (this.#paused || this.acceptsFrames) return
    this.#paused = true
    this.#connection.pause()
  }

  #resumeIfPossible(): void {
    if (!this.#paused || !this.acceptsFrames) return
    try {
      this.#reader.resume()
    } catch (error) {
      if (!(error instanceof InvalidFrameError)) throw error
      this.close(error)
      return
    }
    if (!this.acceptsFrames) return
    this.#paused = false
    this.#connection.resume()
  }
}

const NO_MEMORY = new Uint8Array(1)

function runAll(callbacks: readonly (() => void)[]): void {
  for (const callback of callbacks) callback()
}
