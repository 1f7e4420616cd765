/**
 * DescribeClientQuotas (versions 0-1, KIP-546): the quotas whose entities match a filter, as set;
 * what a client falls under in the end is another question.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import {
  DescribeClientQuotas,
  type DescribeClientQuotasRequest,
} from '../../protocol/messages/describe-client-quotas.ts'
import type { BrokerServices } from '../broker-services.ts'
import {
  describeEntity,
  ENTITY_PARTS,
  type EntityName,
  type QuotaEntity,
} from '../quotas/quota-entity.ts'
import type { RequestHandler } from '../request-handler.ts'

const EXACT = 0
const DEFAULT = 1
const SPECIFIED = 2

/** What must hold for one part of an entity. */
type PartFilter = (name: EntityName) => boolean
type Filter = Map<keyof QuotaEntity, PartFilter>

export function describeClientQuotasHandler({
  clientQuotas,
}: BrokerServices): RequestHandler<typeof DescribeClientQuotas> {
  return {
    api: DescribeClientQuotas,

    handle({ components, strict }) {
      const filter = parseFilter(components)
      const matches = [...clientQuotas.all()].filter(({ entity }) =>
        ENTITY_PARTS.every(([, part]) => {
          const partFilter = filter.get(part)
          return partFilter?.(entity[part]) ?? (!strict || entity[part] === undefined)
        }),
      )
      return {
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        entries: matches.map(({ entity, quotas }) => ({
          entity: describeEntity(entity),
          values: [...quotas].map(([key, value]) => ({ key, value })),
        })),
      }
    },

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage, entries: null },
    }),
  }
}

function parseFilter(components: DescribeClientQuotasRequest['components']): Filter {
  const filter: Filter = new Map()
  for (const { entityType, matchType, match } of components) {
    if (entityType === '') throw invalid('Invalid empty entity type.')
    const part = ENTITY_PARTS.find(([type]) => type === entityType)?.[1]
    if (part === undefined) {
      throw new KafkaError('UNSUPPORTED_VERSION', `Unsupported entity type ${entityType}`)
    }
    if (filter.has(part)) {
      throw invalid(`Entity type ${entityType} cannot appear more than once in the filter.`)
    }
    filter.set(part, partFilter(matchType, match))
  }
  if (filter.has('ip') && filter.size > 1) {
    throw invalid(
      'Invalid entity filter component combination. ' +
        'IP filter component should not be used with user or clientId filter component.',
    )
  }
  return filter
}

function partFilter(matchType: number, match: string | null): PartFilter {
  if (matchType === EXACT) {
    if (match === null) {
      throw invalid('Request specified MATCH_TYPE_EXACT, but set match string to null.')
    }
    return (name) => name === match
  }
  if (matchType !== DEFAULT && matchType !== SPECIFIED) {
    throw invalid(`Unknown match type ${matchType}`)
  }
  if (match !== null) {
    const type = matchType === DEFAULT ? 'DEFAULT' : 'SPECIFIED'
    throw invalid(`Request specified MATCH_TYPE_${type}, but also specified a match string.`)
  }
  return matchType === DEFAULT ? (name) => name === null : (name) => name !== undefined
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
