/** Who commits for a group of the new protocol, and what it means when the coordinator refuses. */
import { ErrorCode } from '../../../common/errors.ts'
import type { CommitPolicy } from './commits.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { CommitFailedError } from './errors.ts'
import { NO_MEMBER } from './group-offsets.ts'

/** A consumer that picks its partitions itself (`isGroupManaged` is false) commits from outside. */
export function consumerCommitPolicy(
  member: ConsumerMember,
  isGroupManaged: () => boolean,
): CommitPolicy {
  return {
    committer() {
      if (!isGroupManaged()) return NO_MEMBER
      if (member.state === 'joined') return member.committer
      throw new CommitFailedError()
    },

    reader: () => (isGroupManaged() && member.state === 'joined' ? member.committer : NO_MEMBER),

    refused(error) {
      // An epoch that is too old is no refusal yet: the next heartbeat brings the newer one.
      const isOut =
        error.code === ErrorCode.UNKNOWN_MEMBER_ID || error.code === ErrorCode.FENCED_MEMBER_EPOCH
      if (!isOut || !isGroupManaged()) return error
      return new CommitFailedError(error.errorName, undefined, { cause: error })
    },
  }
}
