/**
 * Whom a quota is for: a user, a client id, both, or an address. Each part is a name or the
 * default, which stands for every name that has no quota of its own.
 *
 * An entity has one node in the metadata store, at Kafka's place:
 *
 * ```
 * user alice                      /config/users/alice
 * user alice, client id etl       /config/users/alice/clients/etl
 * the default user, any client    /config/users/<default>/clients/<default>
 * client id etl                   /config/clients/etl
 * address 10.0.0.1                /config/ips/10.0.0.1
 * ```
 */
import { KafkaError } from '../../common/errors.ts'
import { DEFAULT_ENTITY, decodeNodeName, encodeNodeName, paths } from '../../metadata/znodes.ts'

/** Undefined: not a part of the entity. Null: the default. */
export type EntityName = string | null | undefined

export interface QuotaEntity {
  readonly user: EntityName
  readonly clientId: EntityName
  readonly ip: EntityName
}

/** The parts, as the protocol names them, in the order in which Kafka tells them. */
export const ENTITY_PARTS = [
  ['client-id', 'clientId'],
  ['user', 'user'],
  ['ip', 'ip'],
] as const

const NO_ENTITY: QuotaEntity = { user: undefined, clientId: undefined, ip: undefined }

/** The entity that a request means. Throws INVALID_REQUEST, in Kafka's words. */
export function parseEntity(
  parts: readonly { entityType: string; entityName: string | null }[],
): QuotaEntity {
  const entity: { -readonly [K in keyof QuotaEntity]: EntityName } = { ...NO_ENTITY }
  if (parts.length === 0) throw invalid('Invalid empty client quota entity')
  for (const { entityType, entityName } of parts) {
    const part = ENTITY_PARTS.find(([type]) => type === entityType)
    if (part === undefined) throw invalid(`Unhandled client quota entity type: ${entityType}`)
    if (entityName === '') throw invalid(`Empty ${entityType} not supported`)
    entity[part[1]] = entityName
  }
  if (entity.ip === undefined) return entity
  if (entity.user !== undefined || entity.clientId !== undefined) {
    // The missing space is Kafka's, and tools compare texts.
    throw invalid(
      'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId',
    )
  }
  if (entity.ip !== null && !HOST.test(entity.ip)) {
    throw invalid(`${entity.ip} is not a valid IP or resolvable host.`)
  }
  return entity
}

/** What could be an address or the name of a host; whether it resolves is not asked. */
const HOST = /^([\w-]+(\.[\w-]+)*\.?|[\da-fA-F:.]+(%\w+)?)$/

/** The parts that an entity has, as a response names them. */
export function describeEntity(
  entity: QuotaEntity,
): { entityType: string; entityName: string | null }[] {
  return ENTITY_PARTS.flatMap(([entityType, part]) => {
    const entityName = entity[part]
    return entityName === undefined ? [] : [{ entityType, entityName }]
  })
}

/** Where an entity's quotas are kept. Different entities have different paths. */
export function entityPath({ user, clientId, ip }: QuotaEntity): string {
  if (ip !== undefined) return paths.config('ips', nodeName(ip))
  if (user === undefined) return paths.config('clients', nodeName(clientId ?? null))
  const ofUser = paths.config('users', nodeName(user))
  return clientId === undefined ? ofUser : `${ofUser}/clients/${nodeName(clientId)}`
}

/** The nodes that must exist before the entity's own can. */
export function parentPaths({ user, clientId }: QuotaEntity): string[] {
  if (user === undefined || clientId === undefined) return []
  const ofUser = paths.config('users', nodeName(user))
  return [ofUser, `${ofUser}/clients`]
}

/** The entity whose node has these names, of those that are given. */
export function entityOfNodes(nodes: {
  user?: string
  clientId?: string
  ip?: string
}): QuotaEntity {
  return {
    user: nameOf(nodes.user),
    clientId: nameOf(nodes.clientId),
    ip: nameOf(nodes.ip),
  }
}

function nodeName(name: string | null): string {
  return name === null ? DEFAULT_ENTITY : encodeNodeName(name)
}

function nameOf(node: string | undefined): EntityName {
  if (node === undefined) return undefined
  return node === DEFAULT_ENTITY ? null : decodeNodeName(node)
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
