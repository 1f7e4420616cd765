/**
 * A network as one process sees it: when the process dies, its connections are cut, and nothing
 * more reaches it. While it is frozen, nothing is read and nothing leaves, but its connections stay
 * and new ones are made, as the kernel does for a process that has been stopped.
 */
import type { Connection, Listener, Network, Receiver } from '../../common/network.ts'
import type { Ports } from './ports.ts'

export class ProcessNetwork implements Network {
  readonly #ports: Ports
  readonly #network: Network
  readonly #connections = new Set<ProcessConnection>()
  /** Connections that came while the process was frozen; undefined while it is not. */
  #arrivals: (() => void)[] | undefined
  #isDead = false

  constructor(network: Network, ports: Ports) {
    this.#network = network
    this.#ports = ports
  }

  listen(
    address: { host: string; port: number; backlog?: number },
    accept: (connection: Connection) => void,
  ): Promise<Listener> {
    return this.#ports.listen(address, (connection) => {
      const arrive = () => accept(this.#adopt(connection))
      if (this.#arrivals === undefined) arrive()
      else this.#arrivals.push(arrive)
    })
  }

  async connect(address: { host: string; port: number; timeoutMs?: number }): Promise<Connection> {
    return this.#adopt(await this.#network.connect(address))
  }

  freeze(): void {
    this.#arrivals ??= []
    for (const connection of this.#connections) connection.freeze()
  }

  thaw(): void {
    const arrivals = this.#arrivals ?? []
    this.#arrivals = undefined
    for (const connection of this.#connections) connection.thaw()
    for (const arrive of arrivals) arrive()
  }

  /** Cuts all connections. The ports stay taken, and whoever connects is cut off. */
  kill(): void {
    this.#isDead = true
    this.#ports.abandon()
    for (const arrive of this.#arrivals ?? []) arrive()
    for (const connection of this.#connections) connection.kill()
    this.#connections.clear()
  }

  #adopt(connection: Connection): Connection {
    const adopted = new ProcessConnection(connection, () => this.#connections.delete(adopted))
    if (this.#isDead) adopted.kill()
    else this.#connections.add(adopted)
    return adopted
  }
}

class ProcessConnection implements Connection {
  readonly #connection: Connection
  readonly #onClosed: () => void
  /** What was written while the process was frozen; undefined while it is not. */
  #unsent: { buffers: readonly Uint8Array[]; onTaken: (() => void) | undefined }[] | undefined
  #isPaused = false
  #isEnding = false
  #isDead = false

  constructor(connection: Connection, onClosed: () => void) {
    this.#connection = connection
    this.#onClosed = onClosed
  }

  get remoteHost(): string {
    return this.#connection.remoteHost
  }

  get remotePort(): number {
    return this.#connection.remotePort
  }

  get localHost(): string {
    return this.#connection.localHost
  }

  get localPort(): number {
    return this.#connection.localPort
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  start(receiver: Receiver): void {
    this.#connection.start({
      allocate: () => (this.#isDead ? NO_MEMORY : receiver.allocate()),
      received: (length) => {
        if (!this.#isDead) receiver.received(length)
      },
      drained: () => {
        if (!this.#isDead) receiver.drained()
      },
      closed: (error) => {
        this.#onClosed()
        if (!this.#isDead) receiver.closed(error)
      },
    })
  }

  write(buffers: readonly Uint8Array[], onTaken?: () => void): void {
    if (this.#unsent === undefined) this.#connection.write(buffers, onTaken)
    else this.#unsent.push({ buffers, onTaken })
  }

  pause(): void {
    this.#isPaused = true
    this.#connection.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#unsent === undefined) this.#connection.resume()
  }

  end(): void {
    this.#isEnding = true
    if (this.#unsent === undefined) this.#connection.end()
  }

  destroy(): void {
    this.#connection.destroy()
  }

  freeze(): void {
    this.#unsent ??= []
    this.#connection.pause()
  }

  thaw(): void {
    const unsent = this.#unsent ?? []
    this.#unsent = undefined
    for (const { buffers, onTaken } of unsent) this.#connection.write(buffers, onTaken)
    if (this.#isEnding) this.#connection.end()
    else if (!this.#isPaused) this.#connection.resume()
  }

  kill(): void {
    this.#isDead = true
    this.#connection.destroy()
  }
}

const NO_MEMORY = new Uint8Array(1)
