/**
 * A consumer's place in a group: what the consumer asks of it, and what it asks of the consumer.
 *
 * Requests and heartbeats go out in the background, on timers. What the application can see happen,
 * calls of its listener and changes of its assignment, happens within `poll` only. There is no
 * second thread: a program that holds up the event loop for longer than the session timeout is dead
 * in the eyes of its group.
 */
import type { Config } from '../../../common/config/config.ts'
import { KafkaError } from '../../../common/errors.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import type { ClusterClient } from '../../cluster/cluster-client.ts'
import { type ConsumerKeys, isClassicProtocol } from '../../config/consumer-config.ts'
import type { ClientEnvironment } from '../../environment.ts'
import type { ConsumerObserver } from '../../observability/consumer-observer.ts'
import type { ConsumerGroup } from '../../producer/transactions.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { OffsetToCommit } from '../partition-state.ts'
import type { SubscriptionState } from '../subscription-state.ts'
import type { Assignor } from './assignor.ts'
import { createAssignors } from './assignors.ts'
import { ClassicMembership } from './classic-membership.ts'
import { ConsumerMembership } from './consumer-membership.ts'

/** What is committed, by `partitionName`; undefined for a partition without a committed offset. */
export type CommittedOffsets = ReadonlyMap<string, OffsetToCommit | undefined>

export interface GroupMembership {
  /** The consumer's place, as it goes into a transaction. */
  readonly groupMetadata: ConsumerGroup

  /**
   * The application's turn: joins, calls the listener, applies an assignment, commits on interval.
   * Never waits for a rebalance: `wake` is called when there is more to do. `limits` are those of
   * the application's poll, and may be 0; what takes longer goes on in the background. Rejects
   * with what a listener throws, and with errors that no retry helps (FENCED_INSTANCE_ID …).
   */
  poll(limits: CallLimits): Promise<void>

  /** Milliseconds until it wants `poll` to be called again; 0 if there was news since the last. */
  nextPollInMs(): number

  /** The application has subscribed to something else. */
  subscriptionChanged(): void

  /** Commits, trying again what failed for a passing reason. */
  commit(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void>

  /** Commits in one attempt. Rejects with RetriableCommitFailedError where another may succeed. */
  commitOnce(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void>

  committed(partitions: readonly TopicPartition[], limits: CallLimits): Promise<CommittedOffsets>

  /** Has the group rebalance, at the next `poll`. */
  enforceRebalance(reason: string): void

  /**
   * Commits if that goes by itself, tells the listener, gives everything back and leaves the group.
   * May join again later. Rejects with what the listener throws, after having left.
   */
  leave(limits: CallLimits): Promise<void>
}

/** The consumer, as its membership sees it. */
export interface MembershipHost {
  readonly cluster: ClusterClient
  readonly config: Config<ConsumerKeys>
  readonly environment: ClientEnvironment
  /** Told of heartbeats, commits and changes of the assignment. */
  readonly observer: ConsumerObserver
  readonly subscription: SubscriptionState
  /** The application's own, which `partition.assignment.strategy` may name. */
  readonly assignors: readonly Assignor[]

  /** Lets callbacks that run on partitions end before these are given away. */
  beforeRevoke(partitions: readonly TopicPartition[]): Promise<void>

  /** Something happened for which a waiting `poll` should look. */
  wake(): void

  /** Offsets were committed. */
  onCommit(offsets: readonly OffsetToCommit[]): void
}

/**
 * The membership in the group `group.id`, by the protocol that `group.protocol` names. Throws
 * ConfigError for assignors that there are not, INVALID_GROUP_ID without a group.
 */
export function createGroupMembership(host: MembershipHost): GroupMembership {
  const groupId = host.config.get('group.id')
  if (groupId === null) throw new KafkaError('INVALID_GROUP_ID')
  if (!isClassicProtocol(host.config)) return new ConsumerMembership(host, groupId)
  const strategy = host.config.get('partition.assignment.strategy')
  return new ClassicMembership(host, groupId, createAssignors(strategy, host.assignors))
}
