/**
 * FindCoordinator (versions 0-6): which broker looks after a consumer group (key type 0), a
 * transactional id (1) or a share partition (2). There are no coordinators yet, and clients are
 * told that none is available; the API is served because many look for it before they use anything
 * else.
 *
 * Version 4 asks for several keys at once, each answered by itself (KIP-699).
 */
import { ErrorCode, errorInfo } from '../../common/errors.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import type { RequestHandler } from '../request-handler.ts'

const LAST_KEY_TYPE = 2
const NOBODY = { nodeId: -1, host: '', port: -1 }

export function findCoordinatorHandler(): RequestHandler<typeof FindCoordinator> {
  const answer = (errorCode: number, keys: readonly string[], version: number) => {
    const errorMessage = errorInfo(errorCode).message
    if (version < 4) return { ...NOBODY, errorCode, errorMessage }
    return { coordinators: keys.map((key) => ({ key, ...NOBODY, errorCode, errorMessage })) }
  }
  return {
    api: FindCoordinator,

    handle({ keyType, coordinatorKeys }, { apiVersion }) {
      const isKnownType = keyType >= 0 && keyType <= LAST_KEY_TYPE
      const errorCode = isKnownType
        ? ErrorCode.COORDINATOR_NOT_AVAILABLE
        : ErrorCode.INVALID_REQUEST
      return answer(errorCode, coordinatorKeys, apiVersion)
    },

    failure(request, error) {
      const batched = request.coordinatorKeys.length > 0
      return answer(error.code, request.coordinatorKeys, batched ? 4 : 0)
    },
  }
}
