/**
 * AlterClientQuotas (versions 0-1, KIP-546): sets and removes quotas, entity by entity. They are in
 * force when the answer comes.
 */
import { ErrorCode, KafkaError } from '../../common/errors.ts'
import {
  AlterClientQuotas,
  type AlterClientQuotasRequest,
} from '../../protocol/messages/alter-client-quotas.ts'
import type { BrokerServices } from '../broker-services.ts'
import { describeEntity, entityPath, parseEntity } from '../quotas/quota-entity.ts'
import type { RequestHandler } from '../request-handler.ts'

type Entry = AlterClientQuotasRequest['entries'][number]
type Outcome = Entry['entity']

export function alterClientQuotasHandler({
  clientQuotas,
}: BrokerServices): RequestHandler<typeof AlterClientQuotas> {
  async function alter(
    { entity: parts, ops }: Entry,
    seen: Set<string>,
    validateOnly: boolean,
  ): Promise<Outcome> {
    const entity = parseEntity(parts)
    const path = entityPath(entity)
    if (seen.has(path)) throw invalid(`Ignoring duplicate entity ${nameOf(parts)}`)
    seen.add(path)
    const changes = new Map<string, number | null>()
    for (const { key, value, remove } of ops) {
      if (changes.has(key)) {
        const because = ` not updating quota for this entity ${nameOf(parts)}`
        throw invalid(`Duplicate quota key ${key}${because}`)
      }
      changes.set(key, remove ? null : value)
    }
    await clientQuotas.alter(entity, changes, validateOnly)
    return describeEntity(entity)
  }

  return {
    api: AlterClientQuotas,

    async handle({ entries, validateOnly }) {
      const seen = new Set<string>()
      const outcomes = []
      for (const entry of entries) {
        try {
          const entity = await alter(entry, seen, validateOnly)
          outcomes.push({ errorCode: ErrorCode.NONE, errorMessage: null, entity })
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error
          outcomes.push(failed(entry, error))
        }
      }
      return { entries: outcomes }
    },

    failure: ({ entries }, error) => ({ entries: entries.map((entry) => failed(entry, error)) }),
  }
}

function failed({ entity }: Entry, { code: errorCode, message: errorMessage }: KafkaError) {
  return { errorCode, errorMessage, entity }
}

/** An entity as Kafka writes it in its texts. */
function nameOf(parts: Outcome): string {
  const named = parts.map(({ entityType, entityName }) => `${entityType}=${entityName}`)
  return `ClientQuotaEntity(entries={${named.join(', ')}})`
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
