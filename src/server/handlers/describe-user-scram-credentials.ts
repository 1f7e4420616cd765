/**
 * DescribeUserScramCredentials (version 0, KIP-554): for which mechanisms users have passwords.
 * Nobody can log in to this broker, so nobody has one; tools that describe users ask all the same.
 */
import { ErrorCode } from '../../common/errors.ts'
import {
  DescribeUserScramCredentials,
  type DescribeUserScramCredentialsRequest,
} from '../../protocol/messages/describe-user-scram-credentials.ts'
import type { RequestHandler } from '../request-handler.ts'

export function describeUserScramCredentialsHandler(): RequestHandler<
  typeof DescribeUserScramCredentials
> {
  return {
    api: DescribeUserScramCredentials,

    handle: ({ users }) => ({
      ...{ errorCode: ErrorCode.NONE, errorMessage: '' },
      results: describe(users ?? []),
    }),

    failure: (_request, { code: errorCode, message: errorMessage }) => ({
      ...{ errorCode, errorMessage, results: [] },
    }),
  }
}

function describe(users: NonNullable<DescribeUserScramCredentialsRequest['users']>) {
  const names = users.map(({ name }) => name)
  return [...new Set(names)].map((user) => ({
    user,
    ...(names.indexOf(user) === names.lastIndexOf(user) ? missing(user) : twice(user)),
    credentialInfos: [],
  }))
}

function missing(user: string) {
  const errorMessage = `Attempt to describe a user credential that does not exist: ${user}`
  return { errorCode: ErrorCode.RESOURCE_NOT_FOUND, errorMessage }
}

function twice(user: string) {
  const errorMessage =
    'Cannot describe SCRAM credentials for the same user twice in a single request: '
  return { errorCode: ErrorCode.DUPLICATE_RESOURCE, errorMessage: `${errorMessage}${user}` }
}
