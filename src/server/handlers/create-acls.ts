/** CreateAcls (versions 1-3, KIP-140): adds access rules; there must be an authorizer. */
import { KafkaError } from '../../common/errors.ts'
import { CreateAcls } from '../../protocol/messages/create-acls.ts'
import type { RequestHandler } from '../request-handler.ts'

export function createAclsHandler(): RequestHandler<typeof CreateAcls> {
  return {
    api: CreateAcls,

    handle() {
      throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')
    },

    failure: ({ creations }, { code: errorCode, message: errorMessage }) => ({
      results: creations.map(() => ({ errorCode, errorMessage })),
    }),
  }
}
