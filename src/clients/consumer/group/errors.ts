/** What committing offsets may throw besides what the broker says. */
import { type ErrorName, KafkaError } from '../../../common/errors.ts'

const REBALANCED =
  'Offset commit cannot be completed since the consumer is not part of an active group for auto ' +
  'partition assignment; it is likely that the consumer was kicked out of the group: the time ' +
  'between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which ' +
  'typically implies that the poll loop is spending too much time processing messages. You can ' +
  'address this either by increasing max.poll.interval.ms or by reducing the maximum size of ' +
  'batches returned in poll() with max.poll.records.'

/** The partitions may be another member's by now: work on their records is done once more. */
export class CommitFailedError extends KafkaError {
  /** Whatever the code: the same commit cannot succeed any more. */
  override readonly retriable = false

  constructor(name: ErrorName = 'UNKNOWN_MEMBER_ID', message = REBALANCED, options?: ErrorOptions) {
    super(name, message, options)
    this.name = 'CommitFailedError'
  }
}

/** A commit in one attempt failed for a passing reason, which is the `cause`. */
export class RetriableCommitFailedError extends KafkaError {
  constructor(cause: KafkaError) {
    const text =
      'Offset commit failed with a retriable exception. You should retry committing the latest ' +
      `consumed offsets: ${cause.message}`
    super(cause.errorName, text, { cause })
    this.name = 'RetriableCommitFailedError'
  }
}

/** The group rebalances, and the partitions are still the consumer's: `poll` first, then commit. */
export class RebalanceInProgressError extends KafkaError {
  constructor(why: string) {
    const advice = 'You can try completing the rebalance by calling poll() and then retry commit'
    super('REBALANCE_IN_PROGRESS', `${why} ${advice} again`)
    this.name = 'RebalanceInProgressError'
  }
}
