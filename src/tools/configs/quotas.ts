/** Quotas of users, clients and addresses, and passwords of users, in kafka-configs. */
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Admin } from '../../clients/admin/admin.ts'
import type { ClientQuota, QuotaEntityType, QuotaFilter } from '../../clients/admin/quotas.ts'
import type { ScramDeletion, ScramMechanism, ScramUpsertion } from '../../clients/admin/scram.ts'
import { outcomesOf } from '../support/client-settings.ts'
import { inHashOrder, stringHash } from '../support/java-hash-order.ts'
import { javaDouble } from '../support/java-numbers.ts'
import { ILLEGAL_ARGUMENT, javaText, printLine, ToolError, type ToolIo } from '../support/tool.ts'
import { type ConfigChange, invalidConfiguration } from './changes.ts'
import {
  CLIENT_QUOTAS,
  type ConfigsCommand,
  type EntityType,
  IP_QUOTAS,
  SCRAM_MECHANISMS,
} from './options.ts'

/** The types of the protocol. */
const QUOTA_TYPES: Partial<Record<EntityType, QuotaEntityType>> = {
  users: 'user',
  clients: 'client-id',
  ips: 'ip',
}

/** How they are called in the output, in its order. */
const SHOWN_AS = { user: 'user-principal', 'client-id': 'client-id', ip: 'ip' } as const

function illegal(message: string): ToolError {
  return new ToolError(message, ILLEGAL_ARGUMENT)
}

async function findQuotas(
  admin: Admin,
  { types, names }: Pick<ConfigsCommand, 'types' | 'names'>,
): Promise<ClientQuota[]> {
  if (names.length > types.length) throw illegal('More entity names specified than entity types')
  const filters = types.map((type, index): QuotaFilter => {
    const name = names[index]
    const match = name === undefined ? 'any' : name === '' ? 'default' : { name }
    return { type: QUOTA_TYPES[type]!, match }
  })
  return await admin.describeClientQuotas(filters, { strict: true, timeoutMs: 30_000 })
}

/** Shows quotas, and of users the mechanisms that they have passwords for. */
export async function describeQuotas(
  admin: Admin,
  command: ConfigsCommand,
  io: ToolIo,
): Promise<void> {
  for (const { entity, quotas } of await findQuotas(admin, command)) {
    const whom = Object.entries(SHOWN_AS).flatMap(([type, shown]) => {
      const name = entity[type as QuotaEntityType]
      if (name === undefined) return []
      return [name === null ? `the default ${shown}` : `${shown} '${name}'`]
    })
    const entries = Object.entries(quotas)
    const values = inHashOrder(entries, ([key]) => stringHash(key), entries.length).map(
      ([key, value]) => `${key}=${javaDouble(value)}`,
    )
    printLine(io.stdout, `Quota configs for ${whom.join(', ')} are ${values.join(', ')}`)
  }
  const { types, names } = command
  const isAboutUsers = types.includes('users') && !types.includes('clients')
  if (isAboutUsers && !names.includes('')) await describePasswords(admin, names, io)
}

async function describePasswords(admin: Admin, users: readonly string[], io: ToolIo) {
  const { results, failures } = await outcomesOf(
    admin.describeUserScramCredentials(users, { timeoutMs: 30_000 }),
  )
  for (const [user, credentials] of results) {
    const texts = credentials.map(({ mechanism, iterations }) => {
      return `${mechanism}=iterations=${iterations}`
    })
    const about = `SCRAM credential configs for user-principal '${user}'`
    printLine(io.stdout, `${about} are ${texts.join(', ')}`)
  }
  for (const [user, error] of failures) {
    if (error.errorName === 'RESOURCE_NOT_FOUND') continue
    const about = `SCRAM credential configs for user-principal '${user}'`
    printLine(io.stdout, `Error retrieving ${about}: ExecutionException: ${javaText(error)}`)
  }
}

/** Changes quotas, or the passwords of a user. */
export async function alterQuotas(
  admin: Admin,
  command: ConfigsCommand,
  change: ConfigChange,
): Promise<void> {
  const { types, names } = command
  if (types[0] === 'ips') {
    checkKeys(change, IP_QUOTAS, (unknown) => {
      const what = `Only connection quota configs can be added for 'ips'`
      return `${what} using --bootstrap-server. Unexpected config names: ${unknown}`
    })
    await setQuotas(admin, command, change)
    return
  }
  checkClientKeys(command, change)
  const keys = [...change.add.keys(), ...change.remove]
  if (keys.some((key) => isOneOf(CLIENT_QUOTAS, key))) await setQuotas(admin, command, change)
  else await setPasswords(admin, names[0]!, change)
}

