/**
 * Membership in a classic group: the members join, one of them assigns, all are told.
 *
 * Joining and heartbeats go on in the background. Twice in a rebalance the application has its turn
 * (`poll`): before joining, when an eager member gives everything back (and a cooperative one what
 * it does not subscribe to any more), and when the assignment is there, which a cooperative member
 * may have to answer by giving something back and joining once more (KIP-429).
 */
import { ErrorCode, KafkaError } from '../../../common/errors.ts'
import { decodeConsumerAssignment } from '../../../protocol/consumer-protocol.ts'
import { LeaveGroup } from '../../../protocol/messages/leave-group.ts'
import type { CallLimits } from '../../cluster/call-limits.ts'
import { isFatal } from '../../errors.ts'
import type { ConsumerGroup } from '../../producer/transactions.ts'
import { partitionName, type TopicPartition } from '../../topic-partition.ts'
import type { OffsetToCommit } from '../partition-state.ts'
import { AssignmentChanges, type ListenerFailure, throwFirst } from './assignment-changes.ts'
import type { Assignor } from './assignor.ts'
import { rebalanceProtocolOf } from './assignors.ts'
import { classicCommitPolicy } from './classic-commit-policy.ts'
import { ClassicHeartbeats } from './classic-heartbeats.ts'
import { ClassicJoining, type JoinedGroup } from './classic-joining.ts'
import { ClassicMember } from './classic-member.ts'
import { Commits } from './commits.ts'
import { GivingBack } from './giving-back.ts'
import type { CommittedOffsets, GroupMembership, MembershipHost } from './group-membership.ts'
import { LeaderAssignment } from './leader-assignment.ts'
import { MembershipNews } from './membership-news.ts'
import { PollTimer } from './poll-timer.ts'
import { SubscribedTopics } from './subscribed-topics.ts'
import { TopicWatch } from './topic-watch.ts'

export class ClassicMembership implements GroupMembership {
  readonly #host: MembershipHost
  readonly #news: MembershipNews
  readonly #member: ClassicMember
  readonly #isCooperative: boolean
  readonly #commits: Commits
  readonly #changes: AssignmentChanges
  readonly #givingBack: GivingBack
  readonly #watch: TopicWatch
  readonly #topics: SubscribedTopics
  readonly #leader: LeaderAssignment
  readonly #heartbeats: ClassicHeartbeats
  readonly #joining: ClassicJoining
  readonly #pollTimer: PollTimer
  /** Ends the join that is under way. */
  #join: AbortController | undefined
  /** Never rejects. */
  #joinDone = Promise.resolve()
  /** An assignment that the application has not seen yet. */
  #joined: JoinedGroup | undefined
  /** What was subscribed to at the last join. */
  #joinedTopics: ReadonlySet<string> | undefined
  /** Two sets of topics that were found to be the same. */
  #compared: readonly ReadonlySet<string>[] = []
  #metadata: ConsumerGroup
  #failure: KafkaError | undefined

