/** How many connections may be open: in all, and from one address (`max.connections.per.ip`). */

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

  /** Counts a connection from `host`; or returns why it must not be. */
  open(host: string): string | undefined {
    const { maxConnections, maxConnectionsPerIp, overrides } = this.#options()
    if (this.#total >= maxConnections) return `the limit of ${maxConnections} connections`
    const limit = overrides.get(host) ?? maxConnectionsPerIp
    const fromHost = this.#byHost.get(host) ?? 0
    if (fromHost >= limit) return `the limit of ${limit} connections from ${host}`
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
