/**
 * The addresses a broker listens on and those it tells its clients, from `listeners`,
 * `advertised.listeners` and `listener.security.protocol.map`.
 *
 * ```
 * listeners=CLIENTS://0.0.0.0:9092,BROKERS://10.0.0.1:9093
 * advertised.listeners=CLIENTS://kafka.example.com:9092
 * listener.security.protocol.map=CLIENTS:SASL_SSL,BROKERS:PLAINTEXT
 * ```
 */
import { ConfigError } from './config-value.ts'

export const SECURITY_PROTOCOLS = ['SASL_SSL', 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT'] as const
export type SecurityProtocol = (typeof SECURITY_PROTOCOLS)[number]

export interface Endpoint {
  /** In upper case. */
  readonly listenerName: string
  readonly securityProtocol: SecurityProtocol
  /** Empty for every interface. An IPv6 address has no brackets. */
  readonly host: string
  readonly port: number
}

const ENDPOINT = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?\d+)$/

/** `a:1,b:2` as a map. The last colon of an entry counts: a key may be an IPv6 address. */
export function parseCsvMap(name: string, text: string): Map<string, string> {
  const entries = new Map<string, string>()
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const colon = entry.lastIndexOf(':')
    if (colon < 0) {
      throw ConfigError.invalidValue(name, text, `'${entry}' is not of the form key:value`)
    }
    entries.set(entry.slice(0, colon).trim(), entry.slice(colon + 1).trim())
  }
  return entries
}

/** The limits of `max.connections.per.ip.overrides`, by address or host name. */
export function parseConnectionOverrides(text: string): Map<string, number> {
  const name = 'max.connections.per.ip.overrides'
  const limits = new Map<string, number>()
  for (const [host, limit] of parseCsvMap(name, text)) {
    if (!/^\d{1,9}$/.test(limit)) {
      throw ConfigError.invalidValue(name, text, `'${limit}' is not a number of connections`)
    }
    if (!/^[0-9a-zA-Z\-%._:]+$/.test(host)) {
      throw new ConfigError(`${name} contains invalid addresses : ${host}`)
    }
    limits.set(host, Number(limit))
  }
  return limits
}

/** The protocol of each listener name, from the text of `listener.security.protocol.map`. */
function parseProtocolMap(text: string): Map<string, SecurityProtocol> {
  const name = 'listener.security.protocol.map'
  const protocols = new Map<string, SecurityProtocol>()
  for (const [listener, given] of parseCsvMap(name, text)) {
    const protocol = SECURITY_PROTOCOLS.find((known) => known === given.toUpperCase())
    if (protocol === undefined) {
      throw new ConfigError(`Invalid security protocol \`${given}\` defined in ${name}`)
    }
    protocols.set(listener.toUpperCase(), protocol)
  }
  return protocols
}

function parseEndpoint(text: string, protocols: Map<string, SecurityProtocol>): Endpoint {
  const [, name, host, port] = ENDPOINT.exec(text) ?? []
  if (name === undefined || host === undefined || Number(port) < 0 || Number(port) > 65535) {
    throw new Error(`Unable to parse ${text} to a broker endpoint`)
  }
  const listenerName = name.toUpperCase()
  const securityProtocol = protocols.get(listenerName)
  if (securityProtocol === undefined) {
    throw new Error(`No security protocol defined for listener ${listenerName}`)
  }
  return { listenerName, securityProtocol, host, port: Number(port) }
}

function parseEndpoints(
  texts: readonly string[],
  protocols: Map<string, SecurityProtocol>,
): Endpoint[] {
  const shown = texts.join(',')
  const endpoints = texts.map((text) => {
    try {
      return parseEndpoint(text, protocols)
    } catch (cause) {
      const { message } = cause as Error
      throw new ConfigError(`Error creating broker listeners from '${shown}': ${message}`, {
        cause,
      })
    }
  })
  if (new Set(endpoints.map((endpoint) => endpoint.listenerName)).size < endpoints.length) {
    throw new ConfigError(`Each listener must have a different name, listeners: ${shown}`)
  }
  return endpoints
}

/** Two listeners may share a port only if one is an IPv4 and the other an IPv6 address. */
function checkPorts(endpoints: readonly Endpoint[], shown: string): void {
  const byPort = Map.groupBy(endpoints, (endpoint) => endpoint.port)
  for (const [port, sharing] of byPort) {
    if (port === 0 || sharing.length === 1) continue
    const families = sharing.map(({ host }) => addressFamily(host))
    if (sharing.length === 2 && families.includes(4) && families.includes(6)) continue
    throw new ConfigError(`Each listener must have a different port, listeners: ${shown}`)
  }
}

function addressFamily(host: string): 4 | 6 | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return 4
  return host.includes(':') ? 6 : undefined
}

/** The settings that say where a broker listens, as they stand in its configuration. */
export interface ListenerSettings {
  listeners: readonly string[]
  advertisedListeners: readonly string[] | null
  securityProtocolMap: string
  interBrokerListenerName: string | null
  securityInterBrokerProtocol: string
  /** Listeners of a KRaft controller. There is no such thing here, so they are left out. */
  controllerListenerNames: readonly string[]
}

export interface BrokerEndpoints {
  readonly listeners: readonly Endpoint[]
  /** What clients are told. A host may be empty, which stands for the name of the machine. */
  readonly advertised: readonly Endpoint[]
  /** The name of the listener by which brokers talk to each other. */
  readonly interBroker: string
}

/** Reads and checks the settings together. Throws ConfigError. */
export function parseBrokerEndpoints(settings: ListenerSettings): BrokerEndpoints {
  const protocols = parseProtocolMap(settings.securityProtocolMap)
  const controllers = settings.controllerListenerNames.map((name) => name.toUpperCase())
  for (const name of controllers) if (!protocols.has(name)) protocols.set(name, 'PLAINTEXT')

  const parse = (texts: readonly string[]) =>
    parseEndpoints(texts, protocols).filter((it) => !controllers.includes(it.listenerName))
  const listeners = parse(settings.listeners)
  checkPorts(listeners, settings.listeners.join(','))
  const advertised =
    settings.advertisedListeners === null ? listeners : parse(settings.advertisedListeners)

  const names = listeners.map((endpoint) => endpoint.listenerName)
  const advertisedNames = advertised.map((endpoint) => endpoint.listenerName)
  if (!advertisedNames.every((name) => names.includes(name))) {
    throw new ConfigError(
      'advertised.listeners listener names must be equal to or a subset of the ones defined in ' +
        `listeners. Found ${advertisedNames.join(',')}. The valid options based on the current ` +
        `configuration are ${names.join(',')}`,
    )
  }
  if (advertised.some(({ host }) => host === '0.0.0.0')) {
    throw new ConfigError(
      'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. ' +
        'Use a routable IP address.',
    )
  }
  const interBroker = (
    settings.interBrokerListenerName ?? settings.securityInterBrokerProtocol
  ).toUpperCase()
  if (!advertisedNames.includes(interBroker)) {
    throw new ConfigError(
      'inter.broker.listener.name must be a listener name defined in advertised.listeners. ' +
        'The valid options based on currently configured listeners are ' +
        advertisedNames.join(','),
    )
  }
  return { listeners, advertised, interBroker }
}
