/**
 * DescribeClientQuotas lists the quotas of users, client ids and addresses that match a filter
 * (KIP-546).
 *
 * A component matches an entity's part by name (0), the default (1) or any name (2); `strict`
 * leaves out entities that have parts which are not asked for.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, float64, int8, int16, int32, string } from '../schema.ts'

export const DescribeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request: {
    components: array({
      entityType: string(),
      matchType: int8(),
      match: string({ nullable: '0+' }),
    }),
    strict: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    entries: array(
      {
        entity: array({ entityType: string(), entityName: string({ nullable: '0+' }) }),
        values: array({ key: string(), value: float64() }),
      },
      { nullable: '0+' },
    ),
  },
})

export interface DescribeClientQuotasRequest extends RequestOf<typeof DescribeClientQuotas> {}
export interface DescribeClientQuotasResponse extends ResponseOf<typeof DescribeClientQuotas> {}
