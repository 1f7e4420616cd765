/**
 * AlterClientQuotas sets and removes quotas of users, client ids and addresses (KIP-546).
 *
 * A name that is null stands for the default of its type.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, float64, int16, int32, string } from '../schema.ts'

export const AlterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request: {
    entries: array({
      entity: array({ entityType: string(), entityName: string({ nullable: '0+' }) }),
      ops: array({ key: string(), value: float64(), remove: bool() }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    entries: array({
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
      entity: array({ entityType: string(), entityName: string({ nullable: '0+' }) }),
    }),
  },
})

export interface AlterClientQuotasRequest extends RequestOf<typeof AlterClientQuotas> {}
export interface AlterClientQuotasResponse extends ResponseOf<typeof AlterClientQuotas> {}
