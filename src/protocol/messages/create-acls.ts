/**
 * CreateAcls adds access rules (KIP-140). DescribeAcls has what the numbers say.
 *
 * 1 adds the kind of pattern that a resource's name is (KIP-290), 3 users as resources (KIP-373).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, string } from '../schema.ts'

export const CreateAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: '1-3',
  flexible: '2+',
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      /** As in `User:alice`; `User:*` is everybody. */
      principal: string(),
      /** An address; `*` is any. */
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ errorCode: int16(), errorMessage: string({ nullable: '0+' }) }),
  },
})

export interface CreateAclsRequest extends RequestOf<typeof CreateAcls> {}
export interface CreateAclsResponse extends ResponseOf<typeof CreateAcls> {}
