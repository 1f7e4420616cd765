/**
 * A network of named hosts in memory. Bytes arrive in order and unchanged, for TCP sees to that,
 * but late, in pieces of any size, and perhaps not at all:
 *
 *  - every connection has its own delays, and what was written in one go arrives in several reads;
 *  - `cut` makes everything between two hosts vanish without a word, until `heal`;
 *  - `dropConnections` resets those that are open, as a firewall or a restarted router does.
 *
 * What is written is copied some time after `write`, when the simulated operating system takes it,
 * and the memory is handed back (`onTaken`) only then: a caller that reuses it earlier sends
 * garbage and is found out. A reader that pauses makes the writer's bytes pile up, as a full window
 * does.
 */
import type { Clock } from '../src/common/clock.ts'
import {
  type Connection,
  type Listener,
  type Network,
  NetworkError,
  type Receiver,
} from '../src/common/network.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Bytes that are under way or wait at the reader, above which the network takes no more. */
const WINDOW_BYTES = 64 * 1024
/** As in the real network: `drained` is called when less than this waits to be taken. */
const HIGH_WATER_BYTES = 1024 * 1024
const FIRST_EPHEMERAL_PORT = 32_768

export interface SimulatedNetworkOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  /** The longest that bytes usually travel. One piece in a hundred takes ten times as long. */
  readonly maxDelayMs?: number
  /** The most bytes that one read brings. */
  readonly maxPieceBytes?: number
  /** Told of everything that arrives, for a trace. */
  readonly observe?: (event: string) => void
}

export class SimulatedNetwork {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly observe: (event: string) => void
  readonly #maxDelayMs: number
  readonly #maxPieceBytes: number
  readonly #listeners = new Map<string, (connection: Connection) => void>()
  readonly #connections = new Set<SimulatedConnection>()
  readonly #cuts = new Set<string>()
  /** How often the programs of each host have been killed. */
  readonly #deaths = new Map<string, number>()
  #nextPort = FIRST_EPHEMERAL_PORT

  constructor(options: SimulatedNetworkOptions) {
    this.clock = options.clock
    this.random = options.random
    this.observe = options.observe ?? (() => {})
    this.#maxDelayMs = options.maxDelayMs ?? 1
    this.#maxPieceBytes = options.maxPieceBytes ?? WINDOW_BYTES
  }

  /** The network as the programs on one host see it. Other hosts reach it by its name. */
  host(name: string): Network {
    return {
      listen: async ({ port }, accept) => this.#listen(name, port, accept),
      connect: (address) => this.#connect(name, address),
    }
  }

  /** Lets everything between two hosts vanish. */
  cut(one: string, other: string): void {
    this.#cuts.add(pairOf(one, other))
    this.observe(`cut ${one} from ${other}`)
  }

