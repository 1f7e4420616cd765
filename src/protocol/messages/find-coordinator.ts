/**
 * FindCoordinator names the broker that coordinates a group (keyType 0), a transactional id (1,
 * since 1) or a share partition (2, since 6, KIP-932).
 *
 * To 3 it asks for one key and the answer is in the response itself; from 4 on it asks for several
 * and each has its own answer (KIP-699). 5 brings TRANSACTION_ABORTABLE (KIP-890).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, int8, int16, int32, string } from '../schema.ts'

export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexible: '3+',
  request: {
    key: string({ versions: '0-3' }),
    keyType: int8({ versions: '1+', default: 0 }),
    coordinatorKeys: array(string(), { versions: '4+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16({ versions: '0-3' }),
    errorMessage: string({ versions: '1-3', nullable: '1-3', ignorable: true }),
    nodeId: int32({ versions: '0-3' }),
    host: string({ versions: '0-3' }),
    port: int32({ versions: '0-3' }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: '4+' }),
      },
      { versions: '4+' },
    ),
  },
})

export interface FindCoordinatorRequest extends RequestOf<typeof FindCoordinator> {}
export interface FindCoordinatorResponse extends ResponseOf<typeof FindCoordinator> {}
