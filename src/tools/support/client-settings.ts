/**
 * The configuration of a tool's client: what the command line says, over a file that it names.
 *
 * Such files were written for Java clients. Keys that these clients do not have (class names,
 * tuning of what works differently here) are passed over, as Kafka passes over what it does not
 * know. Security is the exception: to connect without what was asked for would be no favour.
 */
import { readFileSync } from 'node:fs'
import { Admin } from '../../clients/admin/admin.ts'
import { ADMIN_CONFIG } from '../../clients/config/admin-config.ts'
import { type ClientEnvironment, systemEnvironment } from '../../clients/environment.ts'
import { type KafkaError, PartialFailureError } from '../../clients/errors.ts'
import type { ConfigDefinition, ConfigKeys } from '../../common/config/config-definition.ts'
import { ConfigError } from '../../common/config/config-value.ts'
import { parseProperties } from '../../common/config/properties.ts'
import { type ClientKind, checkServers, inKafkasWords, resolveServers } from './kafkas-words.ts'
import { ToolError, type ToolIo } from './tool.ts'
import { toolEnvironment } from './tool-log.ts'

/** Kafka's names of settings, with their values as text. */
export type Settings = ReadonlyMap<string, string>

/** Reads a file that a tool works with. Throws ToolError if it cannot be read. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ToolError(`Unable to read file ${path}`, { className: 'java.io.IOException' })
  }
}

/** Reads a .properties file. Throws ToolError if it cannot be read. */
export function readSettings(path: string): Map<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isAbsent = code === 'ENOENT'
    const className = `java.nio.file.${isAbsent ? 'NoSuchFileException' : 'FileSystemException'}`
    throw new ToolError(isAbsent ? path : `${path}: ${message}`, { className })
  }
  return parseProperties(text)
}

/** Settings that a file gives, if there is one, and others on top of them. */
export function mergeSettings(
  path: string | undefined,
  ...others: readonly Settings[]
): Map<string, string> {
  const file = path === undefined ? new Map<string, string>() : readSettings(path)
  return new Map([file, ...others].flatMap((settings) => [...settings]))
}

/**
 * The settings that a client of this definition has, as its constructor takes them. Throws
 * ToolError for security that clients do not speak yet.
 */
export function knownSettings<Keys extends ConfigKeys>(
  definition: ConfigDefinition<Keys>,
  settings: Settings,
): Record<string, string> {
  const protocol = settings.get('security.protocol')
  const isKnown = (key: string) => definition.keys[key] !== undefined
  if (protocol !== undefined && protocol !== 'PLAINTEXT' && !isKnown('security.protocol')) {
    const message = `security.protocol=${protocol} is not supported yet: only PLAINTEXT is.`
    throw new ToolError(message, { className: 'org.apache.kafka.common.config.ConfigException' })
  }
  return Object.fromEntries([...settings].filter(([key]) => isKnown(key)))
}

export interface AdminSettings {
  /** `host:port,…` */
  readonly bootstrapServer: string | undefined
  /** The file of `--command-config`. */
  readonly commandConfig?: string | undefined
  /** From the command line, above the file. */
  readonly properties?: Settings
  /** Below the file. */
  readonly defaults?: Settings
  /** Where its warnings go. */
  readonly io?: ToolIo
}

/** An admin client, to be closed by the caller. Throws ToolError for settings that are wrong. */
export function openAdmin(options: AdminSettings): Admin {
  const { bootstrapServer, commandConfig, properties, defaults } = options
  const file = mergeSettings(commandConfig, properties ?? new Map())
  const settings = new Map([...(defaults ?? []), ...file])
  if (bootstrapServer !== undefined) settings.set('bootstrap.servers', bootstrapServer)
  const known = knownSettings(ADMIN_CONFIG, settings)
  const servers = (settings.get('bootstrap.servers') ?? '').split(',').map((text) => text.trim())
  checkServers(servers, 'admin')
  const environment = options.io === undefined ? systemEnvironment() : toolEnvironment(options.io)
  const admin = orToolError(() => new Admin(known, environment))
  const resolved = resolveServers(servers, environment.log, 'admin')
  // Whoever calls first hears of it.
  resolved.catch(() => {})
  return inKafkasWords(admin, resolved)
}

/** What became of the things that one call of a client was about, by their names. */
export interface Outcomes<Result> {
  readonly results: ReadonlyMap<string, Result>
  readonly failures: ReadonlyMap<string, KafkaError>
}

/** Waits for such a call. Throws what is the matter with the call as a whole. */
export async function outcomesOf<Result>(
  call: Promise<ReadonlyMap<string, Result>>,
): Promise<Outcomes<Result>> {
  try {
    return { results: await call, failures: new Map() }
  } catch (error) {
    if (error instanceof PartialFailureError) return error as PartialFailureError<Result>
    throw error
  }
}

/**
 * Makes a client of another kind, to be closed by the caller. Throws ToolError for settings that
 * are wrong, servers that have no address included.
 */
export async function openClient<Client extends { close(): Promise<void> }>(
  kind: Exclude<ClientKind, 'admin'>,
  io: ToolIo,
  settings: Settings,
  create: (environment: ClientEnvironment) => Client,
): Promise<Client> {
  const servers = (settings.get('bootstrap.servers') ?? '').split(',').map((text) => text.trim())
  checkServers(servers, kind)
  const environment = toolEnvironment(io)
  const client = orToolError(() => create(environment))
  try {
    await resolveServers(servers, environment.log, kind)
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

/** Makes a client; what is wrong with its settings becomes a ToolError. */
export function orToolError<Client>(create: () => Client): Client {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ToolError(error.message, {
      className: 'org.apache.kafka.common.config.ConfigException',
    })
  }
}