  /** Ends all cuts. What had vanished is sent again, as TCP does. */
  heal(): void {
    this.#cuts.clear()
    this.observe('heal')
    for (const connection of this.#connections) connection.deliverSoon()
  }

  isCut(one: string, other: string): boolean {
    return this.#cuts.has(pairOf(one, other))
  }

  /** Resets some of the open connections of a host. */
  dropConnections(host: string, chance: number): void {
    for (const connection of [...this.#connections]) {
      if (connection.localHost === host && this.random.chance(chance)) connection.reset()
    }
  }

  /** The programs on a host are gone. Nothing of theirs is called again; their peers find out. */
  killHost(host: string): void {
    this.#deaths.set(host, this.#deathsOf(host) + 1)
    for (const key of [...this.#listeners.keys()]) {
      if (key.startsWith(`${host}:`)) this.#listeners.delete(key)
    }
    for (const connection of [...this.#connections]) {
      if (connection.localHost === host) connection.kill()
    }
  }

  /** How long something is on its way, in milliseconds. */
  delay(): number {
    const factor = this.random.chance(0.01) ? 10 : 1
    return this.random.fraction() * this.#maxDelayMs * factor
  }

  /** How much of what has arrived one read brings. */
  pieceBytes(available: number): number {
    const most = Math.min(available, this.#maxPieceBytes)
    return this.random.chance(0.3) ? this.random.between(1, most) : most
  }

  /** A connection is gone, for both of its ends. */
  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection)
  }

  #deathsOf(host: string): number {
    return this.#deaths.get(host) ?? 0
  }

  #listen(host: string, askedPort: number, accept: (connection: Connection) => void): Listener {
    const port = askedPort === 0 ? this.#nextPort++ : askedPort
    const key = `${host}:${port}`
    if (this.#listeners.has(key)) {
      throw new NetworkError('EADDRINUSE', `address already in use ${key}`)
    }
    this.#listeners.set(key, accept)
    return {
      host,
      port,
      close: async () => {
        if (this.#listeners.get(key) === accept) this.#listeners.delete(key)
      },
    }
  }

  #connect(
    from: string,
    address: { host: string; port: number; timeoutMs?: number },
  ): Promise<Connection> {
    const { host, port, timeoutMs } = address
    const deaths = this.#deathsOf(from)
    return new Promise((resolve, reject) => {
      const fail = (code: string) => {
        if (deaths === this.#deathsOf(from)) {
          reject(new NetworkError(code, `${code}: ${host}:${port}`))
        }
      }
      if (this.isCut(from, host)) {
        this.clock.schedule(timeoutMs ?? 120_000, () => fail('ETIMEDOUT'))
        return
      }
      this.clock.schedule(this.delay(), () => {
        if (deaths !== this.#deathsOf(from)) return
        const accept = this.#listeners.get(`${host}:${port}`)
        if (accept === undefined) {
          fail('ECONNREFUSED')
          return
        }
        const localPort = this.#nextPort++
        const client = new SimulatedConnection(this, [from, localPort], [host, port])
        const server = new SimulatedConnection(this, [host, port], [from, localPort])
        client.peer = server
        server.peer = client
        this.#connections.add(client)
        this.#connections.add(server)
        this.observe(`connect ${from} to ${host}:${port}`)
        accept(server)
        resolve(client)
      })
    })
  }
}

/** Bytes given to `write` that the operating system has not taken yet. */
interface QueuedWrite {
  readonly buffers: readonly Uint8Array[]
  readonly size: number
  readonly onTaken: (() => void) | undefined
}

export class SimulatedConnection implements Connection {
  readonly localHost: string
  readonly localPort: number
  readonly remoteHost: string
  readonly remotePort: number
  peer: SimulatedConnection | undefined
  readonly #network: SimulatedNetwork
  #receiver: Receiver | undefined
  #queue: QueuedWrite[] = []
  #queuedBytes = 0
  #overHighWater = false
  #takeScheduled = false
  /** What the peer has sent and we have not read. */
  #arriving = Buffer.alloc(0)
  #deliveryScheduled = false
  #paused = false
  #ending = false
  /** The peer has sent everything and closed. */
  #peerEnded = false
  #state: 'open' | 'closed' | 'dead' = 'open'
  #closedWith: { error: Error | undefined } | undefined

  constructor(network: SimulatedNetwork, local: [string, number], remote: [string, number]) {
    this.#network = network
    ;[this.localHost, this.localPort] = local
    ;[this.remoteHost, this.remotePort] = remote
  }

  get bufferedBytes(): number {
    return this.#queuedBytes
  }

  start(receiver: Receiver): void {
    if (this.#receiver !== undefined) throw new Error('a connection is started once')
    this.#receiver = receiver
    if (this.#closedWith !== undefined) this.#tellClosed()
    this.deliverSoon()
  }

  write(buffers: readonly Uint8Array[], onTaken?: () => void): void {
    if (this.#state !== 'open' || this.#ending) {
      if (onTaken !== undefined) this.#soon(onTaken)
      return
    }
    const size = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    this.#queue.push({ buffers, size, onTaken })
    this.#queuedBytes += size
    if (this.#queuedBytes >= HIGH_WATER_BYTES) this.#overHighWater = true
    this.#takeSoon()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.deliverSoon()
  }

  end(): void {
    if (this.#state !== 'open' || this.#ending) return
    this.#ending = true
    this.#takeSoon()
  }

  destroy(): void {
    this.#close(undefined)
    this.#network.clock.schedule(this.#network.delay(), () => this.peer?.peerClosed())
  }

  /** The connection is reset under both of its ends. */
  reset(): void {
    this.#network.observe(`reset ${this.#name}`)
    const error = new NetworkError('ECONNRESET', 'connection reset')
    this.#close(error)
    this.peer?.closeWith(error)
  }

  /** Our program is gone: nothing of it is called any more. */
  kill(): void {
    this.#state = 'dead'
    this.#network.forget(this)
    const { peer } = this
    this.#network.clock.schedule(this.#network.delay(), () => {
      peer?.closeWith(new NetworkError('ECONNRESET', 'connection reset by peer'))
    })
  }

  /** The connection has failed on the way. */
  closeWith(error: Error): void {
    this.#close(error)
  }

  /** The peer has read something: there is room for more. */
  roomAtPeer(): void {
    this.#takeSoon()
  }

  /** The peer has destroyed its side, or ended it. What it sent before may still be read. */
  peerClosed(): void {
    this.#peerEnded = true
    this.deliverSoon()
  }

  /** Hands over what has arrived, after a while. */
  deliverSoon(): void {
    if (this.#deliveryScheduled || this.#state !== 'open') return
    this.#deliveryScheduled = true
    this.#network.clock.schedule(this.#network.delay(), () => {
      this.#deliveryScheduled = false
      this.#deliver()
    })
  }

  get #name(): string {
    return `${this.remoteHost}:${this.remotePort} to ${this.localHost}:${this.localPort}`
  }

  #deliver(): void {
    const receiver = this.#receiver
    if (this.#state !== 'open' || receiver === undefined || this.#paused) return
    if (this.#network.isCut(this.localHost, this.remoteHost)) return
    if (this.#arriving.length === 0) {
      if (this.#peerEnded) this.#close(undefined)
      return
    }
    const target = receiver.allocate()
    const length = Math.min(this.#network.pieceBytes(this.#arriving.length), target.length)
    target.set(this.#arriving.subarray(0, length))
    this.#network.observe(`${this.#name}: ${length} bytes, sum ${sumOf(this.#arriving, length)}`)
    this.#arriving = this.#arriving.subarray(length)
    this.peer?.roomAtPeer()
    this.deliverSoon()
    receiver.received(length)
  }

  #takeSoon(): void {
    if (this.#takeScheduled || this.#state !== 'open') return
    this.#takeScheduled = true
    this.#soon(() => {
      this.#takeScheduled = false
      this.#take()
    })
  }

  /** The operating system takes what fits into the window. */
  #take(): void {
    if (this.#state !== 'open') return
    const { peer } = this
    while (this.#queue.length > 0 && peer !== undefined) {
      if (peer.#arriving.length > WINDOW_BYTES) return
      const { buffers, size, onTaken } = this.#queue.shift()!
      if (peer.#state === 'open') peer.#arriving = Buffer.concat([peer.#arriving, ...buffers])
      this.#queuedBytes -= size
      peer.deliverSoon()
      onTaken?.()
    }
    if (this.#overHighWater && this.#queuedBytes < HIGH_WATER_BYTES) {
      this.#overHighWater = false
      this.#receiver?.drained()
    }
    if (this.#ending && this.#queue.length === 0) this.destroy()
  }

  #close(error: Error | undefined): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    this.#network.forget(this)
    this.#arriving = Buffer.alloc(0)
    this.#closedWith = { error }
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    for (const { onTaken } of queue) if (onTaken !== undefined) this.#soon(onTaken)
    if (this.#receiver !== undefined) this.#tellClosed()
  }

  #tellClosed(): void {
    const { error } = this.#closedWith!
    this.#soon(() => this.#receiver!.closed(error))
  }

  /** Calls our program from the event loop, unless it is gone by then. */
  #soon(callback: () => void): void {
    this.#network.clock.schedule(0, () => {
      if (this.#state !== 'dead') callback()
    })
  }
}

function pairOf(one: string, other: string): string {
  return one < other ? `${one}|${other}` : `${other}|${one}`
}

/** A little sum over bytes, so that a trace differs where they do. */
function sumOf(bytes: Uint8Array, length: number): number {
  let sum = 0
  for (let index = 0; index < length; index++) sum = (Math.imul(sum, 31) + bytes[index]!) | 0
  return sum >>> 0
}
