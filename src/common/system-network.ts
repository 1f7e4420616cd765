/**
 * TCP through `node:net`, reading straight into memory that the receiver supplies.
 *
 * Node can read a socket into supplied memory (the `onread` option), which saves an allocation and
 * a copy per read and makes receiving large frames several times cheaper. But `net.createServer`
 * does not pass the option on. So an accepted socket is left paused, its handle taken, and a second
 * socket built around the handle with `onread` set. That leans on two undocumented things,
 * `socket._handle` and its `useUserBuffer`; where either is missing, sockets fall back to `data`
 * events and a copy, and all else stays the same.
 */
import net from 'node:net'
import {
  type Connection,
  type Listener,
  type Network,
  NetworkError,
  type Receiver,
} from './network.ts'

/** Bytes queued above which a writer should hold back; `drained` is called below it. */
const HIGH_WATER_BYTES = 1024 * 1024

/** Connections that may wait to be accepted, unless `listen` is told otherwise. */
const DEFAULT_BACKLOG = 511

interface HandleHolder {
  _handle?: { useUserBuffer?: unknown } | null
}

export class SystemNetwork implements Network {
  readonly #keepsAlive: boolean

  /** With `keepsAlive: false` no socket keeps the process from ending. */
  constructor(options: { keepsAlive?: boolean } = {}) {
    this.#keepsAlive = options.keepsAlive ?? true
  }

  listen(
    address: { host: string; port: number; backlog?: number },
    accept: (connection: Connection) => void,
  ): Promise<Listener> {
    const keepsAlive = this.#keepsAlive
    return new Promise((resolve, reject) => {
      const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
        accept(new SystemConnection(socket, keepsAlive))
      })
      if (!keepsAlive) server.unref()
      const host = address.host === '' ? undefined : address.host
      server.once('error', (error) => reject(asNetworkError(error)))
      const { port, backlog = DEFAULT_BACKLOG } = address
      server.listen({ host, port, backlog }, () => {
        server.removeAllListeners('error')
        // A failed accept (out of file descriptors) concerns that one connection only.
        server.on('error', () => {})
        const bound = server.address() as net.AddressInfo
        resolve({
          host: bound.address,
          port: bound.port,
          async close() {
            server.close()
          },
        })
      })
    })
  }

  connect(address: { host: string; port: number; timeoutMs?: number }): Promise<Connection> {
    const keepsAlive = this.#keepsAlive
    return new Promise((resolve, reject) => {
      const socket = new net.Socket({
        highWaterMark: HIGH_WATER_BYTES,
      } as net.SocketConstructorOpts)
      socket.pause()
      const fail = (error: Error) => {
        socket.destroy()
        reject(asNetworkError(error))
      }
      if (address.timeoutMs !== undefined) {
        socket.setTimeout(address.timeoutMs, () => {
          fail(
            Object.assign(new Error(`no connection within ${address.timeoutMs} ms`), {
              code: 'ETIMEDOUT',
            }),
          )
        })
      }
      socket.once('error', fail)
      socket.connect({ host: address.host, port: address.port }, () => {
        socket.setNoDelay(true)
        socket.removeListener('error', fail)
        socket.setTimeout(0)
        resolve(new SystemConnection(socket, keepsAlive))
      })
    })
  }
}

class SystemConnection implements Connection {
  readonly remoteHost: string
  readonly remotePort: number
  readonly localHost: string
  readonly localPort: number
  readonly #keepsAlive: boolean
  #socket: net.Socket

  constructor(socket: net.Socket, keepsAlive: boolean) {
    this.#socket = socket
    this.#keepsAlive = keepsAlive
    if (!keepsAlive) socket.unref()
    // Until `start`, an error (a reset before the first read) must not become an uncaught
    // exception.
    socket.on('error', ignore)
    this.remoteHost = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    this.localHost = plainAddress(socket.localAddress)
    this.localPort = socket.localPort ?? 0
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  start(receiver: Receiver): void {
    const accepted = this.#socket
    if (accepted.destroyed) {
      queueMicrotask(() => receiver.closed())
      return
    }
    const handle = (accepted as HandleHolder)._handle
    if (typeof handle?.useUserBuffer === 'function') {
      this.#socket = readingInto(receiver, accepted)
    } else {
      copyInto(receiver, accepted)
    }
    const socket = this.#socket
    if (!this.#keepsAlive) socket.unref()
    let failure: Error | undefined
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('drain', () => {
      receiver.drained()
    })
    socket.on('close', () => receiver.closed(failure))
    socket.resume()
  }

  write(buffers: readonly Uint8Array[], onTaken?: () => void): void {
    const last = buffers.length - 1
    if (last < 0) {
      onTaken?.()
      return
    }
    // Node calls back with an error for what a closed socket did not send: `onTaken` always runs.
    const taken = onTaken === undefined ? undefined : () => onTaken()
    if (last === 0) {
      this.#socket.write(buffers[0]!, taken)
      return
    }
    this.#socket.cork()
    for (let i = 0; i < last; i++) this.#socket.write(buffers[i]!)
    this.#socket.write(buffers[last]!, taken)
    this.#socket.uncork()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    // The peer may never close its side; what matters is that our bytes have gone.
    this.#socket.end(() => this.#socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** A socket around the handle of `accepted` that reads into the receiver's memory. */
function readingInto(receiver: Receiver, accepted: net.Socket): net.Socket {
  const handle = (accepted as HandleHolder)._handle
  const options = {
    handle,
    readable: true,
    writable: true,
    allowHalfOpen: false,
    highWaterMark: HIGH_WATER_BYTES,
    onread: {
      buffer: () => receiver.allocate(),
      callback: (length: number) => {
        receiver.received(length)
        return true
      },
    },
  }
  const socket = new net.Socket(options as net.SocketConstructorOpts)
  ;(accepted as HandleHolder)._handle = null
  return socket
}

/** The fallback: `data` events, copied into the receiver's memory piece by piece. */
function copyInto(receiver: Receiver, socket: net.Socket): void {
  socket.on('data', (chunk: Buffer) => {
    let at = 0
    while (at < chunk.length && !socket.destroyed) {
      const target = receiver.allocate()
      const length = Math.min(target.length, chunk.length - at)
      target.set(chunk.subarray(at, at + length))
      at += length
      receiver.received(length)
    }
  })
}

/**
 * An IPv4 peer of a dual-stack listener shows as `::ffff:10.0.0.1`; Kafka knows it as `10.0.0.1`.
 */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

function asNetworkError(error: Error): NetworkError {
  const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN'
  return new NetworkError(code, error.message, { cause: error })
}

function ignore(): void {}
