/**
 * LeaveGroup takes a member out of its classic group at once, without waiting for its session to
 * end.
 *
 * From 3 on it takes out several, which may be named by their instance id (KIP-345); 5 adds the
 * reason (KIP-800).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int16, int32, string } from '../schema.ts'

export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string(),
    memberId: string({ versions: '0-2' }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: '3+', default: null }),
        reason: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
      },
      { versions: '3+' },
    ),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    members: array(
      { memberId: string(), groupInstanceId: string({ nullable: '3+' }), errorCode: int16() },
      { versions: '3+' },
    ),
  },
})

export interface LeaveGroupRequest extends RequestOf<typeof LeaveGroup> {}
export interface LeaveGroupResponse extends ResponseOf<typeof LeaveGroup> {}