function isOneOf(names: readonly string[], key: string): boolean {
  return names.includes(key)
}

function checkKeys(
  { add, remove }: ConfigChange,
  known: readonly string[],
  message: (unknown: readonly string[]) => string,
): void {
  const unknown = [...new Set([...add.keys(), ...remove])].filter((key) => !isOneOf(known, key))
  if (unknown.length > 0) throw illegal(message(unknown))
}

/** Users can have quotas or passwords, clients and clients of users only quotas. */
function checkClientKeys({ types, names }: ConfigsCommand, change: ConfigChange): void {
  const isUser = types.length === 1 && types[0] === 'users'
  const known = isUser ? [...CLIENT_QUOTAS, ...SCRAM_MECHANISMS] : CLIENT_QUOTAS
  const kinds = isUser ? 'quota and SCRAM credential' : 'quota'
  const whom = isUser ? 'users' : 'clients'
  const { add, remove } = change
  const fail = (verb: string, collection: string) => (unknown: readonly string[]) =>
    `Only ${kinds} configs can be ${verb} for '${whom}' using --bootstrap-server. ` +
    `Unexpected config names: ${collection}(${unknown.join(', ')})`
  checkKeys({ add, remove: [] }, known, fail('added', 'Set'))
  checkKeys({ add: new Map(), remove }, known, fail('deleted', 'ArrayBuffer'))
  const keys = [...add.keys(), ...remove]
  if (!keys.some((key) => isOneOf(SCRAM_MECHANISMS, key))) return
  if (names.includes('')) {
    throw illegal(
      'The use of --entity-default or --user-defaults is not allowed with User SCRAM ' +
        'Credentials using --bootstrap-server.',
    )
  }
  if (keys.some((key) => isOneOf(CLIENT_QUOTAS, key))) {
    throw illegal(
      "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using " +
        '--bootstrap-server.',
    )
  }
}

const JAVA_DOUBLE = /^\s*[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)\s*$/

async function setQuotas(
  admin: Admin,
  { types, names }: ConfigsCommand,
  { add, remove }: ConfigChange,
): Promise<void> {
  const [present] = await findQuotas(admin, { types, names })
  const invalid = remove.filter((key) => present?.quotas[key] === undefined)
  if (invalid.length > 0) throw invalidConfiguration(`Invalid config(s): ${invalid}`)
  const quotas: Record<string, number | null> = {}
  for (const [key, text] of add) {
    if (!JAVA_DOUBLE.test(text)) {
      throw illegal(`Cannot parse quota configuration value for ${key}: ${text}`)
    }
    quotas[key] = Number.parseFloat(text)
  }
  for (const key of remove) quotas[key] = null
  const entity = Object.fromEntries(
    types.map((type, index) => [QUOTA_TYPES[type]!, names[index] || null]),
  )
  await admin.alterClientQuotas([{ entity, quotas }])
}

const HASHES = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
const HASH_BYTES = { 'SCRAM-SHA-256': 32, 'SCRAM-SHA-512': 64 } as const
const MIN_ITERATIONS = 4096

async function setPasswords(admin: Admin, user: string, { add, remove }: ConfigChange) {
  const deletions = remove.map((mechanism): ScramDeletion => {
    return { user, mechanism: mechanism as ScramMechanism }
  })
  const upsertions = [...add].map(([mechanism, text]) => {
    return readPassword(user, mechanism as ScramMechanism, text)
  })
  await admin.alterUserScramCredentials([...deletions, ...upsertions])
}

/** Reads `[iterations=N,]password=P`. */
function readPassword(user: string, mechanism: ScramMechanism, text: string): ScramUpsertion {
  const match = /^(?:iterations=(-?[0-9]*),)?password=(.*)$/.exec(text)
  if (match === null)
    throw illegal(`Invalid credential property ${mechanism.replaceAll('-', '_')}=${text}`)
  const [, given, password = ''] = match
  const iterations = given === undefined || given === '-1' ? MIN_ITERATIONS : Number(given)
  if (iterations < MIN_ITERATIONS) {
    const least = `the minimum ${MIN_ITERATIONS} required for ${mechanism}`
    throw illegal(`Iterations ${iterations} is less than ${least}`)
  }
  const salt = randomBytes(24)
  const length = HASH_BYTES[mechanism]
  const saltedPassword = pbkdf2Sync(password, salt, iterations, length, HASHES[mechanism])
  return { user, mechanism, iterations, salt, saltedPassword }
}
