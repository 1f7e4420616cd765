/**
 * DescribeAcls lists the access rules that match a filter (KIP-140).
 *
 * Null in a filter matches any. 1 adds the kind of pattern that a resource's name is (KIP-290), 3
 * users as resources (KIP-373).
 *
 * What the numbers say, here and in CreateAcls and DeleteAcls:
 * ```
 * resource type    1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token,
 *                  7 user
 * pattern type     1 any, 2 match, 3 literal, 4 prefixed
 * operation        1 any, 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe,
 *                  9 cluster action, 10 describe configs, 11 alter configs, 12 idempotent write,
 *                  13 create tokens, 14 describe tokens, 15 two-phase commit
 * permission type  1 any, 2 deny, 3 allow
 * ```
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, string } from '../schema.ts'

export const DescribeAcls = api({
  key: 29,
  name: 'DescribeAcls',
  versions: '1-3',
  flexible: '2+',
  request: {
    resourceTypeFilter: int8(),
    resourceNameFilter: string({ nullable: '0+' }),
    /** Match (2): every rule that holds for a resource of this name. */
    patternTypeFilter: int8({ default: 3 }),
    principalFilter: string({ nullable: '0+' }),
    hostFilter: string({ nullable: '0+' }),
    operation: int8(),
    permissionType: int8(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8({ default: 3 }),
      acls: array({
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
})

export interface DescribeAclsRequest extends RequestOf<typeof DescribeAcls> {}
export interface DescribeAclsResponse extends ResponseOf<typeof DescribeAcls> {}
