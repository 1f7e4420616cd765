/**
 * AlterConfigs replaces the configs of topics and brokers: what is not named goes back to its
 * default. IncrementalAlterConfigs, which does not, has taken its place.
 *
 * The versions differ in encoding only.
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: '0-2',
  flexible: '2+',
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), value: string({ nullable: '0+' }) }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
})

export interface AlterConfigsRequest extends RequestOf<typeof AlterConfigs> {}
export interface AlterConfigsResponse extends ResponseOf<typeof AlterConfigs> {}