  constructor(consumer: MembershipHost, groupId: string, assignors: readonly Assignor[]) {
    this.#news = new MembershipNews(consumer)
    const { host } = this.#news
    const { config, environment, subscription } = host
    this.#host = host
    this.#member = new ClassicMember(groupId, config.get('group.instance.id'))
    this.#metadata = this.#member.metadata
    this.#isCooperative = rebalanceProtocolOf(assignors) === 'cooperative'
    const policy = classicCommitPolicy(this.#member, () => subscription.isGroupManaged)
    this.#commits = new Commits(host, groupId, policy)
    this.#changes = new AssignmentChanges(host)
    this.#givingBack = new GivingBack(host, this.#commits)
    this.#watch = new TopicWatch(host)
    this.#topics = new SubscribedTopics(host, this.#watch)
    this.#leader = new LeaderAssignment(host, this.#watch)
    const onFailed = (error: KafkaError) => this.#fail(error)
    this.#heartbeats = new ClassicHeartbeats(host, this.#member, onFailed)
    const parts = { host, assignors, member: this.#member, leader: this.#leader }
    this.#joining = new ClassicJoining({ ...parts, heartbeats: this.#heartbeats })
    const intervalMs = config.get('max.poll.interval.ms')
    this.#pollTimer = new PollTimer(environment.clock, intervalMs, () => this.#pollExpired())
  }

  get groupMetadata(): ConsumerGroup {
    return this.#metadata
  }

  async poll(limits: CallLimits): Promise<void> {
    this.#news.seen()
    this.#throwFailure()
    if (this.#host.subscription.isGroupManaged) {
      this.#pollTimer.touch()
      if (this.#lookAtTopics()) await this.#takeTurn(limits)
    }
    this.#commits.poll()
  }

  nextPollInMs(): number {
    if (this.#news.isThere) return 0
    return Math.min(this.#commits.dueInMs, this.#pollTimer.touchWithinMs)
  }

  subscriptionChanged(): void {
    // The next poll compares what was joined with.
    this.#host.wake()
  }

  async commit(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    await this.#commits.withRetries(offsets, limits)
  }

  async commitOnce(offsets: readonly OffsetToCommit[], limits: CallLimits): Promise<void> {
    await this.#commits.once(offsets, limits)
  }

  async committed(
    partitions: readonly TopicPartition[],
    limits: CallLimits,
  ): Promise<CommittedOffsets> {
    return await this.#commits.committed(partitions, limits)
  }

  enforceRebalance(reason: string): void {
    this.#member.requestRejoin(reason === '' ? 'rebalance enforced by user' : reason)
    this.#host.wake()
  }

  async leave(limits: CallLimits): Promise<void> {
    const { subscription } = this.#host
    this.#pollTimer.stop()
    this.#watch.stop()
    const assigned = subscription.assigned()
    if (assigned.length > 0) await this.#awaitJoin(limits)
    let failure: ListenerFailure | undefined
    if (!subscription.isGroupManaged) {
      await this.#commits.beforeRevoke(assigned, limits)
    } else if (this.#member.hasLostItsPlace || this.#member.isRebalancing) {
      failure = await this.#changes.lose(assigned)
    } else {
      await this.#givingBack.give(assigned, limits)
      failure = await this.#changes.revoke(assigned)
    }
    await this.#commits.settled(limits)
    await this.#leaveGroup('the consumer left the group', limits)
    throwFirst(failure)
  }

  /** Whether the group can be joined or stayed in; a pattern first needs to know the topics. */
  #lookAtTopics(): boolean {
    const { subscription } = this.#host
    if (subscription.kind === 're2') {
      const text = 'A subscription by an RE2 expression needs group.protocol=consumer'
      throw new KafkaError('UNSUPPORTED_VERSION', text)
    }
    if (!this.#topics.look(this.#leader.topics)) return false
    const member = this.#member
    const joined = this.#joinedTopics
    if (member.needsRejoin || joined === undefined || this.#join !== undefined) return true
    if (!this.#isSubscribedTo(joined)) {
      member.requestRejoin('subscription has changed')
    } else if (this.#leader.isOutdated) {
      member.requestRejoin('cached metadata has changed')
    }
    return true
  }

  /** Whether these are the topics subscribed to. Asked in every poll, mostly of the same. */
  #isSubscribedTo(joined: ReadonlySet<string>): boolean {
    const { topics } = this.#host.subscription
    if (joined === this.#compared[0] && topics === this.#compared[1]) return true
    const isSame = joined.size === topics.size && joined.isSubsetOf(topics)
    if (isSame) this.#compared = [joined, topics]
    return isSame
  }

  /** Goes on with the rebalance as far as it goes without waiting for others. */
  async #takeTurn(limits: CallLimits): Promise<void> {
    // A listener may have unsubscribed.
    while (this.#join === undefined && this.#host.subscription.isGroupManaged) {
      if (this.#joined !== undefined) {
        if (!(await this.#complete(this.#joined, limits))) return
      } else if (this.#member.needsRejoin) {
        if (!(await this.#prepare(limits))) return
        this.#startJoin()
      } else return
    }
  }

  /** Gives back what must be before the next join. Returns whether that is done. */
  async #prepare(limits: CallLimits): Promise<boolean> {
    const member = this.#member
    if (!member.needsPrepare) return true
    const { subscription } = this.#host
    const owned = subscription.assigned()
    const isSubscribed = ({ topic }: TopicPartition) => subscription.topics.has(topic)
    let failure: ListenerFailure | undefined
    if (member.hasLostItsPlace) {
      this.#givingBack.forget()
      failure = await this.#changes.lose(owned)
    } else {
      const revoked = this.#isCooperative ? owned.filter((each) => !isSubscribed(each)) : owned
      if (!(await this.#givingBack.give(revoked, limits))) return false
      // The place may have been lost while the commit was under way.
      if (member.hasLostItsPlace) return await this.#prepare(limits)
      failure = await this.#changes.revoke(revoked)
    }
    member.needsPrepare = false
    throwFirst(failure)
    return true
  }

  #startJoin(): void {
    const join = new AbortController()
    this.#join = join
    this.#joinedTopics = undefined
    this.#joinDone = this.#joining
      .run(join.signal)
      .then((joined) => {
        if (this.#join !== join) return
        this.#join = undefined
        this.#joined = joined
        this.#joinedTopics = joined?.topics
        this.#host.wake()
      })
      .catch((error) => {
        if (this.#join !== join) return
        this.#join = undefined
        this.#fail(error)
      })
  }

  /**
   * A cooperative member that leaves in the middle of a rebalance still has what it had, yet cannot
   * commit until the coordinator has heard of everybody. Waits for that, but not all of its time.
   */
  async #awaitJoin({ remainingMs, signal }: CallLimits): Promise<void> {
    if (this.#join === undefined) return
    const limits = this.#host.cluster.limits({ timeoutMs: remainingMs / 2, signal })
    await limits.wait(this.#joinDone).catch(() => {})
  }

  /** Applies an assignment. Returns whether that is done. */
  async #complete(joined: JoinedGroup, limits: CallLimits): Promise<boolean> {
    const member = this.#member
    const { environment } = this.#host
    if (member.generationId !== joined.generationId) {
      this.#joined = undefined
      return true
    }
    const { partitions, userData } = partitionsOf(joined.assignment)
    const stranger = partitions.find(({ topic }) => !this.#topics.admits(topic))
    if (stranger !== undefined) {
      environment.log.info(`Assigned ${partitionName(stranger)}, which is not subscribed to`)
      member.requestRejoin('received assignment does not match the current subscription')
      this.#joined = undefined
      return true
    }
    const { revoked, added } = this.#changes.compare(partitions)
    if (!(await this.#givingBack.give(revoked, limits))) return false
    if (member.generationId !== joined.generationId) return true
    this.#joined = undefined
    const revocation = await this.#changes.revoke(revoked)
    if (revoked.length > 0) member.requestRejoin('need to revoke partitions and re-join')
    this.#joinedTopics = joined.topics.union(new Set(partitions.map(({ topic }) => topic)))
    this.#metadata = member.metadata
    joined.assignor.onAssignment?.({ partitions, userData }, this.#metadata)
    this.#commits.restartInterval()
    const assignment = await this.#changes.assign(partitions, added)
    this.#topics.look(this.#leader.topics)
    throwFirst(revocation, assignment)
    return true
  }

  #pollExpired(): void {
    const { environment, config } = this.#host
    const member = this.#member
    if (member.state === 'unjoined') return
    environment.log.warn(
      `The time between two polls was longer than max.poll.interval.ms ` +
        `(${config.get('max.poll.interval.ms')}), so the consumer leaves its group. Either make ` +
        'that longer or max.poll.records smaller.',
    )
    const { cluster } = this.#host
    void this.#leaveGroup('consumer poll timeout has expired.', cluster.limits())
  }

  /** Out of the group, as far as this member is concerned at once. Never rejects. */
  async #leaveGroup(reason: string, limits: CallLimits): Promise<void> {
    const { cluster, environment } = this.#host
    const { groupId, memberId, groupInstanceId } = this.#member
    this.#heartbeats.stop()
    this.#leader.resign()
    this.#givingBack.forget()
    this.#join?.abort(new KafkaError('UNKNOWN_MEMBER_ID', 'The consumer has left its group'))
    this.#join = undefined
    this.#joined = undefined
    this.#joinedTopics = undefined
    this.#member.reset(reason, false)
    // A static member only stays away; its place is kept for the session (KIP-345).
    if (memberId === '' || groupInstanceId !== null) return
    try {
      const response = await cluster.sendToCoordinator(
        ['group', groupId],
        LeaveGroup,
        (connection) =>
          (connection.supportedVersion(LeaveGroup) ?? 0) >= 3
            ? { groupId, members: [{ memberId, groupInstanceId, reason }] }
            : { groupId, memberId },
        limits,
      )
      const code = response.members[0]?.errorCode || response.errorCode
      if (code !== ErrorCode.NONE) environment.log.debug(`LeaveGroup was answered with ${code}`)
    } catch (error) {
      environment.log.info(`Leaving group ${groupId} failed: ${error}`)
    }
  }

  #fail(error: KafkaError): void {
    this.#host.environment.log.error('The membership in the group failed', error)
    this.#failure = error
    // Whoever polls in spite of it may have mended what was wrong.
    if (!this.#member.needsRejoin) this.#member.requestRejoin(error.errorName)
    this.#host.wake()
  }

  /** Throws what went wrong in the background: once, unless the consumer can never go on. */
  #throwFailure(): void {
    const failure = this.#failure
    if (failure === undefined) return
    if (!isFatal(failure)) this.#failure = undefined
    throw failure
  }
}

function partitionsOf(assignment: Buffer): {
  partitions: TopicPartition[]
  userData: Buffer | null
} {
  const { assignedPartitions, userData } = decodeConsumerAssignment(assignment)
  const partitions = assignedPartitions.flatMap(({ topic, partitions: numbers }) =>
    numbers.map((partition) => ({ topic, partition })),
  )
  return { partitions, userData }
}
