/** The admin client's calls about client quotas (KIP-546). */
import { AlterClientQuotas } from '../../protocol/messages/alter-client-quotas.ts'
import { DescribeClientQuotas } from '../../protocol/messages/describe-client-quotas.ts'
import type { CallOptions } from '../cluster/call-limits.ts'
import type { ClusterClient } from '../cluster/cluster-client.ts'
import { throwIfError } from '../errors.ts'
import { call, callForItems, outcome } from './admin-call.ts'
import type { ValidateOption } from './topics.ts'

export type QuotaEntityType = 'user' | 'client-id' | 'ip'

/** Whom a quota is for; null stands for the default of everybody without one of their own. */
export type QuotaEntity = Readonly<Partial<Record<QuotaEntityType, string | null>>>

export interface QuotaFilter {
  readonly type: QuotaEntityType
  /** A name, the default, or any of the type that has a quota. */
  readonly match: { readonly name: string } | 'default' | 'any'
}

export interface ClientQuota {
  readonly entity: QuotaEntity
  /** By key: `producer_byte_rate` (bytes a second), `request_percentage` and so on. */
  readonly quotas: Readonly<Record<string, number>>
}

const EXACT = 0
const DEFAULT = 1
const ANY = 2

/** See `Admin.describeClientQuotas`. */
export async function describeClientQuotas(
  cluster: ClusterClient,
  filters: readonly QuotaFilter[],
  options: CallOptions & { readonly strict?: boolean },
): Promise<ClientQuota[]> {
  const limits = cluster.limits(options)
  const components = filters.map(({ type, match }) => {
    if (match === 'default') return { entityType: type, matchType: DEFAULT, match: null }
    if (match === 'any') return { entityType: type, matchType: ANY, match: null }
    return { entityType: type, matchType: EXACT, match: match.name }
  })
  const request = { components, strict: options.strict ?? false }
  const send = () => cluster.sendToAny(DescribeClientQuotas, request, limits)
  const { entries } = await call(cluster, limits, send, ({ errorCode, errorMessage }) =>
    throwIfError(errorCode, errorMessage),
  )
  return (entries ?? []).map(({ entity, values }) => ({
    entity: entityOf(entity),
    quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
  }))
}

export interface QuotaChange {
  readonly entity: QuotaEntity
  /** The new value by key; null removes a quota. */
  readonly quotas: Readonly<Record<string, number | null>>
}

/** See `Admin.alterClientQuotas`. */
export async function alterClientQuotas(
  cluster: ClusterClient,
  changes: Iterable<QuotaChange>,
  options: CallOptions & ValidateOption,
): Promise<void> {
  const limits = cluster.limits(options)
  const items = [...changes].map((change) => [entityName(change.entity), change] as const)
  await callForItems(cluster, limits, items, async (pending) => {
    const entries = pending.map(({ entity, quotas }) => ({
      entity: Object.entries(entity).map(([entityType, name]) => {
        return { entityType, entityName: name ?? null }
      }),
      ops: Object.entries(quotas).map(([key, value]) => {
        return { key, value: value ?? 0, remove: value === null }
      }),
    }))
    const request = { entries, validateOnly: options.validateOnly ?? false }
    const response = await cluster.sendToController(AlterClientQuotas, request, limits)
    return new Map(
      response.entries.map(({ entity, errorCode, errorMessage }) => {
        return [entityName(entityOf(entity)), outcome(errorCode, errorMessage, () => true)]
      }),
    )
  })
}

type EntityParts = readonly { readonly entityType: string; readonly entityName: string | null }[]

function entityOf(parts: EntityParts): QuotaEntity {
  return Object.fromEntries(parts.map(({ entityType, entityName: name }) => [entityType, name]))
}

/** `user alice, client-id <default>`: the same for the same entity in any order. */
function entityName(entity: QuotaEntity): string {
  const parts = Object.entries(entity).map(([type, name]) => `${type} ${name ?? '<default>'}`)
  return parts.sort().join(', ')
}
