/** The brokers that a client is told of. */
import { ConfigError } from '../../common/config/config-value.ts'
import type { BrokerAddress } from './broker-connections.ts'

/** `host:port`, with brackets around an IPv6 address; a protocol in front does not count. */
const SERVER = /^(?:[A-Za-z_]+:\/\/)?(?:\[([^\]]+)\]|([^[\]:/]+)):(\d+)$/

/** Reads `bootstrap.servers`. Throws ConfigError for what is not host:port. */
export function parseBootstrapServers(servers: readonly string[]): BrokerAddress[] {
  return servers.map((server) => {
    const match = SERVER.exec(server.trim())
    const port = Number(match?.[3])
    if (match === null || port < 1 || port > 65_535) {
      const reason = 'Expected host:port, with a port from 1 to 65535'
      throw ConfigError.invalidValue('bootstrap.servers', server, reason)
    }
    return { host: (match[1] ?? match[2])!, port }
  })
}
