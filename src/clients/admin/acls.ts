/** The admin client's calls about access rules. Without an authorizer: SECURITY_DISABLED. */
import { CreateAcls } from '../../protocol/messages/create-acls.ts'
import { DeleteAcls } from '../../protocol/messages/delete-acls.ts'
import { DescribeAcls } from '../../protocol/messages/describe-acls.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { throwIfError } from '../errors.ts'
import { call } from './admin-call.ts'

/** Names at the places of their numbers in the protocol. */
const RESOURCE_TYPES = [
  ...['unknown', 'any', 'topic', 'group', 'cluster', 'transactionalId'],
  ...['delegationToken', 'user'],
]
const PATTERN_TYPES = ['unknown', 'any', 'match', 'literal', 'prefixed']
const OPERATIONS = [
  ...['unknown', 'any', 'all', 'read', 'write', 'create', 'delete', 'alter', 'describe'],
  ...['clusterAction', 'describeConfigs', 'alterConfigs', 'idempotentWrite'],
  ...['createTokens', 'describeTokens', 'twoPhaseCommit'],
]
const PERMISSIONS = ['unknown', 'any', 'deny', 'allow']

export type AclResourceType =
  | 'topic'
  | 'group'
  | 'cluster'
  | 'transactionalId'
  | 'delegationToken'
  | 'user'
export type AclOperation =
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'clusterAction'
  | 'describeConfigs'
  | 'alterConfigs'
  | 'idempotentWrite'
  | 'createTokens'
  | 'describeTokens'
  | 'twoPhaseCommit'

/** Who may, or may not, do what. */
export interface AclRule {
  readonly resourceType: AclResourceType
  readonly resourceName: string
  /** Whether the name is meant as it is, or as the beginning of names. */
  readonly patternType: 'literal' | 'prefixed'
  /** As in `User:alice`; `User:*` is everybody. */
  readonly principal: string
  /** An address; `*` is any. */
  readonly host: string
  readonly operation: AclOperation
  readonly permission: 'allow' | 'deny'
}

/** Which rules are meant: those with all that is given. */
export interface AclFilter extends Omit<Partial<AclRule>, 'patternType'> {
  /** `match`: every rule that holds for a resource of the name. */
  readonly patternType?: 'literal' | 'prefixed' | 'match' | 'any'
}

function filterOf(filter: AclFilter) {
  const { resourceName = null, principal = null, host = null } = filter
  return {
    resourceTypeFilter: RESOURCE_TYPES.indexOf(filter.resourceType ?? 'any'),
    resourceNameFilter: resourceName,
    patternTypeFilter: PATTERN_TYPES.indexOf(filter.patternType ?? 'any'),
    principalFilter: principal,
    hostFilter: host,
    operation: OPERATIONS.indexOf(filter.operation ?? 'any'),
    permissionType: PERMISSIONS.indexOf(filter.permission ?? 'any'),
  }
}

interface WireRule {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

function ruleOf({ resourceName, principal, host, ...rule }: WireRule): AclRule {
  return {
    ...{ resourceName, principal, host },
    resourceType: RESOURCE_TYPES[rule.resourceType] as AclResourceType,
    patternType: PATTERN_TYPES[rule.patternType] as AclRule['patternType'],
    operation: OPERATIONS[rule.operation] as AclOperation,
    permission: PERMISSIONS[rule.permissionType] as AclRule['permission'],
  }
}

/** See `Admin.describeAcls`. */
export async function describeAcls(
  cluster: ClusterClient,
  filter: AclFilter,
  options: CallOptions,
): Promise<AclRule[]> {
  const limits = cluster.limits(options)
  const send = () => cluster.sendToAny(DescribeAcls, filterOf(filter), limits)
  const { resources } = await call(cluster, limits, send, ({ errorCode, errorMessage }) =>
    throwIfError(errorCode, errorMessage),
  )
  return resources.flatMap(({ acls, ...resource }) =>
    acls.map((acl) => ruleOf({ ...resource, ...acl })),
  )
}

/** See `Admin.createAcls`. */
export async function createAcls(
  cluster: ClusterClient,
  rules: Iterable<AclRule>,
  options: CallOptions,
): Promise<void> {
  const limits = cluster.limits(options)
  const creations = [...rules].map(({ resourceName, principal, host, ...rule }) => ({
    ...{ resourceName, principal, host },
    resourceType: RESOURCE_TYPES.indexOf(rule.resourceType),
    resourcePatternType: PATTERN_TYPES.indexOf(rule.patternType),
    operation: OPERATIONS.indexOf(rule.operation),
    permissionType: PERMISSIONS.indexOf(rule.permission),
  }))
  const send = () => cluster.sendToController(CreateAcls, { creations }, limits)
  await call(cluster, limits, send, ({ results }) => {
    for (const { errorCode, errorMessage } of results) throwIfError(errorCode, errorMessage)
  })
}

/** See `Admin.deleteAcls`. */
export async function deleteAcls(
  cluster: ClusterClient,
  filters: Iterable<AclFilter>,
  options: CallOptions,
): Promise<AclRule[]> {
  const limits = cluster.limits(options)
  const request = { filters: [...filters].map(filterOf) }
  const send = () => cluster.sendToController(DeleteAcls, request, limits)
  const { filterResults } = await call(cluster, limits, send, (response) => {
    for (const { errorCode, errorMessage } of response.filterResults) {
      throwIfError(errorCode, errorMessage)
    }
  })
  return filterResults.flatMap(({ matchingAcls }) =>
    matchingAcls.map((rule) => {
      throwIfError(rule.errorCode, rule.errorMessage)
      return ruleOf(rule)
    }),
  )
}
