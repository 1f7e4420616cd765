/** What can be limited, for whom, and which values are allowed, in Kafka's words. */
import { type ConfigType, formatConfigValue } from '../../common/config/config-value.ts'
import { KafkaError } from '../../common/errors.ts'
import type { QuotaEntity } from './quota-entity.ts'

export type QuotaKey =
  | 'producer_byte_rate'
  | 'consumer_byte_rate'
  | 'request_percentage'
  | 'controller_mutation_rate'
  | 'connection_creation_rate'

const CLIENT_QUOTAS: Readonly<Record<string, ConfigType>> = {
  producer_byte_rate: 'LONG',
  consumer_byte_rate: 'LONG',
  request_percentage: 'DOUBLE',
  controller_mutation_rate: 'DOUBLE',
}
const ADDRESS_QUOTAS: Readonly<Record<string, ConfigType>> = { connection_creation_rate: 'INT' }

const LARGEST: Readonly<Partial<Record<ConfigType, number>>> = {
  INT: 2 ** 31 - 1,
  LONG: 2 ** 63,
}

/** Throws INVALID_REQUEST unless `key` may be `value` for such an entity. */
export function checkQuota(entity: QuotaEntity, key: string, value: number): void {
  const type = quotasOf(entity)[key]
  if (type === undefined) throw invalid(`Invalid configuration key ${key}`)
  if (!(value > 0)) throw invalid(`Quota ${key} must be greater than 0`)
  if (type === 'DOUBLE') return
  if (value > (LARGEST[type] ?? 0)) {
    throw invalid(
      `Proposed value for ${key} is too large for ${type === 'INT' ? 'an' : 'a'} ${type}.`,
    )
  }
  if (value % 1 > 1e-6) throw invalid(`${key} cannot be a fractional value.`)
}

/** The quotas among the settings of a node, which may have others (a user's credentials). */
export function readQuotas(
  entity: QuotaEntity,
  settings: Readonly<Record<string, string>>,
): Map<QuotaKey, number> {
  const quotas = new Map<QuotaKey, number>()
  for (const key of Object.keys(quotasOf(entity)) as QuotaKey[]) {
    const value = Number(settings[key] ?? Number.NaN)
    if (value > 0) quotas.set(key, value)
  }
  return quotas
}

/** How the value of a quota is written in the metadata. */
export function formatQuota(key: QuotaKey, value: number): string {
  const type = CLIENT_QUOTAS[key] ?? ADDRESS_QUOTAS[key]!
  return formatConfigValue(type, type === 'DOUBLE' ? value : Math.round(value))
}

function quotasOf(entity: QuotaEntity): Readonly<Record<string, ConfigType>> {
  return entity.ip === undefined ? CLIENT_QUOTAS : ADDRESS_QUOTAS
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
