/**
 * A client's connections: one for each broker and lane. Lanes keep apart what must not wait for
 * each other on one connection, such as commits and a fetch that the broker holds open.
 *
 * A broker that could not be reached is not tried again before its back-off has passed; whoever
 * wants it meanwhile waits, as long as the call may take.
 */
import { KafkaError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { BrokerConnection, type BrokerConnectionOptions } from '../../network/broker-connection.ts'
import { ClosedError } from '../errors.ts'
import type { ClusterObserver } from '../observability/cluster-observer.ts'
import type { Backoff } from './backoff.ts'
import type { CallLimits } from './call-limits.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export interface BrokerConnectionsOptions
  extends Omit<BrokerConnectionOptions, 'host' | 'port' | 'onClosed'> {
  readonly backoff: Backoff
  readonly log: Logger
  readonly observer: ClusterObserver
  /** Told of each connection that was lost, or could not be made. */
  readonly onLost: (address: BrokerAddress, error: KafkaError) => void
}

/** What is known of one broker and lane. */
interface Line {
  connection: BrokerConnection | undefined
  opening: Promise<BrokerConnection> | undefined
  /** Attempts that failed in a row. */
  failures: number
  /** On the monotonic clock: no attempt before. */
  notBeforeMs: number
}

export class BrokerConnections {
  readonly #options: BrokerConnectionsOptions
  readonly #lines = new Map<string, Line>()
  #isClosed = false

  constructor(options: BrokerConnectionsOptions) {
    this.#options = options
  }

  /** The connection that is open at present, if there is one. */
  current(address: BrokerAddress, lane = ''): BrokerConnection | undefined {
    const connection = this.#lines.get(keyOf(address, lane))?.connection
    return connection?.isOpen ? connection : undefined
  }

  /** Whether the broker may be connected to without waiting. */
  isReady(address: BrokerAddress, lane = ''): boolean {
    const line = this.#lines.get(keyOf(address, lane))
    return line === undefined || line.notBeforeMs <= this.#options.clock.monotonic()
  }

  /** An open connection. Rejects with a retriable KafkaError if there is none to be had. */
  async get(address: BrokerAddress, limits: CallLimits, lane = ''): Promise<BrokerConnection> {
    const open = this.current(address, lane)
    if (open !== undefined) return open
    const line = this.#line(keyOf(address, lane))
    const waitMs = line.notBeforeMs - this.#options.clock.monotonic()
    if (waitMs > 0) await limits.sleep(waitMs)
    if (this.#isClosed) throw new ClosedError()
    line.opening ??= this.#open(line, address).finally(() => {
      line.opening = undefined
    })
    return await limits.wait(line.opening)
  }

  close(): void {
    this.#isClosed = true
    for (const { connection } of this.#lines.values()) connection?.close()
    this.#lines.clear()
  }

  #line(key: string): Line {
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = { connection: undefined, opening: undefined, failures: 0, notBeforeMs: 0 }
      this.#lines.set(key, line)
    }
    return line
  }

  async #open(line: Line, address: BrokerAddress): Promise<BrokerConnection> {
    const { clock, backoff, log, observer, onLost } = this.#options
    const { host, port } = address
    const back = () => {
      line.notBeforeMs = clock.monotonic() + backoff.delayMs(line.failures)
      line.failures += 1
    }
    const onClosed = (closed: BrokerConnection, error: KafkaError | undefined) => {
      if (line.connection === closed) observer.connectionClosed(address, error)
      if (error === undefined || this.#isClosed) return
      log.debug(`connection to ${host}:${port} lost: ${error.message}`)
      if (line.connection !== undefined) back()
      line.connection = undefined
      onLost(address, error)
    }
    try {
      const connection = await BrokerConnection.open({ ...this.#options, host, port, onClosed })
      if (this.#isClosed) {
        connection.close()
        throw new ClosedError()
      }
      line.connection = connection
      line.failures = 0
      observer.connectionOpened(address)
      return connection
    } catch (error) {
      back()
      if (!this.#isClosed) {
        if (error instanceof KafkaError) observer.connectionFailed(address, error)
        log.warn(`Connection to ${host}:${port} could not be established. It may not be available.`)
      }
      throw error
    }
  }
}

function keyOf({ host, port }: BrokerAddress, lane: string): string {
  return `${host}:${port}/${lane}`
}
