/**
 * JoinGroup enters a classic group, or stays in it when it rebalances. The answer waits until all
 * members have joined; the leader's lists them, for it assigns the partitions.
 *
 * 1 adds the rebalance timeout (KIP-62). 4 asks a new member to come again with the id it is given
 * (KIP-394); 5 has static members (KIP-345); 7 names the protocol type, 8 the reason for joining
 * (KIP-800), 9 tells the leader to leave the assignment as it is (KIP-814).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, bytes, int16, int32, string } from '../schema.ts'

export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  flexible: '6+',
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    /** -1: as the session timeout. */
    rebalanceTimeoutMs: int32({ versions: '1+', default: -1, ignorable: true }),
    /** Empty for a new member. */
    memberId: string(),
    groupInstanceId: string({ versions: '5+', nullable: '5+', default: null }),
    /** "consumer" for consumers. */
    protocolType: string(),
    /** The assignors that the member knows, the best first. */
    protocols: array({ name: string(), metadata: bytes() }),
    reason: string({ versions: '8+', nullable: '8+', default: null, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ versions: '7+', nullable: '7+', default: null, ignorable: true }),
    protocolName: string({ nullable: '7+' }),
    leader: string(),
    skipAssignment: bool({ versions: '9+', default: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
      metadata: bytes(),
    }),
  },
})

export interface JoinGroupRequest extends RequestOf<typeof JoinGroup> {}
export interface JoinGroupResponse extends ResponseOf<typeof JoinGroup> {}
