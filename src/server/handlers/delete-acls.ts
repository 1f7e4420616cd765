/** DeleteAcls (versions 1-3, KIP-140): removes access rules; there must be an authorizer. */
import { KafkaError } from '../../common/errors.ts'
import { DeleteAcls } from '../../protocol/messages/delete-acls.ts'
import type { RequestHandler } from '../request-handler.ts'

export function deleteAclsHandler(): RequestHandler<typeof DeleteAcls> {
  return {
    api: DeleteAcls,

    handle() {
      throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')
    },

    failure: ({ filters }, { code: errorCode, message: errorMessage }) => ({
      filterResults: filters.map(() => ({ errorCode, errorMessage, matchingAcls: [] })),
    }),
  }
}
