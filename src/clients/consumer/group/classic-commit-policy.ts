/** Who commits for a classic group, and what it means when the coordinator refuses. */
import { ErrorCode, type KafkaError } from '../../../common/errors.ts'
import type { ClassicMember } from './classic-member.ts'
import type { CommitPolicy } from './commits.ts'
import { CommitFailedError, RebalanceInProgressError } from './errors.ts'
import { NO_MEMBER } from './group-offsets.ts'

/** A consumer that picks its partitions itself (`isGroupManaged` is false) commits from outside. */
export function classicCommitPolicy(
  member: ClassicMember,
  isGroupManaged: () => boolean,
): CommitPolicy {
  return {
    committer() {
      if (!isGroupManaged()) return NO_MEMBER
      if (member.state === 'stable') return member.committer
      if (!member.isRebalancing) throw new CommitFailedError()
      throw new RebalanceInProgressError(
        'Offset commit cannot be completed since the consumer is undergoing a rebalance for auto ' +
          'partition assignment.',
      )
    },

    reader: () => NO_MEMBER,

    refused(error, sent) {
      if (!isGroupManaged()) return error
      const isOld = !member.isStill(sent)
      switch (error.code) {
        case ErrorCode.REBALANCE_IN_PROGRESS:
          member.requestRejoin('offset commit failed since group is already rebalancing')
          return new RebalanceInProgressError(
            'Offset commit cannot be completed since the consumer group is executing a rebalance ' +
              'at the moment.',
          )
        case ErrorCode.UNKNOWN_MEMBER_ID:
        case ErrorCode.ILLEGAL_GENERATION:
          if (isOld && member.isRebalancing) return staleGeneration()
          if (!isOld) {
            const reason = `encountered ${error.errorName} from OFFSET_COMMIT response`
            member.reset(reason, error.code === ErrorCode.ILLEGAL_GENERATION)
          }
          return failed(error)
        case ErrorCode.FENCED_INSTANCE_ID:
          if (!isOld) return error
          return member.isRebalancing ? staleGeneration() : failed(error)
        default:
          return error
      }
    },
  }
}

function failed(cause: KafkaError): CommitFailedError {
  return new CommitFailedError(cause.errorName, undefined, { cause })
}

function staleGeneration(): RebalanceInProgressError {
  return new RebalanceInProgressError(
    "Offset commit cannot be completed since the consumer member's generation is already stale, " +
      'meaning it has already participated another rebalance and got a new generation.',
  )
}
