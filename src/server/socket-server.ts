/**
 * Listens, accepts, and looks after connections: their limits, idle ones, and the log line that
 * says why one was closed. What comes in on them goes to the dispatcher.
 */
import { type Clock, scheduleEvery, type Timer } from '../common/clock.ts'
import type { Logger } from '../common/logger.ts'
import type { Connection, Listener, Network } from '../common/network.ts'
import type { Slab, SlabPool } from '../common/slab.ts'
import {
  type ConnectionOwner,
  type ResponseSlot,
  ServerConnection,
} from '../network/server-connection.ts'
import { ByteWriter } from '../protocol/byte-writer.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { RequestDispatcher } from './request-dispatcher.ts'

/** One entry of `listeners`. */
export interface ListenerConfig {
  readonly name: string
  /** Empty for all interfaces. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
}

export interface SocketServerOptions {
  readonly network: Network
  readonly clock: Clock
  readonly log: Logger
  readonly pool: SlabPool
  readonly limits: ConnectionLimits
  readonly dispatcher: RequestDispatcher
  /** `socket.listen.backlog.size` */
  readonly backlog: number
  /** `socket.request.max.bytes` */
  readonly maxFrameBytes: number
  /** `connections.max.idle.ms`; Infinity for never. */
  readonly maxIdleMs: number
}

/** How often idle connections are looked for, at most. */
const IDLE_CHECK_MS = 30_000

export class SocketServer implements ConnectionOwner {
  readonly #options: SocketServerOptions
  readonly #listeners = new Map<string, { listener: Listener; config: ListenerConfig }>()
  readonly #connections = new Set<ServerConnection>()
  /** Accepted, and not read from until another connection is closed. First come, first served. */
  readonly #waiting: { connection: Connection; listenerName: string }[] = []
  readonly writer = new ByteWriter()
  #idleCheck: Timer | undefined
  #isAccepting = false
  #isShuttingDown = false

  constructor(options: SocketServerOptions) {
    this.#options = options
  }

  get clock(): Clock {
    return this.#options.clock
  }

  get pool(): SlabPool {
    return this.#options.pool
  }

  get maxFrameBytes(): number {
    return this.#options.maxFrameBytes
  }

  /**
   * Binds every listener, without accepting requests yet: a client that connects waits until
   * `acceptRequests`. Rejects with NetworkError if a port is taken. Returns the ports by name.
   */
  async bind(listeners: readonly ListenerConfig[]): Promise<ReadonlyMap<string, number>> {
    const { network, backlog } = this.#options
    for (const config of listeners) {
      const { name, host, port } = config
      const listener = await network.listen({ host, port, backlog }, (connection) =>
        this.#accept(connection, name),
      )
      this.#listeners.set(name, { listener, config })
    }
    return new Map([...this.#listeners].map(([name, { listener }]) => [name, listener.port]))
  }

  /**
   * Listens as `listeners` say from now on: those that are gone or elsewhere now are closed with
   * their connections, new ones are bound. Rejects with NetworkError if a port is taken. Returns
   * the ports by name.
   */
  async rebind(listeners: readonly ListenerConfig[]): Promise<ReadonlyMap<string, number>> {
    const isSame = (a: ListenerConfig, b: ListenerConfig) =>
      a.name === b.name && a.host === b.host && a.port === b.port
    for (const [name, { listener, config }] of [...this.#listeners]) {
      if (listeners.some((wanted) => isSame(wanted, config))) continue
      this.#listeners.delete(name)
      await listener.close()
      for (const connection of this.#connections) {
        if (connection.listenerName === name) connection.close()
      }
    }
    return await this.bind(listeners.filter(({ name }) => !this.#listeners.has(name)))
  }

  /** Starts to serve: those that have connected already, too. */
  acceptRequests(): void {
    this.#isAccepting = true
    for (const connection of this.#connections) connection.start()
    const { clock, maxIdleMs } = this.#options
    if (Number.isFinite(maxIdleMs)) {
      const period = Math.max(Math.min(maxIdleMs / 2, IDLE_CHECK_MS), 1)
      this.#idleCheck = scheduleEvery(clock, period, () => this.#closeIdle())
    }
  }

  /** Accepts nobody new. */
  async stopListening(): Promise<void> {
    this.#isShuttingDown = true
    this.#idleCheck?.cancel()
    await Promise.all([...this.#listeners.values()].map(({ listener }) => listener.close()))
  }

  /**
   * Starts no request any more. What is under way is answered: or else a client that asks again as
   * soon as it has its answer would have one pending for ever.
   */
  stopReading(): void {
    for (const connection of this.#connections) connection.drain()
  }

  /** Whether some request is not answered yet. */
  get hasPendingRequests(): boolean {
    return [...this.#connections].some((connection) => connection.pendingRequests > 0)
  }

  /** Stops listening, and closes all connections. */
  async close(): Promise<void> {
    await this.stopListening()
    for (const connection of this.#connections) connection.close()
    for (const { connection } of this.#waiting.splice(0)) connection.destroy()
  }

  request(slot: ResponseSlot, slab: Slab, start: number, end: number): void {
    this.#options.dispatcher.dispatch(slot, slab, start, end)
  }

  closed(connection: ServerConnection, error: Error | undefined): void {
    this.#connections.delete(connection)
    this.#options.limits.close(connection.remoteHost)
    this.#acceptWaiting()
    if (error === undefined || this.#isShuttingDown) return
    // A peer that resets its connection has its own reasons and is no news.
    const { log } = this.#options
    const line = `closed the connection from ${connection.remoteName}: ${error.message}`
    if ('code' in error && typeof error.code === 'string') log.debug(line)
    else log.warn(line)
  }

  #accept(connection: Connection, listenerName: string): void {
    const { limits, log } = this.#options
    if (limits.isFull) {
      if (this.#waiting.length === 0) {
        log.warn(`${limits.total} connections are open, the most there may be; others wait`)
      }
      this.#waiting.push({ connection, listenerName })
      return
    }
    const limit = limits.open(connection.remoteHost)
    if (limit !== undefined) {
      const { remoteHost } = connection
      log.warn(`refused a connection from ${remoteHost}, which has ${limit}, the most it may have`)
      connection.destroy()
      return
    }
    const accepted = new ServerConnection(connection, this, listenerName)
    this.#connections.add(accepted)
    if (this.#isAccepting) accepted.start()
  }

  #acceptWaiting(): void {
    while (this.#waiting.length > 0 && !this.#options.limits.isFull && !this.#isShuttingDown) {
      const { connection, listenerName } = this.#waiting.shift()!
      this.#accept(connection, listenerName)
    }
  }

  #closeIdle(): void {
    const oldest = this.#options.clock.monotonic() - this.#options.maxIdleMs
    for (const connection of this.#connections) {
      if (connection.lastActiveMs < oldest && connection.pendingRequests === 0) connection.close()
    }
  }
}
