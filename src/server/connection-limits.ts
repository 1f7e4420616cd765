/**
 * How many connections may be open: in all (`max.connections`), and from one address
 * (`max.connections.per.ip`). As in Kafka, one too many from an address is refused, while one too
 * many in all waits for its turn.
 */

export interface ConnectionLimitOptions {
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
  /** Limits of single addresses, which win over the general one. */
  readonly overrides: ReadonlyMap<string, number>
}

export class ConnectionLimits {
  readonly #byHost = new Map<string, number>()
  readonly #options: () => ConnectionLimitOptions
  #total = 0

  /** `options` are asked for at each connection, so that a change takes effect at once. */
  constructor(options: () => ConnectionLimitOptions) {
    this.#options = options
  }

  get total(): number {
    return this.#total
  }

  /** Whether one more connection has to wait until another is closed. */
  get isFull(): boolean {
    return this.#total >= this.#options().maxConnections
  }

  /** Counts a connection from `host`; or returns the limit of its address, which it exceeds. */
  open(host: string): number | undefined {
    const { maxConnectionsPerIp, overrides } = this.#options()
    const limit = overrides.get(host) ?? maxConnectionsPerIp
    const fromHost = this.#byHost.get(host) ?? 0
    if (fromHost >= limit) return limit
    this.#byHost.set(host, fromHost + 1)
    this.#total += 1
    return undefined
  }

  close(host: string): void {
    const left = (this.#byHost.get(host) ?? 0) - 1
    if (left < 0) throw new Error(`a connection from ${host} was closed that was never opened`)
    if (left === 0) this.#byHost.delete(host)
    else this.#byHost.set(host, left)
    this.#total -= 1
  }
}
