/**
 * Byte streams between machines, as everything above `src/common` sees them.
 *
 * Reading is by supplied memory: before each read the connection asks its receiver where the bytes
 * should go, so a broker reads socket data straight into the slab from which it will be checked,
 * appended to the log and served to consumers, without a copy. Writing is vectored.
 */

/**
 * What a connection tells its owner. All calls come from the event loop, never from within a call.
 */
export interface Receiver {
  /** Memory for the next read, at least one byte. It is written to until `received` is called. */
  allocate(): Uint8Array

  /** `length` bytes have been read into the start of the memory that `allocate` gave last. */
  received(length: number): void

  /** The bytes queued by `write` have fallen below the high-water mark after exceeding it. */
  drained(): void

  /** The connection is gone, for whatever reason. Called exactly once; nothing follows it. */
  closed(error?: Error): void
}

export interface Connection {
  /** The peer's IP address. */
  readonly remoteHost: string
  readonly remotePort: number
  readonly localHost: string
  readonly localPort: number

  /** Bytes given to `write` that the operating system has not taken yet. */
  readonly bufferedBytes: number

  /** Starts reading. Called once, before or after any `write`. */
  start(receiver: Receiver): void

  /**
   * Queues `buffers` to be sent in order, in one system call where possible. The memory must not
   * change until `onTaken` is called: the operating system has it then, or the connection closed.
   */
  write(buffers: readonly Uint8Array[], onTaken?: () => void): void

  /** Stops and restarts reading, which makes the peer's sends block in the end. */
  pause(): void
  resume(): void

  /** Closes once everything queued is sent. */
  end(): void

  /** Closes now. */
  destroy(): void
}

export interface Listener {
  readonly host: string
  /** The port listened on: the chosen one where port 0 was asked for. */
  readonly port: number
  /** Stops accepting. Connections already accepted live on. */
  close(): Promise<void>
}

/**
 * A failed `listen` or `connect`; `code` is the operating system's (`EADDRINUSE`, `ECONNREFUSED`).
 */
export class NetworkError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NetworkError'
    this.code = code
  }
}

export interface Network {
  /**
   * Accepts connections at a host and port (0 lets the system choose), of which `backlog` may wait
   * until they are. Rejects with NetworkError.
   * `host` may be empty or `0.0.0.0` for every interface.
   */
  listen(
    address: { host: string; port: number; backlog?: number },
    accept: (connection: Connection) => void,
  ): Promise<Listener>

  /** Opens a connection, or rejects with NetworkError, at the latest after `timeoutMs`. */
  connect(address: { host: string; port: number; timeoutMs?: number }): Promise<Connection>
}
