/**
 * Heartbeat keeps a member in its classic group; REBALANCE_IN_PROGRESS tells it to join again.
 *
 * 3 adds static members (KIP-345).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, int16, int32, string } from '../schema.ts'

export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: '0-4',
  flexible: '4+',
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: '3+', default: null }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
  },
})

export interface HeartbeatRequest extends RequestOf<typeof Heartbeat> {}
export interface HeartbeatResponse extends ResponseOf<typeof Heartbeat> {}
