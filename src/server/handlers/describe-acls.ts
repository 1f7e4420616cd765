/**
 * DescribeAcls (versions 1-3, KIP-140): the access rules that match a filter. Without an authorizer
 * there are none, and Kafka says so rather than answer with an empty list.
 */
import { KafkaError } from '../../common/errors.ts'
import { DescribeAcls } from '../../protocol/messages/describe-acls.ts'
import type { RequestHandler } from '../request-handler.ts'

export function describeAclsHandler(): RequestHandler<typeof DescribeAcls> {
  return {
    api: DescribeAcls,

    handle() {
      throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured on the broker')
    },

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage, resources: [] },
    }),
  }
}
