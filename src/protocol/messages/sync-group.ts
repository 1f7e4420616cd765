/**
 * SyncGroup follows JoinGroup: the leader hands in everybody's assignment, the others nothing, and
 * each is answered with its own.
 *
 * 3 adds static members (KIP-345), 5 the protocol's type and name (KIP-559).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bytes, int16, int32, string } from '../schema.ts'

export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: '3+', default: null }),
    protocolType: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
    protocolName: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
    assignments: array({ memberId: string(), assignment: bytes() }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    protocolType: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
    protocolName: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
    assignment: bytes(),
  },
})

export interface SyncGroupRequest extends RequestOf<typeof SyncGroup> {}
export interface SyncGroupResponse extends ResponseOf<typeof SyncGroup> {}
